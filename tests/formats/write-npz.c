/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * write-npz none|fast|small FILE.npz FILE.png [ROWS] - writes what t_numpy.py expects.
 * With ROWS in the hundred millions it shows ZIP64.
 */
#include "plugins/formats/npz.h"
#include "plugins/formats/png.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int
write_arrays(struct fmt_npz *npz, uint64_t rows, struct fmt_err *err)
{
	static const char *const names[] = {"センター", "", "頭", "a😀"};
	static const int64_t range[] = {0, -5};
	static float chunk[4096][3];

	int rc = fmt_npz_begin(
		npz, &(struct fmt_npz_array){"positions", "<f4", {rows, 3}, 2}, err);
	for (uint64_t row = 0; rc == 0 && row < rows;) {
		uint64_t count = rows - row < 4096 ? rows - row : 4096;
		for (uint64_t i = 0; i < count; i++) {
			for (uint64_t k = 0; k < 3; k++)
				chunk[i][k] = (float)((row + i) % 1000 * 3 + k) * .5f;
		}
		rc = fmt_npz_append(npz, chunk, count * sizeof chunk[0], err);
		row += count;
	}
	if (rc == 0)
		rc = fmt_npz_end(npz, err);
	if (rc == 0)
		rc = fmt_npz_begin(
			npz, &(struct fmt_npz_array){"empty", "<f4", {0, 3, 4}, 3}, err);
	if (rc == 0)
		rc = fmt_npz_end(npz, err);
	if (rc == 0)
		rc = fmt_npz_int64(npz, "frame_rate", 30, err);
	if (rc == 0)
		rc = fmt_npz_int64s(npz, "frame_range", range, 2, err);
	if (rc == 0)
		rc = fmt_npz_text(npz, "vmd_file", "踊り.vmd", err);
	if (rc == 0)
		rc = fmt_npz_texts(npz, "bone_names", names, 4, err);
	return rc < 0 ? rc : fmt_npz_close(npz, err);
}

static int
write_picture(const char *path, struct fmt_err *err)
{
	/* More than one block of DEFLATE; half of the rows are as those above them. */
	static uint8_t pixels[211][850];
	const struct fmt_png png = {pixels[0], sizeof pixels[0], 211, 211, 4};

	for (size_t y = 0; y < 211; y++) {
		for (size_t x = 0; x < sizeof pixels[0]; x++)
			pixels[y][x] = (uint8_t)(y / 2 * 40 + x * x);
	}
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return fmt_err_set(err, -1, "cannot create '%s'", path);
	int rc = fmt_png_write(fd, &png, err);
	close(fd);
	return rc;
}

int
main(int argc, char **argv)
{
	struct fmt_err err = {0};
	struct fmt_npz *npz = NULL;

	if (argc < 4)
		return 2;
	enum fmt_npz_compression compression = strcmp(argv[1], "none") == 0 ? FMT_NPZ_NONE
					       : strcmp(argv[1], "fast") == 0
						       ? FMT_NPZ_FAST
						       : FMT_NPZ_SMALL;
	int fd = open(argv[2], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0) {
		perror(argv[2]);
		return 1;
	}
	int rc = fmt_npz_open(fd, compression, &npz, &err);
	if (rc == 0)
		rc = write_arrays(
			npz, argc > 4 ? strtoull(argv[4], NULL, 10) : 100001, &err);
	fmt_npz_free(npz);
	close(fd);
	if (rc == 0)
		rc = write_picture(argv[3], &err);
	if (rc < 0)
		fprintf(stderr, "write-npz: %s\n", err.text);
	return rc < 0;
}
