#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Goal: what `make install` laid down stands alone: the programs say who they are, the
# installed kilnctl finds the installed plugins, a plugin compiles against the header.
set -u
tests=0 bad=0
try() # DESCRIPTION COMMAND...
{
	local said description=$1
	shift
	tests=$((tests + 1))
	if said=$("$@" 2>&1); then
		echo "ok $tests - $description"
	else
		bad=1
		echo "not ok $tests - $description"
		printf '%s\n' "$said" | sed 's/^/# /'
	fi
}

lists_kernels()
{
	local kernels plugin
	kernels=$("$bindir/kilnctl" kernels) || { echo "$kernels"; return 1; }
	for plugin in $plugin_files; do
		plugin=${plugin##*/}
		grep -qw -- "${plugin%.so}" <<<"$kernels" ||
			{ echo "no kernel of $plugin among: $kernels"; return 1; }
	done
}

compiles()
{
	echo '#include <kiln_plugin.h>' |
		${CC:-gcc} -x c -fsyntax-only -Wall -Werror -I"$includedir" -
}

try 'kilnd --version' "$sbindir/kilnd" --version
try 'kilnctl --version' "$bindir/kilnctl" --version
try 'kiln-worker is there' test -x "$libexecdir/kiln-worker"
for plugin in $plugin_files; do
	try "${plugin##*/} is there" test -r "$plugindir/${plugin##*/}"
done
# A staged installation (DESTDIR) looks for plugins where it will be, not where it is.
[ "${DESTDIR:-}" ] || try 'the installed kilnctl lists the installed kernels' lists_kernels
try 'the installed header compiles' compiles
for page in man8/kilnd.8 man1/kilnctl.1 man5/kiln.toml.5 man7/kiln-plugin.7 man7/vmd-fk.7; do
	try "$page is there" test -r "$mandir/$page"
done
echo "1..$tests"
exit $bad
