#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Goal: the readers of pictures and of what stands beside their pixels stand a few
# thousand spoilt files, on any compiler; a build with sanitizers sees more.
build=${top_builddir:-.}
seeds=${top_srcdir:-.}/tests/fuzz/seeds
echo 1..3
number=0
# Without numpy there are those alone that lie here.
made=$(mktemp -d "${TMPDIR:-/tmp}/t_pictures.XXXXXX") || exit 1
trap 'rm -rf "$made"' EXIT
if /usr/bin/python3 -c 'import numpy' 2>/dev/null; then
	"${top_srcdir:-.}/tests/fuzz/make-pictures.py" "$made" || exit 1
fi
for reader in image exif gpano; do
	number=$((number + 1))
	case $reader in
	image)
		files="$seeds/halved.jpg $seeds/across.jpg $seeds/lzw.tif $seeds/tiles.tif"
		files="$files $seeds/zip.exr $seeds/tiles.exr"
		;;
	exif) files="$seeds/lzw.tif $seeds/tiles.tif" ;;
	gpano) files=$seeds/gpano.xmp ;;
	esac
	for file in "$made"/*; do
		case $reader:$file in
		image:*.jpg | image:*.png | image:*.tif | image:*.exr) files="$files $file" ;;
		exif:*.exif | gpano:*.xmp) files="$files $file" ;;
		esac
	done
	if "$build/tests/fuzz/replay-$reader" --mutate 3000 --seed 7 $files; then
		echo "ok $number - the $reader reader stands spoilt files"
	else
		echo "not ok $number - the $reader reader stands spoilt files (seed 7)"
	fi
done
