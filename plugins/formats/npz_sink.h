/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * npz_sink.h - bytes on their way to one stretch of the archive.  Small pieces are gathered
 * and written together, whole pages at a time, and the disk is told to begin with what is
 * written; what is still here can be changed without a write.
 */
#ifndef FMT_NPZ_SINK_H
#define FMT_NPZ_SINK_H

#include "plugins/formats/err.h"

#include <stddef.h>
#include <stdint.h>

struct fmt_npz_sink {
	int fd;
	uint64_t origin; /* where the archive begins in the file */
	uint64_t at;	 /* in the archive: where bytes[0] goes */
	uint64_t pushed; /* the disk was told of what lies before */
	size_t have, room;
	uint8_t *bytes;
};

/* room: how much is gathered, whole pages.  0 or -ENOMEM; free it also then. */
int fmt_npz_sink_init(struct fmt_npz_sink *sink, int fd, uint64_t origin, size_t room);
void fmt_npz_sink_free(struct fmt_npz_sink *sink);

/* Where the next byte goes. */
static inline uint64_t
fmt_npz_sink_end(const struct fmt_npz_sink *sink)
{
	return sink->at + sink->have;
}

int fmt_npz_sink_put(
	struct fmt_npz_sink *sink, const void *data, size_t length, struct fmt_err *err);
/* Writes what was put, but for a page that is not full. */
int fmt_npz_sink_write(struct fmt_npz_sink *sink, struct fmt_err *err);
/* Writes all, and goes on at another place. */
int fmt_npz_sink_move(struct fmt_npz_sink *sink, uint64_t at, struct fmt_err *err);

struct fmt_npz_sink_patch {
	const void *data;
	size_t length;
	uint64_t offset; /* in the archive; these bytes were put before */
};
int fmt_npz_sink_patch(struct fmt_npz_sink *sink, const struct fmt_npz_sink_patch *patch,
	struct fmt_err *err);

#endif
