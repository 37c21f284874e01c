#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Goal: kilnctl drop hands over what its user can read, and nothing else: it appears whole in
# the drop folder and is processed; who may is kept to; and whoever breaks off leaves nothing.
. "${top_srcdir:-.}/tests/scenarios/lib.sh"
mkdir "$scratch/shots" "$scratch/mine" "$scratch/mine/shot"
rule copies 'kernel = "copy"' 'match = ["*.txt"]' 'inputs = "delete"'
rule shots 'kernel = "copy"' "watch = \"$scratch/shots\"" 'unit = "directory"'
kilnd_start
is $? 0 'kilnd starts'
cd "$scratch/mine" || exit 1
echo one >one.txt
echo two >'odd
name.txt'
said=$(ctl drop copies one.txt 'odd
name.txt' --wait)
is $? 0 'two files are dropped and waited for'
like "$said" "published  one\\.txt -> $output/one\\.txt" 'how they ended is told'
like "$said" 'published  odd.x0aname\.txt' 'whatever they are called'
try 'they are published' published one.txt 'odd
name.txt'
is "$(ctl drop copies one.txt --wait --json | json '[u["state"] for u in d["units"]]')" "['skipped']" \
	'the same content again is the same'
for i in 1 2 3; do mkdir -p "shot/deep$i"; echo "frame $i" >"shot/deep$i/$i.txt"; done
try 'a folder is dropped' ctl drop shots shot/ --wait
try 'and published' published shot
is "$(cat "$output/shot/deep2/2.txt")" 'frame 2' 'with all that is in it'
like "$(ctl drop shots shot 2>&1)" 'has something of that name already' 'nothing is replaced'

# what is refused
echo no >one.dat
like "$(ctl drop copies one.dat 2>&1)" "would not take 'one.dat': .*matches none" 'what the rule does not take'
like "$(ctl drop copies shot 2>&1)" "would not take 'shot': it is a folder" 'a folder where files are taken'
like "$(ctl drop nonesuch one.txt 2>&1)" "no rule 'nonesuch'" 'a rule that there is not'
mkfifo fifo.txt
like "$(ctl drop copies fifo.txt 2>&1)" 'expected a file or a folder' 'a FIFO'
ln -s /etc/passwd shot/link
mv shot another
like "$(ctl drop shots another 2>&1)" "'another/link' cannot be read: Too many" 'a link below a folder is not followed'
is "$(find "$scratch/shots" -name 'another*')" '' 'and nothing of that folder appears'
truncate -s 8191P giant.txt 2>/dev/null || truncate -s 8T giant.txt
like "$(ctl drop copies giant.txt 2>&1)" 'have no room in the drop folder' 'a giant of holes'
is "$(find "$scratch/in" "$scratch/shots" -name '.kiln-drop*')" '' 'no spool is left'

# whoever breaks off
mkfifo "$scratch/hold"
mkdir big
for i in $(seq 2000); do echo "$i" >"big/$i.txt"; done
ctl drop shots big >/dev/null 2>&1 &
giver=$!
await 20 eval 'ls -d "$scratch/shots"/.kiln-drop.*'
keeper=$(echo "$scratch/shots"/.kiln-drop.*)
keeper=${keeper##*.}
kill -KILL $giver
wait $giver 2>/dev/null
# Its name ends in its keeper's number, which is nobody's once all its files are closed.
await 20 eval '! kill -0 "$keeper"'
rm another/link
try 'the next drop' ctl drop shots another --wait
is "$(ls -A "$scratch/shots" | grep -v big)" 'another
shot' 'sweeps what one that broke off left'

if [ "$(id -u)" = 0 ]; then
	kilnd_stop
	chmod 755 "$scratch" "$state"
	chmod 777 "$scratch/mine"
	chmod 700 "$drop"
	kilnd_start
	chmod 777 "$state/control"
	if as_nobody --version >/dev/null; then
		echo three >three.txt
		echo secret >secret.txt
		chmod 600 secret.txt
		said=$(as_nobody drop copies three.txt)
		is $? 1 'who is no dropper may not drop'
		like "$said" 'you may not drop into rule .copies.' 'and is told so'
		rule copies 'kernel = "copy"' 'match = ["*.txt"]' 'inputs = "delete"' 'droppers = ["nobody"]'
		ctl reload --wait
		like "$(as_nobody drop copies secret.txt)" "'secret.txt' cannot be read: Permission denied" \
			'a dropper cannot give what he cannot read, though kilnd can'
		try 'a dropper drops where he cannot write' as_nobody drop copies three.txt --wait
		try 'and it is published' published three.txt
		like "$(as_nobody drop shots three.txt)" 'you may not drop into rule .shots.' 'into that rule only'
	else
		skip 'droppers' 'only root can read the build tree here'
	fi
else
	skip 'droppers' 'needs root to be somebody else'
fi
kilnd_stop
is $? 0 'kilnd stops'
finish
