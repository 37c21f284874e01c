#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Goal: the template in contrib/ builds out of the tree, against the installed header and
# nothing else, and kiln-worker describes it and runs it.
set -u
top_srcdir=${top_srcdir:-.} top_builddir=${top_builddir:-.}
# Below /tmp: the plugin gate asks who owns the folders above.
work=$(mktemp -d /tmp/kiln-template-XXXXXX)
trap 'rm -rf "$work"' EXIT
tests=0
ok() # STATUS DESCRIPTION LOG
{
	tests=$((tests + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $tests - $2"
	else
		echo "not ok $tests - $2"
		sed 's/^/# /' "$3"
	fi
}

# Not the flags of the make that runs this test.
unset MAKEFLAGS MFLAGS MAKELEVEL
echo 1..5
make -s -C "$top_builddir" install-includeHEADERS DESTDIR="$work/root" >"$work/log" 2>&1
header=$(find "$work/root" -name kiln_plugin.h)
[ -n "$header" ]
ok $? 'the header is installed' "$work/log"

mkdir "$work/plugin" && cp "$top_srcdir"/contrib/plugin-template/* "$work/plugin"
make -s -C "$work/plugin" KILN_INCLUDE="${header%/*}" \
	CC="${CC:-gcc}" CFLAGS='-O2 -Werror' >"$work/log" 2>&1
ok $? 'the template builds against it' "$work/log"

"$top_builddir/kiln-worker" --describe "$work/plugin/shout.so" >"$work/log" 2>&1 &&
	grep -q '"name": "marks"' "$work/log"
ok $? 'kiln-worker describes it' "$work/log"

mkdir "$work/in"
echo 'hello there' >"$work/in/a.txt"
cat >"$work/manifest.json" <<END
{"format": 1, "batch": 0, "rule": "", "revision": "1", "kernel": "shout",
 "plugin": "$work/plugin/shout.so", "params": {"marks": 2}, "device": "cpu", "needs": 0,
 "threads": 1, "repeat": 1, "memory_limit": 0, "output_limit": 0, "wall_limit": 60,
 "root": "$work/in", "out": "$work/out", "collision": "version", "inputs": "keep",
 "done": null, "quarantine": null, "mode": 420, "group": null, "verify_writers": false,
 "units": [{"id": 0, "kind": 1, "attempt": 1, "path": "a.txt", "output": ""}]}
END
"$top_builddir/kiln-worker" --manifest "$work/manifest.json" --result "$work/result.json" \
	>"$work/log" 2>&1 && [ "$(cat "$work/out/a.loud.txt")" = 'HELLO THERE!!' ]
ok $? 'and runs it' "$work/log"
grep -q '"status": "published"' "$work/result.json"
ok $? 'the result file says so' "$work/result.json"
