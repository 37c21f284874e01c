/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/formats/npz_sink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PAGE = 4096, PUSH_SIZE = 8 << 20 };

int
fmt_npz_sink_init(struct fmt_npz_sink *sink, int fd, uint64_t origin, size_t room)
{
	*sink = (struct fmt_npz_sink){
		.fd = fd, .origin = origin, .room = room, .bytes = malloc(room)};
	return sink->bytes == NULL ? -ENOMEM : 0;
}

void
fmt_npz_sink_free(struct fmt_npz_sink *sink)
{
	free(sink->bytes);
	*sink = (struct fmt_npz_sink){0};
}

static int
refuse(int code, struct fmt_err *err)
{
	if (code == EFBIG)
		return fmt_err_set(err, -code,
			"the npz is larger than limits.output allows: raise it, or have "
			"less written");
	return fmt_err_set(err, -code, "cannot write the npz (%s)", strerror(code));
}

static int
write_at(const struct fmt_npz_sink *sink, const struct fmt_npz_sink_patch *piece,
	struct fmt_err *err)
{
	const uint8_t *p = piece->data;
	uint64_t at = sink->origin + piece->offset;
	for (size_t left = piece->length; left > 0;) {
		ssize_t n = pwrite(sink->fd, p, left, (off_t)at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return refuse(n < 0 ? errno : EIO, err);
		p += n;
		at += (uint64_t)n;
		left -= (size_t)n;
	}
	return 0;
}

/* Lets the disk begin with what is written while the rest is still computed: whoever makes
 * the file durable then waits for its end only.  Where that cannot be asked for, he waits
 * longer. */
static void
push(struct fmt_npz_sink *sink)
{
	if (sink->at - sink->pushed < PUSH_SIZE)
		return;
	sync_file_range(sink->fd, (off_t)(sink->origin + sink->pushed),
		(off_t)(sink->at - sink->pushed), SYNC_FILE_RANGE_WRITE);
	sink->pushed = sink->at;
}

/* The first bytes of what was gathered. */
static int
write_some(struct fmt_npz_sink *sink, size_t length, struct fmt_err *err)
{
	const struct fmt_npz_sink_patch piece = {sink->bytes, length, sink->at};
	int rc = write_at(sink, &piece, err);
	if (rc < 0)
		return rc;
	sink->at += length;
	sink->have -= length;
	if (sink->have > 0)
		memmove(sink->bytes, sink->bytes + length, sink->have);
	push(sink);
	return 0;
}

/* Up to a multiple of `unit` in the file; what is beyond waits. */
static int
write_up_to(struct fmt_npz_sink *sink, size_t unit, struct fmt_err *err)
{
	size_t beyond = (sink->origin + fmt_npz_sink_end(sink)) % unit;
	return sink->have > beyond ? write_some(sink, sink->have - beyond, err) : 0;
}

int
fmt_npz_sink_write(struct fmt_npz_sink *sink, struct fmt_err *err)
{
	return write_up_to(sink, PAGE, err);
}

/* As much as is there, past what is gathered: whole pages. */
static int
write_through(struct fmt_npz_sink *sink, const uint8_t *data, size_t length,
	struct fmt_err *err)
{
	const struct fmt_npz_sink_patch piece = {data, length, sink->at};
	int rc = write_at(sink, &piece, err);
	if (rc == 0)
		sink->at += length;
	push(sink);
	return rc;
}

int
fmt_npz_sink_put(
	struct fmt_npz_sink *sink, const void *data, size_t length, struct fmt_err *err)
{
	const uint8_t *p = data;
	int rc = 0;
	while (rc == 0 && length > 0) {
		if (sink->have == 0 && (sink->origin + sink->at) % PAGE == 0 &&
			length >= sink->room) {
			size_t whole = length / PAGE * PAGE;
			rc = write_through(sink, p, whole, err);
			p += whole;
			length -= whole;
			continue;
		}
		size_t room = sink->room - sink->have;
		size_t taken = length < room ? length : room;
		memcpy(sink->bytes + sink->have, p, taken);
		sink->have += taken;
		p += taken;
		length -= taken;
		/* Large folios begin at multiples of their size; a full sink holds at least
		 * one place where the next write can begin. */
		if (sink->have == sink->room)
			rc = write_up_to(sink, sink->room, err);
	}
	return rc;
}

int
fmt_npz_sink_move(struct fmt_npz_sink *sink, uint64_t at, struct fmt_err *err)
{
	int rc = sink->have > 0 ? write_some(sink, sink->have, err) : 0;
	if (rc == 0 && sink->at != at)
		sink->at = sink->pushed = at;
	return rc;
}

int
fmt_npz_sink_patch(struct fmt_npz_sink *sink, const struct fmt_npz_sink_patch *patch,
	struct fmt_err *err)
{
	/* What of it is written, and what is still here. */
	struct fmt_npz_sink_patch gone = *patch;
	if (gone.offset + gone.length > sink->at)
		gone.length =
			gone.offset < sink->at ? (size_t)(sink->at - gone.offset) : 0;
	if (gone.length < patch->length)
		memcpy(sink->bytes + (patch->offset + gone.length - sink->at),
			(const uint8_t *)patch->data + gone.length,
			patch->length - gone.length);
	return write_at(sink, &gone, err);
}
