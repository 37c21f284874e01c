/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Means of samples, four channels in a register.  A quotient in single precision is the
 * right one once it is cut: sums are exact, and what is no integer is a 64th away from one.
 */
#include "kernels/supersample.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#define CHANNELS KERN_REMAP_CHANNELS

static inline unsigned
samples_of(uint8_t plan)
{
	return (plan & 15u) * (plan >> 4);
}

/* Four sums, rounded half up. */
static inline __m128i
quotients(__m128i sums, unsigned n)
{
	sums = _mm_add_epi32(sums, _mm_set1_epi32((int)(n / 2)));
	return _mm_cvttps_epi32(_mm_div_ps(_mm_cvtepi32_ps(sums), _mm_set1_ps((float)n)));
}

static __m128i
sums_u8(const uint8_t *from, unsigned n)
{
	const __m128i by_channel =
		_mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
	__m128i sums = _mm_setzero_si128();
	for (; n >= 4; n -= 4, from += 4 * CHANNELS) {
		__m128i four = _mm_shuffle_epi8(
			_mm_loadu_si128((const __m128i *)from), by_channel);
		sums = _mm_add_epi32(
			sums, _mm_madd_epi16(_mm_maddubs_epi16(four, _mm_set1_epi8(1)),
				      _mm_set1_epi16(1)));
	}
	for (; n > 0; n--, from += CHANNELS)
		sums = _mm_add_epi32(sums, _mm_cvtepu8_epi32(_mm_loadu_si32(from)));
	return sums;
}

static void
means_u8(const struct kern_supersample *a)
{
	const uint8_t *from = a->samples;
	uint8_t *to = a->to;
	for (uint32_t i = 0; i < a->count; i++, to += CHANNELS) {
		const unsigned n = samples_of(a->plan[i]);
		if (n == 1) {
			memcpy(to, from, CHANNELS);
		} else {
			__m128i mean = quotients(sums_u8(from, n), n);
			mean = _mm_packs_epi32(mean, mean);
			_mm_storeu_si32(to, _mm_packus_epi16(mean, mean));
		}
		from += n * CHANNELS;
	}
}

static __m128i
sums_u16(const uint16_t *from, unsigned n)
{
	__m256i two = _mm256_setzero_si256();
	for (; n >= 2; n -= 2, from += 2 * CHANNELS)
		two = _mm256_add_epi32(two,
			_mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)from)));
	__m128i sums = _mm_add_epi32(
		_mm256_castsi256_si128(two), _mm256_extracti128_si256(two, 1));
	if (n > 0)
		sums = _mm_add_epi32(
			sums, _mm_cvtepu16_epi32(_mm_loadl_epi64((const __m128i *)from)));
	return sums;
}

static void
means_u16(const struct kern_supersample *a)
{
	const uint16_t *from = a->samples;
	uint16_t *to = a->to;
	for (uint32_t i = 0; i < a->count; i++, to += CHANNELS) {
		const unsigned n = samples_of(a->plan[i]);
		if (n == 1) {
			memcpy(to, from, CHANNELS * sizeof *to);
		} else {
			__m128i mean = quotients(sums_u16(from, n), n);
			_mm_storel_epi64((__m128i *)to, _mm_packus_epi32(mean, mean));
		}
		from += n * CHANNELS;
	}
}

static void
means_float(const struct kern_supersample *a)
{
	const float *from = a->samples;
	float *to = a->to;
	for (uint32_t i = 0; i < a->count; i++, to += CHANNELS) {
		const unsigned n = samples_of(a->plan[i]);
		__m128 sums = _mm_setzero_ps();
		for (unsigned k = 0; k < n; k++, from += CHANNELS)
			sums = _mm_add_ps(sums, _mm_loadu_ps(from));
		_mm_storeu_ps(to, _mm_div_ps(sums, _mm_set1_ps((float)n)));
	}
}

int
kern_supersample_mean_avx2(const struct kern_supersample *a, void *queue)
{
	(void)queue;
	if (a->type == KERN_REMAP_U8)
		means_u8(a);
	else if (a->type == KERN_REMAP_U16)
		means_u16(a);
	else
		means_float(a);
	return 0;
}
#endif
