#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Goal: no files call each other in a circle, so that every folder can be read from its
# bottom up; nor do headers include each other in one.  Who calls whom is read out of the
# objects as they were built, whatever they were built with: a file calls the one that
# defines what its object leaves undefined.  Then circles are planted, which must be seen.
top_srcdir=${top_srcdir:-.} top_builddir=${top_builddir:-.}
. "$top_srcdir/tests/tap.sh"

# objects SOURCES BUILT: "OBJECT FILE" for each object below BUILT whose source is there: it
# is named LIBRARY-FILE.o, or FILE.o alone.
objects()
{
	local object stem name suffix
	(cd "$2" && find daemon plugins kernels -name '*.o') | while read -r object; do
		stem=${object%.o} name=${object##*/}
		name=${name%.o}
		for stem in "$stem" "${stem%/*}/${name#*-}"; do
			for suffix in c cpp cu; do
				[ -e "$1/$stem.$suffix" ] || continue
				echo "$object $stem.$suffix"
				continue 3
			done
		done
	done
}

# symbols SOURCES BUILT: "FILE KIND SYMBOL" for each that a file defines or needs.
symbols()
{
	objects "$1" "$2" >"$scratch/objects"
	(cd "$2" && cut -d ' ' -f 1 "$scratch/objects" | xargs -r "${NM:-nm}" -A -g --) \
		2>"$scratch/said" | awk '
		NR == FNR { file[$1] = $2; next }
		{
			object = $0
			sub(/:.*/, "", object)
			kind = $(NF - 1)
			sub(/.*:/, "", kind)
			print file[object], kind, $NF
		}' "$scratch/objects" -
}

# calls: of such lines, "FILE FILE SYMBOL": the first file calls what the second defines.
calls()
{
	awk '
	$2 ~ /^[A-TV-Z]$/ { definers[$3] = definers[$3] " " $1; next }
	{ needs[$1 " " $3] }
	END {
		for (need in needs) {
			split(need, part, " ")
			count = split(definers[part[2]], file, " ")
			for (i = 1; i <= count; i++)
				if (file[i] != part[1])
					print part[1], file[i], part[2]
		}
	}'
}

# includes ROOT: "HEADER HEADER include": the first includes the second.
includes()
{
	(cd "$1" && grep -rHE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' \
		--include='*.h' kernels plugins daemon) |
		sed -E 's/^([^:]*):[^"]*"([^"]*)".*/\1 \2 include/'
}

# circles: of lines "FILE FILE NAME", those that tie circles; silent where there is none.
# As a reader does it: whoever calls nobody that is unread is read and laid aside, and so
# is whom nobody unread calls; what is left over has no bottom and no top.
circles()
{
	awk '
	{ caller[NR] = $1; called[NR] = $2; name[NR] = $3 }
	END {
		do {
			split("", calls)
			split("", is_called)
			for (i in name) {
				calls[caller[i]]
				is_called[called[i]]
			}
			laid = 0
			for (i in name) {
				if ((called[i] in calls) && (caller[i] in is_called))
					continue
				delete name[i]
				laid++
			}
		} while (laid > 0)
		# Of these, some only lie between two circles.
		for (i in name)
			reaches[caller[i], called[i]]
		for (via in calls)
			for (from in calls)
				if ((from, via) in reaches)
					for (to in calls)
						if ((via, to) in reaches)
							reaches[from, to]
		for (i in name)
			if ((called[i], caller[i]) in reaches)
				print caller[i] " -> " called[i] ": " name[i]
	}' | LC_ALL=C sort -u
}

is "$(includes "$top_srcdir" | circles)" '' 'no headers include each other in a circle'

symbols "$top_srcdir" "$top_builddir" >"$scratch/house"
calls <"$scratch/house" >"$scratch/calls"
if grep -q ' daemon/base/err\.c kd_err' "$scratch/calls"; then
	is "$(circles <"$scratch/calls")" '' 'no files call each other in a circle'
	# The house with one more call: the lowest file calls the highest.
	found=$(echo 'daemon/base/err.c U kd_kiln_new' | cat "$scratch/house" - | calls |
		circles)
	like "$found" '^daemon/base/err\.c -> daemon/kiln\.c: kd_kiln_new$' \
		'planted: the ground floor calls the roof'
	like "$found" '^daemon/kiln\.c -> .*: ' 'and what ties the roof to it is told'
else
	skip 'no files call each other in a circle' \
		"no object here tells of its symbols: nothing is built, or it is for a linker's optimiser"
fi

# plant FILE CODE: a source and its object, in a house of their own.
plant()
{
	mkdir -p "$scratch/planted/${1%/*}"
	echo "$2" >"$scratch/planted/$1"
	${CC:-gcc} -fno-lto -c -o "$scratch/planted/${1%/*}/lib_a-$(basename "$1" .c).o" \
		"$scratch/planted/$1" || exit 1
}
planted()
{
	symbols "$scratch/planted" "$scratch/planted" | calls | circles
}
mkdir -p "$scratch/planted/plugins" "$scratch/planted/kernels"
plant daemon/low.c 'int low(void) { return 0; }'
plant daemon/middle.c 'int low(void); int middle(void) { return low(); }'
plant daemon/high.c 'int low(void), middle(void); int high(void) { return middle() + low(); }'
is "$(planted)" '' 'a ladder is let through'
plant daemon/low.c 'int high(void); int low(void) { return high(); }'
is "$(planted)" 'daemon/high.c -> daemon/low.c: low
daemon/high.c -> daemon/middle.c: middle
daemon/low.c -> daemon/high.c: high
daemon/middle.c -> daemon/low.c: low' 'planted: a circle of three'
plant daemon/low.c 'extern int (*const table[])(void); int low(void) { return table[0](); }'
plant daemon/table.c 'int high(void); int (*const table[])(void) = {high};'
like "$(planted)" '^daemon/low\.c -> daemon/table\.c: table$' \
	'planted: a circle through a table of functions'
plant daemon/low.c 'int low(int (*up)(void)) { return up(); }'
is "$(planted)" '' 'a callback that is handed down is let through'
echo '#include "daemon/two.h"' >"$scratch/planted/daemon/one.h"
echo '#include "daemon/one.h" /* back */' >"$scratch/planted/daemon/two.h"
is "$(includes "$scratch/planted" | circles)" 'daemon/one.h -> daemon/two.h: include
daemon/two.h -> daemon/one.h: include' 'planted: two headers include each other'
finish
