/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * npz.h - numpy's .npz: a ZIP of .npy 1.0 arrays, read by numpy.load(allow_pickle=False).
 *
 * Arrays are written one after the other, each in pieces of any size and in C order, so
 * memory does not grow with the data.  The same calls give the same bytes: entries carry
 *a fixed date.  ZIP64 records appear only where a size or offset needs them.
 *
 *	fmt_npz_open(fd, FMT_NPZ_FAST, &npz, err);
 *	fmt_npz_begin(npz, &(struct fmt_npz_array){"positions", "<f4", {frames, bones, 3},
 *3}, err); fmt_npz_append(npz, chunk, bytes, err);         ... as often as it takes
 *	fmt_npz_end(npz, err);
 *	fmt_npz_close(npz, err);
 *	fmt_npz_free(npz);
 *
 * Every call answers 0 or a negative errno with *err (-ENOSPC for a full disk).  After a
 * failure only fmt_npz_free() makes sense: the file is not to be used.  One thread at a
 * time.
 */
#ifndef FMT_NPZ_H
#define FMT_NPZ_H

#include "plugins/formats/err.h"

#include <stddef.h>
#include <stdint.h>

enum fmt_npz_compression {
	FMT_NPZ_NONE,  /* stored */
	FMT_NPZ_FAST,  /* deflate as deflate.h has it */
	FMT_NPZ_SMALL, /* deflate, zlib's level 9 */
};

enum { FMT_NPZ_DIMENSIONS = 4 };

struct fmt_npz_array {
	const char *name;  /* without ".npy"; of letters, digits and '_' */
	const char *dtype; /* numpy's type string: "<f4" "<f8" "<i4" "<i8" "|u1" "<U12" */
	uint64_t shape[FMT_NPZ_DIMENSIONS];
	unsigned dimensions; /* 0: a scalar */
};

struct fmt_npz;

/* fd: a regular file open for writing, not O_APPEND, at the offset where the archive
 * shall begin; it stays the caller's. */
int fmt_npz_open(int fd, enum fmt_npz_compression compression, struct fmt_npz **npz,
	struct fmt_err *err);

int fmt_npz_begin(
	struct fmt_npz *npz, const struct fmt_npz_array *array, struct fmt_err *err);
/* Little-endian elements.  -EOVERFLOW where more comes than the shape holds. */
int fmt_npz_append(
	struct fmt_npz *npz, const void *data, size_t length, struct fmt_err *err);
/* -EINVAL where less came than the shape holds. */
int fmt_npz_end(struct fmt_npz *npz, struct fmt_err *err);

/* Writes the directory; the archive is whole when this has answered 0.  No fsync. */
int fmt_npz_close(struct fmt_npz *npz, struct fmt_err *err);
void fmt_npz_free(struct fmt_npz *npz);

/* Whole small arrays: a 0-d int64, a 0-d text, 1-d int64s, 1-d texts.  Texts are UTF-8
 * and become numpy unicode as wide as the longest. */
int fmt_npz_int64(
	struct fmt_npz *npz, const char *name, int64_t value, struct fmt_err *err);
int fmt_npz_text(
	struct fmt_npz *npz, const char *name, const char *text, struct fmt_err *err);
int fmt_npz_int64s(struct fmt_npz *npz, const char *name, const int64_t *values,
	size_t count, struct fmt_err *err);
int fmt_npz_texts(struct fmt_npz *npz, const char *name, const char *const *texts,
	size_t count, struct fmt_err *err);

#endif
