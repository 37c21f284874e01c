#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Goal: without sub-folders two drops of one name collide, and the rule's collision policy
# says what becomes of the second; the same content is a matter of `same`, not of names.
. "${top_srcdir:-.}/tests/scenarios/lib.sh"
for policy in version keep replace; do
	mkdir -p "$scratch/$policy"/{in/a,in/b,in/c,out}
	rule "$policy" 'kernel = "copy"' 'layout = "flat"' "collision = \"$policy\"" \
		"watch = \"$scratch/$policy/in\"" "output = \"$scratch/$policy/out\""
done
kilnd_start
is $? 0 'kilnd starts'
put() # FOLDER TEXT
{
	for policy in version keep replace; do
		echo "$2" >"$scratch/$policy/in/$1/x.txt"
	done
	ctl sync --idle
}
outputs() # POLICY: the contents by name
{
	(cd "$scratch/$1/out" && grep -H . -- *.txt | sort)
}
put a first
put b second
is "$(outputs version)" $'x.2.txt:second\nx.txt:first' 'version: both stand'
is "$(outputs keep)" x.txt:first 'keep: the older one stands'
is "$(outputs replace)" x.txt:second 'replace: the newer one stands'
like "$(ctl list --rule keep --status kept)" '(a|b)/x.txt' 'which the ledger says'
put c first
is "$(outputs version)" $'x.2.txt:second\nx.txt:first' 'the same content again is skipped'
is "$(outputs replace)" x.txt:second 'and replaces nothing'
# Folders that people made are never replaced.
mkdir -p "$scratch"/replace/out/{y.txt,dance} "$scratch/in/dance"
echo mine | tee "$scratch/replace/out/y.txt/mine" >"$scratch/replace/out/dance/mine"
echo new >"$scratch/replace/in/a/y.txt"
echo step >"$scratch/in/dance/1"
ctl sync --idle
dance() # CONTENT: as a folder, which kilnctl run replaces
{
	echo "$1" >"$scratch/in/dance/1"
	"$top_builddir/kilnctl" run copy -o "$scratch/replace/out" "$scratch/in/dance"
}
try 'a folder beside one of people' dance step
is "$(cat "$scratch"/replace/out/{y.txt,dance}/mine | xargs)" 'mine mine' 'which they keep'
is "$(cat "$scratch"/replace/out/{y.2.txt,dance.2/1} | xargs)" 'new step' 'and the outputs beside'
try 'and once more' dance turn
is "$(cat "$scratch"/replace/out/dance.2/1; ls "$scratch/replace/out")" \
	$'turn\ndance\ndance.2\nx.txt\nx.txt.kiln.json\ny.2.txt\ny.2.txt.kiln.json\ny.txt' \
	'replaces our own'
rm -r "$scratch"/replace/out/{y.txt,dance}
for policy in version keep replace; do
	output=$scratch/$policy/out
	try "$policy: every output has a sidecar that is right" whole
done
finish
