/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * npz_stream.h - the bytes of one entry, on their way through checksum and compressor to a
 * sink, or to memory where it is not yet known where they shall go.
 */
#ifndef FMT_NPZ_STREAM_H
#define FMT_NPZ_STREAM_H

#include "plugins/formats/deflate.h"
#include "plugins/formats/npz.h"
#include "plugins/formats/npz_sink.h"

#include <zlib.h>

/* Those who compress together: one compressor a thread, and room for the parts that are
 * made at a time. */
struct fmt_npz_crew {
	struct fmt_team team;	       /* run NULL: alone */
	uint32_t parts;		       /* at a time */
	struct fmt_deflate **deflates; /* one a thread; NULL: none is needed */
	uint8_t *out;		       /* parts * FMT_DEFLATE_PART_ROOM */
	size_t *made;
	uint32_t *crcs;
};

struct fmt_npz_stream {
	enum fmt_npz_compression compression;
	struct fmt_npz_sink *sink; /* NULL: kept in room */
	uint8_t *room;
	size_t room_size;
	uint32_t crc;
	uint64_t raw_size, stored_size;
	/* FAST: what lies before what waits, and what waits. */
	uint8_t *bytes;
	size_t distance, history, have;
	z_stream deflate; /* SMALL */
	int has_deflate;
};

/* 0 or -ENOMEM; where memory is short, alone. */
int fmt_npz_crew_init(struct fmt_npz_crew *crew, enum fmt_npz_compression compression,
	const struct fmt_team *team);
void fmt_npz_crew_free(struct fmt_npz_crew *crew);

/* Makes ready for an entry whose rows are `distance` bytes apart.  A stream of zeros, or
 * one that ended.  0 or -ENOMEM. */
int fmt_npz_stream_begin(
	struct fmt_npz_stream *stream, const struct fmt_npz_crew *crew, size_t distance);
void fmt_npz_stream_free(struct fmt_npz_stream *stream);

int fmt_npz_stream_add(struct fmt_npz_stream *stream, struct fmt_npz_crew *crew,
	const void *data, size_t length, struct fmt_err *err);
/* Nothing comes any more. */
int fmt_npz_stream_end(
	struct fmt_npz_stream *stream, struct fmt_npz_crew *crew, struct fmt_err *err);

/* What so many raw bytes take in memory at the worst. */
size_t fmt_npz_stream_room(enum fmt_npz_compression compression, uint64_t raw);

#endif
