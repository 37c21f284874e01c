#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Goal: who listens to clients, keepers and engines stands whatever they say: a few thousand
# spoilt conversations each, on any compiler; a build with sanitizers sees more.
build=${top_builddir:-.}
seeds=${top_srcdir:-.}/tests/fuzz/seeds
echo 1..5
number=0
for link in control keeper bodies worker host; do
	number=$((number + 1))
	case $link in
	bodies) from="$seeds/manifest.txt $seeds/result.txt $seeds/units.txt $seeds/params.txt" ;;
	worker | host) from=$(echo "$seeds/$link"-*.txt) ;;
	*) from=$seeds/$link.txt ;;
	esac
	# shellcheck disable=SC2086 # several files
	# A keeper has files to make for every conversation.
	case $link in
	worker) times=300 ;;
	*) times=1500 ;;
	esac
	if "$build/tests/fuzz/replay-$link" --mutate $times --seed 7 $from; then
		echo "ok $number - $link: spoilt conversations are stood"
	else
		echo "not ok $number - $link: spoilt conversations are stood (seed 7)"
	fi
done
