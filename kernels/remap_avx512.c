/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Remapping 8 bits, sixteen pixels at a time; whatever is left of a row, and the other
 * types, are the plain C's.  Bilinear is AVX2's: its loads decide, and are no fewer here.
 */
#include "kernels/remap.h"

#if defined(__x86_64__)
#include "kernels/remap_place.h"

#include <immintrin.h>
#include <string.h>

#define LANES 16

struct places {
	__m512i offset, x, y; /* bytes from the corner; fractions of 256 */
};

static inline struct places
find(const struct remap_frame *frame, const int32_t *u, const int32_t *v)
{
	const __m512i half = _mm512_set1_epi32(1 << 7), rest = _mm512_set1_epi32(255);
	/* A turn less first, so that the sum stays within 32 bits. */
	__m512i across = _mm512_add_epi32(
		_mm512_loadu_si512(u), _mm512_set1_epi32(frame->shift - frame->past));
	__mmask16 before = _mm512_cmplt_epi32_mask(
		across, _mm512_set1_epi32(frame->seam - frame->past));
	across = _mm512_mask_add_epi32(
		across, before, across, _mm512_set1_epi32(frame->past));
	__m512i x = _mm512_srai_epi32(_mm512_add_epi32(across, half), 8);
	__m512i y = _mm512_srai_epi32(_mm512_add_epi32(_mm512_loadu_si512(v), half), 8);
	__m512i row = _mm512_mullo_epi32(
		_mm512_srai_epi32(y, 8), _mm512_set1_epi32(frame->stride));
	__m512i column = _mm512_slli_epi32(_mm512_srai_epi32(x, 8), 2);
	return (struct places){_mm512_add_epi32(row, column), _mm512_and_si512(x, rest),
		_mm512_and_si512(y, rest)};
}

/* Four registers of four pixels, a channel in each 32 bits: pixel i of register j becomes
 * pixel 4 j + i. */
static inline __m512i
pack(const __m512i four[4])
{
	const __m512i order =
		_mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
	__m512i low = _mm512_packs_epi32(four[0], four[1]);
	__m512i high = _mm512_packs_epi32(four[2], four[3]);
	return _mm512_permutexvar_epi32(order, _mm512_packus_epi16(low, high));
}

static inline __m256i
two_rows(const uint8_t *at, int32_t stride)
{
	return _mm256_inserti128_si256(
		_mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)at)),
		_mm_loadu_si128((const __m128i *)(at + stride)), 1);
}

static inline __m512i
four_rows(const uint8_t *at, int32_t stride)
{
	return _mm512_inserti64x4(_mm512_castsi256_si512(two_rows(at, stride)),
		two_rows(at + 2 * (ptrdiff_t)stride, stride), 1);
}

/* The products of two taps with two neighbours, whose first stands at pixel `first` of
 * each 16 bytes. */
static inline __m512i
two_taps(__m512i rows, int first, const int16_t *weights)
{
	const char z = -1;
	const __m512i pairs = _mm512_broadcast_i32x4(
		_mm_setr_epi8(0, z, 4, z, 1, z, 5, z, 2, z, 6, z, 3, z, 7, z));
	const __m512i later = _mm512_broadcast_i32x4(
		_mm_setr_epi8(8, z, 12, z, 9, z, 13, z, 10, z, 14, z, 11, z, 15, z));
	int32_t both;
	memcpy(&both, weights, sizeof both);
	return _mm512_madd_epi16(_mm512_shuffle_epi8(rows, first == 0 ? pairs : later),
		_mm512_set1_epi32(both));
}

/* Sums of a row's taps, as its channels' 32 bits, and their product with the row's weight:
 * the weights stand in the low words of `down`. */
static inline __m512i
weigh_rows(__m512i sum, __m512i down)
{
	sum = _mm512_srai_epi32(_mm512_add_epi32(sum, _mm512_set1_epi32(1 << 7)), 8);
	return _mm512_madd_epi16(sum, down);
}

/* One pixel: its rows' shares, which are still to be added. */
static inline __m512i
shares_of_4(const uint8_t *at, int32_t stride, const int16_t *across, __m512i down)
{
	__m512i rows = four_rows(at, stride);
	return weigh_rows(_mm512_add_epi32(two_taps(rows, 0, across),
				  two_taps(rows, 2, across + 2)),
		down);
}

static inline __m512i
taps_of_6(__m512i rows, __m512i rows_later, const int16_t *across)
{
	return _mm512_add_epi32(_mm512_add_epi32(two_taps(rows, 0, across),
					two_taps(rows, 2, across + 2)),
		two_taps(rows_later, 2, across + 4));
}

/* The last two of six pixels are read as the upper half of the last four. */
static inline __m512i
shares_of_6(const uint8_t *at, int32_t stride, const int16_t *across, const __m512i *down)
{
	const uint8_t *below = at + 4 * (ptrdiff_t)stride;
	__m512i upper = weigh_rows(
		taps_of_6(four_rows(at, stride), four_rows(at + 8, stride), across),
		down[0]);
	__m512i lower = weigh_rows(
		taps_of_6(_mm512_zextsi256_si512(two_rows(below, stride)),
			_mm512_zextsi256_si512(two_rows(below + 8, stride)), across),
		down[1]);
	return _mm512_add_epi32(upper, lower);
}

/* Adds the four rows of each of four pixels, which then stand side by side. */
static inline __m512i
gather_rows(const __m512i shares[4])
{
	__m512i ab = _mm512_add_epi32(_mm512_shuffle_i32x4(shares[0], shares[1], 0x44),
		_mm512_shuffle_i32x4(shares[0], shares[1], 0xee));
	__m512i cd = _mm512_add_epi32(_mm512_shuffle_i32x4(shares[2], shares[3], 0x44),
		_mm512_shuffle_i32x4(shares[2], shares[3], 0xee));
	__m512i sum = _mm512_add_epi32(
		_mm512_shuffle_i32x4(ab, cd, 0x88), _mm512_shuffle_i32x4(ab, cd, 0xdd));
	return _mm512_srai_epi32(_mm512_add_epi32(sum, _mm512_set1_epi32(1 << 19)), 20);
}

/* Weights of rows 0..3 and 4..5, each four times, in the low words of 32 bits. */
static inline void
spread_down(const int16_t *weights, __m512i down[2])
{
	const __m512i upper =
		_mm512_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3);
	const __m512i lower = _mm512_add_epi32(upper, _mm512_set1_epi32(4));
	/* The table's rows are six words; the last one's end is the table's, not ours. */
	__m512i words = _mm512_zextsi256_si512(
		_mm256_cvtepu16_epi32(_mm_maskz_loadu_epi16(0x3f, weights)));
	down[0] = _mm512_permutexvar_epi32(upper, words);
	down[1] = _mm512_permutexvar_epi32(lower, words);
}

static inline __attribute__((always_inline)) void
wide(const struct remap_frame *frame, const struct kern_remap *a, int taps)
{
	int32_t offset[LANES], x[LANES], y[LANES];
	for (uint32_t i = 0; i + LANES <= a->count; i += LANES) {
		struct places p = find(frame, a->u + i, a->v + i);
		__m512i four[4], shares[4], down[2];
		_mm512_storeu_si512(offset, p.offset);
		remap_ask_below(frame, offset[0], taps);
		remap_ask_below(frame, offset[LANES / 2], taps);
		_mm512_storeu_si512(x, p.x);
		_mm512_storeu_si512(y, p.y);
		for (int k = 0; k < LANES; k++) {
			const uint8_t *at = frame->corner + offset[k];
			const int16_t *across = a->weights->fixed[x[k]];
			spread_down(a->weights->fixed[y[k]], down);
			shares[k % 4] =
				taps == 4
					? shares_of_4(at, frame->stride, across, down[0])
					: shares_of_6(at, frame->stride, across, down);
			if (k % 4 == 3)
				four[k / 4] = gather_rows(shares);
		}
		_mm512_storeu_si512(
			(uint8_t *)a->to + (size_t)i * KERN_REMAP_CHANNELS, pack(four));
	}
}

int
kern_remap_avx512(const struct kern_remap *a, void *queue)
{
	const int taps = (int)kern_remap_taps(a->filter);
	if (taps <= 2)
		return kern_remap_avx2(a, queue);
	if (a->picture->type != KERN_REMAP_U8 || a->count < LANES)
		return kern_remap_c(a, queue);
	const struct remap_frame frame = remap_frame_of(a, taps / 2 - 1);
	if (taps == 4)
		wide(&frame, a, 4);
	else
		wide(&frame, a, 6);
	return remap_rest(a, LANES, queue);
}
#endif
