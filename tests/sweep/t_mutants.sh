#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Goal: the mistakes that tests/long/mutants.py plants can still be planted: each patch
# applies to the sources as they are.  When one does not, make the same mistake anew.
cd "${top_srcdir:-.}" || exit 1
tests=0 bad=0
for patch in tests/sweep/mutants/*.patch; do
	tests=$((tests + 1))
	if said=$(patch --dry-run --forward -p1 -i "$patch" 2>&1); then
		echo "ok $tests - $patch applies"
	else
		bad=1
		echo "not ok $tests - $patch applies"
		printf '%s\n' "$said" | sed 's/^/# /'
	fi
done
echo "1..$tests"
exit $bad
