/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/formats/build.h"

#include <assert.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

void
build_bytes(struct build *b, const void *bytes, size_t length)
{
	assert(length <= sizeof b->data - b->length);
	memcpy(b->data + b->length, bytes, length);
	b->length += length;
}

void
build_u8(struct build *b, unsigned value)
{
	uint8_t byte = (uint8_t)value;
	build_bytes(b, &byte, 1);
}

void
build_u16(struct build *b, unsigned value)
{
	build_u8(b, value & 0xff);
	build_u8(b, value >> 8 & 0xff);
}

void
build_u32(struct build *b, uint32_t value)
{
	build_u16(b, value & 0xffff);
	build_u16(b, value >> 16);
}

void
build_f32(struct build *b, float value)
{
	uint32_t bits;
	memcpy(&bits, &value, sizeof bits);
	build_u32(b, bits);
}

void
build_zeros(struct build *b, size_t count)
{
	while (count-- > 0)
		build_u8(b, 0);
}

void
build_name(struct build *b, const char *raw, size_t size)
{
	size_t length = strlen(raw);
	for (size_t i = 0; i < size; i++)
		build_u8(b, i < length ? (uint8_t)raw[i] : i == length ? 0 : 0xfd);
}

uint8_t *
build_copy(const void *bytes, size_t length)
{
	uint8_t *copy = malloc(length + (length == 0));
	assert(copy != NULL);
	memcpy(copy, bytes, length);
	return copy;
}

uint8_t *
build_read_shared(const char *name, size_t *length)
{
	const char *shared = getenv("KILN_SHARED");
	const char *source = getenv("top_srcdir");
	char path[4096];

	if (shared != NULL)
		snprintf(path, sizeof path, "%s/data/vmd/%s", shared, name);
	else
		snprintf(path, sizeof path, "%s/../shared/data/vmd/%s",
			source != NULL ? source : ".", name);
	FILE *file = fopen(path, "rb");
	if (file == NULL) {
		print_message("# skipped: the shared data is absent (KILN_SHARED)\n");
		skip();
	}
	size_t room = 64u << 20;
	uint8_t *bytes = malloc(room);
	assert(bytes != NULL);
	*length = fread(bytes, 1, room, file);
	fclose(file);
	assert(*length < room);
	uint8_t *fitted = build_copy(bytes, *length);
	free(bytes);
	return fitted;
}
