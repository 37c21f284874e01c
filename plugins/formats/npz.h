/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * npz.h - numpy's .npz: a ZIP of .npy 1.0 arrays, read by numpy.load(allow_pickle=False).
 *
 * Arrays are written one after the other, or several side by side, each in pieces of any
 * size and in C order.  The same data give the same bytes, whatever the pieces and whoever
 * helps: entries carry a fixed date.  ZIP64 records appear only where a size or offset
 * needs them.
 *
 *	fmt_npz_open(fd, FMT_NPZ_FAST, &npz, err);
 *	fmt_npz_begin(npz, &(struct fmt_npz_array){"positions", "<f4", {frames, bones, 3},
 *3}, err); fmt_npz_append(npz, chunk, bytes, err);         ... as often as it takes
 *	fmt_npz_end(npz, err);
 *	fmt_npz_close(npz, err);
 *	fmt_npz_free(npz);
 *
 * Every call answers 0 or a negative errno with *err (-ENOSPC for a full disk, which may
 * show as late as in fmt_npz_close()).  After a failure only fmt_npz_free() makes sense:
 * the file is not to be used.  One thread at a time.
 */
#ifndef FMT_NPZ_H
#define FMT_NPZ_H

#include "plugins/formats/err.h"
#include "plugins/formats/team.h"

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

/* So many arrays may be written side by side. */
#define FMT_NPZ_ABREAST 6

/* fd: a regular file open for writing, not O_APPEND, at the offset where the archive
 * shall begin; it stays the caller's, and at that offset. */
int fmt_npz_open(int fd, enum fmt_npz_compression compression, struct fmt_npz **npz,
	struct fmt_err *err);

/* From now on they compress together ("fast"); borrowed.  Before the first array. */
int fmt_npz_help(struct fmt_npz *npz, const struct fmt_team *team, struct fmt_err *err);

/* Writes what waits to be written, as far as that makes sense.  It has to be done anyhow;
 * this may be done on any thread, beside other work of the caller's, while no other call is
 * made. */
int fmt_npz_write(struct fmt_npz *npz, struct fmt_err *err);

int fmt_npz_begin(
	struct fmt_npz *npz, const struct fmt_npz_array *array, struct fmt_err *err);
/* Little-endian elements.  -EOVERFLOW where more comes than the shape holds. */
int fmt_npz_append(
	struct fmt_npz *npz, const void *data, size_t length, struct fmt_err *err);
/* -EINVAL where less came than the shape holds. */
int fmt_npz_end(struct fmt_npz *npz, struct fmt_err *err);

/* Several at once, at most FMT_NPZ_ABREAST, that grow side by side: fmt_npz_append_to() says
 * which one, fmt_npz_end() ends all.  Where it is not known where the arrays behind the
 * first shall go before it has ended, they are kept: rooms[i], i > 0, is memory of
 * fmt_npz_room(npz, &arrays[i]) bytes, the caller's until fmt_npz_end(); NULL where that
 * answers 0. */
size_t fmt_npz_room(const struct fmt_npz *npz, const struct fmt_npz_array *array);
struct fmt_npz_abreast {
	const struct fmt_npz_array *arrays;
	unsigned count;
	void *const *rooms;
};
int fmt_npz_begin_abreast(
	struct fmt_npz *npz, const struct fmt_npz_abreast *abreast, struct fmt_err *err);
struct fmt_npz_piece {
	unsigned array;
	const void *data;
	size_t length;
};
int fmt_npz_append_to(
	struct fmt_npz *npz, const struct fmt_npz_piece *piece, struct fmt_err *err);

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
