/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A local header is put before the checksum and the compressed size of its entry are
 * known; fmt_npz_end() goes back and fills them in, because readers exist that do not look
 * at the directory.  In a small archive that happens before anything was written.
 *
 * Of arrays side by side the first goes where the archive ends.  Where nothing is
 * compressed the others have their places, too, and sinks of their own; else what becomes
 * of them waits in memory until the first has ended.
 */
#include "plugins/formats/npz.h"
#include "plugins/formats/npz_sink.h"
#include "plugins/formats/npz_stream.h"
#include "plugins/formats/npz_zip.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What is gathered before it is written: of large folios the system makes fewer.  Where
 * several threads compress together it is more, so that there is something to write beside
 * other work.  Powers of two. */
enum { GATHERED = 512 << 10, GATHERED_ABREAST = 2 << 20 };

/* An array that grows. */
struct growing {
	size_t entry; /* number */
	uint64_t expected;
	struct fmt_npz_stream stream;
	struct fmt_npz_sink own;
};

struct fmt_npz {
	enum fmt_npz_compression compression;
	struct fmt_npz_entry *entries;
	size_t count, room;
	struct fmt_npz_sink sink; /* where the archive grows */
	size_t gathered;
	unsigned growing_count; /* 0: between arrays */
	struct growing growing[FMT_NPZ_ABREAST];
	uint64_t behind; /* those that are stored abreast */
	int has_crew;
	struct fmt_npz_crew crew;
};

int
fmt_npz_open(int fd, enum fmt_npz_compression compression, struct fmt_npz **npz,
	struct fmt_err *err)
{
	off_t origin = lseek(fd, 0, SEEK_CUR);
	if (origin < 0)
		return fmt_err_set(
			err, -errno, "an npz needs a regular file (%s)", strerror(errno));
	struct fmt_npz *made = calloc(1, sizeof *made);
	if (made == NULL)
		return fmt_err_set(err, -ENOMEM, "no memory for an npz");
	made->compression = compression;
	made->gathered = GATHERED;
	if (fmt_npz_sink_init(&made->sink, fd, (uint64_t)origin, GATHERED) < 0) {
		free(made);
		return fmt_err_set(err, -ENOMEM, "no memory for an npz");
	}
	*npz = made;
	return 0;
}

void
fmt_npz_free(struct fmt_npz *npz)
{
	if (npz == NULL)
		return;
	for (unsigned i = 0; i < FMT_NPZ_ABREAST; i++) {
		fmt_npz_stream_free(&npz->growing[i].stream);
		fmt_npz_sink_free(&npz->growing[i].own);
	}
	fmt_npz_crew_free(&npz->crew);
	fmt_npz_sink_free(&npz->sink);
	free(npz->entries);
	free(npz);
}

int
fmt_npz_help(struct fmt_npz *npz, const struct fmt_team *team, struct fmt_err *err)
{
	uint8_t *bytes;
	if (npz->count > 0 || npz->has_crew)
		return fmt_err_set(err, -EINVAL, "help for an npz comes too late");
	if (fmt_npz_crew_init(&npz->crew, npz->compression, team) < 0)
		return fmt_err_set(err, -ENOMEM, "no memory for a compressor");
	npz->has_crew = 1;
	bytes = team->threads > 1 && npz->compression == FMT_NPZ_FAST
			? realloc(npz->sink.bytes, GATHERED_ABREAST)
			: NULL;
	if (bytes != NULL) {
		npz->sink.bytes = bytes;
		npz->sink.room = npz->gathered = GATHERED_ABREAST;
	}
	return 0;
}

int
fmt_npz_write(struct fmt_npz *npz, struct fmt_err *err)
{
	int rc = fmt_npz_sink_write(&npz->sink, err);
	for (unsigned i = 0; rc == 0 && i < npz->growing_count; i++)
		if (npz->growing[i].own.bytes != NULL)
			rc = fmt_npz_sink_write(&npz->growing[i].own, err);
	return rc;
}

static int
add_entry(struct fmt_npz *npz, const struct fmt_npz_entry *entry, size_t *number)
{
	if (npz->count == npz->room) {
		size_t room = npz->room == 0 ? 16 : 2 * npz->room;
		struct fmt_npz_entry *entries =
			reallocarray(npz->entries, room, sizeof *entries);
		if (entries == NULL)
			return -ENOMEM;
		npz->entries = entries;
		npz->room = room;
	}
	*number = npz->count;
	npz->entries[npz->count++] = *entry;
	return 0;
}

static int
put_local(struct fmt_npz_sink *sink, struct fmt_npz_entry *entry, struct fmt_err *err)
{
	uint8_t record[FMT_NPZ_ZIP_ROOM];
	entry->offset = fmt_npz_sink_end(sink);
	return fmt_npz_sink_put(sink, record, fmt_npz_zip_local(entry, record), err);
}

/* Gives the array number i its place: the archive's end, a stretch of its own behind the
 * one before, or the room. */
static int
place(struct fmt_npz *npz, unsigned i, void *room, struct fmt_err *err)
{
	struct growing *growing = &npz->growing[i];
	struct fmt_npz_entry *entry = &npz->entries[growing->entry];
	struct fmt_npz_stream *stream = &growing->stream;
	uint8_t record[FMT_NPZ_ZIP_ROOM];
	stream->sink = i == 0 ? &npz->sink : NULL;
	if (i > 0 && npz->compression == FMT_NPZ_NONE) {
		if (growing->own.bytes == NULL &&
			fmt_npz_sink_init(&growing->own, npz->sink.fd, npz->sink.origin,
				npz->gathered) < 0)
			return fmt_err_set(err, -ENOMEM, "no memory for an npz");
		stream->sink = &growing->own;
		growing->own.at = growing->own.pushed = npz->behind;
	}
	if (stream->sink == NULL) {
		stream->room = room;
		stream->room_size =
			fmt_npz_stream_room(npz->compression, growing->expected);
		return 0;
	}
	npz->behind = fmt_npz_sink_end(stream->sink) + fmt_npz_zip_local(entry, record) +
		      growing->expected;
	return put_local(stream->sink, entry, err);
}

static int
begin_one(struct fmt_npz *npz, const struct fmt_npz_abreast *abreast, unsigned i,
	struct fmt_err *err)
{
	const struct fmt_npz_array *array = &abreast->arrays[i];
	struct growing *growing = &npz->growing[i];
	struct fmt_npz_planned planned;
	int rc = fmt_npz_zip_plan(array, &planned, err);
	if (rc < 0)
		return rc;
	planned.entry.deflate = npz->compression != FMT_NPZ_NONE;
	growing->expected = planned.expected;
	growing->stream.compression = npz->compression;
	if (add_entry(npz, &planned.entry, &growing->entry) < 0 ||
		fmt_npz_stream_begin(&growing->stream, &npz->crew,
			fmt_npz_zip_row(array, FMT_DEFLATE_FAR)) < 0)
		return fmt_err_set(err, -ENOMEM, "no memory for array '%s'", array->name);
	rc = place(npz, i, i == 0 ? NULL : abreast->rooms[i], err);
	return rc < 0 ? rc
		      : fmt_npz_stream_add(&growing->stream, &npz->crew, planned.npy,
				planned.npy_length, err);
}

int
fmt_npz_begin_abreast(
	struct fmt_npz *npz, const struct fmt_npz_abreast *abreast, struct fmt_err *err)
{
	static const struct fmt_team alone = {.threads = 1};
	if (npz->growing_count > 0)
		return fmt_err_set(err, -EINVAL, "array '%s' begins inside another",
			abreast->arrays[0].name);
	if (abreast->count == 0 || abreast->count > FMT_NPZ_ABREAST)
		return fmt_err_set(
			err, -EINVAL, "%u npz arrays side by side", abreast->count);
	int rc = npz->has_crew ? 0 : fmt_npz_help(npz, &alone, err);
	for (unsigned i = 0; rc == 0 && i < abreast->count; i++)
		rc = begin_one(npz, abreast, i, err);
	if (rc == 0)
		npz->growing_count = abreast->count;
	return rc;
}

int
fmt_npz_begin(struct fmt_npz *npz, const struct fmt_npz_array *array, struct fmt_err *err)
{
	return fmt_npz_begin_abreast(
		npz, &(struct fmt_npz_abreast){.arrays = array, .count = 1}, err);
}

size_t
fmt_npz_room(const struct fmt_npz *npz, const struct fmt_npz_array *array)
{
	struct fmt_npz_planned planned;
	struct fmt_err ignored;
	/* What is wrong with it, its beginning tells. */
	if (fmt_npz_zip_plan(array, &planned, &ignored) < 0)
		return 0;
	return fmt_npz_stream_room(npz->compression, planned.expected);
}

int
fmt_npz_append_to(
	struct fmt_npz *npz, const struct fmt_npz_piece *piece, struct fmt_err *err)
{
	if (piece->array >= npz->growing_count)
		return fmt_err_set(err, -EINVAL, "npz data outside an array");
	struct growing *growing = &npz->growing[piece->array];
	if (piece->length > growing->expected - growing->stream.raw_size)
		return fmt_err_set(err, -EOVERFLOW,
			"array '%s' holds %llu bytes with its header; more came",
			npz->entries[growing->entry].name,
			(unsigned long long)growing->expected);
	return fmt_npz_stream_add(
		&growing->stream, &npz->crew, piece->data, piece->length, err);
}

int
fmt_npz_append(struct fmt_npz *npz, const void *data, size_t length, struct fmt_err *err)
{
	return fmt_npz_append_to(npz, &(struct fmt_npz_piece){0, data, length}, err);
}

/* Fills in what was not known when the header was put. */
static int
patch_local(
	struct fmt_npz_sink *sink, const struct fmt_npz_entry *entry, struct fmt_err *err)
{
	uint8_t record[FMT_NPZ_ZIP_ROOM];
	const struct fmt_npz_sink_patch patch = {
		record, fmt_npz_zip_local(entry, record), entry->offset};
	return fmt_npz_sink_patch(sink, &patch, err);
}

static int
end_one(struct fmt_npz *npz, unsigned i, struct fmt_err *err)
{
	struct growing *growing = &npz->growing[i];
	struct fmt_npz_stream *stream = &growing->stream;
	struct fmt_npz_entry *entry = &npz->entries[growing->entry];
	int rc = fmt_npz_stream_end(stream, &npz->crew, err);
	entry->crc = stream->crc;
	entry->raw_size = stream->raw_size;
	entry->stored_size = stream->stored_size;
	if (rc < 0)
		return rc;
	if (stream->sink != NULL)
		rc = patch_local(stream->sink, entry, err);
	else
		rc = put_local(&npz->sink, entry, err);
	if (rc == 0 && stream->sink == NULL)
		rc = fmt_npz_sink_put(&npz->sink, stream->room, stream->stored_size, err);
	if (rc == 0 && stream->sink == &growing->own)
		rc = fmt_npz_sink_move(&growing->own, npz->behind, err);
	return rc;
}

int
fmt_npz_end(struct fmt_npz *npz, struct fmt_err *err)
{
	int rc = 0;
	if (npz->growing_count == 0)
		return fmt_err_set(
			err, -EINVAL, "the end of an npz array that did not begin");
	for (unsigned i = 0; i < npz->growing_count; i++) {
		const struct growing *growing = &npz->growing[i];
		if (growing->stream.raw_size != growing->expected)
			return fmt_err_set(err, -EINVAL,
				"array '%s' should hold %llu bytes with its header, %llu "
				"came",
				npz->entries[growing->entry].name,
				(unsigned long long)growing->expected,
				(unsigned long long)growing->stream.raw_size);
	}
	for (unsigned i = 0; rc == 0 && i < npz->growing_count; i++)
		rc = end_one(npz, i, err);
	if (rc == 0 && npz->compression == FMT_NPZ_NONE && npz->growing_count > 1)
		rc = fmt_npz_sink_move(&npz->sink, npz->behind, err);
	npz->growing_count = 0;
	return rc;
}

int
fmt_npz_close(struct fmt_npz *npz, struct fmt_err *err)
{
	uint8_t record[FMT_NPZ_ZIP_ROOM];
	struct fmt_npz_sink *sink = &npz->sink;
	struct fmt_npz_zip_end end = {
		.directory = fmt_npz_sink_end(sink), .count = npz->count};
	int rc = 0;
	if (npz->growing_count > 0)
		return fmt_err_set(err, -EINVAL, "an npz is closed inside an array");
	for (size_t i = 0; rc == 0 && i < npz->count; i++)
		rc = fmt_npz_sink_put(
			sink, record, fmt_npz_zip_central(&npz->entries[i], record), err);
	end.at = fmt_npz_sink_end(sink);
	if (rc == 0)
		rc = fmt_npz_sink_put(sink, record, fmt_npz_zip_end(&end, record), err);
	return rc == 0 ? fmt_npz_sink_move(sink, fmt_npz_sink_end(sink), err) : rc;
}
