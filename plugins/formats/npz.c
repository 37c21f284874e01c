/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A local header is written before the checksum and the compressed size of its entry are
 * known; fmt_npz_end() goes back and fills them in, because readers exist that do not
 * look at the directory.  Its length never changes: whether an entry needs ZIP64 is
 * decided by its uncompressed size, with room for what incompressible data grows by.
 *
 * "small" is zlib's, which streams and looks for everything; "fast" is our own, which
 * knows rows.  The checksum is libdeflate's.
 */
#include "plugins/formats/npz.h"
#include "plugins/formats/deflate.h"
#include "plugins/formats/text.h"

#include <errno.h>
#include <fcntl.h>
#include <libdeflate.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

enum {
	LOCAL_SIZE = 30,
	LOCAL_ZIP64_SIZE = 20,
	CENTRAL_SIZE = 46,
	END_SIZE = 22,
	END64_SIZE = 56,
	LOCATOR64_SIZE = 20,
	FIXED_DATE = 1 << 5 | 1, /* 1980-01-01, the first that DOS can say */
	METHOD_STORED = 0,
	METHOD_DEFLATE = 8,
	NAME_LIMIT = 200,
	BUFFER_SIZE = 256 * 1024,
	PUSH_SIZE = 8 << 20,
};

#define ZIP64_FROM 0xffffffffu
/* An entry this long may pass 4 GiB when compressed: zlib adds less than 0.1 %. */
#define ZIP64_ENTRY_FROM 0xff000000u

struct entry {
	char name[NAME_LIMIT + 8];
	uint64_t offset; /* of the local header, in the archive */
	uint64_t raw_size, stored_size;
	uint32_t crc;
	int zip64;
};

struct fmt_npz {
	int fd;
	enum fmt_npz_compression compression;
	uint64_t origin;	  /* where the archive begins in the file */
	uint64_t written, pushed; /* bytes; those of them that the disk was told of */
	struct entry *entries;
	size_t count, room;
	int in_array, has_stream;
	uint64_t expected; /* raw bytes of the open entry when it is whole */
	z_stream stream;
	struct fmt_deflate *deflate; /* of FAST */
	uint8_t buffer[BUFFER_SIZE]; /* of compressed bytes */
};

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

static int
write_error(int code, struct fmt_err *err)
{
	return fmt_err_set(err, -code, "cannot write the npz (%s)", strerror(code));
}

/* Lets the disk begin with what is written while the rest is still computed: whoever makes
 * the file durable then waits for its end only.  Where that cannot be asked for, he waits
 * longer. */
static void
push(struct fmt_npz *npz)
{
	if (npz->written - npz->pushed < PUSH_SIZE)
		return;
	sync_file_range(npz->fd, (off_t)(npz->origin + npz->pushed),
		(off_t)(npz->written - npz->pushed), SYNC_FILE_RANGE_WRITE);
	npz->pushed = npz->written;
}

static int
write_out(struct fmt_npz *npz, const void *data, size_t length, struct fmt_err *err)
{
	const uint8_t *p = data;

	while (length > 0) {
		ssize_t n = write(npz->fd, p, length);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return write_error(n < 0 ? errno : EIO, err);
		p += n;
		length -= (size_t)n;
		npz->written += (uint64_t)n;
	}
	push(npz);
	return 0;
}

static int
write_back(struct fmt_npz *npz, const void *data, size_t length, uint64_t offset,
	struct fmt_err *err)
{
	const uint8_t *p = data;

	while (length > 0) {
		ssize_t n = pwrite(npz->fd, p, length, (off_t)(npz->origin + offset));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return write_error(n < 0 ? errno : EIO, err);
		p += n;
		length -= (size_t)n;
		offset += (uint64_t)n;
	}
	return 0;
}

int
fmt_npz_open(int fd, enum fmt_npz_compression compression, struct fmt_npz **npz,
	struct fmt_err *err)
{
	off_t origin = lseek(fd, 0, SEEK_CUR);
	if (origin < 0)
		return fmt_err_set(
			err, -errno, "an npz needs a regular file (%s)", strerror(errno));
	struct fmt_npz *new = calloc(1, sizeof *new);
	if (new == NULL)
		return fmt_err_set(err, -ENOMEM, "no memory for an npz");
	new->fd = fd;
	new->compression = compression;
	new->origin = (uint64_t)origin;
	if (compression == FMT_NPZ_SMALL)
		/* Negative window bits: raw deflate, as a ZIP wants it. */
		new->has_stream = deflateInit2(&new->stream, 9, Z_DEFLATED, -15, 9,
					  Z_DEFAULT_STRATEGY) == Z_OK;
	if (compression == FMT_NPZ_FAST)
		new->deflate = fmt_deflate_new();
	if (compression != FMT_NPZ_NONE && !new->has_stream &&new->deflate == NULL) {
		free(new);
		return fmt_err_set(err, -ENOMEM, "no memory for a compressor");
	}
	*npz = new;
	return 0;
}

void
fmt_npz_free(struct fmt_npz *npz)
{
	if (npz == NULL)
		return;
	if (npz->has_stream)
		deflateEnd(&npz->stream);
	fmt_deflate_free(npz->deflate);
	free(npz->entries);
	free(npz);
}

static size_t
make_local_header(const struct fmt_npz *npz, const struct entry *entry, uint8_t *header)
{
	size_t name_length = strlen(entry->name);
	uint8_t *p = put(header, 0x04034b50, 4);

	p = put(p, entry->zip64 ? 45 : 20, 2); /* version that reads it */
	p = put(p, 0, 2);
	p = put(p, npz->compression == FMT_NPZ_NONE ? METHOD_STORED : METHOD_DEFLATE, 2);
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
	return (size_t)(p - header);
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
		name_length > NAME_LIMIT)
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

/* Bytes from one entry of the first dimension to the next; where these are too far apart
 * to be compared, from one of the last but one. */
static size_t
row_size(const struct fmt_npz_array *array)
{
	uint64_t row = element_size(array->dtype);
	for (unsigned i = array->dimensions; i-- > 1;) {
		if (row * array->shape[i] > FMT_DEFLATE_FAR)
			break;
		row *= array->shape[i];
	}
	return row;
}

/* The header of a .npy 1.0, padded so that the data begins at a multiple of 64. */
static size_t
make_npy_header(const struct fmt_npz_array *array, char header[256])
{
	char shape[128] = "";
	size_t used = 0;

	for (unsigned i = 0; i < array->dimensions; i++)
		used += (size_t)snprintf(shape + used, sizeof shape - used, "%s%llu",
			i > 0 ? ", " : "", (unsigned long long)array->shape[i]);
	int length = snprintf(header + 10, 256 - 10,
		"{'descr': '%s', 'fortran_order': False, 'shape': (%s%s), }",
		array->dtype, shape, array->dimensions == 1 ? "," : "");
	size_t total = ((size_t)length + 10 + 1 + 63) / 64 * 64;
	memset(header + 10 + length, ' ', total - 10 - (size_t)length);
	header[total - 1] = '\n';
	memcpy(header, "\x93NUMPY\x01\x00", 8);
	put((uint8_t *)header + 8, total - 10, 2);
	return total;
}

static struct entry *
add_entry(struct fmt_npz *npz)
{
	if (npz->count == npz->room) {
		size_t room = npz->room == 0 ? 16 : 2 * npz->room;
		struct entry *entries = reallocarray(npz->entries, room, sizeof *entries);
		if (entries == NULL)
			return NULL;
		npz->entries = entries;
		npz->room = room;
	}
	struct entry *entry = &npz->entries[npz->count++];
	memset(entry, 0, sizeof *entry);
	return entry;
}

/* Runs the compressor until it wants more input or, with Z_FINISH, until it has ended. */
static int
deflate_out(struct fmt_npz *npz, int flush, struct fmt_err *err)
{
	z_stream *stream = &npz->stream;

	for (;;) {
		stream->next_out = npz->buffer;
		stream->avail_out = BUFFER_SIZE;
		int rc = deflate(stream, flush);
		size_t made = BUFFER_SIZE - stream->avail_out;
		if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
			return fmt_err_set(err, -EIO, "deflate failed (%d)", rc);
		int wrote = write_out(npz, npz->buffer, made, err);
		if (wrote < 0)
			return wrote;
		npz->entries[npz->count - 1].stored_size += made;
		if (rc == Z_STREAM_END || (flush != Z_FINISH && stream->avail_out > 0))
			return 0;
	}
}

/* What was gathered, compressed; last: to its end. */
static int
make_out(struct fmt_npz *npz, int last, struct fmt_err *err)
{
	const uint8_t *made;
	size_t length = fmt_deflate_make(npz->deflate, last, &made);
	npz->entries[npz->count - 1].stored_size += length;
	return write_out(npz, made, length, err);
}

static int
append_fast(struct fmt_npz *npz, const uint8_t *data, size_t length, struct fmt_err *err)
{
	int rc = 0;
	while (rc == 0 && length > 0) {
		size_t taken = fmt_deflate_take(npz->deflate, data, length);
		data += taken;
		length -= taken;
		if (fmt_deflate_full(npz->deflate))
			rc = make_out(npz, 0, err);
	}
	return rc;
}

static int
append_raw(struct fmt_npz *npz, const uint8_t *data, size_t length, struct fmt_err *err)
{
	struct entry *entry = &npz->entries[npz->count - 1];

	entry->raw_size += length;
	while (length > 0) {
		/* In pieces that the cache still holds when they are used again, and
		 * that zlib's 32-bit counters can say. */
		size_t piece = length < BUFFER_SIZE ? length : BUFFER_SIZE;
		entry->crc = libdeflate_crc32(entry->crc, data, piece);
		int rc;
		if (npz->compression == FMT_NPZ_NONE) {
			rc = write_out(npz, data, piece, err);
			entry->stored_size += piece;
		} else if (npz->deflate != NULL) {
			rc = append_fast(npz, data, piece, err);
		} else {
			npz->stream.next_in = (uint8_t *)data;
			npz->stream.avail_in = (unsigned)piece;
			rc = deflate_out(npz, Z_NO_FLUSH, err);
		}
		if (rc < 0)
			return rc;
		data += piece;
		length -= piece;
	}
	return 0;
}

int
fmt_npz_begin(struct fmt_npz *npz, const struct fmt_npz_array *array, struct fmt_err *err)
{
	uint8_t local[LOCAL_SIZE + LOCAL_ZIP64_SIZE + sizeof(((struct entry *)0)->name)];
	char header[256];
	uint64_t bytes = 0;

	if (npz->in_array)
		return fmt_err_set(
			err, -EINVAL, "array '%s' begins inside another", array->name);
	int rc = measure(array, &bytes, err);
	if (rc < 0)
		return rc;
	struct entry *entry = add_entry(npz);
	if (entry == NULL)
		return fmt_err_set(err, -ENOMEM, "no memory for array '%s'", array->name);
	size_t header_length = make_npy_header(array, header);
	snprintf(entry->name, sizeof entry->name, "%s.npy", array->name);
	entry->offset = npz->written;
	npz->expected = header_length + bytes;
	entry->zip64 = npz->expected >= ZIP64_ENTRY_FROM;
	if (npz->has_stream)
		deflateReset(&npz->stream);
	if (npz->deflate != NULL)
		fmt_deflate_begin(npz->deflate, row_size(array), 1);
	rc = write_out(npz, local, make_local_header(npz, entry, local), err);
	if (rc == 0)
		rc = append_raw(npz, (const uint8_t *)header, header_length, err);
	npz->in_array = rc == 0;
	return rc;
}

int
fmt_npz_append(struct fmt_npz *npz, const void *data, size_t length, struct fmt_err *err)
{
	if (!npz->in_array)
		return fmt_err_set(err, -EINVAL, "npz data outside an array");
	const struct entry *entry = &npz->entries[npz->count - 1];
	if (length > npz->expected - entry->raw_size)
		return fmt_err_set(err, -EOVERFLOW,
			"array '%s' holds %llu bytes with its header; more came",
			entry->name, (unsigned long long)npz->expected);
	return append_raw(npz, data, length, err);
}

int
fmt_npz_end(struct fmt_npz *npz, struct fmt_err *err)
{
	uint8_t local[LOCAL_SIZE + LOCAL_ZIP64_SIZE + sizeof(((struct entry *)0)->name)];

	if (!npz->in_array)
		return fmt_err_set(
			err, -EINVAL, "the end of an npz array that did not begin");
	const struct entry *entry = &npz->entries[npz->count - 1];
	if (entry->raw_size != npz->expected)
		return fmt_err_set(err, -EINVAL,
			"array '%s' should hold %llu bytes with its header, %llu came",
			entry->name, (unsigned long long)npz->expected,
			(unsigned long long)entry->raw_size);
	int rc = npz->deflate != NULL ? make_out(npz, 1, err) : 0;
	if (npz->has_stream) {
		npz->stream.avail_in = 0;
		rc = deflate_out(npz, Z_FINISH, err);
	}
	if (rc < 0)
		return rc;
	npz->in_array = 0;
	size_t length = make_local_header(npz, entry, local);
	return write_back(npz, local, length, entry->offset, err);
}

static int
write_central(struct fmt_npz *npz, const struct entry *entry, struct fmt_err *err)
{
	uint8_t header[CENTRAL_SIZE + 28 + sizeof entry->name];
	const int far = entry->offset >= ZIP64_FROM;
	const unsigned extra = (entry->zip64 ? 16u : 0) + (far ? 8u : 0);
	size_t name_length = strlen(entry->name);
	uint8_t *p = put(header, 0x02014b50, 4);

	p = put(p, 3 << 8 | 45, 2); /* made on Unix, for the mode below */
	p = put(p, extra > 0 ? 45 : 20, 2);
	p = put(p, 0, 2);
	p = put(p, npz->compression == FMT_NPZ_NONE ? METHOD_STORED : METHOD_DEFLATE, 2);
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
	return write_out(npz, header, (size_t)(p - header), err);
}

static int
write_end(struct fmt_npz *npz, uint64_t directory, struct fmt_err *err)
{
	uint8_t end[END64_SIZE + LOCATOR64_SIZE + END_SIZE];
	const uint64_t at = npz->written, size = at - directory;
	const int zip64 = directory >= ZIP64_FROM || npz->count >= 0xffff;
	uint8_t *p = end;

	if (zip64) {
		p = put(p, 0x06064b50, 4);
		p = put(p, END64_SIZE - 12, 8);
		p = put(p, 45, 2);
		p = put(p, 45, 2);
		p = put(p, 0, 8); /* this disk, the directory's disk */
		p = put(p, npz->count, 8);
		p = put(p, npz->count, 8);
		p = put(p, size, 8);
		p = put(p, directory, 8);
		p = put(p, 0x07064b50, 4);
		p = put(p, 0, 4);
		p = put(p, at, 8);
		p = put(p, 1, 4);
	}
	p = put(p, 0x06054b50, 4);
	p = put(p, 0, 4);
	p = put(p, zip64 ? 0xffff : npz->count, 2);
	p = put(p, zip64 ? 0xffff : npz->count, 2);
	p = put32_or_ones(p, size, zip64);
	p = put32_or_ones(p, directory, zip64);
	p = put(p, 0, 2);
	return write_out(npz, end, (size_t)(p - end), err);
}

int
fmt_npz_close(struct fmt_npz *npz, struct fmt_err *err)
{
	const uint64_t directory = npz->written;

	if (npz->in_array)
		return fmt_err_set(err, -EINVAL, "an npz is closed inside an array");
	for (size_t i = 0; i < npz->count; i++) {
		int rc = write_central(npz, &npz->entries[i], err);
		if (rc < 0)
			return rc;
	}
	return write_end(npz, directory, err);
}
