#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Goal: each of our headers compiles when it is the first thing included, so that none
# leans on what its includers happened to include; the installed one also as strict C99
# with nothing of ours on the include path.
set -u
top_srcdir=${top_srcdir:-.} top_builddir=${top_builddir:-.}
cc=${CC:-gcc}
flags=$(pkg-config --cflags jansson sqlite3 libseccomp libsystemd libcrypto libdeflate spng)

tests=0 bad=0
try() # DESCRIPTION COMMAND...: passes when COMMAND is silent and succeeds
{
	local said description=$1
	shift
	tests=$((tests + 1))
	if said=$("$@" 2>&1) && [ -z "$said" ]; then
		echo "ok $tests - $description"
	else
		bad=1
		echo "not ok $tests - $description"
		printf '%s\n' "$said" | sed 's/^/# /'
	fi
}

alone() # HEADER FLAG...
{
	local header=$1
	shift
	# These are for files that say how wide a register is.
	case $header in
	*lanes* | *wide* | *quads* | *remap_deep* | *remap_place*)
		[ "$(uname -m)" = x86_64 ] || return 0
		set -- "$@" -mavx2 -mfma -DLANES=8 -DQUADS=2 ;;
	esac
	echo "#include \"$header\"" | $cc -x c -fsyntax-only -Wall -Wextra -Werror "$@" -
}

refused() # COMMAND...: the proof that a header that leans on others is noticed
{
	! "$@" >/dev/null 2>&1 || echo 'a header that is not whole was accepted'
}

while read -r header; do
	# shellcheck disable=SC2086 # flags are words
	try "$header" alone "$header" -std=gnu11 -D_GNU_SOURCE -I"$top_srcdir" \
		-I"$top_builddir" $flags
done < <(cd "$top_srcdir" && find kernels plugins daemon tests contrib -name '*.h' \
	! -name '*_cuda*.h' | LC_ALL=C sort)
try 'kiln_plugin.h as strict C99' alone kiln_plugin.h -std=c99 -pedantic-errors \
	-I"$top_srcdir/plugins"

planted=$(mktemp -d "${TMPDIR:-/tmp}/t_headers.XXXXXX") || exit 1
trap 'rm -rf "$planted"' EXIT
echo 'uint32_t planted(size_t count);' >"$planted/planted.h"
try 'a planted header that includes nothing is refused' refused alone planted.h -I"$planted"
echo "1..$tests"
exit $bad
