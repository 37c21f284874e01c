/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lanes.h - as many floats as a register holds, each of a frame of its own.
 *
 * Whoever includes it has said how many: LANES is 8 (AVX2) or 16 (AVX-512).  Sums and
 * products are the compiler's own operators on such vectors and are, like square roots
 * and quotients, exactly the single float's.  A mask holds one truth a lane; masks know
 * & | ~.  Comparisons with NaN are false.  Loads and stores need no alignment and touch
 * no memory of lanes outside their mask.
 */
#ifndef KERN_LANES_H
#define KERN_LANES_H

#include <immintrin.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#if LANES == 16

typedef __m512 lanes;
typedef __mmask16 lanes_mask;

static inline lanes
lanes_all(float value)
{
	return _mm512_set1_ps(value);
}

/* So many lanes from the first on; all where there are not so many. */
static inline lanes_mask
lanes_first(uint32_t count)
{
	return (lanes_mask)(count >= 16 ? 0xffff : (1u << count) - 1);
}

static inline int
lanes_any(lanes_mask mask)
{
	return mask != 0;
}

static inline lanes
lanes_load(const float *from, lanes_mask mask)
{
	return _mm512_maskz_loadu_ps(mask, from);
}

static inline void
lanes_store(float *to, lanes_mask mask, lanes value)
{
	/* What a masked store wrote is not forwarded to a load that follows soon. */
	if (mask == 0xffff)
		_mm512_storeu_ps(to, value);
	else
		_mm512_mask_storeu_ps(to, mask, value);
}

static inline lanes
lanes_select(lanes_mask mask, lanes yes, lanes no)
{
	return _mm512_mask_blend_ps(mask, no, yes);
}

static inline lanes_mask
lanes_less(lanes a, lanes b)
{
	return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ);
}

static inline lanes_mask
lanes_at_most(lanes a, lanes b)
{
	return _mm512_cmp_ps_mask(a, b, _CMP_LE_OQ);
}

static inline lanes_mask
lanes_equal(lanes a, lanes b)
{
	return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ);
}

/* Whether any bit of `bits` is set in the float's representation. */
static inline lanes_mask
lanes_test_bits(lanes a, int32_t bits)
{
	return _mm512_test_epi32_mask(_mm512_castps_si512(a), _mm512_set1_epi32(bits));
}

/* The representation, plus one. */
static inline lanes
lanes_next_bits(lanes a)
{
	return _mm512_castsi512_ps(
		_mm512_add_epi32(_mm512_castps_si512(a), _mm512_set1_epi32(1)));
}

static inline lanes_mask
lanes_nonzero_bytes(const uint8_t bytes[LANES])
{
	__m128i loaded = _mm_loadu_si128((const __m128i *)bytes);
	return _mm_test_epi8_mask(loaded, loaded);
}

/* The greatest power of two not above a, which is above 0 and normal. */
static inline lanes
lanes_power_of(lanes a)
{
	return _mm512_and_ps(a, _mm512_set1_ps(INFINITY));
}

static inline lanes
lanes_sqrt(lanes a)
{
	return _mm512_sqrt_ps(a);
}

/* a b + c, rounded once. */
static inline lanes
lanes_fused(lanes a, lanes b, lanes c)
{
	return _mm512_fmadd_ps(a, b, c);
}

/* To some 11 bits, which ones is the processor's business: for guesses that are judged by
 * exact arithmetic. */
static inline lanes
lanes_about_reciprocal(lanes a)
{
	return _mm512_rcp14_ps(a);
}

/* As inexact; of numbers above 0. */
static inline lanes
lanes_about_root_reciprocal(lanes a)
{
	return _mm512_rsqrt14_ps(a);
}

/* The second where one of both is not a number. */
static inline lanes
lanes_less_of(lanes a, lanes b)
{
	return _mm512_min_ps(a, b);
}

static inline lanes
lanes_more_of(lanes a, lanes b)
{
	return _mm512_max_ps(a, b);
}

static inline lanes
lanes_abs(lanes a)
{
	return _mm512_abs_ps(a);
}

static inline lanes
lanes_negate(lanes a)
{
	return _mm512_xor_ps(a, _mm512_set1_ps(-0.0f));
}

/* magnitude with the sign of another. */
static inline lanes
lanes_copy_sign(lanes magnitude, lanes sign)
{
	__m512 bit = _mm512_set1_ps(-0.0f);
	return _mm512_or_ps(_mm512_andnot_ps(bit, magnitude), _mm512_and_ps(bit, sign));
}

#elif LANES == 8

typedef __m256 lanes;
/* All bits of a lane, or none. */
typedef __m256i lanes_mask;

static inline lanes
lanes_all(float value)
{
	return _mm256_set1_ps(value);
}

static inline lanes_mask
lanes_first(uint32_t count)
{
	const int some = count < LANES ? (int)count : LANES;
	return _mm256_cmpgt_epi32(
		_mm256_set1_epi32(some), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

static inline int
lanes_any(lanes_mask mask)
{
	return !_mm256_testz_si256(mask, mask);
}

static inline lanes
lanes_load(const float *from, lanes_mask mask)
{
	return _mm256_maskload_ps(from, mask);
}

static inline void
lanes_store(float *to, lanes_mask mask, lanes value)
{
	_mm256_maskstore_ps(to, mask, value);
}

static inline lanes
lanes_select(lanes_mask mask, lanes yes, lanes no)
{
	return _mm256_blendv_ps(no, yes, _mm256_castsi256_ps(mask));
}

static inline lanes_mask
lanes_less(lanes a, lanes b)
{
	return _mm256_castps_si256(_mm256_cmp_ps(a, b, _CMP_LT_OQ));
}

static inline lanes_mask
lanes_at_most(lanes a, lanes b)
{
	return _mm256_castps_si256(_mm256_cmp_ps(a, b, _CMP_LE_OQ));
}

static inline lanes_mask
lanes_equal(lanes a, lanes b)
{
	return _mm256_castps_si256(_mm256_cmp_ps(a, b, _CMP_EQ_OQ));
}

/* Whether any bit of `bits` is set in the float's representation. */
static inline lanes_mask
lanes_test_bits(lanes a, int32_t bits)
{
	__m256i left = _mm256_and_si256(_mm256_castps_si256(a), _mm256_set1_epi32(bits));
	return ~_mm256_cmpeq_epi32(left, _mm256_setzero_si256());
}

/* The representation, plus one. */
static inline lanes
lanes_next_bits(lanes a)
{
	return _mm256_castsi256_ps(
		_mm256_add_epi32(_mm256_castps_si256(a), _mm256_set1_epi32(1)));
}

static inline lanes_mask
lanes_nonzero_bytes(const uint8_t bytes[LANES])
{
	__m256i wide = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)bytes));
	return _mm256_cmpgt_epi32(wide, _mm256_setzero_si256());
}

static inline lanes
lanes_power_of(lanes a)
{
	return _mm256_and_ps(a, _mm256_set1_ps(INFINITY));
}

static inline lanes
lanes_sqrt(lanes a)
{
	return _mm256_sqrt_ps(a);
}

static inline lanes
lanes_fused(lanes a, lanes b, lanes c)
{
	return _mm256_fmadd_ps(a, b, c);
}

static inline lanes
lanes_about_reciprocal(lanes a)
{
	return _mm256_rcp_ps(a);
}

static inline lanes
lanes_about_root_reciprocal(lanes a)
{
	return _mm256_rsqrt_ps(a);
}

static inline lanes
lanes_less_of(lanes a, lanes b)
{
	return _mm256_min_ps(a, b);
}

static inline lanes
lanes_more_of(lanes a, lanes b)
{
	return _mm256_max_ps(a, b);
}

static inline lanes
lanes_abs(lanes a)
{
	return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a);
}

static inline lanes
lanes_negate(lanes a)
{
	return _mm256_xor_ps(a, _mm256_set1_ps(-0.0f));
}

/* magnitude with the sign of another. */
static inline lanes
lanes_copy_sign(lanes magnitude, lanes sign)
{
	__m256 bit = _mm256_set1_ps(-0.0f);
	return _mm256_or_ps(_mm256_andnot_ps(bit, magnitude), _mm256_and_ps(bit, sign));
}

#else
#error "LANES must be 8 or 16"
#endif

/* One byte a lane, of which `count` exist: whether it is not 0. */
static inline lanes_mask
lanes_of_bytes(const uint8_t *bytes, uint32_t count)
{
	uint8_t padded[LANES] = {0};
	memcpy(padded, bytes, count);
	return lanes_nonzero_bytes(padded);
}

#endif
