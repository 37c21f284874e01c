# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# mounts.sh - lib.sh for scenarios that mount: they run in mount namespaces of their own, as
# root there, and are skipped where that may not be.
if [ -z "${KILN_MOUNTS:-}" ]; then
	for unshare in 'unshare -m' 'unshare -Urm'; do
		$unshare true 2>/dev/null && KILN_MOUNTS=1 exec $unshare "$0" "$@"
	done
	echo '1..0 # SKIP needs root or user namespaces to mount'
	exit 0
fi
. "${top_srcdir:-.}/tests/scenarios/lib.sh"
mount --make-rprivate / 2>/dev/null || true
