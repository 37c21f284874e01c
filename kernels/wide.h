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

/* With sign. */
static inline wide
wide_of_signed_bits(lanes_bits from, int upper)
{
	return _mm512_cvtepi32_pd(upper ? _mm512_extracti32x8_epi32(from, 1)
					: _mm512_castsi512_si256(from));
}

/* To the nearest integers, half to even. */
static inline lanes_bits
wide_to_bits(wide lower, wide upper)
{
	return _mm512_inserti32x8(_mm512_castsi256_si512(_mm512_cvtpd_epi32(lower)),
		_mm512_cvtpd_epi32(upper), 1);
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

/* Half of the lanes take those of a and b, together LANES, that have their index. */
static inline wide
wide_permute(wide a, wide b, lanes_bits index, int upper)
{
	__m512i at = _mm512_cvtepu32_epi64(upper ? _mm512_extracti32x8_epi32(index, 1)
						 : _mm512_castsi512_si256(index));
	return _mm512_permutex2var_pd(a, at, b);
}

static inline lanes_mask
wide_mask_to_lanes(wide_mask lower, wide_mask upper)
{
	return (lanes_mask)(lower | upper << WIDE);
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

static inline wide
wide_of_signed_bits(lanes_bits from, int upper)
{
	return _mm256_cvtepi32_pd(
		upper ? _mm256_extracti128_si256(from, 1) : _mm256_castsi256_si128(from));
}

static inline lanes_bits
wide_to_bits(wide lower, wide upper)
{
	return _mm256_set_m128i(_mm256_cvtpd_epi32(upper), _mm256_cvtpd_epi32(lower));
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

static inline wide
wide_permute(wide a, wide b, lanes_bits index, int upper)
{
	__m256i at = _mm256_cvtepu32_epi64(upper ? _mm256_extracti128_si256(index, 1)
						 : _mm256_castsi256_si128(index));
	/* As pairs of 32 bits: 2 at and 2 at + 1, which know nothing above 7. */
	__m256i pairs = _mm256_or_si256(
		_mm256_add_epi64(at, at), _mm256_or_si256(_mm256_slli_epi64(at, 33),
						  _mm256_set1_epi64x((int64_t)1 << 32)));
	__m256 low = _mm256_permutevar8x32_ps(_mm256_castpd_ps(a), pairs);
	__m256 high = _mm256_permutevar8x32_ps(_mm256_castpd_ps(b), pairs);
	return _mm256_blendv_pd(_mm256_castps_pd(low), _mm256_castps_pd(high),
		_mm256_castsi256_pd(_mm256_slli_epi64(at, 61)));
}

/* Both halves of a wide truth are alike: the first ones. */
static inline lanes_mask
wide_mask_to_lanes(wide_mask lower, wide_mask upper)
{
	__m256 mixed = _mm256_shuffle_ps(
		_mm256_castsi256_ps(lower), _mm256_castsi256_ps(upper), 0x88);
	return _mm256_permute4x64_epi64(_mm256_castps_si256(mixed), 0xd8);
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
