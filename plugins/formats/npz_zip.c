/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/formats/npz_zip.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	LOCAL_ZIP64_SIZE = 20,
	END64_SIZE = 56,
	FIXED_DATE = 1 << 5 | 1, /* 1980-01-01, the first that DOS can say */
	METHOD_STORED = 0,
	METHOD_DEFLATE = 8,
};

#define ZIP64_FROM 0xffffffffu
/* An entry this long may pass 4 GiB when compressed: that adds less than 0.1 %. */
#define ZIP64_ENTRY_FROM 0xff000000u

static uint8_t *
put(uint8_t *p, uint64_t value, int bytes)
{
	for (int i = 0; i < bytes; i++)
		*p++ = (uint8_t)(value >> 8 * i);
	return p;
}

static uint8_t *
put32_or_ones(uint8_t *p, uint64_t value, int zip64)
{
	return put(p, zip64 ? ZIP64_FROM : value, 4);
}

/* Bytes of an element, 0 for a type that this writer does not know. */
static uint64_t
element_size(const char *dtype)
{
	unsigned long number;
	char *end;

	if (dtype[0] != '<' && dtype[0] != '|')
		return 0;
	if (dtype[1] == '\0' || strchr("fiubU", dtype[1]) == NULL)
		return 0;
	number = strtoul(dtype + 2, &end, 10);
	if (*end != '\0' || number == 0 || number > 1000000)
		return 0;
	return dtype[1] == 'U' ? 4 * number : number;
}

static int
measure(const struct fmt_npz_array *array, uint64_t *bytes, struct fmt_err *err)
{
	uint64_t size = element_size(array->dtype);
	size_t name_length = strlen(array->name);

	if (size == 0 || array->dimensions > FMT_NPZ_DIMENSIONS || name_length == 0 ||
		name_length > FMT_NPZ_NAME_LIMIT)
		return fmt_err_set(err, -EINVAL, "no npz array can be '%s' of type '%s'",
			array->name, array->dtype);
	for (unsigned i = 0; i < array->dimensions; i++) {
		if (__builtin_mul_overflow(size, array->shape[i], &size) ||
			size > INT64_MAX / 2)
			return fmt_err_set(
				err, -EOVERFLOW, "array '%s' is too large", array->name);
	}
	*bytes = size;
	return 0;
}

/* The header of a .npy 1.0, padded so that the data begins at a multiple of 64. */
static size_t
make_npy_header(const struct fmt_npz_array *array, char header[FMT_NPZ_NPY_ROOM])
{
	char shape[128] = "";
	size_t used = 0;

	for (unsigned i = 0; i < array->dimensions; i++)
		used += (size_t)snprintf(shape + used, sizeof shape - used, "%s%llu",
			i > 0 ? ", " : "", (unsigned long long)array->shape[i]);
	int length = snprintf(header + 10, FMT_NPZ_NPY_ROOM - 10,
		"{'descr': '%s', 'fortran_order': False, 'shape': (%s%s), }",
		array->dtype, shape, array->dimensions == 1 ? "," : "");
	size_t total = ((size_t)length + 10 + 1 + 63) / 64 * 64;
	memset(header + 10 + length, ' ', total - 10 - (size_t)length);
	header[total - 1] = '\n';
	memcpy(header, "\x93NUMPY\x01\x00", 8);
	put((uint8_t *)header + 8, total - 10, 2);
	return total;
}

int
fmt_npz_zip_plan(const struct fmt_npz_array *array, struct fmt_npz_planned *planned,
	struct fmt_err *err)
{
	uint64_t bytes = 0;
	int rc = measure(array, &bytes, err);
	if (rc < 0)
		return rc;
	memset(&planned->entry, 0, sizeof planned->entry);
	snprintf(planned->entry.name, sizeof planned->entry.name, "%s.npy", array->name);
	planned->npy_length = make_npy_header(array, planned->npy);
	planned->expected = planned->npy_length + bytes;
	planned->entry.zip64 = planned->expected >= ZIP64_ENTRY_FROM;
	return 0;
}

size_t
fmt_npz_zip_row(const struct fmt_npz_array *array, size_t most)
{
	uint64_t row = element_size(array->dtype);
	for (unsigned i = array->dimensions; i-- > 1;) {
		if (row * array->shape[i] > most)
			break;
		row *= array->shape[i];
	}
	return row;
}

size_t
fmt_npz_zip_local(const struct fmt_npz_entry *entry, uint8_t record[FMT_NPZ_ZIP_ROOM])
{
	size_t name_length = strlen(entry->name);
	uint8_t *p = put(record, 0x04034b50, 4);

	p = put(p, entry->zip64 ? 45 : 20, 2); /* version that reads it */
	p = put(p, 0, 2);
	p = put(p, entry->deflate ? METHOD_DEFLATE : METHOD_STORED, 2);
	p = put(p, 0, 2); /* midnight */
	p = put(p, FIXED_DATE, 2);
	p = put(p, entry->crc, 4);
	p = put32_or_ones(p, entry->stored_size, entry->zip64);
	p = put32_or_ones(p, entry->raw_size, entry->zip64);
	p = put(p, name_length, 2);
	p = put(p, entry->zip64 ? LOCAL_ZIP64_SIZE : 0, 2);
	memcpy(p, entry->name, name_length);
	p += name_length;
	if (entry->zip64) {
		p = put(p, 0x0001, 2);
		p = put(p, 16, 2);
		p = put(p, entry->raw_size, 8);
		p = put(p, entry->stored_size, 8);
	}
	return (size_t)(p - record);
}

size_t
fmt_npz_zip_central(const struct fmt_npz_entry *entry, uint8_t record[FMT_NPZ_ZIP_ROOM])
{
	const int far = entry->offset >= ZIP64_FROM;
	const unsigned extra = (entry->zip64 ? 16u : 0) + (far ? 8u : 0);
	size_t name_length = strlen(entry->name);
	uint8_t *p = put(record, 0x02014b50, 4);

	p = put(p, 3 << 8 | 45, 2); /* made on Unix, for the mode below */
	p = put(p, extra > 0 ? 45 : 20, 2);
	p = put(p, 0, 2);
	p = put(p, entry->deflate ? METHOD_DEFLATE : METHOD_STORED, 2);
	p = put(p, 0, 2);
	p = put(p, FIXED_DATE, 2);
	p = put(p, entry->crc, 4);
	p = put32_or_ones(p, entry->stored_size, entry->zip64);
	p = put32_or_ones(p, entry->raw_size, entry->zip64);
	p = put(p, name_length, 2);
	p = put(p, extra > 0 ? extra + 4 : 0, 2);
	p = put(p, 0, 6); /* comment, disk, internal attributes */
	p = put(p, (uint64_t)0100644 << 16, 4);
	p = put32_or_ones(p, entry->offset, far);
	memcpy(p, entry->name, name_length);
	p += name_length;
	if (extra > 0) {
		p = put(p, 0x0001, 2);
		p = put(p, extra, 2);
		if (entry->zip64) {
			p = put(p, entry->raw_size, 8);
			p = put(p, entry->stored_size, 8);
		}
		if (far)
			p = put(p, entry->offset, 8);
	}
	return (size_t)(p - record);
}

size_t
fmt_npz_zip_end(const struct fmt_npz_zip_end *end, uint8_t record[FMT_NPZ_ZIP_ROOM])
{
	const uint64_t size = end->at - end->directory;
	const int zip64 = end->directory >= ZIP64_FROM || end->count >= 0xffff;
	uint8_t *p = record;

	if (zip64) {
		p = put(p, 0x06064b50, 4);
		p = put(p, END64_SIZE - 12, 8);
		p = put(p, 45, 2);
		p = put(p, 45, 2);
		p = put(p, 0, 8); /* this disk, the directory's disk */
		p = put(p, end->count, 8);
		p = put(p, end->count, 8);
		p = put(p, size, 8);
		p = put(p, end->directory, 8);
		p = put(p, 0x07064b50, 4);
		p = put(p, 0, 4);
		p = put(p, end->at, 8);
		p = put(p, 1, 4);
	}
	p = put(p, 0x06054b50, 4);
	p = put(p, 0, 4);
	p = put(p, zip64 ? 0xffff : end->count, 2);
	p = put(p, zip64 ? 0xffff : end->count, 2);
	p = put32_or_ones(p, size, zip64);
	p = put32_or_ones(p, end->directory, zip64);
	p = put(p, 0, 2);
	return (size_t)(p - record);
}
