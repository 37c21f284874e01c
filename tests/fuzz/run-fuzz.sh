#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# run-fuzz.sh [SECONDS] - in a build made with CC=clang ./configure --enable-fuzzers:
# runs each reader's fuzzer for SECONDS (12) from our samples, then lets the same harness
# with a planted out-of-bounds read run as long: a run that does not find that one fails.
# Findings stay in fuzz-out/ of the build folder.
seconds=${1:-12}
build=${top_builddir:-.}
out=$build/fuzz-out
seeds=${top_srcdir:-.}/tests/fuzz/seeds
failed=0
number=0
if ! [ -x "$build/tests/fuzz/fuzz-vmd" ]; then
	echo "1..0 # SKIP built without --enable-fuzzers"
	exit 0
fi
mkdir -p "$out/samples" || exit 1
"$build/contrib/make-sample" "$out/samples" || exit 1
"$build/contrib/make-sample" --random 4 "$out/samples" || exit 1
"$build/tests/fuzz/make-pmd" > "$out/samples/dancer.pmd" || exit 1
"${top_srcdir:-.}/tests/fuzz/make-archives.py" "$out/samples" || exit 1
mkdir -p "$out/pictures" || exit 1
"${top_srcdir:-.}/tests/fuzz/make-pictures.py" "$out/pictures" || exit 1
echo 1..21
for reader in vmd pmx pmd vpd archive image exif gpano; do
	for kind in fuzz planted; do
		number=$((number + 1))
		corpus=$out/$reader-$kind
		rm -rf "$corpus" && mkdir -p "$corpus" || exit 1
		case $reader in
		vmd)
			cp "$out/samples/salute.vmd" "$out/samples/broken.vmd" \
				"$out/samples/random.vmd" "$corpus"
			;;
		archive) cp "$out/samples"/seed.* "$corpus" ;;
		vpd) cp "${top_srcdir:-.}/tests/fuzz/pose.vpd" "$corpus" ;;
		image)
			cp "$seeds"/*.jpg "$seeds"/*.tif "$seeds"/*.exr "$corpus"
			cp "$out/pictures"/*.jpg "$out/pictures"/*.png "$out/pictures"/*.tif \
				"$out/pictures"/*.exr "$corpus"
			;;
		exif) cp "$seeds"/*.tif "$out/pictures"/*.exif "$corpus" ;;
		gpano) cp "$seeds/gpano.xmp" "$out/pictures"/*.xmp "$corpus" ;;
		*) cp "$out/samples/dancer.$reader" "$corpus" ;;
		esac
		"$build/tests/fuzz/$kind-$reader" -max_total_time="$seconds" -max_len=65536 \
			-rss_limit_mb=2048 -timeout=10 -print_final_stats=1 \
			-artifact_prefix="$out/$reader-$kind-" "$corpus" \
			> "$out/$reader-$kind.log" 2>&1
		status=$?
		runs=$(sed -n 's/^stat::number_of_executed_units: *//p' \
			"$out/$reader-$kind.log")
		if [ $kind = fuzz ] && [ $status -eq 0 ]; then
			echo "ok $number - $reader: nothing found in ${runs:-?} runs"
		elif [ $kind = planted ] && [ $status -ne 0 ] &&
			grep -q 'AddressSanitizer.*overflow' "$out/$reader-$kind.log"; then
			echo "ok $number - $reader: the planted bug was found"
		else
			echo "not ok $number - $reader: $kind, see $out/$reader-$kind.log"
			failed=1
		fi
	done
done
# The links have no planted bug: their harnesses check promises that a careless reader
# would break, and are linked as the readers are.
for link in control keeper bodies worker host; do
	number=$((number + 1))
	corpus=$out/$link-fuzz
	rm -rf "$corpus" && mkdir -p "$corpus" || exit 1
	words=
	case $link in
	bodies) names='manifest result units params' ;;
	worker) names='worker-1 worker-2 worker-3 worker-4 worker-5' ;;
	host) names='host-1 host-2 host-3' ;;
	*) names=$link ;;
	esac
	case $link in
	worker | host) words=-dict=${top_srcdir:-.}/tests/fuzz/worker.dict ;;
	esac
	for name in $names; do
		cp "${top_srcdir:-.}/tests/fuzz/seeds/$name.txt" "$corpus" || exit 1
	done
	# shellcheck disable=SC2086 # there may be no words
	if "$build/tests/fuzz/fuzz-$link" -max_total_time="$seconds" -max_len=65536 $words \
		-rss_limit_mb=2048 -timeout=10 -artifact_prefix="$out/$link-" "$corpus" \
		> "$out/$link.log" 2>&1; then
		echo "ok $number - $link: nothing found"
	else
		echo "not ok $number - $link: see $out/$link.log"
		failed=1
	fi
done
exit $failed
