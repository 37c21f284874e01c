/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/formats/bytes.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

int
fmt_bytes_open(struct fmt_bytes *b, int fd, size_t length)
{
	uint8_t *buffer = malloc(FMT_BYTES_BUFFER);
	if (buffer == NULL)
		return -ENOMEM;
	fmt_bytes_init(b, buffer, 0);
	b->buffer = buffer;
	b->fd = fd;
	b->behind = length;
	return 0;
}

int
fmt_bytes_close(struct fmt_bytes *b)
{
	uint8_t byte;
	int grown = b->buffer != NULL && b->failed == 0 && b->behind == 0 &&
		    read(b->fd, &byte, 1) > 0;
	free(b->buffer);
	b->buffer = NULL;
	return grown ? -EAGAIN : 0;
}

int
fmt_bytes_fetch(struct fmt_bytes *b, size_t length)
{
	size_t have = (size_t)(b->end - b->at);
	if (b->failed != 0 || length > FMT_BYTES_BUFFER)
		return -1;
	if (have > 0)
		memmove(b->buffer, b->at, have);
	b->before += (size_t)(b->at - b->start);
	b->start = b->at = b->buffer;
	while (have < length) {
		size_t room = FMT_BYTES_BUFFER - have;
		ssize_t got = read(
			b->fd, b->buffer + have, room < b->behind ? room : b->behind);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			b->failed = got < 0 ? -errno : -EAGAIN;
			break;
		}
		have += (size_t)got;
		b->behind -= (size_t)got;
	}
	b->end = b->start + have;
	return b->failed != 0 ? -1 : 0;
}

int64_t
fmt_bytes_place(const struct fmt_bytes *b)
{
	off_t read_to = b->buffer != NULL ? lseek(b->fd, 0, SEEK_CUR) : -1;
	return read_to < 0 ? -1 : (int64_t)read_to - (b->end - b->at);
}

int
fmt_bytes_skip(struct fmt_bytes *b, size_t length)
{
	size_t have = (size_t)(b->end - b->at);
	if (b->wanted == 0 && length > have && length <= fmt_bytes_left(b)) {
		if (lseek(b->fd, (off_t)(length - have), SEEK_CUR) < 0) {
			b->failed = -errno;
			b->wanted = length;
			return -1;
		}
		b->before += (size_t)(b->end - b->start) + (length - have);
		b->behind -= length - have;
		b->start = b->at = b->end = b->buffer;
		return 0;
	}
	return fmt_bytes_take(b, length) == NULL ? -1 : 0;
}

const uint8_t *
fmt_bytes_take_some(struct fmt_bytes *b, size_t size, uint32_t most, uint32_t *count)
{
	size_t whole = (size_t)(b->end - b->at) / size;
	if (whole == 0) {
		size_t next = fmt_bytes_left(b) < size ? fmt_bytes_left(b) : size;
		if (b->behind == 0 || fmt_bytes_fetch(b, next) < 0)
			return NULL;
		whole = (size_t)(b->end - b->at) / size;
	}
	*count = whole < most ? (uint32_t)whole : most;
	return fmt_bytes_take(b, *count * size);
}

uint8_t
fmt_bytes_u8(struct fmt_bytes *b)
{
	const uint8_t *p = fmt_bytes_take(b, 1);
	return p == NULL ? 0 : *p;
}

uint16_t
fmt_bytes_u16(struct fmt_bytes *b)
{
	const uint8_t *p = fmt_bytes_take(b, 2);
	return p == NULL ? 0 : fmt_bytes_peek_u16(p);
}

uint32_t
fmt_bytes_u32(struct fmt_bytes *b)
{
	const uint8_t *p = fmt_bytes_take(b, 4);
	return p == NULL ? 0 : fmt_bytes_peek_u32(p);
}

int32_t
fmt_bytes_i32(struct fmt_bytes *b)
{
	return (int32_t)fmt_bytes_u32(b);
}

float
fmt_bytes_f32(struct fmt_bytes *b)
{
	const uint8_t *p = fmt_bytes_take(b, 4);
	return p == NULL ? 0 : fmt_bytes_peek_f32(p);
}

void
fmt_bytes_floats(struct fmt_bytes *b, float *values, size_t count)
{
	for (size_t i = 0; i < count; i++)
		values[i] = fmt_bytes_f32(b);
}

int
fmt_bytes_check(const struct fmt_bytes *b, const char *what, struct fmt_err *err)
{
	if (b->failed != 0)
		return fmt_err_set(err, b->failed, "cannot be read behind byte %zu (%s)",
			fmt_bytes_offset(b),
			b->failed == -EAGAIN ? "the file has become shorter"
					     : strerror(-b->failed));
	if (b->wanted == 0)
		return 0;
	return fmt_err_set(err, -EBADMSG,
		"the file ends inside %s: %zu bytes wanted at byte %zu, %zu are left",
		what, b->wanted, fmt_bytes_offset(b), fmt_bytes_left(b));
}

int
fmt_bytes_finite(const float *values, size_t count, size_t at, const char *what,
	struct fmt_err *err)
{
	for (size_t i = 0; i < count; i++) {
		if (isfinite(values[i]))
			continue;
		return fmt_err_set(err, -EBADMSG,
			"%s: a finite number was expected at byte %zu, %s was found",
			what, at - (count - i) * sizeof(float),
			isnan(values[i]) ? "NaN" : "infinity");
	}
	return 0;
}
