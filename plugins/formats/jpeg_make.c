/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/formats/jpeg_make.h"

#include "plugins/formats/jpeg_dct.h"
#include "plugins/formats/jpeg_put.h"

#include <stdlib.h>
#include <string.h>

/* T.81, figure A.6. */
static const uint8_t zigzag[64] = {0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5,
	12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28, 35, 42, 49, 56, 57,
	50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53,
	60, 61, 54, 47, 55, 62, 63};

/* Exact for 16 bits: Agner Fog's division by a constant (Optimizing subroutines in
 * assembly language, "Division"), as libjpeg-turbo has it. */
void
fmt_jpeg_make_divisors(const uint16_t quantum[64], struct fmt_jpeg_divisors *to)
{
	for (int i = 0; i < 64; i++) {
		/* The transform's results are eight times too large. */
		const uint32_t divisor = 8u * quantum[i];
		unsigned bits = 31 - (unsigned)__builtin_clz(divisor);
		uint32_t reciprocal = (UINT32_C(1) << (16 + bits)) / divisor;
		const uint32_t rest = (UINT32_C(1) << (16 + bits)) % divisor;
		uint32_t half = divisor / 2;
		if (rest == 0) {
			reciprocal /= 2;
			bits--;
		} else if (rest <= divisor / 2) {
			half++;
		} else {
			reciprocal++;
		}
		to->half[i] = (uint16_t)half;
		to->reciprocal[i] = (uint16_t)reciprocal;
		to->shift[i] = (uint16_t)(1u << (16 - bits));
	}
}

/* The factors in 16 bits; what is rounded down to a half goes down, as in libjpeg. */
static void
color(const uint8_t *pixels, uint32_t count, uint8_t *y, uint8_t *cb, uint8_t *cr)
{
	for (uint32_t i = 0; i < count; i++, pixels += 4) {
		const int32_t r = pixels[0], g = pixels[1], b = pixels[2];
		y[i] = (uint8_t)((19595 * r + 38470 * g + 7471 * b + 32768) >> 16);
		cb[i] = (uint8_t)((-11059 * r - 21709 * g + 32768 * b + (128 << 16) +
					  32767) >>
				  16);
		cr[i] = (uint8_t)((32768 * r - 27439 * g - 5329 * b + (128 << 16) +
					  32767) >>
				  16);
	}
}

/* Rounded down and up by turns, lest the whole gets lighter. */
static void
halve_one(const uint8_t *const rows[2], uint8_t *to)
{
	for (int i = 0; i < 8; i++)
		to[i] = (uint8_t)((rows[0][2 * i] + rows[0][2 * i + 1] + rows[1][2 * i] +
					  rows[1][2 * i + 1] + 1 + i % 2) >>
				  2);
}

static void
halve(const uint8_t *const cb[2], const uint8_t *const cr[2], uint32_t units, uint8_t *to)
{
	for (uint32_t i = 0; i < units; i++, to += 16) {
		halve_one((const uint8_t *const[]){cb[0] + 16 * i, cb[1] + 16 * i}, to);
		halve_one(
			(const uint8_t *const[]){cr[0] + 16 * i, cr[1] + 16 * i}, to + 8);
	}
}

static int32_t
descale(int32_t x, int bits)
{
	return (x + (1 << (bits - 1))) >> bits;
}

/* Eight values, `step` apart, in place.  bits: dropped behind the constants; up: what the
 * first and the fifth, which have none, are to be multiplied by, or, below 0, rid of. */
static void
transform_one(int32_t *at, int step, int bits, int up)
{
	int32_t sum[4], other[4];
	for (int i = 0; i < 4; i++) {
		sum[i] = at[i * step] + at[(7 - i) * step];
		other[i] = at[i * step] - at[(7 - i) * step];
	}
	const int32_t outer = sum[0] + sum[3], inner = sum[1] + sum[2];
	const int32_t turn = sum[0] - sum[3], twist = sum[1] - sum[2];
	at[0] = up > 0 ? (outer + inner) * up : descale(outer + inner, -up);
	at[4 * step] = up > 0 ? (outer - inner) * up : descale(outer - inner, -up);
	const int32_t z = (twist + turn) * C0_541;
	at[2 * step] = descale(z + turn * C0_765, bits);
	at[6 * step] = descale(z - twist * C1_847, bits);
	const int32_t z5 = (other[3] + other[1] + other[2] + other[0]) * C1_175;
	const int32_t z1 = (other[3] + other[0]) * C0_899;
	const int32_t z2 = (other[2] + other[1]) * C2_562;
	const int32_t z3 = z5 - (other[3] + other[1]) * C1_961;
	const int32_t z4 = z5 - (other[2] + other[0]) * C0_390;
	at[7 * step] = descale(other[3] * C0_298 - z1 + z3, bits);
	at[5 * step] = descale(other[2] * C2_053 - z2 + z4, bits);
	at[3 * step] = descale(other[1] * C3_072 - z2 + z3, bits);
	at[1 * step] = descale(other[0] * C1_501 - z1 + z4, bits);
}

static int16_t
divide(int32_t x, const struct fmt_jpeg_divisors *by, int i)
{
	const uint32_t size = (uint32_t)abs(x) + by->half[i];
	const uint32_t quotient = (size * by->reciprocal[i] >> 16) * by->shift[i] >> 16;
	return (int16_t)(x < 0 ? -(int32_t)quotient : (int32_t)quotient);
}

static void
transform(const uint8_t *samples, size_t stride, const struct fmt_jpeg_divisors *by,
	int16_t *to)
{
	int32_t work[64];
	for (int block = 0; block < 2; block++, samples += 8, to += 64) {
		for (int i = 0; i < 64; i++)
			work[i] =
				samples[(size_t)(i / 8) * stride + (size_t)(i % 8)] - 128;
		for (int row = 0; row < 8; row++)
			transform_one(work + 8 * row, 1, BITS - PASS, 1 << PASS);
		for (int column = 0; column < 8; column++)
			transform_one(work + column, 8, BITS + PASS, -PASS);
		for (int i = 0; i < 64; i++)
			to[i] = divide(work[i], by, i);
	}
}

static uint64_t
order(const int16_t *block, uint32_t *to)
{
	uint64_t set = 0;
	for (int k = 0; k < 64; k++) {
		const int16_t value = block[zigzag[k]];
		to[k] = fmt_jpeg_put_item(value);
		set |= (uint64_t)(value != 0) << k;
	}
	return set;
}

const struct fmt_jpeg_make fmt_jpeg_make_c = {"c", color, halve, transform, order};

#if defined(__x86_64__)
#include <immintrin.h>

#define AVX2   __attribute__((target("avx2")))
#define INLINE static inline __attribute__((always_inline))

AVX2 INLINE __m256i
load(const void *from)
{
	return _mm256_loadu_si256(from);
}

AVX2 INLINE __m256i
both(int low, int high)
{
	return _mm256_set1_epi32(
		(int32_t)(((uint32_t)low & 0xffff) | (uint32_t)high << 16));
}

AVX2 INLINE __m256i
sum3(__m256i a, __m256i b, __m256i c)
{
	return _mm256_srli_epi32(_mm256_add_epi32(_mm256_add_epi32(a, b), c), 16);
}

struct ycc {
	__m256i y, cb, cr; /* 32 bits each */
};

AVX2 INLINE struct ycc
color_of_8(__m256i pixels)
{
	const __m256i half = _mm256_set1_epi32(32768);
	const __m256i middle = _mm256_set1_epi32((128 << 16) + 32767);
	const __m256i byte = _mm256_set1_epi32(0xff);
	__m256i red = _mm256_and_si256(pixels, byte);
	__m256i blue = _mm256_and_si256(_mm256_srli_epi32(pixels, 16), byte);
	__m256i green = _mm256_slli_epi32(
		_mm256_and_si256(_mm256_srli_epi32(pixels, 8), byte), 16);
	/* Green above red, green above blue. */
	__m256i rg = _mm256_or_si256(red, green), bg = _mm256_or_si256(blue, green);
	return (struct ycc){
		/* Half of green's 38470 in each pair: all of it would not fit 16 bits. */
		sum3(_mm256_madd_epi16(rg, both(19595, 19235)),
			_mm256_madd_epi16(bg, both(7471, 19235)), half),
		sum3(_mm256_madd_epi16(rg, both(-11059, -21709)),
			_mm256_slli_epi32(blue, 15), middle),
		sum3(_mm256_madd_epi16(bg, both(-5329, -27439)),
			_mm256_slli_epi32(red, 15), middle)};
}

AVX2 INLINE void
put_16(__m256i first, __m256i second, uint8_t *to)
{
	/* In each half four of the first, then four of the second. */
	__m256i words = _mm256_permute4x64_epi64(_mm256_packs_epi32(first, second), 0xd8);
	_mm_storeu_si128(
		(__m128i *)(void *)to, _mm_packus_epi16(_mm256_castsi256_si128(words),
					       _mm256_extracti128_si256(words, 1)));
}

AVX2 static void
color_avx2(const uint8_t *pixels, uint32_t count, uint8_t *y, uint8_t *cb, uint8_t *cr)
{
	uint32_t i = 0;
	for (; i + 16 <= count; i += 16, pixels += 64) {
		struct ycc a = color_of_8(load(pixels)),
			   b = color_of_8(load(pixels + 32));
		put_16(a.y, b.y, y + i);
		put_16(a.cb, b.cb, cb + i);
		put_16(a.cr, b.cr, cr + i);
	}
	color(pixels, count - i, y + i, cb + i, cr + i);
}

AVX2 INLINE __m128i
means(const uint8_t *upper, const uint8_t *lower)
{
	const __m128i ones = _mm_set1_epi8(1), bias = _mm_set1_epi32(2 << 16 | 1);
	__m128i a = _mm_maddubs_epi16(
		_mm_loadu_si128((const __m128i *)(const void *)upper), ones);
	__m128i b = _mm_maddubs_epi16(
		_mm_loadu_si128((const __m128i *)(const void *)lower), ones);
	return _mm_srli_epi16(_mm_add_epi16(_mm_add_epi16(a, b), bias), 2);
}

AVX2 static void
halve_avx2(const uint8_t *const cb[2], const uint8_t *const cr[2], uint32_t units,
	uint8_t *to)
{
	for (size_t i = 0; i < 16 * (size_t)units; i += 16)
		_mm_storeu_si128((__m128i *)(void *)(to + i),
			_mm_packus_epi16(means(cb[0] + i, cb[1] + i),
				means(cr[0] + i, cr[1] + i)));
}

/* In each half rows become columns. */
AVX2 INLINE void
transpose(__m256i at[8])
{
	__m256i a0 = _mm256_unpacklo_epi16(at[0], at[1]);
	__m256i a1 = _mm256_unpackhi_epi16(at[0], at[1]);
	__m256i a2 = _mm256_unpacklo_epi16(at[2], at[3]);
	__m256i a3 = _mm256_unpackhi_epi16(at[2], at[3]);
	__m256i a4 = _mm256_unpacklo_epi16(at[4], at[5]);
	__m256i a5 = _mm256_unpackhi_epi16(at[4], at[5]);
	__m256i a6 = _mm256_unpacklo_epi16(at[6], at[7]);
	__m256i a7 = _mm256_unpackhi_epi16(at[6], at[7]);
	__m256i b0 = _mm256_unpacklo_epi32(a0, a2), b1 = _mm256_unpackhi_epi32(a0, a2);
	__m256i b2 = _mm256_unpacklo_epi32(a1, a3), b3 = _mm256_unpackhi_epi32(a1, a3);
	__m256i b4 = _mm256_unpacklo_epi32(a4, a6), b5 = _mm256_unpackhi_epi32(a4, a6);
	__m256i b6 = _mm256_unpacklo_epi32(a5, a7), b7 = _mm256_unpackhi_epi32(a5, a7);
	at[0] = _mm256_unpacklo_epi64(b0, b4);
	at[1] = _mm256_unpackhi_epi64(b0, b4);
	at[2] = _mm256_unpacklo_epi64(b1, b5);
	at[3] = _mm256_unpackhi_epi64(b1, b5);
	at[4] = _mm256_unpacklo_epi64(b2, b6);
	at[5] = _mm256_unpackhi_epi64(b2, b6);
	at[6] = _mm256_unpacklo_epi64(b3, b7);
	at[7] = _mm256_unpackhi_epi64(b3, b7);
}

/* Words side by side: the lower four of each half, and the upper four. */
struct pairs {
	__m256i low, high;
};

AVX2 INLINE struct pairs
pair(__m256i a, __m256i b)
{
	return (struct pairs){_mm256_unpacklo_epi16(a, b), _mm256_unpackhi_epi16(a, b)};
}

AVX2 INLINE __m256i
rounded(__m256i x, int bits)
{
	return _mm256_srai_epi32(
		_mm256_add_epi32(x, _mm256_set1_epi32(1 << (bits - 1))), bits);
}

AVX2 INLINE __m256i
weigh(struct pairs p, __m256i factors, int bits)
{
	return _mm256_packs_epi32(rounded(_mm256_madd_epi16(p.low, factors), bits),
		rounded(_mm256_madd_epi16(p.high, factors), bits));
}

AVX2 INLINE __m256i
weigh_both(const struct pairs p[2], __m256i first, __m256i second, int bits)
{
	__m256i low = _mm256_add_epi32(
		_mm256_madd_epi16(p[0].low, first), _mm256_madd_epi16(p[1].low, second));
	__m256i high = _mm256_add_epi32(_mm256_madd_epi16(p[0].high, first),
		_mm256_madd_epi16(p[1].high, second));
	return _mm256_packs_epi32(rounded(low, bits), rounded(high, bits));
}

AVX2 INLINE __m256i
scaled(__m256i x, int up)
{
	if (up > 0)
		return _mm256_mullo_epi16(x, _mm256_set1_epi16((short)up));
	return _mm256_srai_epi16(
		_mm256_add_epi16(x, _mm256_set1_epi16((short)(1 << (-up - 1)))), -up);
}

/* transform_one() of sixteen at once, multiplied out. */
AVX2 INLINE void
transform_16(__m256i at[8], int bits, int up)
{
	__m256i sum0 = _mm256_add_epi16(at[0], at[7]);
	__m256i sum1 = _mm256_add_epi16(at[1], at[6]);
	__m256i sum2 = _mm256_add_epi16(at[2], at[5]);
	__m256i sum3 = _mm256_add_epi16(at[3], at[4]);
	/* 0 and 1, 2 and 3 of what the others are apart. */
	const struct pairs odd[2] = {
		pair(_mm256_sub_epi16(at[0], at[7]), _mm256_sub_epi16(at[1], at[6])),
		pair(_mm256_sub_epi16(at[2], at[5]), _mm256_sub_epi16(at[3], at[4]))};
	__m256i outer = _mm256_add_epi16(sum0, sum3),
		inner = _mm256_add_epi16(sum1, sum2);
	const struct pairs even =
		pair(_mm256_sub_epi16(sum0, sum3), _mm256_sub_epi16(sum1, sum2));
	at[0] = scaled(_mm256_add_epi16(outer, inner), up);
	at[4] = scaled(_mm256_sub_epi16(outer, inner), up);
	at[2] = weigh(even, both(C0_541 + C0_765, C0_541), bits);
	at[6] = weigh(even, both(C0_541, C0_541 - C1_847), bits);
	at[1] = weigh_both(odd, both(C1_501 - C0_899 - C0_390 + C1_175, C1_175),
		both(C1_175 - C0_390, C1_175 - C0_899), bits);
	at[3] = weigh_both(odd, both(C1_175, C3_072 - C2_562 - C1_961 + C1_175),
		both(C1_175 - C2_562, C1_175 - C1_961), bits);
	at[5] = weigh_both(odd, both(C1_175 - C0_390, C1_175 - C2_562),
		both(C2_053 - C2_562 - C0_390 + C1_175, C1_175), bits);
	at[7] = weigh_both(odd, both(C1_175 - C0_899, C1_175 - C1_961),
		both(C1_175, C0_298 - C0_899 - C1_961 + C1_175), bits);
}

AVX2 INLINE __m256i
divide_row(__m256i x, const struct fmt_jpeg_divisors *by, int row)
{
	const __m256i half = _mm256_broadcastsi128_si256(
		*(const __m128i *)(const void *)(by->half + 8 * row));
	const __m256i reciprocal = _mm256_broadcastsi128_si256(
		*(const __m128i *)(const void *)(by->reciprocal + 8 * row));
	const __m256i shift = _mm256_broadcastsi128_si256(
		*(const __m128i *)(const void *)(by->shift + 8 * row));
	__m256i size = _mm256_add_epi16(_mm256_abs_epi16(x), half);
	size = _mm256_mulhi_epu16(_mm256_mulhi_epu16(size, reciprocal), shift);
	return _mm256_sign_epi16(size, x);
}

AVX2 INLINE __m256i
load_row(const uint8_t *from)
{
	return _mm256_sub_epi16(_mm256_cvtepu8_epi16(_mm_loadu_si128(
					(const __m128i *)(const void *)from)),
		_mm256_set1_epi16(128));
}

AVX2 INLINE void
put_row(__m256i x, int16_t *to)
{
	_mm_store_si128((__m128i *)(void *)to, _mm256_castsi256_si128(x));
	_mm_store_si128((__m128i *)(void *)(to + 64), _mm256_extracti128_si256(x, 1));
}

AVX2 static void
transform_avx2(const uint8_t *samples, size_t stride, const struct fmt_jpeg_divisors *by,
	int16_t *to)
{
	__m256i at[8] = {load_row(samples), load_row(samples + stride),
		load_row(samples + 2 * stride), load_row(samples + 3 * stride),
		load_row(samples + 4 * stride), load_row(samples + 5 * stride),
		load_row(samples + 6 * stride), load_row(samples + 7 * stride)};
	transpose(at);
	transform_16(at, BITS - PASS, 1 << PASS);
	transpose(at);
	transform_16(at, BITS + PASS, -PASS);
	put_row(divide_row(at[0], by, 0), to);
	put_row(divide_row(at[1], by, 1), to + 8);
	put_row(divide_row(at[2], by, 2), to + 16);
	put_row(divide_row(at[3], by, 3), to + 24);
	put_row(divide_row(at[4], by, 4), to + 32);
	put_row(divide_row(at[5], by, 5), to + 40);
	put_row(divide_row(at[6], by, 6), to + 48);
	put_row(divide_row(at[7], by, 7), to + 56);
}

/* Eight items; a float's exponent tells how many bits an integer has. */
AVX2 INLINE __m256i
items_of_8(const int16_t *values)
{
	__m256i value = _mm256_cvtepi16_epi32(
		_mm_loadu_si128((const __m128i *)(const void *)values));
	__m256i power = _mm256_castps_si256(_mm256_cvtepi32_ps(_mm256_abs_epi32(value)));
	__m256i length = _mm256_max_epi32(_mm256_setzero_si256(),
		_mm256_sub_epi32(_mm256_srli_epi32(power, 23), _mm256_set1_epi32(126)));
	__m256i above = _mm256_sllv_epi32(_mm256_set1_epi32(-1), length);
	__m256i low = _mm256_add_epi32(value, _mm256_srai_epi32(value, 31));
	return _mm256_or_si256(_mm256_andnot_si256(above, low),
		_mm256_slli_epi32(length, FMT_JPEG_PUT_LENGTH));
}

AVX2 static uint64_t
order_avx2(const int16_t *block, uint32_t *to)
{
	_Alignas(32) int16_t values[64];
	uint64_t set = 0;
	for (int k = 0; k < 64; k++)
		values[k] = block[zigzag[k]];
	for (int k = 0; k < 64; k += 8) {
		__m256i items = items_of_8(values + k);
		__m256i none = _mm256_cmpeq_epi32(items, _mm256_setzero_si256());
		const uint32_t zeros =
			(uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(none));
		_mm256_store_si256((__m256i *)(void *)(to + k), items);
		set |= (uint64_t)(~zeros & 0xff) << k;
	}
	return set;
}

static const struct fmt_jpeg_make avx2 = {
	"avx2", color_avx2, halve_avx2, transform_avx2, order_avx2};

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512cd")))

/* Sixteen items, and which are not 0. */
AVX512 INLINE uint64_t
put_items_of_16(__m256i values, uint32_t *to)
{
	const __m512i value = _mm512_cvtepi16_epi32(values);
	const __m512i length = _mm512_sub_epi32(
		_mm512_set1_epi32(32), _mm512_lzcnt_epi32(_mm512_abs_epi32(value)));
	const __m512i above = _mm512_sllv_epi32(_mm512_set1_epi32(-1), length);
	const __m512i low = _mm512_add_epi32(value, _mm512_srai_epi32(value, 31));
	_mm512_store_si512(to, _mm512_or_si512(_mm512_andnot_si512(above, low),
				       _mm512_slli_epi32(length, FMT_JPEG_PUT_LENGTH)));
	return _mm512_test_epi32_mask(value, value);
}

AVX512 static uint64_t
order_avx512(const int16_t *block, uint32_t *to)
{
	const __m512i a = _mm512_loadu_si512(block), b = _mm512_loadu_si512(block + 32);
	const __m256i low = load(zigzag), high = load(zigzag + 32);
	const __m512i first = _mm512_permutex2var_epi16(a, _mm512_cvtepu8_epi16(low), b);
	const __m512i second =
		_mm512_permutex2var_epi16(a, _mm512_cvtepu8_epi16(high), b);
	return put_items_of_16(_mm512_castsi512_si256(first), to) |
	       put_items_of_16(_mm512_extracti64x4_epi64(first, 1), to + 16) << 16 |
	       put_items_of_16(_mm512_castsi512_si256(second), to + 32) << 32 |
	       put_items_of_16(_mm512_extracti64x4_epi64(second, 1), to + 48) << 48;
}

static const struct fmt_jpeg_make avx512 = {
	"avx512", color_avx2, halve_avx2, transform_avx2, order_avx512};

const struct fmt_jpeg_make *
fmt_jpeg_make_variant(unsigned number)
{
	__builtin_cpu_init();
	const struct fmt_jpeg_make *const all[] = {
		&avx512, &avx2, &fmt_jpeg_make_c, NULL};
	const int has_avx512 = __builtin_cpu_supports("avx512f") &&
			       __builtin_cpu_supports("avx512bw") &&
			       __builtin_cpu_supports("avx512cd");
	unsigned first = has_avx512 ? 0 : __builtin_cpu_supports("avx2") ? 1 : 2;
	return number + first < 3 ? all[number + first] : NULL;
}
#else
const struct fmt_jpeg_make *
fmt_jpeg_make_variant(unsigned number)
{
	return number == 0 ? &fmt_jpeg_make_c : NULL;
}
#endif
