#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Goal: what npz.c and png.c write is read by programs that are not ours: numpy (without
# pickle), Python's zipfile, and a reader of local headers that ignores the directory.
program=${top_builddir:-.}/tests/formats/write-npz
python=/usr/bin/python3
if ! $python -c 'import numpy' 2>/dev/null; then
	echo "1..0 # SKIP python3-numpy is not installed"
	exit 0
fi
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
echo 1..4
number=0
for compression in none fast small; do
	number=$((number + 1))
	if "$program" $compression "$scratch/a.npz" "$scratch/a.png" &&
		$python - "$scratch/a.npz" <<-'EOF'
		import struct, sys, zipfile, zlib
		import numpy as np

		def check(truth, what):
		    if not truth:
		        sys.exit("wrong: " + what)

		path = sys.argv[1]
		npz = np.load(path, allow_pickle=False)
		check(npz.files == ["positions", "empty", "frame_rate", "frame_range", "vmd_file",
		                    "bone_names"], "names or their order")
		rows = np.arange(100001)[:, None] % 1000 * 3 + np.arange(3)
		check(npz["positions"].dtype == np.float32, "dtype of positions")
		check((npz["positions"] == rows.astype(np.float32) * .5).all(), "positions")
		check(npz["empty"].shape == (0, 3, 4), "an empty array")
		check(npz["frame_rate"].shape == () and npz["frame_rate"] == 30, "a scalar")
		check(npz["frame_range"].tolist() == [0, -5], "int64s")
		check(str(npz["vmd_file"]) == "踊り.vmd", "a text")
		check(npz["bone_names"].tolist() == ["センター", "", "頭", "a😀"], "texts")
		with zipfile.ZipFile(path) as archive:
		    check(archive.testzip() is None, "a checksum")
		    entries = archive.infolist()
		    check(all(e.date_time == (1980, 1, 1, 0, 0, 0) for e in entries), "dates")
		data, at = open(path, "rb").read(), 0
		for entry in entries:
		    fields = struct.unpack_from("<IHHHHHIIIHH", data, at)
		    check(fields[0] == 0x04034b50, "a local header's place")
		    check(fields[6:9] == (entry.CRC, entry.compress_size, entry.file_size),
		          "a local header")
		    at += 30 + fields[9] + fields[10] + fields[7]
	EOF
	then
		echo "ok $number - numpy reads what is written with compression $compression"
	else
		echo "not ok $number - numpy reads what is written with compression $compression"
	fi
done
if $python - "$scratch/a.png" <<-'EOF'
	import struct, sys, zlib
	data, at, parts, header = open(sys.argv[1], "rb").read(), 8, b"", None
	if data[:8] != b"\x89PNG\r\n\x1a\n":
	    sys.exit("no PNG")
	while at < len(data):
	    length, kind = struct.unpack_from(">I4s", data, at)
	    body = data[at + 8:at + 8 + length]
	    if struct.unpack_from(">I", data, at + 8 + length)[0] != zlib.crc32(kind + body):
	        sys.exit("a chunk's checksum")
	    if kind == b"IHDR":
	        header = struct.unpack(">IIBBBBB", body)
	    if kind == b"IDAT":
	        parts += body
	    at += 12 + length
	if kind != b"IEND" or header[:4] != (211, 211, 8, 6):
	    sys.exit("the header or the end: %r" % (header,))
	rows, raw, before = [], zlib.decompress(parts), [0] * 844
	def paeth(a, b, c):
	    p = a + b - c
	    return min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
	for y in range(211):
	    kind, line = raw[y * 845], list(raw[y * 845 + 1:y * 845 + 845])
	    for x in range(844):
	        a, b, c = (line[x - 4], before[x], before[x - 4]) if x > 3 else (0, before[x], 0)
	        line[x] = (line[x] + (0, a, b, (a + b) // 2, paeth(a, b, c))[kind]) % 256
	    if line != [(y // 2 * 40 + x * x) % 256 for x in range(844)]:
	        sys.exit("row %d" % y)
	    before = line
EOF
then
	echo "ok 4 - the PNG holds the pixels"
else
	echo "not ok 4 - the PNG holds the pixels"
fi
