/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * jpeg_put.h - quantized coefficients become the bits of a baseline JPEG's scan (ITU-T
 * T.81, annex F).  Any thread; for image_jpeg*.c alone.
 */
#ifndef FMT_JPEG_PUT_H
#define FMT_JPEG_PUT_H

#include <stddef.h>
#include <stdint.h>

/* The most bytes that a block becomes, of which as many may be stuffed. */
#define FMT_JPEG_PUT_MOST (64 * 26 / 8 + 8)

/* A Huffman table by symbol: the code, with room for its value behind it, above how many
 * bits both have; 0: the table has no such symbol. */
struct fmt_jpeg_symbols {
	uint32_t of[256];
};

/* counts[1..16]: codes of each length; values: their symbols, in order. */
void fmt_jpeg_symbols_make(struct fmt_jpeg_symbols *symbols, const uint8_t counts[17],
	const uint8_t *values);

struct fmt_jpeg_put {
	uint64_t bits;	/* that wait, the first one highest */
	unsigned count; /* of them, < 8 */
	uint8_t *to;	/* where the next byte goes: there is room, and for 8 more */
};

struct fmt_jpeg_tables {
	const struct fmt_jpeg_symbols *dc, *ac;
};

/* A value as it is written: its bits below how many they are. */
#define FMT_JPEG_PUT_LENGTH 16
static inline uint32_t
fmt_jpeg_put_item(int value)
{
	/* T.81, F.1.2.1: below 0 it is one less. */
	const int sign = value >> 31;
	const uint32_t size = (uint32_t)((value ^ sign) - sign);
	const unsigned length = size > 0 ? 32 - (unsigned)__builtin_clz(size) : 0;
	const uint32_t low = (uint32_t)(value + sign) & ((1u << length) - 1);
	return low | length << FMT_JPEG_PUT_LENGTH;
}

/* One block: items of its values in their order, the first one's less the component's last
 * one; set: bit k says that value k is not 0.  Nothing is stuffed yet. */
void fmt_jpeg_put_block(struct fmt_jpeg_put *put, const struct fmt_jpeg_tables *tables,
	const uint32_t *items, uint64_t set);

/* The last byte is filled with ones. */
void fmt_jpeg_put_end(struct fmt_jpeg_put *put);

/* Copies bytes, a 0 behind each 0xff; the end of what was written. */
uint8_t *fmt_jpeg_put_stuffed(const uint8_t *from, const uint8_t *end, uint8_t *to);

#endif
