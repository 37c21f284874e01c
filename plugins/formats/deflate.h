/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * deflate.h - DEFLATE streams (RFC 1951) of arrays of numbers, made fast: bytes are coded
 * by Huffman's method, and what a row has in common with the row before it, word for
 * word, is a match at that one distance.  No other repetition is looked for: the digits
 * of measured numbers have none, and values that stay as they were are where they were.
 * In a filtered picture the distance is a pixel: what is flat is a run.
 *
 *	fmt_deflate_begin(d, row bytes, 1);
 *	while (bytes are left) {
 *		taken = fmt_deflate_take(d, bytes, length);
 *		if (fmt_deflate_full(d))
 *			made = fmt_deflate_make(d, 0, &out);	 write out .. out + made
 *	}
 *	made = fmt_deflate_make(d, 1, &out);
 *
 * The same bytes in other pieces give the same stream.  One thread at a time.
 *
 * Or in parts, each compressed by itself, by any fmt_deflate that was begun likewise, so
 * that several threads can share a stream: parts in their order are one.  Where it is cut
 * decides about its bytes, who compressed what does not.
 */
#ifndef FMT_DEFLATE_H
#define FMT_DEFLATE_H

#include <stddef.h>
#include <stdint.h>

struct fmt_deflate;

#define FMT_DEFLATE_FAR 32768u /* bytes; no match is farther back */

struct fmt_deflate *fmt_deflate_new(void); /* NULL: out of memory */
void fmt_deflate_free(struct fmt_deflate *d);

/* A new stream.  distance: bytes from a row to the next; where it is more than 32768, or
 * 0, there are no matches.  least: words of four bytes that a match must have, at least
 * 1; short ones may cost more than literals that are frequent. */
void fmt_deflate_begin(struct fmt_deflate *d, size_t distance, uint32_t least);

/* Takes as many bytes as there is room for: how many. */
size_t fmt_deflate_take(struct fmt_deflate *d, const void *bytes, size_t length);
int fmt_deflate_full(const struct fmt_deflate *d);

/* Compresses what was taken; last: and ends the stream.  How many bytes are at *out,
 * until the next call. */
size_t fmt_deflate_make(struct fmt_deflate *d, int last, const uint8_t **out);

#define FMT_DEFLATE_PART ((size_t)1 << 17) /* bytes a part may have */
/* What a part takes at the worst, and what may be written beyond it. */
#define FMT_DEFLATE_PART_ROOM (FMT_DEFLATE_PART + FMT_DEFLATE_PART / 64 + 64)

struct fmt_deflate_part {
	const uint8_t *bytes;
	size_t length;	/* at most FMT_DEFLATE_PART */
	size_t history; /* so many bytes of the same stream lie before `bytes` */
	int last;	/* ends the stream */
};

/* Compresses a part to whole bytes at out, which has FMT_DEFLATE_PART_ROOM: how many.  What
 * was taken by fmt_deflate_take() is forgotten. */
size_t fmt_deflate_alone(
	struct fmt_deflate *d, const struct fmt_deflate_part *part, uint8_t *out);

#endif
