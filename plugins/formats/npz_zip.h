/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * npz_zip.h - the bytes of a ZIP around its entries, and those of a .npy before its data.
 * ZIP64 records appear only where a size or offset needs them.
 */
#ifndef FMT_NPZ_ZIP_H
#define FMT_NPZ_ZIP_H

#include "plugins/formats/npz.h"

enum {
	FMT_NPZ_NAME_LIMIT = 200,
	FMT_NPZ_ZIP_ROOM = 300, /* of any of the records below */
	FMT_NPZ_NPY_ROOM = 256,
};

struct fmt_npz_entry {
	char name[FMT_NPZ_NAME_LIMIT + 8];
	uint64_t offset; /* of the local header, in the archive */
	uint64_t raw_size, stored_size;
	uint32_t crc;
	int zip64; /* decided by the uncompressed size, with room for what incompressible
			data grows by: the local header's length never changes */
	int deflate; /* else stored */
};

/* Names the entry of an array and says what the array's data and its own header take; the
 * header is at npy, *npy_length long.  0 or a negative errno. */
struct fmt_npz_planned {
	struct fmt_npz_entry entry;
	char npy[FMT_NPZ_NPY_ROOM];
	size_t npy_length;
	uint64_t expected; /* bytes of both */
};
int fmt_npz_zip_plan(const struct fmt_npz_array *array, struct fmt_npz_planned *planned,
	struct fmt_err *err);

/* Bytes from one entry of the first dimension to the next; where these are farther apart
 * than `most`, from one of the last but one. */
size_t fmt_npz_zip_row(const struct fmt_npz_array *array, size_t most);

/* Each answers the length of its record. */
size_t fmt_npz_zip_local(
	const struct fmt_npz_entry *entry, uint8_t record[FMT_NPZ_ZIP_ROOM]);
size_t fmt_npz_zip_central(
	const struct fmt_npz_entry *entry, uint8_t record[FMT_NPZ_ZIP_ROOM]);
/* at: where the record goes; the directory of `count` entries ends there. */
struct fmt_npz_zip_end {
	uint64_t directory, at;
	size_t count;
};
size_t fmt_npz_zip_end(
	const struct fmt_npz_zip_end *end, uint8_t record[FMT_NPZ_ZIP_ROOM]);

#endif
