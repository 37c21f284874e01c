/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/formats/jpeg_rows.h"

#include "plugins/formats/jpeg_dct.h"

#include <string.h>

/* Bad data may overflow: that is left to wrap. */
static int32_t
descale(uint32_t x, unsigned bits)
{
	return (int32_t)(x + (1u << (bits - 1))) >> bits;
}

/* Eight values, `step` apart, in place. */
static void
transform(int32_t *at, size_t step, unsigned bits)
{
	uint32_t in[8];
	for (size_t i = 0; i < 8; i++)
		in[i] = (uint32_t)at[i * step];
	uint32_t even = (in[2] + in[6]) * C0_541;
	uint32_t two = even - in[6] * C1_847, three = even + in[2] * C0_765;
	uint32_t sum = (in[0] + in[4]) << BITS, difference = (in[0] - in[4]) << BITS;
	const uint32_t evens[4] = {
		sum + three, difference + two, difference - two, sum - three};
	uint32_t z3 = in[7] + in[3], z4 = in[5] + in[1], z5 = (z3 + z4) * C1_175;
	uint32_t z1 = (in[7] + in[1]) * C0_899, z2 = (in[5] + in[3]) * C2_562;
	z3 = z5 - z3 * C1_961;
	z4 = z5 - z4 * C0_390;
	const uint32_t odds[4] = {in[1] * C1_501 - z1 + z4, in[3] * C3_072 - z2 + z3,
		in[5] * C2_053 - z2 + z4, in[7] * C0_298 - z1 + z3};
	for (size_t i = 0; i < 4; i++) {
		at[i * step] = descale(evens[i] + odds[i], bits);
		at[(7 - i) * step] = descale(evens[i] - odds[i], bits);
	}
}

static int32_t
limit(int32_t value, int32_t least, int32_t most)
{
	return value < least ? least : value > most ? most : value;
}

static uint8_t
clamp(int32_t value)
{
	return (uint8_t)limit(value, 0, 255);
}

static void
idct(const int16_t *block, const int16_t *quantum, uint8_t *to, size_t stride)
{
	int32_t work[64];
	for (int i = 0; i < 64; i++)
		work[i] = (int16_t)(block[i] * quantum[i]);
	for (int column = 0; column < 8; column++)
		transform(work + column, 8, BITS - PASS);
	for (int i = 0; i < 64; i++)
		work[i] = limit(work[i], INT16_MIN, INT16_MAX);
	for (int row = 0; row < 8; row++, to += stride) {
		transform(work + row * 8, 1, BITS + PASS + 3);
		for (int column = 0; column < 8; column++)
			to[column] = clamp(work[row * 8 + column] + 128);
	}
}

static void
blend(const uint8_t *near, const uint8_t *far, uint32_t count, uint16_t *to)
{
	for (uint32_t i = 0; i < count; i++)
		to[i] = (uint16_t)(3 * near[i] + far[i]);
}

static void
spread(const uint16_t *from, uint32_t count, const uint16_t bias[2], uint8_t *to)
{
	for (const uint16_t *end = from + count; from < end; from++, to += 2) {
		to[0] = (uint8_t)((3 * from[0] + from[-1] + bias[0]) >> 4);
		to[1] = (uint8_t)((3 * from[0] + from[1] + bias[1]) >> 4);
	}
}

/* The factors are 1.402, .344136, .714136 and 1.772 in 16 bits. */
static void
color(const uint8_t *y, const uint8_t *cb, const uint8_t *cr, uint32_t count, uint8_t *to)
{
	for (uint32_t i = 0; i < count; i++, to += 4) {
		int32_t blue = cb[i] - 128, red = cr[i] - 128;
		to[0] = clamp(y[i] + ((91881 * red + 32768) >> 16));
		to[1] = clamp(y[i] + ((-22554 * blue - 46802 * red + 32768) >> 16));
		to[2] = clamp(y[i] + ((116130 * blue + 32768) >> 16));
		to[3] = 255;
	}
}

const struct fmt_jpeg_rows fmt_jpeg_rows_c = {"c", idct, blend, spread, color};

#if defined(__x86_64__)
#include <immintrin.h>

#define AVX2 __attribute__((target("avx2")))

/* Rows (or columns) n and n + 4 of 16 bits, one in each half, side by side. */
AVX2 static inline __m256i
pair(__m256i both)
{
	const __m256i order = _mm256_setr_epi8(0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, 6,
		7, 14, 15, 0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, 6, 7, 14, 15);
	return _mm256_shuffle_epi8(_mm256_permute4x64_epi64(both, 0xd8), order);
}

AVX2 static inline __m256i
weigh(__m256i pairs, int first, int second)
{
	const uint32_t low = (uint32_t)first & 0xffff;
	return _mm256_madd_epi16(
		pairs, _mm256_set1_epi32((int32_t)(low | (uint32_t)second << 16)));
}

/* What the odd ones have in common: the factors of 1, 5, 3 and 7. */
struct odd {
	int one, five, three, seven;
};

AVX2 static inline __attribute__((always_inline)) void
join(__m256i even, const __m256i odds[2], struct odd by, int bits, __m256i *to[2])
{
	__m256i odd = _mm256_add_epi32(
		weigh(odds[0], by.one, by.five), weigh(odds[1], by.three, by.seven));
	*to[0] = _mm256_srai_epi32(_mm256_add_epi32(even, odd), bits);
	*to[1] = _mm256_srai_epi32(_mm256_sub_epi32(even, odd), bits);
}

/* transform() of eight at once, multiplied out: of[i] holds i and i + 4. */
AVX2 static inline __attribute__((always_inline)) void
transform_avx2(const __m256i of[4], __m256i to[8], int bits)
{
	const __m256i half = _mm256_set1_epi32(1 << (bits - 1));
	const __m256i odds[2] = {pair(of[1]), pair(of[3])};
	__m256i p04 = pair(of[0]), p26 = pair(of[2]);
	__m256i sum = _mm256_add_epi32(weigh(p04, 1 << BITS, 1 << BITS), half);
	__m256i difference = _mm256_add_epi32(weigh(p04, 1 << BITS, -(1 << BITS)), half);
	__m256i three = weigh(p26, C0_541 + C0_765, C0_541);
	__m256i two = weigh(p26, C0_541, C0_541 - C1_847);
	join(_mm256_add_epi32(sum, three), odds,
		(struct odd){C1_501 - C0_899 - C0_390 + C1_175, C1_175 - C0_390, C1_175,
			C1_175 - C0_899},
		bits, (__m256i *[]){&to[0], &to[7]});
	join(_mm256_add_epi32(difference, two), odds,
		(struct odd){C1_175, C1_175 - C2_562, C3_072 - C2_562 - C1_961 + C1_175,
			C1_175 - C1_961},
		bits, (__m256i *[]){&to[1], &to[6]});
	join(_mm256_sub_epi32(difference, two), odds,
		(struct odd){C1_175 - C0_390, C2_053 - C2_562 - C0_390 + C1_175,
			C1_175 - C2_562, C1_175},
		bits, (__m256i *[]){&to[2], &to[5]});
	join(_mm256_sub_epi32(sum, three), odds,
		(struct odd){C1_175 - C0_899, C1_175, C1_175 - C1_961,
			C0_298 - C0_899 - C1_961 + C1_175},
		bits, (__m256i *[]){&to[3], &to[4]});
}

/* at[row], a column in each 32 bits: to[i] holds columns i and i + 4 in 16. */
AVX2 static inline void
transpose(const __m256i at[8], __m256i to[4])
{
	__m256i r04 = _mm256_packs_epi32(at[0], at[4]);
	__m256i r15 = _mm256_packs_epi32(at[1], at[5]);
	__m256i r26 = _mm256_packs_epi32(at[2], at[6]);
	__m256i r37 = _mm256_packs_epi32(at[3], at[7]);
	__m256i r01 = _mm256_unpacklo_epi16(r04, r15);
	__m256i r23 = _mm256_unpacklo_epi16(r26, r37);
	__m256i r45 = _mm256_unpackhi_epi16(r04, r15);
	__m256i r67 = _mm256_unpackhi_epi16(r26, r37);
	__m256i a = _mm256_unpacklo_epi32(r01, r23), b = _mm256_unpackhi_epi32(r01, r23);
	__m256i c = _mm256_unpacklo_epi32(r45, r67), d = _mm256_unpackhi_epi32(r45, r67);
	to[0] = _mm256_unpacklo_epi64(a, c);
	to[1] = _mm256_unpackhi_epi64(a, c);
	to[2] = _mm256_unpacklo_epi64(b, d);
	to[3] = _mm256_unpackhi_epi64(b, d);
}

AVX2 static inline void
put_two(__m128i rows, uint8_t *to, size_t stride)
{
	_mm_storel_epi64((__m128i *)(void *)to, rows);
	_mm_storel_epi64(
		(__m128i *)(void *)(to + stride), _mm_unpackhi_epi64(rows, rows));
}

/* at[column], a row in each 32 bits, to bytes row by row. */
AVX2 static inline void
put_samples(const __m256i at[8], uint8_t *to, size_t stride)
{
	const __m256i level = _mm256_set1_epi16(128);
	/* In each half four rows of columns 0 4 2 6, then of 1 5 3 7. */
	__m256i even = _mm256_packus_epi16(
		_mm256_adds_epi16(_mm256_packs_epi32(at[0], at[4]), level),
		_mm256_adds_epi16(_mm256_packs_epi32(at[2], at[6]), level));
	__m256i odd = _mm256_packus_epi16(
		_mm256_adds_epi16(_mm256_packs_epi32(at[1], at[5]), level),
		_mm256_adds_epi16(_mm256_packs_epi32(at[3], at[7]), level));
	__m256i pairs04 = _mm256_unpacklo_epi8(even, odd);
	__m256i pairs26 = _mm256_unpackhi_epi8(even, odd);
	__m256i left = _mm256_unpacklo_epi16(pairs04, pairs26);
	__m256i right = _mm256_unpackhi_epi16(pairs04, pairs26);
	__m256i upper = _mm256_unpacklo_epi32(left, right); /* rows 0 1, 4 5 */
	__m256i lower = _mm256_unpackhi_epi32(left, right); /* rows 2 3, 6 7 */
	put_two(_mm256_castsi256_si128(upper), to, stride);
	put_two(_mm256_castsi256_si128(lower), to + 2 * stride, stride);
	put_two(_mm256_extracti128_si256(upper, 1), to + 4 * stride, stride);
	put_two(_mm256_extracti128_si256(lower, 1), to + 6 * stride, stride);
}

AVX2 static inline __m256i
two_rows(const int16_t *from)
{
	return _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_load_si128(
					       (const __m128i *)(const void *)from)),
		_mm_load_si128((const __m128i *)(const void *)(from + 32)), 1);
}

AVX2 static void
idct_avx2(const int16_t *block, const int16_t *quantum, uint8_t *to, size_t stride)
{
	__m256i of[4] = {_mm256_mullo_epi16(two_rows(block), two_rows(quantum)),
		_mm256_mullo_epi16(two_rows(block + 8), two_rows(quantum + 8)),
		_mm256_mullo_epi16(two_rows(block + 16), two_rows(quantum + 16)),
		_mm256_mullo_epi16(two_rows(block + 24), two_rows(quantum + 24))};
	__m256i at[8];
	transform_avx2(of, at, BITS - PASS);
	transpose(at, of);
	transform_avx2(of, at, BITS + PASS + 3);
	put_samples(at, to, stride);
}

AVX2 static inline __m256i
load_bytes(const uint8_t *from)
{
	return _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(const void *)from));
}

AVX2 static void
blend_avx2(const uint8_t *near, const uint8_t *far, uint32_t count, uint16_t *to)
{
	for (uint32_t i = 0; i < count; i += 16) {
		__m256i a = load_bytes(near + i), b = load_bytes(far + i);
		__m256i sum =
			_mm256_add_epi16(_mm256_add_epi16(a, b), _mm256_add_epi16(a, a));
		_mm256_storeu_si256((__m256i *)(void *)(to + i), sum);
	}
}

AVX2 static void
spread_avx2(const uint16_t *from, uint32_t count, const uint16_t bias[2], uint8_t *to)
{
	const __m256i even = _mm256_set1_epi16((short)bias[0]);
	const __m256i odd = _mm256_set1_epi16((short)bias[1]);
	for (uint32_t i = 0; i < count; i += 16) {
		const void *here = from + i, *before = from + i - 1,
			   *behind = from + i + 1;
		__m256i x = _mm256_loadu_si256(here);
		__m256i three = _mm256_add_epi16(_mm256_add_epi16(x, x), x);
		__m256i left = _mm256_add_epi16(
			_mm256_add_epi16(three, even), _mm256_loadu_si256(before));
		__m256i right = _mm256_add_epi16(
			_mm256_add_epi16(three, odd), _mm256_loadu_si256(behind));
		left = _mm256_srli_epi16(left, 4);
		right = _mm256_slli_epi16(_mm256_srli_epi16(right, 4), 8);
		_mm256_storeu_si256((__m256i *)(void *)(to + 2 * (size_t)i),
			_mm256_or_si256(left, right));
	}
}

/* (2 x c >> 16) + 1 >> 1 is x c + 2^15 >> 16, and 2 x c fits where c is cut to 16 bits. */
AVX2 static inline __m256i
share(__m256i x, int factor)
{
	__m256i high = _mm256_mulhi_epi16(
		_mm256_add_epi16(x, x), _mm256_set1_epi16((short)factor));
	return _mm256_srai_epi16(_mm256_add_epi16(high, _mm256_set1_epi16(1)), 1);
}

AVX2 static inline __m256i
green_share(__m256i pairs)
{
	/* -46802 is 18734 - 65536. */
	const __m256i factors =
		_mm256_set1_epi32((int32_t)(18734u << 16 | (-22554 & 0xffff)));
	return _mm256_srai_epi32(_mm256_add_epi32(_mm256_madd_epi16(pairs, factors),
					 _mm256_set1_epi32(32768)),
		16);
}

/* Sixteen samples of 16 bits each to pixels. */
AVX2 static inline void
put_pixels(__m256i red, __m256i green, __m256i blue, uint8_t *to)
{
	const __m256i order = _mm256_setr_epi8(0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6,
		14, 7, 15, 0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15);
	__m256i rg = _mm256_shuffle_epi8(_mm256_packus_epi16(red, green), order);
	__m256i ba = _mm256_shuffle_epi8(
		_mm256_packus_epi16(blue, _mm256_set1_epi16(255)), order);
	__m256i low = _mm256_unpacklo_epi16(rg, ba); /* pixels 0-3, 8-11 */
	__m256i high = _mm256_unpackhi_epi16(rg, ba);
	_mm256_storeu_si256(
		(__m256i *)(void *)to, _mm256_permute2x128_si256(low, high, 0x20));
	_mm256_storeu_si256(
		(__m256i *)(void *)(to + 32), _mm256_permute2x128_si256(low, high, 0x31));
}

AVX2 static void
color_avx2(const uint8_t *y, const uint8_t *cb, const uint8_t *cr, uint32_t count,
	uint8_t *to)
{
	const __m256i level = _mm256_set1_epi16(128);
	uint32_t i = 0;
	for (; i + 16 <= count; i += 16, to += 64) {
		__m256i luma = load_bytes(y + i);
		__m256i blue = _mm256_sub_epi16(load_bytes(cb + i), level);
		__m256i red = _mm256_sub_epi16(load_bytes(cr + i), level);
		__m256i green =
			_mm256_packs_epi32(green_share(_mm256_unpacklo_epi16(blue, red)),
				green_share(_mm256_unpackhi_epi16(blue, red)));
		green = _mm256_add_epi16(_mm256_sub_epi16(luma, red), green);
		/* 91881 is 65536 + 26345, 116130 is 131072 - 14942. */
		__m256i r =
			_mm256_add_epi16(luma, _mm256_add_epi16(red, share(red, 26345)));
		__m256i b = _mm256_add_epi16(_mm256_add_epi16(luma, share(blue, -14942)),
			_mm256_add_epi16(blue, blue));
		put_pixels(r, green, b, to);
	}
	color(y + i, cb + i, cr + i, count - i, to);
}

static const struct fmt_jpeg_rows avx2 = {
	"avx2", idct_avx2, blend_avx2, spread_avx2, color_avx2};

const struct fmt_jpeg_rows *
fmt_jpeg_rows_variant(unsigned number)
{
	__builtin_cpu_init();
	const struct fmt_jpeg_rows *const all[] = {&avx2, &fmt_jpeg_rows_c, NULL};
	unsigned at = number + (__builtin_cpu_supports("avx2") ? 0 : 1);
	return at < 2 ? all[at] : NULL;
}
#else
const struct fmt_jpeg_rows *
fmt_jpeg_rows_variant(unsigned number)
{
	return number == 0 ? &fmt_jpeg_rows_c : NULL;
}
#endif
