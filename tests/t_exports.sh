#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Goal: every plugin exports one symbol, kiln_plugin, and nothing else; so neither its
# primitives nor a linked library can meet another plugin's.
. "${top_srcdir:-.}/tests/tap.sh"
top_builddir=${top_builddir:-.}

# exports FILE.so: the names of what it defines for others, one a line.
exports()
{
	nm -D --defined-only -- "$1" | sed 's/.* //'
}

# plugin_files, from make, are the plugins that are installed.
for plugin in ${plugin_files:-}; do
	found=$(exports "$top_builddir/$plugin")
	check "$([ "$found" = kiln_plugin ]; echo $?)" "$plugin" "exports $found"
done

# The proof that a stray symbol, and the lack of ours, are noticed.
compile()
{
	echo "$1" | ${CC:-gcc} -shared -fPIC -x c -o "$scratch/planted.so" - || exit 1
	exports "$scratch/planted.so"
}
found=$(compile 'const int kiln_plugin = 1; int kern_stray; ')
check "$([ "$found" != kiln_plugin ]; echo $?)" 'a planted second symbol is noticed' "exports $found"
found=$(compile 'static const int kiln_plugin = 1; int other(void) { return kiln_plugin; }')
check "$([ "$found" != kiln_plugin ]; echo $?)" 'a planted lack of ours is noticed' "exports $found"
found=$(compile 'const int kiln_plugin = 1; ')
check "$([ "$found" = kiln_plugin ]; echo $?)" 'a good plugin is let through' "exports $found"
finish
