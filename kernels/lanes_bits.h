/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lanes_bits.h - as many 32-bit integers as lanes.h has floats, and what moves floats from
 * lane to lane.  Sums wrap; comparisons are of signed numbers.
 */
#ifndef KERN_LANES_BITS_H
#define KERN_LANES_BITS_H

#include "kernels/lanes.h"

#if LANES == 16

typedef __m512i lanes_bits;

static inline lanes_bits
lanes_bits_all(uint32_t value)
{
	return _mm512_set1_epi32((int)value);
}

/* 0, 1, 2 ... */
static inline lanes_bits
lanes_bits_count_up(void)
{
	return _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}

static inline lanes_bits
lanes_bits_load(const void *from, lanes_mask mask)
{
	return _mm512_maskz_loadu_epi32(mask, from);
}

static inline lanes_bits
lanes_bits_add(lanes_bits a, lanes_bits b)
{
	return _mm512_add_epi32(a, b);
}

static inline lanes_bits
lanes_bits_sub(lanes_bits a, lanes_bits b)
{
	return _mm512_sub_epi32(a, b);
}

static inline lanes_bits
lanes_bits_and(lanes_bits a, lanes_bits b)
{
	return _mm512_and_si512(a, b);
}

static inline lanes_bits
lanes_bits_or(lanes_bits a, lanes_bits b)
{
	return _mm512_or_si512(a, b);
}

static inline lanes_bits
lanes_bits_xor(lanes_bits a, lanes_bits b)
{
	return _mm512_xor_si512(a, b);
}

/* a without the bits of b. */
static inline lanes_bits
lanes_bits_without(lanes_bits a, lanes_bits b)
{
	return _mm512_andnot_si512(b, a);
}

/* The lower 32 bits of the product. */
static inline lanes_bits
lanes_bits_mul(lanes_bits a, lanes_bits b)
{
	return _mm512_mullo_epi32(a, b);
}

static inline lanes_bits
lanes_bits_less_of(lanes_bits a, lanes_bits b)
{
	return _mm512_min_epi32(a, b);
}

static inline lanes_bits
lanes_bits_more_of(lanes_bits a, lanes_bits b)
{
	return _mm512_max_epi32(a, b);
}

/* The lesser of each pair of bytes. */
static inline lanes_bits
lanes_bits_less_of_bytes(lanes_bits a, lanes_bits b)
{
	return _mm512_min_epu8(a, b);
}

static inline lanes_bits
lanes_bits_shift_right(lanes_bits a, unsigned by)
{
	return _mm512_srli_epi32(a, by);
}

static inline lanes_bits
lanes_bits_shift_left(lanes_bits a, unsigned by)
{
	return _mm512_slli_epi32(a, by);
}

/* To the nearest integer, half to even; what no integer is becomes the least of all. */
static inline lanes_bits
lanes_bits_round(lanes from)
{
	return _mm512_cvtps_epi32(from);
}

static inline lanes
lanes_of_integers(lanes_bits from)
{
	return _mm512_cvtepi32_ps(from);
}

static inline lanes_bits
lanes_bits_select(lanes_mask mask, lanes_bits yes, lanes_bits no)
{
	return _mm512_mask_blend_epi32(mask, no, yes);
}

static inline lanes_mask
lanes_bits_equal(lanes_bits a, lanes_bits b)
{
	return _mm512_cmpeq_epi32_mask(a, b);
}

static inline lanes_mask
lanes_bits_at_least(lanes_bits a, lanes_bits b)
{
	return _mm512_cmpge_epi32_mask(a, b);
}

/* One more in the lanes of the mask. */
static inline lanes_bits
lanes_bits_increase(lanes_bits a, lanes_mask mask)
{
	return _mm512_mask_add_epi32(a, mask, a, _mm512_set1_epi32(1));
}

/* Lane i takes lane number index[i]. */
static inline lanes_bits
lanes_bits_permute(lanes_bits from, lanes_bits index)
{
	return _mm512_permutexvar_epi32(index, from);
}

static inline lanes
lanes_permute(lanes from, lanes_bits index)
{
	return _mm512_permutexvar_ps(index, from);
}

/* Of twice as many, every other one: those with even numbers, or with odd. */
static inline lanes_bits
lanes_bits_every_other(lanes_bits lower, lanes_bits upper, int odd)
{
	lanes_bits twice = _mm512_slli_epi32(lanes_bits_count_up(), 1);
	return _mm512_permutex2var_epi32(
		lower, _mm512_add_epi32(twice, _mm512_set1_epi32(odd)), upper);
}

/* Lane i takes from[index[i]]; lanes outside the mask take 0 and read nothing. */
static inline lanes_bits
lanes_bits_gather(const void *from, lanes_bits index, lanes_mask mask)
{
	return _mm512_mask_i32gather_epi32(_mm512_setzero_si512(), mask, index, from, 4);
}

#else

typedef __m256i lanes_bits;

static inline lanes_bits
lanes_bits_all(uint32_t value)
{
	return _mm256_set1_epi32((int)value);
}

/* 0, 1, 2 ... */
static inline lanes_bits
lanes_bits_count_up(void)
{
	return _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
}

static inline lanes_bits
lanes_bits_load(const void *from, lanes_mask mask)
{
	return _mm256_maskload_epi32(from, mask);
}

static inline lanes_bits
lanes_bits_add(lanes_bits a, lanes_bits b)
{
	return _mm256_add_epi32(a, b);
}

static inline lanes_bits
lanes_bits_sub(lanes_bits a, lanes_bits b)
{
	return _mm256_sub_epi32(a, b);
}

static inline lanes_bits
lanes_bits_and(lanes_bits a, lanes_bits b)
{
	return _mm256_and_si256(a, b);
}

static inline lanes_bits
lanes_bits_or(lanes_bits a, lanes_bits b)
{
	return _mm256_or_si256(a, b);
}

static inline lanes_bits
lanes_bits_xor(lanes_bits a, lanes_bits b)
{
	return _mm256_xor_si256(a, b);
}

static inline lanes_bits
lanes_bits_without(lanes_bits a, lanes_bits b)
{
	return _mm256_andnot_si256(b, a);
}

static inline lanes_bits
lanes_bits_mul(lanes_bits a, lanes_bits b)
{
	return _mm256_mullo_epi32(a, b);
}

static inline lanes_bits
lanes_bits_less_of(lanes_bits a, lanes_bits b)
{
	return _mm256_min_epi32(a, b);
}

static inline lanes_bits
lanes_bits_more_of(lanes_bits a, lanes_bits b)
{
	return _mm256_max_epi32(a, b);
}

/* The lesser of each pair of bytes. */
static inline lanes_bits
lanes_bits_less_of_bytes(lanes_bits a, lanes_bits b)
{
	return _mm256_min_epu8(a, b);
}

static inline lanes_bits
lanes_bits_shift_right(lanes_bits a, unsigned by)
{
	return _mm256_srli_epi32(a, (int)by);
}

static inline lanes_bits
lanes_bits_shift_left(lanes_bits a, unsigned by)
{
	return _mm256_slli_epi32(a, (int)by);
}

static inline lanes_bits
lanes_bits_round(lanes from)
{
	return _mm256_cvtps_epi32(from);
}

static inline lanes
lanes_of_integers(lanes_bits from)
{
	return _mm256_cvtepi32_ps(from);
}

static inline lanes_bits
lanes_bits_select(lanes_mask mask, lanes_bits yes, lanes_bits no)
{
	return _mm256_blendv_epi8(no, yes, mask);
}

static inline lanes_mask
lanes_bits_equal(lanes_bits a, lanes_bits b)
{
	return _mm256_cmpeq_epi32(a, b);
}

static inline lanes_mask
lanes_bits_at_least(lanes_bits a, lanes_bits b)
{
	return ~_mm256_cmpgt_epi32(b, a);
}

/* One more in the lanes of the mask. */
static inline lanes_bits
lanes_bits_increase(lanes_bits a, lanes_mask mask)
{
	return _mm256_sub_epi32(a, mask);
}

/* Lane i takes lane number index[i]. */
static inline lanes_bits
lanes_bits_permute(lanes_bits from, lanes_bits index)
{
	return _mm256_permutevar8x32_epi32(from, index);
}

static inline lanes
lanes_permute(lanes from, lanes_bits index)
{
	return _mm256_permutevar8x32_ps(from, index);
}

static inline lanes_bits
lanes_bits_every_other(lanes_bits lower, lanes_bits upper, int odd)
{
	__m256 a = _mm256_castsi256_ps(lower), b = _mm256_castsi256_ps(upper);
	__m256 mixed =
		odd ? _mm256_shuffle_ps(a, b, 0xdd) : _mm256_shuffle_ps(a, b, 0x88);
	return _mm256_permute4x64_epi64(_mm256_castps_si256(mixed), 0xd8);
}

/* Lane i takes from[index[i]]; lanes outside the mask take 0 and read nothing. */
static inline lanes_bits
lanes_bits_gather(const void *from, lanes_bits index, lanes_mask mask)
{
	return _mm256_mask_i32gather_epi32(_mm256_setzero_si256(), from, index, mask, 4);
}

#endif

static inline lanes
lanes_of_bits(lanes_bits from)
{
	return (lanes)from;
}

/* The highest bit that is set; some bit is, and not the sign.  Without the bit below it no
 * number is rounded up to the next power of two. */
static inline lanes_bits
lanes_bits_highest(lanes_bits a)
{
	return lanes_bits_round(lanes_power_of(
		lanes_of_integers(lanes_bits_without(a, lanes_bits_shift_right(a, 1)))));
}

/* Whether every lane is in the mask. */
static inline int
lanes_every(lanes_mask mask)
{
	return !lanes_any(lanes_first(LANES) & ~mask);
}

#endif
