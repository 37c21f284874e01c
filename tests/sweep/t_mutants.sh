#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Goal: the mistakes that tests/long/mutants.py plants can still be planted: each patch
# applies to the sources as they are.  When one does not, make the same mistake anew.
cd "${top_srcdir:-.}" || exit 1
. tests/tap.sh
for patch in tests/sweep/mutants/*.patch; do
	try "$patch applies" patch --dry-run --forward -p1 -i "$patch"
done
finish
