#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Goal: whatever is wrong with a drop, it is quarantined with a reason that names it, and
# its good neighbours are published all the same.
. "${top_srcdir:-.}/tests/scenarios/lib.sh"
samples=$scratch/samples
mkdir "$samples"
"$top_builddir/contrib/make-sample" "$samples" >/dev/null || skip_all 'no samples were made'
rule motions 'kernel = "vmd-fk"' 'match = ["*.vmd"]' "params.model = \"$samples/dancer.pmx\""
kilnd_start
is $? 0 'kilnd starts'

# Made aside and moved in: each is seen whole, however long the shell takes to write it.
mkdir "$scratch/made"
cd "$scratch/made" || exit 1
cp "$samples/salute.vmd" good.vmd
cp "$samples/broken.vmd" broken.vmd
: >empty.vmd
printf '\x89PNG\r\n\x1a\n0123456789012345678901234567890' >picture.vmd
# The bone section's count, at byte 50, says far more than the file holds.
{ head -c 50 good.vmd; printf '\xff\xff\xff\x7f'; head -c 500 /dev/zero; } >counts.vmd
# The first key's position, at 54 + 19, is a NaN.
{ head -c 73 good.vmd; printf '\x00\x00\xc0\x7f'; tail -c +78 good.vmd; } >nan.vmd
mkdir folder.vmd
mkfifo fifo.vmd
ln -s /etc/passwd link.vmd
# Half of its keys are there: what is whole counts.
head -c $(($(stat -c %s good.vmd) / 2)) good.vmd >half.vmd
mv -- * "$drop"
try 'all of it settles' ctl sync --idle

try 'a good neighbour is published' published good.npz
try 'a half is published with a warning' published half.npz
like "$(json 'd["warnings"]' <"$output/half.npz.kiln.json")" 'ends|trunc|cut|missing' 'the warning says so'
try 'broken' refused broken.vmd 'broken\.vmd'
try 'empty' refused empty.vmd '(empty|0 bytes)'
try 'wrong magic' refused picture.vmd 'PNG'
try 'counts beyond the file' refused counts.vmd '2147483647'
try 'NaN' refused nan.vmd '(not a number|NaN|nan|finite)'
try 'a folder where a file should be' refused folder.vmd 'director|folder'
try 'a FIFO' refused fifo.vmd 'FIFO'
try 'a symbolic link' refused link.vmd 'symbolic link'
is "$(readlink "$failed/link.vmd")" /etc/passwd 'the link itself was moved, not what it names'
is "$(unit_states)" 'failed=8 published=2' 'the ledger agrees'
like "$(ctl list)" 'empty\.vmd' 'kilnctl list shows them'

# What the quarantine's reason file advises: put right, or moved back, it runs again.
mv "$failed/empty.vmd" "$drop/empty.vmd"
ctl sync --idle
try 'moved back unchanged it is refused again' refused empty.vmd 'empty'
cp "$samples/waltz.vmd" empty.vmd
mv empty.vmd "$drop"
ctl sync --idle
try 'put right it is published' published empty.npz

# A name that leaves no room for ".npz.kiln.json", nor for ".reason.txt".
long=$(printf 'x%.0s' {1..251}).vmd
head -c 200000 "$samples/waltz.vmd" >"$long"
mv "$long" "$drop"
ctl sync --idle
try 'too long a name is quarantined' test -e "$failed/$long"
like "$(cat "$failed"/xxx*~*.reason.txt)" 'longer than 255 bytes' 'with a reason under a shorter one'

# Still being written: the writer holds the file open longer than the quiet time.
head -c 100000 "$samples/waltz.vmd" >"$scratch/slow.vmd"
exec 7>"$drop/slow.vmd"
head -c 1000 "$scratch/slow.vmd" >&7
ctl sync --idle
seen=$(ls "$output" "$failed" | grep -c slow)
is "$seen" 0 'a file that somebody still writes to is left alone'
tail -c +1001 "$scratch/slow.vmd" >&7
exec 7>&-
await 60 published slow.npz
try 'and is published when it is whole' published slow.npz

kilnd_stop
if [ "$(id -u)" = 0 ]; then
	: >"$drop/secret.vmd"
	chmod 0 "$drop/secret.vmd"
	chmod 755 "$scratch"
	chown -R nobody "$state" "$output" "$failed" "$drop"
	chown root "$drop/secret.vmd"
	if setpriv --reuid nobody --clear-groups test -r "$top_builddir/plugins/vmd-fk.so"; then
		kilnd_start setpriv --reuid nobody --clear-groups
		ctl sync --idle
		like "$(ctl list --json)" 'secret.vmd[^}]*(Permission denied|may not)' 'an unreadable file is refused'
		kilnd_stop
	else
		skip 'an unreadable file' 'only root can read the build tree here'
	fi
else
	skip 'an unreadable file' 'needs root to be somebody else'
fi
finish
