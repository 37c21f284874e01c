/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bytes.h - a walk over bytes that somebody dropped: little-endian, never past the end.
 *
 * A read that finds too little leaves the cursor where it was, answers zero (or NULL) and
 * marks the walk as short; every later read fails too.  So a reader may read a whole
 * record and then ask once, with fmt_bytes_check().  Nothing is allocated for a count
 * before fmt_bytes_holds() has compared it with what is left.
 *
 * The bytes lie in memory as a whole, or they are a file that is read in pieces through
 * one buffer, so that each byte is copied once and memory does not grow with the file.
 * What was taken from a file stays where it is only until the next read.
 */
#ifndef FMT_BYTES_H
#define FMT_BYTES_H

#include "plugins/formats/err.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The size of the buffer that a file passes through: it stays in a core's second cache
 * beside what becomes of the bytes.  No single record may be longer. */
#ifndef FMT_BYTES_BUFFER
#define FMT_BYTES_BUFFER ((size_t)1 << 18)
#endif

struct fmt_bytes {
	const uint8_t *start, *at, *end; /* of the piece at hand */
	size_t wanted; /* bytes that the first failing read wanted; 0: none failed */
	size_t before, behind; /* bytes of the file before and behind that piece */
	uint8_t *buffer;       /* of a file; NULL: all is in memory */
	int fd;
	int failed; /* a negative errno: the file could not be read */
};

static inline void
fmt_bytes_init(struct fmt_bytes *b, const void *bytes, size_t length)
{
	memset(b, 0, sizeof *b);
	b->start = b->at = bytes;
	b->end = b->start + length;
	b->fd = -1;
}

/* Walks a regular file of length bytes from its offset on; fd stays the caller's.  0 or
 * -ENOMEM; then there is nothing to close. */
int fmt_bytes_open(struct fmt_bytes *b, int fd, size_t length);

/* Frees the buffer.  0; or, of a file that was walked to its end, -EAGAIN where it has
 * become longer than it was. */
int fmt_bytes_close(struct fmt_bytes *b);

/* Has the piece at hand hold at least the next length bytes, which are left.  0, or -1
 * with b->failed. */
int fmt_bytes_fetch(struct fmt_bytes *b, size_t length);

/* Where in the file the next byte is; negative where all is in memory. */
int64_t fmt_bytes_place(const struct fmt_bytes *b);

static inline size_t
fmt_bytes_left(const struct fmt_bytes *b)
{
	return (size_t)(b->end - b->at) + b->behind;
}

static inline size_t
fmt_bytes_offset(const struct fmt_bytes *b)
{
	return b->before + (size_t)(b->at - b->start);
}

/* Of the whole file. */
static inline size_t
fmt_bytes_size(const struct fmt_bytes *b)
{
	return b->before + (size_t)(b->end - b->start) + b->behind;
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
	if (length > (size_t)(b->end - b->at) &&
		(length > fmt_bytes_left(b) || fmt_bytes_fetch(b, length) < 0)) {
		b->wanted = length;
		return NULL;
	}
	const uint8_t *taken = b->at;
	b->at += length;
	return taken;
}

/* Passes over the next length bytes, read or not.  0, or -1 where a read of them would
 * fail. */
int fmt_bytes_skip(struct fmt_bytes *b, size_t length);

/* As many whole items of size bytes as are at hand, at most `most` of those that are left
 * and at least one, with their number; NULL where a read failed.  most > 0. */
const uint8_t *fmt_bytes_take_some(
	struct fmt_bytes *b, size_t size, uint32_t most, uint32_t *count);

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

/* 0, or -EBADMSG when a read fell short: `what` names the record, as in "bone 12".  Of a
 * file that could not be read, what read(2) said; -EAGAIN where it has become shorter. */
int fmt_bytes_check(const struct fmt_bytes *b, const char *what, struct fmt_err *err);

/* 0, or -EBADMSG where one of count floats is NaN or infinite.  The floats were the last
 * thing read before `at`, an offset in the file; `what` names the record. */
int fmt_bytes_finite(const float *values, size_t count, size_t at, const char *what,
	struct fmt_err *err);

#endif
