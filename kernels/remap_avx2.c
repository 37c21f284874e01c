/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Remapping 8 bits, eight pixels at a time; whatever is left of a row, and the other
 * types, are the plain C's.
 */
#include "kernels/remap.h"

#if defined(__x86_64__)
#include "kernels/remap_place.h"

#include <immintrin.h>
#include <string.h>

#define LANES 8

struct places {
	__m256i offset, x, y; /* bytes from the corner; fractions of 256 */
};

static inline struct places
find(const struct remap_frame *frame, const int32_t *u, const int32_t *v)
{
	const __m256i half = _mm256_set1_epi32(1 << 7), rest = _mm256_set1_epi32(255);
	/* A turn less first, so that the sum stays within 32 bits. */
	__m256i across = _mm256_add_epi32(_mm256_loadu_si256((const __m256i *)u),
		_mm256_set1_epi32(frame->shift - frame->past));
	__m256i before =
		_mm256_cmpgt_epi32(_mm256_set1_epi32(frame->seam - frame->past), across);
	across = _mm256_add_epi32(
		across, _mm256_and_si256(before, _mm256_set1_epi32(frame->past)));
	__m256i x = _mm256_srai_epi32(_mm256_add_epi32(across, half), 8);
	__m256i y = _mm256_srai_epi32(
		_mm256_add_epi32(_mm256_loadu_si256((const __m256i *)v), half), 8);
	__m256i row = _mm256_mullo_epi32(
		_mm256_srai_epi32(y, 8), _mm256_set1_epi32(frame->stride));
	__m256i column = _mm256_slli_epi32(_mm256_srai_epi32(x, 8), 2);
	return (struct places){_mm256_add_epi32(row, column), _mm256_and_si256(x, rest),
		_mm256_and_si256(y, rest)};
}

/* Four registers of two pixels, a channel in each 32 bits: pixel i of register j becomes
 * pixel 2 j + i. */
static inline __m256i
pack(const __m256i two[4])
{
	const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
	__m256i low = _mm256_packs_epi32(two[0], two[1]);
	__m256i high = _mm256_packs_epi32(two[2], two[3]);
	return _mm256_permutevar8x32_epi32(_mm256_packus_epi16(low, high), order);
}

/* Two pixels: top and bottom hold two neighbours each, weights one 32 bits a pixel. */
static inline __m256i
blend(__m128i top, __m128i bottom, __m256i across, __m256i down)
{
	const __m256i neighbours = _mm256_broadcastsi128_si256(
		_mm_setr_epi8(0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, 6, 7, 14, 15));
	__m256i up = _mm256_sub_epi16(_mm256_set1_epi16(256), down);
	__m256i column =
		_mm256_add_epi16(_mm256_mullo_epi16(_mm256_cvtepu8_epi16(top), up),
			_mm256_mullo_epi16(_mm256_cvtepu8_epi16(bottom), down));
	/* Up to 65280: moved into the range of signed products, and back. */
	column = _mm256_xor_si256(column, _mm256_set1_epi16(INT16_MIN));
	__m256i sum = _mm256_madd_epi16(_mm256_shuffle_epi8(column, neighbours), across);
	sum = _mm256_add_epi32(sum, _mm256_set1_epi32((32768 << 8) + (1 << 15)));
	return _mm256_srli_epi32(sum, 16);
}

static inline __m128i
two_pixels(const uint8_t *left, const uint8_t *right)
{
	return _mm_unpacklo_epi64(_mm_loadl_epi64((const __m128i *)left),
		_mm_loadl_epi64((const __m128i *)right));
}

static void
bilinear(const struct remap_frame *frame, const struct kern_remap *a)
{
	const uint8_t *corner = frame->corner, *next = corner + frame->stride;
	int32_t offset[LANES];
	for (uint32_t i = 0; i + LANES <= a->count; i += LANES) {
		struct places p = find(frame, a->u + i, a->v + i);
		__m256i across =
			_mm256_or_si256(_mm256_sub_epi32(_mm256_set1_epi32(256), p.x),
				_mm256_slli_epi32(p.x, 16));
		__m256i down = _mm256_or_si256(p.y, _mm256_slli_epi32(p.y, 16));
		__m256i two[4], which = _mm256_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1);
		_mm256_storeu_si256((__m256i *)offset, p.offset);
		remap_ask_below(frame, offset[0], 2);
		for (int k = 0; k < 4; k++) {
			const int32_t left = offset[2 * k], right = offset[2 * k + 1];
			two[k] = blend(two_pixels(corner + left, corner + right),
				two_pixels(next + left, next + right),
				_mm256_permutevar8x32_epi32(across, which),
				_mm256_permutevar8x32_epi32(down, which));
			which = _mm256_add_epi32(which, _mm256_set1_epi32(2));
		}
		_mm256_storeu_si256(
			(__m256i *)((uint8_t *)a->to + (size_t)i * KERN_REMAP_CHANNELS),
			pack(two));
	}
}

static inline __m256i
two_rows(const uint8_t *at, int32_t stride)
{
	return _mm256_inserti128_si256(
		_mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)at)),
		_mm_loadu_si128((const __m128i *)(at + stride)), 1);
}

/* The products of two taps with two neighbours, whose first stands at pixel `first` of
 * each 16 bytes. */
static inline __m256i
two_taps(__m256i rows, int first, const int16_t *weights)
{
	const char z = -1;
	const __m256i pairs = _mm256_broadcastsi128_si256(
		_mm_setr_epi8(0, z, 4, z, 1, z, 5, z, 2, z, 6, z, 3, z, 7, z));
	const __m256i later = _mm256_broadcastsi128_si256(
		_mm_setr_epi8(8, z, 12, z, 9, z, 13, z, 10, z, 14, z, 11, z, 15, z));
	int32_t both;
	memcpy(&both, weights, sizeof both);
	return _mm256_madd_epi16(_mm256_shuffle_epi8(rows, first == 0 ? pairs : later),
		_mm256_set1_epi32(both));
}

/* Two rows' shares of a pixel: sums of their taps times their weights. */
static inline __m256i
shares_of_rows(const uint8_t *at, int32_t stride, const int16_t *across,
	const int16_t *down, int taps)
{
	__m256i rows = two_rows(at, stride);
	__m256i sum = _mm256_add_epi32(
		two_taps(rows, 0, across), two_taps(rows, 2, across + 2));
	/* The last two of six pixels are read as the upper half of the last four. */
	if (taps == 6)
		sum = _mm256_add_epi32(
			sum, two_taps(two_rows(at + 8, stride), 2, across + 4));
	sum = _mm256_srai_epi32(_mm256_add_epi32(sum, _mm256_set1_epi32(1 << 7)), 8);
	__m256i weights = _mm256_inserti128_si256(_mm256_set1_epi32((uint16_t)down[0]),
		_mm_set1_epi32((uint16_t)down[1]), 1);
	return _mm256_madd_epi16(sum, weights);
}

static inline __attribute__((always_inline)) void
wide(const struct remap_frame *frame, const struct kern_remap *a, int taps)
{
	int32_t offset[LANES], x[LANES], y[LANES];
	for (uint32_t i = 0; i + LANES <= a->count; i += LANES) {
		struct places p = find(frame, a->u + i, a->v + i);
		__m256i two[4];
		_mm256_storeu_si256((__m256i *)offset, p.offset);
		remap_ask_below(frame, offset[0], taps);
		_mm256_storeu_si256((__m256i *)x, p.x);
		_mm256_storeu_si256((__m256i *)y, p.y);
		__m256i before = _mm256_setzero_si256();
		for (int k = 0; k < LANES; k++) {
			const uint8_t *at = frame->corner + offset[k];
			const int16_t *across = a->weights->fixed[x[k]];
			const int16_t *down = a->weights->fixed[y[k]];
			__m256i sum = _mm256_setzero_si256();
			for (int row = 0; row < taps; row += 2)
				sum = _mm256_add_epi32(sum,
					shares_of_rows(
						at + row * (ptrdiff_t)frame->stride,
						frame->stride, across, down + row, taps));
			if (k % 2 == 0) {
				before = sum;
				continue;
			}
			sum = _mm256_add_epi32(
				_mm256_permute2x128_si256(before, sum, 0x20),
				_mm256_permute2x128_si256(before, sum, 0x31));
			two[k / 2] = _mm256_srai_epi32(
				_mm256_add_epi32(sum, _mm256_set1_epi32(1 << 19)), 20);
		}
		_mm256_storeu_si256(
			(__m256i *)((uint8_t *)a->to + (size_t)i * KERN_REMAP_CHANNELS),
			pack(two));
	}
}

int
kern_remap_avx2(const struct kern_remap *a, void *queue)
{
	const int taps = (int)kern_remap_taps(a->filter);
	if (a->picture->type != KERN_REMAP_U8 || taps == 1 || a->count < LANES)
		return kern_remap_c(a, queue);
	const struct remap_frame frame = remap_frame_of(a, taps / 2 - 1);
	if (taps == 2)
		bilinear(&frame, a);
	else if (taps == 4)
		wide(&frame, a, 4);
	else
		wide(&frame, a, 6);
	return remap_rest(a, LANES, queue);
}
#endif
