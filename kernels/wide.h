/* SPDX-License-Identifier: BSD-2-Clause */
/* wide.h - the same frames as in lanes.h in double precision: a register holds half of
 * them. */
#ifndef KERN_WIDE_H
#define KERN_WIDE_H

#include "kernels/lanes.h"

#define WIDE (LANES / 2)

#if LANES == 16

typedef __m512d wide;
typedef __mmask8 wide_mask;

static inline wide
wide_all(double value)
{
	return _mm512_set1_pd(value);
}

static inline wide
wide_load(const double *from)
{
	return _mm512_loadu_pd(from);
}

/* Byte number `place` of each word. */
static inline wide
wide_bytes(const uint32_t *words, int place)
{
	__m256i all = _mm256_loadu_si256((const __m256i *)words);
	return _mm512_cvtepi32_pd(_mm256_and_si256(
		_mm256_srli_epi32(all, place * 8), _mm256_set1_epi32(255)));
}

static inline wide
wide_of_floats(const float *from)
{
	return _mm512_cvtps_pd(_mm256_loadu_ps(from));
}

static inline void
wide_to_floats(float *to, wide value)
{
	_mm256_storeu_ps(to, _mm512_cvtpd_ps(value));
}

static inline wide_mask
wide_less(wide a, wide b)
{
	return _mm512_cmp_pd_mask(a, b, _CMP_LT_OQ);
}

static inline wide_mask
wide_equal(wide a, wide b)
{
	return _mm512_cmp_pd_mask(a, b, _CMP_EQ_OQ);
}

static inline int
wide_every(wide_mask mask)
{
	return mask == 0xff;
}

static inline wide
wide_select(wide_mask mask, wide yes, wide no)
{
	return _mm512_mask_blend_pd(mask, no, yes);
}

static inline wide
wide_abs(wide a)
{
	return _mm512_abs_pd(a);
}

#else

typedef __m256d wide;
typedef __m256i wide_mask;

static inline wide
wide_all(double value)
{
	return _mm256_set1_pd(value);
}

static inline wide
wide_load(const double *from)
{
	return _mm256_loadu_pd(from);
}

/* Byte number `place` of each word. */
static inline wide
wide_bytes(const uint32_t *words, int place)
{
	__m128i all = _mm_loadu_si128((const __m128i *)words);
	return _mm256_cvtepi32_pd(
		_mm_and_si128(_mm_srli_epi32(all, place * 8), _mm_set1_epi32(255)));
}

static inline wide
wide_of_floats(const float *from)
{
	return _mm256_cvtps_pd(_mm_loadu_ps(from));
}

static inline void
wide_to_floats(float *to, wide value)
{
	_mm_storeu_ps(to, _mm256_cvtpd_ps(value));
}

static inline wide_mask
wide_less(wide a, wide b)
{
	return _mm256_castpd_si256(_mm256_cmp_pd(a, b, _CMP_LT_OQ));
}

static inline wide_mask
wide_equal(wide a, wide b)
{
	return _mm256_castpd_si256(_mm256_cmp_pd(a, b, _CMP_EQ_OQ));
}

static inline int
wide_every(wide_mask mask)
{
	return _mm256_movemask_pd(_mm256_castsi256_pd(mask)) == 0xf;
}

static inline wide
wide_select(wide_mask mask, wide yes, wide no)
{
	return _mm256_blendv_pd(no, yes, _mm256_castsi256_pd(mask));
}

static inline wide
wide_abs(wide a)
{
	return _mm256_andnot_pd(_mm256_set1_pd(-0.0), a);
}

#endif
#endif
