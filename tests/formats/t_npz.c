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
	assert_int_equal(fmt_npz_int64(npz, "a", 1, &err), 0);
	assert_int_equal(fmt_npz_close(npz, &err), -ENOSPC);
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

/* Three arrays: some parts and a bit, none at all, and parts to the byte. */
enum { ABREAST = 3, WIDE = 6, LONG = 43000 };

static const struct fmt_npz_array three[ABREAST] = {
	{"long", "<f4", {LONG, WIDE}, 2},
	{"none", "<f4", {0, WIDE}, 2},
	/* With its header of 128 bytes. */
	{"even", "|u1", {3 * 131072 - 128}, 1},
};

static size_t
bytes_of(unsigned array)
{
	size_t bytes = three[array].dtype[0] == '<' ? 4 : 1;
	for (unsigned i = 0; i < three[array].dimensions; i++)
		bytes *= three[array].shape[i];
	return bytes;
}

/* Whoever comes last is the first. */
static int
run_backwards(
	void *team, int (*fn)(void *, uint32_t, uint32_t), void *context, uint32_t parts)
{
	(*(unsigned *)team)++;
	for (uint32_t part = parts; part-- > 0;)
		assert_int_equal(fn(context, part, part % 3), 0);
	return 0;
}

static void
append_abreast(struct fmt_npz *npz, const uint8_t *data, size_t piece)
{
	struct fmt_err err = {0};
	size_t at[ABREAST] = {0};
	int more = 1;
	while (more) {
		more = 0;
		for (unsigned i = 0; i < ABREAST; i++) {
			size_t left = bytes_of(i) - at[i];
			struct fmt_npz_piece next = {
				i, data + at[i], left < piece ? left : piece};
			assert_int_equal(fmt_npz_append_to(npz, &next, &err), 0);
			at[i] += next.length;
			more |= next.length > 0;
		}
		assert_int_equal(fmt_npz_write(npz, &err), 0);
	}
	assert_int_equal(fmt_npz_end(npz, &err), 0);
}

/* abreast: bytes appended in turn; 0: one array after the other. */
static size_t
write_three(enum fmt_npz_compression compression, size_t abreast,
	const struct fmt_team *team, uint8_t *file)
{
	enum { ROOM = 4 << 20 };
	static uint8_t data[ROOM], room[ABREAST][ROOM];
	void *rooms[ABREAST] = {NULL};
	struct fmt_npz *npz;
	struct fmt_err err = {0};
	int fd = new_file();
	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (uint8_t)(i / 4 % 5 == 0 ? 7 : i * 2654435761u >> 13);
	assert_int_equal(fmt_npz_open(fd, compression, &npz, &err), 0);
	if (team != NULL)
		assert_int_equal(fmt_npz_help(npz, team, &err), 0);
	for (unsigned i = 0; i < ABREAST; i++) {
		assert_true(fmt_npz_room(npz, &three[i]) <= ROOM);
		if (fmt_npz_room(npz, &three[i]) > 0)
			rooms[i] = room[i];
	}
	if (abreast > 0) {
		const struct fmt_npz_abreast all = {three, ABREAST, rooms};
		assert_int_equal(fmt_npz_begin_abreast(npz, &all, &err), 0);
		append_abreast(npz, data, abreast);
	}
	for (unsigned i = 0; abreast == 0 && i < ABREAST; i++) {
		assert_int_equal(fmt_npz_begin(npz, &three[i], &err), 0);
		assert_int_equal(fmt_npz_append(npz, data, bytes_of(i), &err), 0);
		assert_int_equal(fmt_npz_end(npz, &err), 0);
	}
	assert_int_equal(fmt_npz_int64(npz, "after", 5, &err), 0);
	assert_int_equal(fmt_npz_close(npz, &err), 0);
	fmt_npz_free(npz);
	ssize_t length = pread(fd, file, ROOM, 0);
	assert_true(length > 0 && length < ROOM);
	close(fd);
	return (size_t)length;
}

/* Neither the order nor the number of those who help leaves a trace. */
static void
same_data_give_same_bytes(void **state)
{
	enum { ROOM = 4 << 20 };
	static uint8_t one[ROOM], two[ROOM];
	static const size_t pieces[] = {0, 1000, 131072, 600000, ROOM};
	unsigned runs = 0;
	const struct fmt_team team = {run_backwards, &runs, 3};
	(void)state;

	assert_int_equal(bytes_of(2) % 131072, 131072 - 128);
	for (enum fmt_npz_compression c = FMT_NPZ_NONE; c <= FMT_NPZ_SMALL; c++) {
		size_t length = write_three(c, 0, NULL, one);
		for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
			runs = 0;
			assert_int_equal(
				write_three(c, pieces[i], i % 2 ? &team : NULL, two),
				length);
			assert_memory_equal(one, two, length);
			assert_int_equal(runs > 0, c == FMT_NPZ_FAST && i % 2);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_wrong_use),
		cmocka_unit_test(reports_a_full_disk),
		cmocka_unit_test(same_calls_give_same_bytes),
		cmocka_unit_test(same_data_give_same_bytes),
	};
	return cmocka_run_group_tests_name("npz", tests, NULL, NULL);
}
