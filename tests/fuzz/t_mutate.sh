#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Goal: every reader of dropped files stands a few thousand spoilt ones, on any compiler;
# a build with sanitizers sees more.
build=${top_builddir:-.}
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
echo 1..5
"$build/contrib/make-sample" "$scratch" || exit 1
mkdir "$scratch/baked" && "$build/contrib/make-sample" --random 4 "$scratch/baked" || exit 1
"$build/tests/fuzz/make-pmd" > "$scratch/dancer.pmd" || exit 1
number=0
"${top_srcdir:-.}/tests/fuzz/make-archives.py" "$scratch" || exit 1
for reader in vmd pmx pmd vpd archive; do
	number=$((number + 1))
	case $reader in
	vmd) seeds="$scratch/salute.vmd $scratch/broken.vmd $scratch/baked/random.vmd" ;;
	archive) seeds=$(echo "$scratch"/seed.*) ;;
	vpd) seeds=${top_srcdir:-.}/tests/fuzz/pose.vpd ;;
	*) seeds=$scratch/dancer.$reader ;;
	esac
	if "$build/tests/fuzz/replay-$reader" --mutate 3000 --seed 7 $seeds; then
		echo "ok $number - the $reader reader stands spoilt files"
	else
		echo "not ok $number - the $reader reader stands spoilt files (seed 7)"
	fi
done
