#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Goal: a dropped archive is unpacked out of reach, published as a directory and moved
# away whole; one that is refused goes to quarantine with the reason; an engine that is
# killed while it unpacks costs nothing.
. "${top_srcdir:-.}/tests/scenarios/lib.sh"
mkdir -p "$scratch"/{in,done,made}
rule archives 'kernel = "copy"' 'unit = "archive"' 'match = ["*.zip", "*.tar*"]' \
	'archive = { depth = 2 }' "inputs = \"move:$scratch/done\"" 'retries = { max = 9, backoff = "50ms..100ms" }'
kilnd_start
is $? 0 'kilnd starts'

/usr/bin/python3 - "$scratch/made" <<'END'
import base64, io, os, sys, tarfile, zipfile
made = sys.argv[1]
with zipfile.ZipFile(f"{made}/shot.zip", "w") as archive:
    for i in range(1, 4):
        archive.writestr(f"shot/{i}.png", f"frame {i}")
with tarfile.open(f"{made}/evil.tar", "w") as archive:
    info = tarfile.TarInfo("../../escaped.txt")
    info.size = 1
    archive.addfile(info, io.BytesIO(b"x"))
with tarfile.open(f"{made}/deep.tar", "w") as archive:
    archive.addfile(tarfile.TarInfo("a/b/c.txt"), io.BytesIO())
# Text that takes a while to decompress.
with tarfile.open(f"{made}/large.tar.xz", "w:xz", preset=0) as archive:
    for i in range(200):
        text = base64.b64encode(os.urandom(100000))
        info = tarfile.TarInfo(str(i))
        info.size = len(text)
        archive.addfile(info, io.BytesIO(text))
END
mkdir "$drop/sub"
mv "$scratch/made/shot.zip" "$drop/sub/"
mv "$scratch/made/evil.tar" "$scratch/made/deep.tar" "$drop/"
echo left >"$drop/notes.txt"
ctl sync --idle
try 'an archive is published as a directory' published sub/shot
is "$(cat "$output/sub/shot/shot/2.png")" 'frame 2' 'with what was in it'
is "$(ls "$scratch/done/sub")" shot.zip 'the archive itself is moved'
is "$(ls "$failed")" $'deep.tar\ndeep.tar.reason.txt\nevil.tar\nevil.tar.reason.txt' 'those that are refused are put aside'
like "$(cat "$failed/evil.tar.reason.txt")" 'leaves its folder' 'with the reason'
like "$(cat "$failed/deep.tar.reason.txt")" 'nested too deep' 'by the limits of the rule'
is "$(find "$scratch" -name escaped.txt)" '' 'and nothing escaped'
is "$(ls -A "$drop" "$drop/sub")" "$drop:
notes.txt
sub

$drop/sub:" 'other files stay, no claim is left'

# The keeper is warm by now, and the engine that unpacks its child.
keeper=$(pgrep -P "$kilnd_pid" | head -n 1)
mv "$scratch/made/large.tar.xz" "$drop/"
victim=
until [ -n "$victim" ] || [ -e "$output/large" ]; do
	victim=$(pgrep -P "${keeper:-1}" -f 'kiln-worker --unpack')
done
[ -n "$victim" ] || fail 'what unpacks is seen'
# Two filters stand before it has read a byte.
await 10 grep -qE '^Seccomp_filters:[[:space:]]*2|^State:.*Z' "/proc/$victim/status" >/dev/null
try 'what unpacks is confined' grep -q '^Seccomp:.*2' "/proc/$victim/status"
kill -KILL "$victim"
is $? 0 'it is killed at work'
ctl sync --idle
await 30 published large >/dev/null
try 'an engine that is killed while it unpacks costs nothing' published large
is "$(find "$output/large" -type f | wc -l)" 201 'all of it is there'
is "$(ls -A "$output/.kiln-stage" | grep -vE 'checkpoints|doubted')" '' 'nothing is left in the stage'
is "$(grep 'tried system calls' "$kilnd_log")" '' 'and nobody tried what no engine may'
kilnd_stop

# A library that is taken over by what it reads: an imitation of it, for this kilnd alone.
library=$(ldconfig -p 2>/dev/null | awk '/libarchive\.so\.13 / { print $NF; exit }')
if grep -q KILN_SANITIZED.1 "$top_builddir/config.h"; then
	skip 'what an engine that unpacks tries is told of' 'a sanitizer takes the signal for itself'
elif ! unshare -m true 2>/dev/null; then
	skip 'what an engine that unpacks tries is told of' 'needs root, to mount over the library'
else
	echo '#include <sys/ptrace.h>
__attribute__((constructor)) static void try(void) { ptrace(PTRACE_TRACEME, 0, 0, 0); }' |
		${CC:-gcc} -shared -fPIC -x c -o "$scratch/imitation.so" -
	cat >"$scratch/imitated" <<-END
		#!/bin/sh
		mount --bind "$scratch/imitation.so" "$(readlink -f "$library")" && exec "\$@"
	END
	chmod +x "$scratch/imitated"
	kilnd_start unshare -m "$scratch/imitated"
	tar -C "$scratch" -cf "$drop/hacked.tar" imitated
	try 'what an engine that unpacks tries is told of' await 30 grep -q \
		"unpacking 'hacked.tar' tried system calls .* denied them: ptrace;" "$kilnd_log"
	kilnd_stop
fi
finish
