/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * quads.h - 16 bytes of each of several pixels in one register: four channels of 32 bits, or
 * as many neighbours as 16 bytes hold.
 *
 * Whoever includes it has said how many: QUADS is 2 (AVX2) or 4 (AVX-512).  A pixel's 16
 * bytes are what the instructions call a lane, which shuffles, packs and unpacks never
 * leave; QUADS_OP(x) names the instruction x of the register's width.
 *
 * Nothing is gathered: eight gathered neighbours take longer than eight loads.
 */
#ifndef KERN_QUADS_H
#define KERN_QUADS_H

#include <immintrin.h>
#include <stdint.h>

/* Pixels whose channels, in 8 bits each, fill a register. */
#define QUADS_PIXELS (4 * QUADS)

#if QUADS == 4

typedef __m512i quads;
typedef __m512 quads_float;
#define QUADS_OP(name) _mm512_##name

static inline quads
quads_from(const void *from)
{
	return _mm512_loadu_si512(from);
}

static inline void
quads_to(void *to, quads value)
{
	_mm512_storeu_si512(to, value);
}

/* The same 16 bytes for every pixel. */
static inline quads
quads_all(__m128i bytes)
{
	return _mm512_broadcast_i32x4(bytes);
}

/* 16 bytes of each pixel, from the places that the offsets name. */
static inline quads
quads_load(const uint8_t *base, const int32_t *offsets)
{
	__m256i first = _mm256_inserti128_si256(
		_mm256_castsi128_si256(
			_mm_loadu_si128((const __m128i *)(base + offsets[0]))),
		_mm_loadu_si128((const __m128i *)(base + offsets[1])), 1);
	__m256i second = _mm256_inserti128_si256(
		_mm256_castsi128_si256(
			_mm_loadu_si128((const __m128i *)(base + offsets[2]))),
		_mm_loadu_si128((const __m128i *)(base + offsets[3])), 1);
	return _mm512_inserti64x4(_mm512_castsi256_si512(first), second, 1);
}

static inline __m128i
quads_two_halves(const uint8_t *first, const uint8_t *second)
{
	return _mm_castps_si128(
		_mm_loadh_pi(_mm_castsi128_ps(_mm_loadl_epi64((const __m128i *)first)),
			(const __m64 *)second));
}

/* 8 bytes of each pixel, each byte widened to 16 bits. */
static inline quads
quads_load_widened(const uint8_t *base, const int32_t *offsets)
{
	return _mm512_cvtepu8_epi16(
		_mm256_inserti128_si256(_mm256_castsi128_si256(quads_two_halves(
						base + offsets[0], base + offsets[1])),
			quads_two_halves(base + offsets[2], base + offsets[3]), 1));
}

/* Of 32 bits for each of QUADS_PIXELS pixels, those of the QUADS from `first` on, each for
 * its four channels. */
static inline quads
quads_spread(quads values, int first)
{
	return _mm512_permutexvar_epi32(
		_mm512_add_epi32(
			_mm512_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3),
			_mm512_set1_epi32(first)),
		values);
}

/* The low halves of the 32 bits of `even`, and the high ones of `odd`. */
static inline quads
quads_blend_halves(quads even, quads odd)
{
	return _mm512_mask_blend_epi16(0xaaaaaaaa, even, odd);
}

/* Four registers of channels in 32 bits, held within 0..255, as pixels side by side. */
static inline quads
quads_pack_bytes(const quads from[4])
{
	const __m512i order =
		_mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
	return _mm512_permutexvar_epi32(
		order, _mm512_packus_epi16(_mm512_packs_epi32(from[0], from[1]),
			       _mm512_packs_epi32(from[2], from[3])));
}

/* Two registers likewise, held within 0..65535. */
static inline quads
quads_pack_words(quads first, quads second)
{
	return _mm512_permutexvar_epi64(_mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7),
		_mm512_packus_epi32(first, second));
}

#else

typedef __m256i quads;
typedef __m256 quads_float;
#define QUADS_OP(name) _mm256_##name

static inline quads
quads_from(const void *from)
{
	return _mm256_loadu_si256(from);
}

static inline void
quads_to(void *to, quads value)
{
	_mm256_storeu_si256(to, value);
}

static inline quads
quads_all(__m128i bytes)
{
	return _mm256_broadcastsi128_si256(bytes);
}

static inline quads
quads_load(const uint8_t *base, const int32_t *offsets)
{
	return _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128(
					       (const __m128i *)(base + offsets[0]))),
		_mm_loadu_si128((const __m128i *)(base + offsets[1])), 1);
}

static inline quads
quads_load_widened(const uint8_t *base, const int32_t *offsets)
{
	__m128 low =
		_mm_castsi128_ps(_mm_loadl_epi64((const __m128i *)(base + offsets[0])));
	return _mm256_cvtepu8_epi16(
		_mm_castps_si128(_mm_loadh_pi(low, (const __m64 *)(base + offsets[1]))));
}

static inline quads
quads_spread(quads values, int first)
{
	return _mm256_permutevar8x32_epi32(
		values, _mm256_add_epi32(_mm256_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1),
				_mm256_set1_epi32(first)));
}

static inline quads
quads_blend_halves(quads even, quads odd)
{
	return _mm256_blend_epi16(even, odd, 0xaa);
}

static inline quads
quads_pack_bytes(const quads from[4])
{
	return _mm256_permutevar8x32_epi32(
		_mm256_packus_epi16(_mm256_packs_epi32(from[0], from[1]),
			_mm256_packs_epi32(from[2], from[3])),
		_mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
}

static inline quads
quads_pack_words(quads first, quads second)
{
	return _mm256_permute4x64_epi64(_mm256_packus_epi32(first, second), 0xd8);
}

#endif
#endif
