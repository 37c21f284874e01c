/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * "small" is zlib's, which streams and looks for everything; "fast" is our own, which
 * knows rows, and is cut into parts at fixed places, so that whoever compresses them makes
 * the same bytes.  The checksum is libdeflate's.
 */
#include "plugins/formats/npz_stream.h"

#include <errno.h>
#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>

enum {
	PIECE = 256 * 1024, /* what the cache still holds when it is used again */
	PARTS_EACH = 4, /* of a thread, at a time: so that none waits long for another */
};

static void
free_deflates(struct fmt_npz_crew *crew, uint32_t count)
{
	for (uint32_t i = 0; crew->deflates != NULL && i < count; i++)
		fmt_deflate_free(crew->deflates[i]);
	free(crew->deflates);
	free(crew->out);
	free(crew->made);
	free(crew->crcs);
	*crew = (struct fmt_npz_crew){0};
}

static int
make_crew(struct fmt_npz_crew *crew, const struct fmt_team *team)
{
	uint32_t threads = team == NULL ? 1 : team->threads;
	*crew = (struct fmt_npz_crew){.parts = threads > 1 ? threads * PARTS_EACH : 1};
	crew->team.threads = threads;
	if (threads > 1)
		crew->team = *team;
	crew->deflates = calloc(threads, sizeof *crew->deflates);
	crew->out = malloc(crew->parts * FMT_DEFLATE_PART_ROOM);
	crew->made = calloc(crew->parts, sizeof *crew->made);
	crew->crcs = calloc(crew->parts, sizeof *crew->crcs);
	int rc = crew->deflates == NULL || crew->out == NULL || crew->made == NULL ||
				 crew->crcs == NULL
			 ? -ENOMEM
			 : 0;
	for (uint32_t i = 0; rc == 0 && i < threads; i++) {
		crew->deflates[i] = fmt_deflate_new();
		rc = crew->deflates[i] == NULL ? -ENOMEM : 0;
	}
	if (rc < 0)
		free_deflates(crew, threads);
	return rc;
}

int
fmt_npz_crew_init(struct fmt_npz_crew *crew, enum fmt_npz_compression compression,
	const struct fmt_team *team)
{
	*crew = (struct fmt_npz_crew){0};
	if (compression != FMT_NPZ_FAST)
		return 0;
	int rc = make_crew(crew, team);
	return rc < 0 && team != NULL ? make_crew(crew, NULL) : rc;
}

void
fmt_npz_crew_free(struct fmt_npz_crew *crew)
{
	free_deflates(crew, crew->team.threads);
}

int
fmt_npz_stream_begin(
	struct fmt_npz_stream *stream, const struct fmt_npz_crew *crew, size_t distance)
{
	stream->crc = 0;
	stream->raw_size = stream->stored_size = 0;
	stream->distance = distance <= FMT_DEFLATE_FAR ? distance : 0;
	stream->history = stream->have = 0;
	if (stream->compression == FMT_NPZ_FAST && stream->bytes == NULL) {
		stream->bytes = malloc(FMT_DEFLATE_FAR + crew->parts * FMT_DEFLATE_PART);
		return stream->bytes == NULL ? -ENOMEM : 0;
	}
	if (stream->compression != FMT_NPZ_SMALL)
		return 0;
	if (stream->has_deflate)
		return deflateReset(&stream->deflate) == Z_OK ? 0 : -ENOMEM;
	/* Negative window bits: raw deflate, as a ZIP wants it. */
	stream->has_deflate = deflateInit2(&stream->deflate, 9, Z_DEFLATED, -15, 9,
				      Z_DEFAULT_STRATEGY) == Z_OK;
	if (stream->bytes == NULL)
		stream->bytes = malloc(PIECE);
	return stream->has_deflate && stream->bytes != NULL ? 0 : -ENOMEM;
}

void
fmt_npz_stream_free(struct fmt_npz_stream *stream)
{
	if (stream->has_deflate)
		deflateEnd(&stream->deflate);
	free(stream->bytes);
	*stream = (struct fmt_npz_stream){0};
}

/* Made bytes go where they shall. */
static int
deliver(struct fmt_npz_stream *stream, const void *data, size_t length,
	struct fmt_err *err)
{
	uint64_t at = stream->stored_size;
	stream->stored_size += length;
	if (stream->sink != NULL)
		return fmt_npz_sink_put(stream->sink, data, length, err);
	if (length > stream->room_size - at)
		return fmt_err_set(err, -ENOBUFS, "compressed data outgrew its room");
	memcpy(stream->room + at, data, length);
	return 0;
}

/* The parts that wait. */
struct making {
	struct fmt_npz_stream *stream;
	struct fmt_npz_crew *crew;
	uint32_t count;
	int last;
};

static int
make_part(void *context, uint32_t number, uint32_t worker)
{
	const struct making *making = context;
	const struct fmt_npz_stream *stream = making->stream;
	struct fmt_npz_crew *crew = making->crew;
	struct fmt_deflate *deflate = crew->deflates[worker];
	size_t at = number * FMT_DEFLATE_PART, left = stream->have - at;
	const struct fmt_deflate_part part = {
		.bytes = stream->bytes + stream->history + at,
		.length = left < FMT_DEFLATE_PART ? left : FMT_DEFLATE_PART,
		.history = stream->history + at,
		.last = making->last && number + 1 == making->count,
	};
	fmt_deflate_begin(deflate, stream->distance, 1);
	crew->crcs[number] = libdeflate_crc32(0, part.bytes, part.length);
	crew->made[number] = fmt_deflate_alone(
		deflate, &part, crew->out + number * FMT_DEFLATE_PART_ROOM);
	return 0;
}

static int
make_parts(struct making *making)
{
	const struct fmt_team *team = &making->crew->team;
	if (team->run != NULL && making->count > 1)
		return team->run(team->team, make_part, making, making->count);
	for (uint32_t i = 0; i < making->count; i++)
		make_part(making, i, 0);
	return 0;
}

/* Compresses what waits and delivers it; what the next may refer to moves to the front. */
static int
make_waiting(struct fmt_npz_stream *stream, struct fmt_npz_crew *crew, int last,
	struct fmt_err *err)
{
	struct making making = {stream, crew,
		(uint32_t)((stream->have + FMT_DEFLATE_PART - 1) / FMT_DEFLATE_PART),
		last};
	if (making.count == 0)
		making.count = 1;
	int rc = make_parts(&making);
	if (rc < 0)
		return fmt_err_set(err, rc, "cannot compress (%s)", strerror(-rc));
	for (uint32_t i = 0; rc == 0 && i < making.count; i++) {
		size_t left = stream->have - i * FMT_DEFLATE_PART;
		stream->crc = (uint32_t)crc32_combine(stream->crc, crew->crcs[i],
			(z_off_t)(left < FMT_DEFLATE_PART ? left : FMT_DEFLATE_PART));
		rc = deliver(stream, crew->out + i * FMT_DEFLATE_PART_ROOM, crew->made[i],
			err);
	}
	size_t all = stream->history + stream->have;
	size_t kept = all < stream->distance ? all : stream->distance;
	memmove(stream->bytes, stream->bytes + all - kept, kept);
	stream->history = kept;
	stream->have = 0;
	return rc;
}

static int
add_fast(struct fmt_npz_stream *stream, struct fmt_npz_crew *crew, const uint8_t *data,
	size_t length, struct fmt_err *err)
{
	const size_t most = crew->parts * FMT_DEFLATE_PART;
	int rc = 0;
	while (rc == 0 && length > 0) {
		/* Not before there is more: the last part has to be known as such, however
		 * many are made at a time. */
		if (stream->have == most)
			rc = make_waiting(stream, crew, 0, err);
		size_t room = most - stream->have;
		size_t taken = length < room ? length : room;
		memcpy(stream->bytes + stream->history + stream->have, data, taken);
		stream->have += taken;
		data += taken;
		length -= taken;
	}
	return rc;
}

static int
add_stored(struct fmt_npz_stream *stream, const uint8_t *data, size_t length,
	struct fmt_err *err)
{
	int rc = 0;
	for (size_t piece; rc == 0 && length > 0; data += piece, length -= piece) {
		piece = length < PIECE ? length : PIECE;
		stream->crc = libdeflate_crc32(stream->crc, data, piece);
		rc = deliver(stream, data, piece, err);
	}
	return rc;
}

/* Runs zlib until it wants more input or, with Z_FINISH, until it has ended. */
static int
run_zlib(struct fmt_npz_stream *stream, int flush, struct fmt_err *err)
{
	z_stream *deflated = &stream->deflate;
	for (;;) {
		deflated->next_out = stream->bytes;
		deflated->avail_out = PIECE;
		int rc = deflate(deflated, flush);
		if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
			return fmt_err_set(err, -EIO, "deflate failed (%d)", rc);
		int given =
			deliver(stream, stream->bytes, PIECE - deflated->avail_out, err);
		if (given < 0)
			return given;
		if (rc == Z_STREAM_END || (flush != Z_FINISH && deflated->avail_out > 0))
			return 0;
	}
}

/* In pieces that zlib's 32-bit counters can say. */
static int
add_small(struct fmt_npz_stream *stream, const uint8_t *data, size_t length,
	struct fmt_err *err)
{
	int rc = 0;
	for (size_t piece; rc == 0 && length > 0; data += piece, length -= piece) {
		piece = length < PIECE ? length : PIECE;
		stream->crc = libdeflate_crc32(stream->crc, data, piece);
		stream->deflate.next_in = (uint8_t *)data;
		stream->deflate.avail_in = (unsigned)piece;
		rc = run_zlib(stream, Z_NO_FLUSH, err);
	}
	return rc;
}

int
fmt_npz_stream_add(struct fmt_npz_stream *stream, struct fmt_npz_crew *crew,
	const void *data, size_t length, struct fmt_err *err)
{
	stream->raw_size += length;
	switch (stream->compression) {
	case FMT_NPZ_FAST:
		return add_fast(stream, crew, data, length, err);
	case FMT_NPZ_SMALL:
		return add_small(stream, data, length, err);
	case FMT_NPZ_NONE:
		break;
	}
	return add_stored(stream, data, length, err);
}

int
fmt_npz_stream_end(
	struct fmt_npz_stream *stream, struct fmt_npz_crew *crew, struct fmt_err *err)
{
	if (stream->compression == FMT_NPZ_FAST)
		return make_waiting(stream, crew, 1, err);
	if (stream->compression == FMT_NPZ_NONE)
		return 0;
	stream->deflate.avail_in = 0;
	return run_zlib(stream, Z_FINISH, err);
}

size_t
fmt_npz_stream_room(enum fmt_npz_compression compression, uint64_t raw)
{
	/* Stored blocks at the worst, of zlib's shortest kind. */
	uint64_t room = raw + raw / 1000 + 1024;
	if (compression == FMT_NPZ_NONE)
		return 0;
	return room > SIZE_MAX / 2 ? SIZE_MAX / 2 : (size_t)room;
}
