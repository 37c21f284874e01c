#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Goal: no file includes what its floor may not know (DESIGN.md, "the layout of the tree").
# The floors are stated below as permissions; then violations are planted in a copy of the
# tree, one by one, and each must be caught.
top_srcdir=${top_srcdir:-.}
. "$top_srcdir/tests/tap.sh"

# allowed FILE INCLUDE: whether FILE, a path from the root, may include "INCLUDE".
allowed()
{
	case $2 in
	daemon/kilnd.* | daemon/kilnctl.* | daemon/kiln-worker.*) return 1 ;;
	esac
	case $1 in
	tests/* | contrib/*) return 0 ;;
	esac
	case "$1 $2" in
	kernels/*\ kernels/*) ;;
	kernels/*) return 1 ;;
	plugins/kiln_plugin.h\ *) return 1 ;;
	plugins/formats/*\ plugins/formats/*) ;;
	*\ config.h) ;;
	plugins/formats/*) return 1 ;;
	plugins/gpu/*\ plugins/gpu/*) ;;
	plugins/gpu/*) return 1 ;;
	plugins/*/*\ plugins/*/*)
		# A plugin that grew into a folder: its own folder, the formats, or the GPU.
		local own=${1#plugins/} other=${2#plugins/}
		[ "${own%%/*}" = "${other%%/*}" ] || [ "${other%%/*}" = formats ] ||
			[ "${other%%/*}" = gpu ] ;;
	plugins/*\ plugins/kiln_plugin.h | plugins/*\ plugins/formats/*) ;;
	plugins/*\ kernels/*) ;;
	daemon/base/*\ daemon/base/*) ;;
	daemon/base/*) return 1 ;;
	daemon/*\ plugins/kiln_plugin.h | daemon/*\ daemon/base/*) ;;
	daemon/rules/*\ daemon/rules/* | daemon/rules/*\ daemon/worker/manifest.h) ;;
	daemon/publish/*\ daemon/publish/*) ;;
	daemon/publish/*\ daemon/worker/manifest.h) ;;
	daemon/worker/*\ daemon/worker/* | daemon/worker/*\ daemon/publish/*) ;;
	daemon/queue/*\ daemon/queue/* | daemon/queue/*\ daemon/rules/*) ;;
	daemon/queue/*\ daemon/worker/manifest.h) ;;
	daemon/intake/*\ daemon/intake/*) ;;
	daemon/intake/*\ daemon/queue/* | daemon/intake/*\ daemon/rules/*) ;;
	daemon/work/*\ daemon/work/*) ;;
	daemon/work/*\ daemon/queue/* | daemon/work/*\ daemon/rules/*) ;;
	daemon/work/*\ daemon/worker/manifest.h | daemon/work/*\ daemon/worker/protocol.h) ;;
	daemon/serve/*\ daemon/serve/*) ;;
	daemon/serve/*\ daemon/queue/* | daemon/serve/*\ daemon/rules/*) ;;
	daemon/ctl/*\ daemon/ctl/* | daemon/ctl/*\ daemon/rules/*) ;;
	daemon/ctl/*\ daemon/work/session.h | daemon/ctl/*\ daemon/serve/control.h) ;;
	daemon/ctl/*\ daemon/worker/manifest.h | daemon/ctl/*\ daemon/worker/protocol.h) ;;
	daemon/ctl/*\ daemon/publish/sidecar.h) ;;
	# The mains and the wiring: kiln-worker is the worker's side, the others are kilnd's.
	daemon/kiln-worker.c\ daemon/worker/* | daemon/kiln-worker.c\ daemon/publish/*) ;;
	daemon/kiln-worker.c\ *) return 1 ;;
	*) wiring "$1" "$2" ;;
	esac
}

wiring()
{
	case $1 in
	daemon/*/*) return 1 ;;
	daemon/*) ;;
	*) return 1 ;;
	esac
	case $2 in
	daemon/worker/manifest.h | daemon/worker/protocol.h) ;;
	daemon/worker/*) return 1 ;;
	daemon/*) ;;
	*) return 1 ;;
	esac
}

# floors ROOT: a line for each include that its floor refuses; silent when all is well.
floors()
{
	local file include
	(cd "$1" && grep -rHE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' \
		--include='*.[ch]' --include='*.cu' --include='*.cpp' --include='*.cxx' \
		kernels plugins daemon tests contrib) |
		sed -E 's/^([^:]*):[^"]*"([^"]*)".*/\1 \2/' |
		while read -r file include; do
			allowed "$file" "$include" || echo "$file may not include \"$include\""
		done
	# A primitive does no I/O, no logging and no threads; the ABI needs two headers.
	(cd "$1" && grep -rHE '^[[:space:]]*#[[:space:]]*include[[:space:]]*<' kernels \
		plugins/kiln_plugin.h) |
		sed -E 's/^([^:]*):[^<]*<([^>]*)>.*/\1 \2/' |
		while read -r file include; do
			case "$file $include" in
			kernels/*\ stdio.h | kernels/*\ unistd.h | kernels/*\ fcntl.h | \
			kernels/*\ pthread.h | kernels/*\ threads.h | kernels/*\ syslog.h | \
			kernels/*\ sys/* | kernels/*\ kiln_plugin.h) ;;
			kernels/* | *\ stdint.h | *\ stddef.h) continue ;;
			esac
			echo "$file may not include <$include>"
		done
}

found=$(floors "$top_srcdir")
check "$([ -z "$found" ]; echo $?)" 'every include stays on its floor' "$found"

for folder in kernels plugins daemon tests contrib; do
	mkdir -p "$scratch/$folder"
	(cd "$top_srcdir" && find "$folder" -name '*.[ch]' -o -name '*.cu' -o -name '*.cpp') |
		tar -C "$top_srcdir" -cf - -T - | tar -C "$scratch" -xf - || exit 1
done
chmod -R u+w "$scratch"
before=$(floors "$scratch")

plant() # FILE INCLUDE: FILE comes into being, or grows by a line
{
	mkdir -p "$scratch/$(dirname "$1")"
	[ -e "$scratch/$1" ] && cp "$scratch/$1" "$scratch/kept"
	echo "#include $2" >>"$scratch/$1"
	local after
	after=$(floors "$scratch")
	[ "$before" != "$after" ] && grep -q "^$1 may not include" <<<"$after"
	check $? "planted: $1 includes $2" "${after:-nothing was refused}"
	rm "$scratch/$1"
	[ ! -e "$scratch/kept" ] || mv "$scratch/kept" "$scratch/$1"
}
plant kernels/planted.c '"plugins/formats/vmd.h"'
plant kernels/planted_cuda.cu '"plugins/kiln_plugin.h"'
plant kernels/planted.h '<stdio.h>'
plant kernels/planted.c '"planted.h"'
plant plugins/formats/planted.c '"plugins/kiln_plugin.h"'
plant plugins/formats/planted.h '"kernels/quat.h"'
plant plugins/planted.c '"daemon/base/err.h"'
plant plugins/one/planted.c '"plugins/two/planted.h"'
plant plugins/kiln_plugin.h '<stdio.h>'
plant plugins/kiln_plugin.h '"config.h"'
plant daemon/base/planted.c '"daemon/rules/rule.h"'
plant daemon/base/planted.c '"plugins/kiln_plugin.h"'
plant daemon/rules/planted.c '"daemon/queue/planted.h"'
plant daemon/queue/planted.c '"daemon/work/planted.h"'
plant daemon/intake/planted.c '"daemon/publish/planted.h"'
plant daemon/work/planted.c '"daemon/worker/planted.h"'
plant daemon/worker/planted.c '"daemon/rules/rule.h"'
plant daemon/publish/planted.c '"daemon/queue/planted.h"'
plant daemon/serve/planted.c '"daemon/intake/planted.h"'
plant daemon/serve/planted.c '"kernels/quat.h"'
plant daemon/worker/planted.c '"plugins/formats/vmd.h"'
plant daemon/planted.c '"daemon/worker/planted.h"'
plant daemon/planted.c '"tests/planted.h"'
plant plugins/planted.c '  "contrib/planted.h" /* deep down */'
plant tests/planted.c '"daemon/kilnd.c"'
finish
