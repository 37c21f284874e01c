/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bytes.h - a walk over bytes that somebody dropped: little-endian, never past the end.
 *
 * A read that finds too little leaves the cursor where it was, answers zero (or NULL) and
 * marks the walk as short; every later read fails too.  So a reader may read a whole
 * record and then ask once, with fmt_bytes_check().  Nothing is allocated for a count
 * before fmt_bytes_holds() has compared it with what is left.
 */
#ifndef FMT_BYTES_H
#define FMT_BYTES_H

#include "plugins/formats/err.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct fmt_bytes {
	const uint8_t *start, *at, *end;
	size_t wanted; /* bytes that the first failing read wanted; 0: none failed */
};

static inline void
fmt_bytes_init(struct fmt_bytes *b, const void *bytes, size_t length)
{
	b->start = b->at = bytes;
	b->end = b->start + length;
	b->wanted = 0;
}

static inline size_t
fmt_bytes_left(const struct fmt_bytes *b)
{
	return (size_t)(b->end - b->at);
}

static inline size_t
fmt_bytes_offset(const struct fmt_bytes *b)
{
	return (size_t)(b->at - b->start);
}

/* Whether count items of at least size bytes (not 0) can still follow. */
static inline int
fmt_bytes_holds(const struct fmt_bytes *b, uint64_t count, size_t size)
{
	return count <= fmt_bytes_left(b) / size;
}

/* The next length bytes, or NULL. */
static inline const uint8_t *
fmt_bytes_take(struct fmt_bytes *b, size_t length)
{
	if (b->wanted != 0)
		return NULL;
	if (length > fmt_bytes_left(b)) {
		b->wanted = length;
		return NULL;
	}
	const uint8_t *taken = b->at;
	b->at += length;
	return taken;
}

/* Little-endian values anywhere in memory; the caller vouches for the bytes. */
static inline uint16_t
fmt_bytes_peek_u16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t
fmt_bytes_peek_u32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline float
fmt_bytes_peek_f32(const uint8_t *p)
{
	uint32_t bits = fmt_bytes_peek_u32(p);
	float value;
	memcpy(&value, &bits, sizeof value);
	return value;
}

uint8_t fmt_bytes_u8(struct fmt_bytes *b);
uint16_t fmt_bytes_u16(struct fmt_bytes *b);
uint32_t fmt_bytes_u32(struct fmt_bytes *b);
int32_t fmt_bytes_i32(struct fmt_bytes *b);
float fmt_bytes_f32(struct fmt_bytes *b);
void fmt_bytes_floats(struct fmt_bytes *b, float *values, size_t count);

/* 0, or -EBADMSG when a read fell short: `what` names the record, as in "bone 12". */
int fmt_bytes_check(const struct fmt_bytes *b, const char *what, struct fmt_err *err);

/* 0, or -EBADMSG where one of count floats is NaN or infinite.  The floats were the last
 * thing read before `at`, an offset in the file; `what` names the record. */
int fmt_bytes_finite(const float *values, size_t count, size_t at, const char *what,
	struct fmt_err *err);

#endif
