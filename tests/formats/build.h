/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * build.h - files made in memory, byte by byte, so that each test can spoil its own.
 */
#ifndef TESTS_FORMATS_BUILD_H
#define TESTS_FORMATS_BUILD_H

#include <stddef.h>
#include <stdint.h>

struct build {
	uint8_t data[1 << 20];
	size_t length;
};

void build_bytes(struct build *b, const void *bytes, size_t length);
void build_u8(struct build *b, unsigned value);
void build_u16(struct build *b, unsigned value);
void build_u32(struct build *b, uint32_t value);
void build_f32(struct build *b, float value);
void build_zeros(struct build *b, size_t count);
/* A name of size bytes: what fits, then NUL, then garbage as old writers leave it. */
void build_name(struct build *b, const char *raw, size_t size);

/* The last length bytes of a block of their own, so that a sanitizer sees every read
 * past the end; to be freed. */
uint8_t *build_copy(const void *bytes, size_t length);

/* The whole file "data/vmd/" name of the shared data, to be freed; where that is absent the
 * test at hand is skipped. */
uint8_t *build_read_shared(const char *name, size_t *length);

#endif
