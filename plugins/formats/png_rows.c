/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/formats/png_rows.h"

#include <stdlib.h>

static void
pack_u8(const uint8_t *pixels, uint32_t width, unsigned channels, uint8_t *to)
{
	for (uint32_t i = 0; i < width; i++, pixels += 4, to += channels)
		for (unsigned c = 0; c < channels; c++)
			to[c] = pixels[c];
}

static void
pack_rgb(const uint8_t *pixels, uint32_t width, uint8_t *to)
{
	pack_u8(pixels, width, 3, to);
}

static void
pack_u16(const uint16_t *pixels, uint32_t width, unsigned channels, uint8_t *to)
{
	for (uint32_t i = 0; i < width; i++, pixels += 4)
		for (unsigned c = 0; c < channels; c++, to += 2) {
			to[0] = (uint8_t)(pixels[c] >> 8);
			to[1] = (uint8_t)pixels[c];
		}
}

static uint8_t
foretell(int left, int up, int corner)
{
	int guess = left + up - corner;
	int by_left = abs(guess - left), by_up = abs(guess - up);
	int by_corner = abs(guess - corner);
	if (by_left <= by_up && by_left <= by_corner)
		return (uint8_t)left;
	return (uint8_t)(by_up <= by_corner ? up : corner);
}

static void
paeth(const uint8_t *row, const uint8_t *above, size_t length, unsigned step, uint8_t *to)
{
	const uint8_t *left = row - step, *corner = above - step;
	for (size_t i = 0; i < length; i++)
		to[i] = (uint8_t)(row[i] - foretell(left[i], above[i], corner[i]));
}

const struct fmt_png_rows fmt_png_rows_c = {"c", pack_rgb, pack_u8, pack_u16, paeth};

#if defined(__x86_64__)
#include <immintrin.h>

#define AVX2 __attribute__((target("avx2")))

/* Eight pixels at a time; what is written beyond them the next ones overwrite. */
AVX2 static void
pack_rgb_avx2(const uint8_t *pixels, uint32_t width, uint8_t *to)
{
	const __m256i drop = _mm256_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1,
		-1, -1, -1, 0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1);
	const __m256i close = _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 3, 7);
	uint32_t i = 0;
	for (; i + 8 <= width; i += 8, pixels += 32, to += 24) {
		__m256i x = _mm256_loadu_si256((const __m256i *)(const void *)pixels);
		x = _mm256_permutevar8x32_epi32(_mm256_shuffle_epi8(x, drop), close);
		_mm256_storeu_si256((__m256i *)(void *)to, x);
	}
	pack_u8(pixels, width - i, 3, to);
}

AVX2 static inline __m256i
apart(__m256i a, __m256i b)
{
	return _mm256_sub_epi8(_mm256_max_epu8(a, b), _mm256_min_epu8(a, b));
}

/* Less or equal; AVX2 compares signed bytes alone. */
AVX2 static inline __m256i
at_most(__m256i a, __m256i b)
{
	return _mm256_cmpeq_epi8(_mm256_min_epu8(a, b), a);
}

/*
 * In bytes: the guess is |up - corner| from left and |left - corner| from up.  From the
 * corner it is their sum where both go one way, which loses against either even when it
 * is held at 255; else it is their difference.
 */
AVX2 static inline __m256i
foretell_avx2(__m256i left, __m256i up, __m256i corner)
{
	__m256i by_left = apart(up, corner), by_up = apart(left, corner);
	__m256i ways =
		_mm256_xor_si256(at_most(left, corner), at_most(up, corner)); /* differ */
	__m256i by_corner = _mm256_blendv_epi8(
		_mm256_adds_epu8(by_left, by_up), apart(by_left, by_up), ways);
	__m256i other = _mm256_blendv_epi8(corner, up, at_most(by_up, by_corner));
	__m256i is_left = at_most(by_left, _mm256_min_epu8(by_up, by_corner));
	return _mm256_blendv_epi8(other, left, is_left);
}

AVX2 static void
paeth_avx2(const uint8_t *row, const uint8_t *above, size_t length, unsigned step,
	uint8_t *to)
{
	for (size_t i = 0; i < length; i += 32) {
		__m256i now =
			_mm256_loadu_si256((const __m256i *)(const void *)(row + i));
		__m256i up =
			_mm256_loadu_si256((const __m256i *)(const void *)(above + i));
		__m256i left = _mm256_loadu_si256(
			(const __m256i *)(const void *)(row + i - step));
		__m256i corner = _mm256_loadu_si256(
			(const __m256i *)(const void *)(above + i - step));
		_mm256_storeu_si256((__m256i *)(void *)(to + i),
			_mm256_sub_epi8(now, foretell_avx2(left, up, corner)));
	}
}

static const struct fmt_png_rows avx2 = {
	"avx2", pack_rgb_avx2, pack_u8, pack_u16, paeth_avx2};

const struct fmt_png_rows *
fmt_png_rows_variant(unsigned number)
{
	__builtin_cpu_init();
	const struct fmt_png_rows *const all[] = {&avx2, &fmt_png_rows_c, NULL};
	unsigned at = number + (__builtin_cpu_supports("avx2") ? 0 : 1);
	return at < 2 ? all[at] : NULL;
}
#else
const struct fmt_png_rows *
fmt_png_rows_variant(unsigned number)
{
	return number == 0 ? &fmt_png_rows_c : NULL;
}
#endif
