#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Goal: every plugin exports one symbol, kiln_plugin, and nothing else; so neither its
# primitives nor a linked library can meet another plugin's.
set -u
top_builddir=${top_builddir:-.}

# exports FILE.so: the names of what it defines for others, one a line.
exports()
{
	nm -D --defined-only -- "$1" | sed 's/.* //'
}

tests=0 bad=0
check() # STATUS DESCRIPTION DETAILS
{
	tests=$((tests + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $tests - $2"
	else
		bad=1
		echo "not ok $tests - $2"
		printf '%s\n' "$3" | sed 's/^/# exports /'
	fi
}

# plugin_files, from make, are the plugins that are installed.
for plugin in ${plugin_files:-}; do
	found=$(exports "$top_builddir/$plugin")
	check "$([ "$found" = kiln_plugin ]; echo $?)" "$plugin" "$found"
done

# The proof that a stray symbol, and the lack of ours, are noticed.
planted=$(mktemp -d "${TMPDIR:-/tmp}/t_exports.XXXXXX") || exit 1
trap 'rm -rf "$planted"' EXIT
compile()
{
	echo "$1" | ${CC:-gcc} -shared -fPIC -x c -o "$planted/planted.so" - || exit 1
	exports "$planted/planted.so"
}
found=$(compile 'const int kiln_plugin = 1; int kern_stray; ')
check "$([ "$found" != kiln_plugin ]; echo $?)" 'a planted second symbol is noticed' "$found"
found=$(compile 'static const int kiln_plugin = 1; int other(void) { return kiln_plugin; }')
check "$([ "$found" != kiln_plugin ]; echo $?)" 'a planted lack of ours is noticed' "$found"
found=$(compile 'const int kiln_plugin = 1; ')
check "$([ "$found" = kiln_plugin ]; echo $?)" 'a good plugin is let through' "$found"
echo "1..$tests"
exit $bad
