/* SPDX-License-Identifier: BSD-2-Clause */
/* What our compressor writes, zlib reads: the same bytes, and nothing beyond them. */
#include "plugins/formats/deflate.h"
#include "plugins/formats/deflate_codes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <cmocka.h>

enum { MOST = 700000 };

static uint8_t data[MOST], packed[MOST + MOST / 8], back[MOST + 1];

static uint32_t
draw(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*seed >> 33);
}

/* Takes the data in pieces of at most `piece` bytes; how: distance, and least words. */
static size_t
pack(struct fmt_deflate *d, size_t length, const size_t how[2], size_t piece)
{
	const uint8_t *out;
	size_t made = 0, at = 0;

	fmt_deflate_begin(d, how[0], (uint32_t)how[1]);
	while (at < length) {
		size_t offered = length - at < piece ? length - at : piece;
		at += fmt_deflate_take(d, data + at, offered);
		if (!fmt_deflate_full(d))
			continue;
		size_t some = fmt_deflate_make(d, 0, &out);
		assert_true(made + some <= sizeof packed);
		memcpy(packed + made, out, some);
		made += some;
	}
	size_t some = fmt_deflate_make(d, 1, &out);
	assert_true(made + some <= sizeof packed);
	memcpy(packed + made, out, some);
	return made + some;
}

static void
expect_back(size_t length, size_t made)
{
	z_stream stream = {.next_in = packed,
		.avail_in = (unsigned)made,
		.next_out = back,
		.avail_out = (unsigned)length + 1};
	assert_int_equal(inflateInit2(&stream, -15), Z_OK);
	assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
	assert_int_equal(stream.total_out, length);
	assert_int_equal(stream.avail_in, 0);
	assert_memory_equal(back, data, length);
	inflateEnd(&stream);
}

/* Kinds of data, from all zeros to noise; rows mostly repeat in the last. */
static void
fill(unsigned kind, size_t row, uint64_t seed)
{
	for (size_t i = 0; i < MOST; i++) {
		uint32_t random = draw(&seed);
		switch (kind) {
		case 0:
			data[i] = 0;
			break;
		case 1:
			data[i] = (uint8_t)random;
			break;
		case 2: /* each value half as often as the one before: long codes */
			data[i] = (uint8_t)__builtin_ctz(random | 1u << 30);
			break;
		case 3: /* floats of one size */
			data[i] = (uint8_t)(i % 4 == 3	 ? 0x3f
					    : i % 4 == 2 ? random & 0x7f
							 : random);
			break;
		default:
			data[i] = (uint8_t)(i >= row && i / 4 % 7 != 3 ? data[i - row]
								       : random);
		}
	}
}

static void
survives_all_kinds(void **state)
{
	static const size_t hows[][2] = {{0, 1}, {4, 1}, {12, 1}, {864, 1}, {1156, 2},
		{32768, 1}, {32772, 1}, {6, 1}, {1, 3}, {2, 3}, {3, 3}, {8, 3}, {70, 5}};
	static const size_t lengths[] = {0, 1, 3, 4, 5, 127, 4096, 131071, 131072, 131073,
		131076, 262144, MOST - 1, MOST};
	struct fmt_deflate *d = fmt_deflate_new();
	(void)state;

	assert_non_null(d);
	for (unsigned kind = 0; kind < 5; kind++) {
		for (size_t i = 0; i < sizeof hows / sizeof *hows; i++) {
			fill(kind, hows[i][0], 1 + i);
			for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k++) {
				size_t made = pack(d, lengths[k], hows[i], MOST);
				expect_back(lengths[k], made);
				/* Stored at the worst. */
				assert_true(made <= lengths[k] + lengths[k] / 8192 + 16);
			}
		}
	}
	fmt_deflate_free(d);
}

static void
is_the_same_in_pieces(void **state)
{
	static uint8_t whole[sizeof packed];
	static const size_t rows[2] = {864, 1};
	struct fmt_deflate *d = fmt_deflate_new();
	(void)state;

	fill(4, 864, 5);
	size_t made = pack(d, MOST, rows, MOST);
	memcpy(whole, packed, made);
	assert_int_equal(pack(d, MOST, rows, 997), made);
	assert_memory_equal(packed, whole, made);
	/* Rows that repeat are what it is for. */
	assert_true(made < MOST / 2);
	fmt_deflate_free(d);
}

/* Parts, the last first, by one compressor after another: together they are the stream. */
static void
is_a_stream_in_parts(void **state)
{
	static const size_t distances[] = {0, 4, 864, 32768}, cuts[] = {1, 5000, 131072};
	struct fmt_deflate *two[2] = {fmt_deflate_new(), fmt_deflate_new()};
	static uint8_t room[FMT_DEFLATE_PART_ROOM];
	(void)state;

	for (unsigned kind = 0; kind < 5; kind++) {
		for (size_t i = 0; i < 12; i++) {
			size_t distance = distances[i % 4], cut = cuts[i / 4];
			size_t length = cut * 3 + 2, made = 0, end = sizeof packed;
			fill(kind, distance, 3 + i);
			for (size_t part = 4; part-- > 0;) {
				struct fmt_deflate *d = two[part % 2];
				fmt_deflate_begin(d, distance, 1);
				size_t some = fmt_deflate_alone(d,
					&(struct fmt_deflate_part){
						.bytes = data + part * cut,
						.length = part < 3 ? cut : 2,
						.history = part * cut,
						.last = part == 3},
					room);
				assert_true(some <= sizeof room);
				end -= some;
				made += some;
				memcpy(packed + end, room, some);
			}
			memmove(packed, packed + end, made);
			expect_back(length, made);
		}
	}
	fmt_deflate_free(two[0]);
	fmt_deflate_free(two[1]);
}

/* Kraft's sum of complete codes is 1, whatever the frequencies and the limit. */
static void
makes_complete_codes(void **state)
{
	struct fmt_deflate_code codes[FMT_DEFLATE_SYMBOLS];
	uint64_t seed = 9;
	(void)state;

	for (unsigned round = 0; round < 3000; round++) {
		uint32_t frequencies[FMT_DEFLATE_SYMBOLS] = {0};
		const unsigned longest = round % 2 ? 14 : 7;
		const unsigned count = 2 + draw(&seed) % (round % 2 ? 285 : 18);
		uint32_t a = 1, b = 1, sum = 0, used = 0;
		for (unsigned i = 0; i < count; i++) {
			frequencies[i] =
				round % 3 == 0 ? a : draw(&seed) % 1000 * (i % 5 != 0);
			uint32_t next = a + b; /* Fibonacci's make the deepest trees */
			a = b;
			b = next < 100000000 ? next : 1;
			used += frequencies[i] > 0;
		}
		fmt_deflate_codes(frequencies, count, longest, codes);
		for (unsigned i = 0; i < count; i++) {
			assert_true(codes[i].length <= longest);
			assert_int_equal(codes[i].length > 0, frequencies[i] > 0);
			sum += codes[i].length > 0 ? 1u << (longest - codes[i].length)
						   : 0;
		}
		if (used > 1)
			assert_int_equal(sum, 1u << longest);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(survives_all_kinds),
		cmocka_unit_test(is_the_same_in_pieces),
		cmocka_unit_test(is_a_stream_in_parts),
		cmocka_unit_test(makes_complete_codes),
	};
	return cmocka_run_group_tests_name("deflate", tests, NULL, NULL);
}
