#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Goal: the demo shows what it promises.  It recomputes every sum and opens every archive in
# numpy itself, and says by its exit status whether all was as it should be; here moreover
# its words are looked for, and that no kilnd outlives it.
. "${top_srcdir:-.}/tests/scenarios/lib.sh"

/usr/bin/python3 -c 'import numpy' 2>/dev/null || skip_all 'no python3-numpy here'
said=$(TMPDIR=$scratch "$top_srcdir/contrib/demo" "$top_builddir" 2>&1)
status=$?
is "$status" 0 'the demo ends well'
[ "$status" -eq 0 ] || note "$said"
like "$said" 'waltz\.npz\.kiln\.json' 'a sidecar is shown'
like "$said" 'positions \[[0-9]+, [0-9]+, 3\]' 'numpy reads the positions'
like "$said" 'outputs compared with their sidecars: all equal' 'the sums agree'
like "$said" '\.png$' 'a contact sheet is named'
like "$said" '[0-9] frames/s' 'the speed is told'
like "$said" 'broken\.vmd' 'the broken motion is in quarantine'
kept=$(echo "$scratch"/kiln-demo.*)
try 'the scratch folder is kept' test -d "$kept/out"
is "$(pgrep -f -- "--state $kept/state")" '' 'no kilnd outlives the demo'

cp "$kept/samples/salute.vmd" "$scratch/my own dance.vmd"
said=$(TMPDIR=$scratch "$top_srcdir/contrib/demo" "$top_builddir" "$kept/samples/dancer.pmx" \
	"$scratch/my own dance.vmd" 2>&1)
is $? 0 'the demo takes files of the user'
like "$said" 'my own dance\.npz: positions \[300, ' 'and shows what became of them'
finish
