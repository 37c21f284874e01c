/* SPDX-License-Identifier: BSD-2-Clause */
/* wide.h - the same frames as in lanes.h in double precision: a register holds half of
 * them. */
#ifndef KERN_WIDE_H
#define KERN_WIDE_H

#include "kernels/lanes_bits.h"

#define WIDE (LANES / 2)

#if LANES == 16

typedef __m512d wide;
typedef __mmask8 wide_mask;

static inline wide
wide_all(double value)
{
	return _mm512_set1_pd(value);
}

/* The lower half of the lanes, or the upper. */
static inline wide
wide_of_lanes(lanes from, int upper)
{
	return _mm512_cvtps_pd(
		upper ? _mm512_extractf32x8_ps(from, 1) : _mm512_castps512_ps256(from));
}

/* Without sign. */
static inline wide
wide_of_bits(lanes_bits from, int upper)
{
	return _mm512_cvtepu32_pd(upper ? _mm512_extracti32x8_epi32(from, 1)
					: _mm512_castsi512_si256(from));
}

static inline lanes
wide_to_lanes(wide lower, wide upper)
{
	return _mm512_insertf32x8(_mm512_castps256_ps512(_mm512_cvtpd_ps(lower)),
		_mm512_cvtpd_ps(upper), 1);
}

static inline wide_mask
wide_mask_of_lanes(lanes_mask mask, int upper)
{
	return (wide_mask)(upper ? mask >> WIDE : mask);
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

static inline int
wide_any(wide_mask mask)
{
	return mask != 0;
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

static inline wide
wide_load(const double *from)
{
	return _mm512_loadu_pd(from);
}

static inline wide
wide_root(wide a)
{
	return _mm512_sqrt_pd(a);
}

/* The size of a, which has no sign, with the sign of `of`. */
static inline wide
wide_with_sign(wide a, wide of)
{
	return _mm512_or_pd(a, _mm512_and_pd(of, _mm512_set1_pd(-0.0)));
}

/* To the nearest integer, half to even: WIDE of them. */
static inline void
wide_round(int32_t *to, wide a)
{
	_mm256_storeu_si256((__m256i *)to, _mm512_cvtpd_epi32(a));
}

#else

typedef __m256d wide;
typedef __m256i wide_mask;

static inline wide
wide_all(double value)
{
	return _mm256_set1_pd(value);
}

/* The lower half of the lanes, or the upper. */
static inline wide
wide_of_lanes(lanes from, int upper)
{
	return _mm256_cvtps_pd(
		upper ? _mm256_extractf128_ps(from, 1) : _mm256_castps256_ps128(from));
}

/* Without sign: below 2^52, a double's last bits count units. */
static inline wide
wide_of_bits(lanes_bits from, int upper)
{
	__m256i units = _mm256_cvtepu32_epi64(
		upper ? _mm256_extracti128_si256(from, 1) : _mm256_castsi256_si128(from));
	__m256d base = _mm256_set1_pd(0x1p52);
	return _mm256_castsi256_pd(_mm256_or_si256(units, _mm256_castpd_si256(base))) -
	       base;
}

static inline lanes
wide_to_lanes(wide lower, wide upper)
{
	return _mm256_set_m128(_mm256_cvtpd_ps(upper), _mm256_cvtpd_ps(lower));
}

static inline wide_mask
wide_mask_of_lanes(lanes_mask mask, int upper)
{
	return _mm256_cvtepi32_epi64(
		upper ? _mm256_extracti128_si256(mask, 1) : _mm256_castsi256_si128(mask));
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

static inline int
wide_any(wide_mask mask)
{
	return _mm256_movemask_pd(_mm256_castsi256_pd(mask)) != 0;
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

static inline wide
wide_load(const double *from)
{
	return _mm256_loadu_pd(from);
}

static inline wide
wide_root(wide a)
{
	return _mm256_sqrt_pd(a);
}

static inline wide
wide_with_sign(wide a, wide of)
{
	return _mm256_or_pd(a, _mm256_and_pd(of, _mm256_set1_pd(-0.0)));
}

static inline void
wide_round(int32_t *to, wide a)
{
	_mm_storeu_si128((__m128i *)to, _mm256_cvtpd_epi32(a));
}

#endif
#endif
