/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether numpy agrees is t_numpy.sh's question; here it is failures and bytes. */
#include "plugins/formats/npz.h"
#include "plugins/formats/png.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

static int
new_file(void)
{
	int fd = memfd_create("npz", MFD_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static void
refuses_wrong_use(void **state)
{
	const struct fmt_npz_array array = {"a", "<f4", {2, 3}, 2};
	const struct fmt_npz_array wrong[] = {
		{"a", ">f4", {1}, 1},
		{"a", "<q4", {1}, 1},
		{"a", "<f", {1}, 1},
		{"", "<f4", {1}, 1},
		{"a", "<f4", {1}, FMT_NPZ_DIMENSIONS + 1},
	};
	const struct fmt_npz_array huge = {"a", "<f8", {UINT64_MAX / 4, 1000}, 2};
	float data[7] = {0};
	struct fmt_npz *npz;
	struct fmt_err err = {0};
	int fd = new_file();
	(void)state;

	assert_int_equal(fmt_npz_open(fd, FMT_NPZ_FAST, &npz, &err), 0);
	assert_int_equal(fmt_npz_append(npz, data, 4, NULL), -EINVAL);
	assert_int_equal(fmt_npz_end(npz, NULL), -EINVAL);
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		assert_int_equal(fmt_npz_begin(npz, &wrong[i], NULL), -EINVAL);
	assert_int_equal(fmt_npz_begin(npz, &huge, NULL), -EOVERFLOW);
	assert_int_equal(fmt_npz_begin(npz, &array, &err), 0);
	assert_int_equal(fmt_npz_begin(npz, &array, NULL), -EINVAL);
	assert_int_equal(fmt_npz_close(npz, NULL), -EINVAL);
	assert_int_equal(fmt_npz_append(npz, data, 5 * 4, &err), 0);
	assert_int_equal(fmt_npz_append(npz, data, 2 * 4, NULL), -EOVERFLOW);
	assert_int_equal(fmt_npz_end(npz, &err), -EINVAL);
	assert_non_null(strstr(err.text, "'a.npy' should hold"));
	fmt_npz_free(npz);
	fmt_npz_free(NULL);
	close(fd);
}

static void
reports_a_full_disk(void **state)
{
	static const uint8_t pixels[4 * 4 * 3];
	const struct fmt_png png = {pixels, 12, 4, 4, 3};
	struct fmt_npz *npz;
	struct fmt_err err = {0};
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	(void)state;

	if (fd < 0) {
		print_message("# skipped: /dev/full is absent\n");
		skip();
	}
	assert_int_equal(fmt_npz_open(fd, FMT_NPZ_NONE, &npz, &err), 0);
	assert_int_equal(fmt_npz_int64(npz, "a", 1, &err), -ENOSPC);
	assert_non_null(strstr(err.text, "No space left"));
	fmt_npz_free(npz);
	memset(&err, 0, sizeof err);
	assert_int_equal(fmt_png_write(fd, &png, &err), -ENOSPC);
	close(fd);

	int ends[2];
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(fmt_npz_open(ends[1], FMT_NPZ_NONE, &npz, NULL), -ESPIPE);
	close(ends[0]);
	close(ends[1]);
}

static size_t
write_in_pieces(
	enum fmt_npz_compression compression, size_t piece, uint8_t *file, size_t room)
{
	enum { COUNT = 200000 };
	static uint32_t values[COUNT];
	struct fmt_npz *npz;
	struct fmt_err err = {0};
	int fd = new_file();

	for (uint32_t i = 0; i < COUNT; i++)
		values[i] = i * 2654435761u >> (i % 32);
	assert_int_equal(fmt_npz_open(fd, compression, &npz, &err), 0);
	assert_int_equal(
		fmt_npz_begin(npz, &(struct fmt_npz_array){"v", "<u4", {COUNT}, 1}, &err),
		0);
	for (size_t at = 0; at < sizeof values; at += piece) {
		size_t length = sizeof values - at < piece ? sizeof values - at : piece;
		assert_int_equal(
			fmt_npz_append(npz, (const char *)values + at, length, &err), 0);
	}
	assert_int_equal(fmt_npz_end(npz, &err), 0);
	assert_int_equal(fmt_npz_close(npz, &err), 0);
	fmt_npz_free(npz);
	ssize_t length = pread(fd, file, room, 0);
	assert_true(length > 0 && (size_t)length < room);
	close(fd);
	return (size_t)length;
}

/* The pieces leave no trace where data is stored; the same pieces never do. */
static void
same_calls_give_same_bytes(void **state)
{
	enum { ROOM = 1 << 20 };
	static uint8_t one[ROOM], two[ROOM];
	(void)state;

	for (enum fmt_npz_compression c = FMT_NPZ_NONE; c <= FMT_NPZ_SMALL; c++) {
		size_t length = write_in_pieces(c, 4096, one, ROOM);
		assert_int_equal(write_in_pieces(c, 4096, two, ROOM), length);
		assert_memory_equal(one, two, length);
	}
	size_t length = write_in_pieces(FMT_NPZ_NONE, 4096, one, ROOM);
	assert_int_equal(write_in_pieces(FMT_NPZ_NONE, 7777, two, ROOM), length);
	assert_memory_equal(one, two, length);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_wrong_use),
		cmocka_unit_test(reports_a_full_disk),
		cmocka_unit_test(same_calls_give_same_bytes),
	};
	return cmocka_run_group_tests_name("npz", tests, NULL, NULL);
}
