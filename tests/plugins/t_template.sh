#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Goal: the template in contrib/ builds out of the tree, against the installed header and
# nothing else, and kiln-worker describes it and runs it.
#
# Below /tmp: the plugin gate asks who owns the folders above.
TMPDIR=/tmp
. "${top_srcdir:-.}/tests/tap.sh"
top_srcdir=${top_srcdir:-.} top_builddir=${top_builddir:-.}

# Not the flags of the make that runs this test.
unset MAKEFLAGS MFLAGS MAKELEVEL
make -s -C "$top_builddir" install-includeHEADERS DESTDIR="$scratch/root" >"$scratch/said" 2>&1
header=$(find "$scratch/root" -name kiln_plugin.h)
[ -n "$header" ]
check $? 'the header is installed'

mkdir "$scratch/plugin" && cp "$top_srcdir"/contrib/plugin-template/* "$scratch/plugin"
make -s -C "$scratch/plugin" KILN_INCLUDE="${header%/*}" \
	CC="${CC:-gcc}" CFLAGS='-O2 -Werror' >"$scratch/said" 2>&1
check $? 'the template builds against it'

"$top_builddir/kiln-worker" --describe "$scratch/plugin/shout.so" >"$scratch/said" 2>&1 &&
	grep -q '"name": "marks"' "$scratch/said"
check $? 'kiln-worker describes it'

mkdir "$scratch/in"
echo 'hello there' >"$scratch/in/a.txt"
cat >"$scratch/manifest.json" <<END
{"format": 1, "batch": 0, "rule": "", "revision": "1", "kernel": "shout",
 "plugin": "$scratch/plugin/shout.so", "params": {"marks": 2}, "device": "cpu", "needs": 0,
 "threads": 1, "repeat": 1, "memory_limit": 0, "output_limit": 0, "wall_limit": 60,
 "root": "$scratch/in", "out": "$scratch/out", "collision": "version", "inputs": "keep",
 "done": null, "quarantine": null, "mode": 420, "group": null, "verify_writers": false,
 "units": [{"id": 0, "kind": 1, "attempt": 1, "path": "a.txt", "output": ""}]}
END
"$top_builddir/kiln-worker" --manifest "$scratch/manifest.json" --result "$scratch/result.json" \
	>"$scratch/said" 2>&1 && [ "$(cat "$scratch/out/a.loud.txt")" = 'HELLO THERE!!' ]
check $? 'and runs it'
like "$(cat "$scratch/result.json")" '"status": "published"' 'the result file says so'
finish
