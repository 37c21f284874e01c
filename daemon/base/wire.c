/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames over a stream socket.  Invariant: descriptors arrive in the order of the frames
 * that announce them, so one queue of descriptors beside one buffer of bytes is enough.
 */
#include "daemon/base/wire.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { HEADER = 16, QUEUED_FDS = 4 * KD_WIRE_FDS };

struct header {
	uint32_t magic;
	uint16_t type, fd_count;
	uint32_t serial, length;
};
_Static_assert(sizeof(struct header) == HEADER, "the frame header is 16 bytes");

struct outgoing {
	struct outgoing *next;
	size_t length, sent;
	unsigned fd_count;
	int fds[KD_WIRE_FDS];
	char bytes[];
};

struct kd_wire {
	int fd;
	struct outgoing *first, **last;
	size_t pending;
	char *in;
	size_t in_start, in_end, in_room;
	int fds[QUEUED_FDS];
	unsigned fd_count;
	int ended; /* the peer closed; what is in the buffer still counts */
	int refuses_fds;
};

struct kd_wire *
kd_wire_new(int fd)
{
	struct kd_wire *wire = calloc(1, sizeof *wire);
	if (wire == NULL)
		return NULL;
	wire->fd = fd;
	wire->last = &wire->first;
	return wire;
}

static void
outgoing_free(struct outgoing *out)
{
	for (unsigned i = 0; i < out->fd_count; i++)
		close(out->fds[i]);
	free(out);
}

void
kd_wire_free(struct kd_wire *wire)
{
	if (wire == NULL)
		return;
	while (wire->first != NULL) {
		struct outgoing *next = wire->first->next;
		outgoing_free(wire->first);
		wire->first = next;
	}
	for (unsigned i = 0; i < wire->fd_count; i++)
		close(wire->fds[i]);
	free(wire->in);
	close(wire->fd);
	free(wire);
}

int
kd_wire_fd(const struct kd_wire *wire)
{
	return wire->fd;
}

void
kd_wire_refuse_fds(struct kd_wire *wire)
{
	wire->refuses_fds = 1;
}

size_t
kd_wire_pending(const struct kd_wire *wire)
{
	return wire->pending;
}

static int
duplicate_fds(struct outgoing *out, const int *fds, unsigned fd_count)
{
	for (; out->fd_count < fd_count; out->fd_count++) {
		int copy = fcntl(fds[out->fd_count], F_DUPFD_CLOEXEC, 3);
		if (copy < 0)
			return -errno;
		out->fds[out->fd_count] = copy;
	}
	return 0;
}

int
kd_wire_put(struct kd_wire *wire, uint16_t type, uint32_t serial, const json_t *body,
	const int *fds, unsigned fd_count)
{
	size_t length = 0;
	if (body != NULL) {
		length = json_dumpb(body, NULL, 0, JSON_COMPACT);
		if (length == 0)
			return -EINVAL;
	}
	if (length > KD_WIRE_BODY || fd_count > KD_WIRE_FDS)
		return -EMSGSIZE;
	struct outgoing *out = calloc(1, sizeof *out + HEADER + length);
	if (out == NULL)
		return -ENOMEM;
	int rc = duplicate_fds(out, fds, fd_count);
	if (rc < 0) {
		outgoing_free(out);
		return rc;
	}
	struct header header = {
		.magic = htole32(KD_WIRE_MAGIC),
		.type = htole16(type),
		.fd_count = htole16((uint16_t)fd_count),
		.serial = htole32(serial),
		.length = htole32((uint32_t)length),
	};
	memcpy(out->bytes, &header, HEADER);
	if (body != NULL)
		json_dumpb(body, out->bytes + HEADER, length, JSON_COMPACT);
	out->length = HEADER + length;
	*wire->last = out;
	wire->last = &out->next;
	wire->pending += out->length;
	return 0;
}

/* As many messages as one call takes: the first with its descriptors, others only if they
 * have none. */
static ssize_t
send_some(int fd, const struct outgoing *first)
{
	enum { TOGETHER = 32 };
	struct iovec parts[TOGETHER];
	union {
		char bytes[CMSG_SPACE(sizeof(int) * KD_WIRE_FDS)];
		struct cmsghdr align;
	} control;
	struct msghdr message = {.msg_iov = parts};
	for (const struct outgoing *out = first;
		out != NULL && message.msg_iovlen < TOGETHER &&
		(out == first || out->fd_count == 0);
		out = out->next)
		parts[message.msg_iovlen++] = (struct iovec){
			(char *)out->bytes + out->sent, out->length - out->sent};
	if (first->sent == 0 && first->fd_count > 0) {
		size_t size = sizeof(int) * first->fd_count;
		memset(&control, 0, sizeof control);
		message.msg_control = control.bytes;
		message.msg_controllen = CMSG_SPACE(size);
		struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
		rights->cmsg_level = SOL_SOCKET;
		rights->cmsg_type = SCM_RIGHTS;
		rights->cmsg_len = CMSG_LEN(size);
		memcpy(CMSG_DATA(rights), first->fds, size);
	}
	return sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* That many bytes of the queue are gone. */
static void
drop_sent(struct kd_wire *wire, size_t sent)
{
	wire->pending -= sent;
	while (wire->first != NULL) {
		struct outgoing *out = wire->first;
		size_t left = out->length - out->sent, gone = sent < left ? sent : left;
		out->sent += gone;
		sent -= gone;
		if (out->sent < out->length)
			return;
		wire->first = out->next;
		if (wire->first == NULL)
			wire->last = &wire->first;
		outgoing_free(out);
	}
}

int
kd_wire_flush(struct kd_wire *wire)
{
	return kd_wire_flush_some(wire, SIZE_MAX);
}

int
kd_wire_flush_some(struct kd_wire *wire, size_t most)
{
	size_t gone = 0;
	while (wire->first != NULL) {
		if (gone >= most)
			return 1;
		ssize_t sent = send_some(wire->fd, wire->first);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return 1;
		if (sent < 0)
			return -errno;
		drop_sent(wire, (size_t)sent);
		gone += (size_t)sent;
	}
	return 0;
}

/* Room for one more read behind in_end, without growing past one whole frame. */
static int
make_room(struct kd_wire *wire)
{
	enum { STEP = 16384 };
	if (wire->in_start > 0) {
		memmove(wire->in, wire->in + wire->in_start,
			wire->in_end - wire->in_start);
		wire->in_end -= wire->in_start;
		wire->in_start = 0;
	}
	if (wire->in_room - wire->in_end >= STEP)
		return 0;
	size_t room = wire->in_room == 0 ? STEP : wire->in_room * 2;
	if (room > HEADER + KD_WIRE_BODY + 2 * STEP)
		room = HEADER + KD_WIRE_BODY + 2 * STEP;
	if (room <= wire->in_end)
		return -EPROTO;
	char *in = realloc(wire->in, room);
	if (in == NULL)
		return -ENOMEM;
	wire->in = in;
	wire->in_room = room;
	return 0;
}

static int
take_fds(struct kd_wire *wire, struct msghdr *message)
{
	int rc = (message->msg_flags & MSG_CTRUNC) != 0 ? -EPROTO : 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL;
		c = CMSG_NXTHDR(message, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < count; i++) {
			int fd;
			memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
			if (wire->fd_count < QUEUED_FDS) {
				wire->fds[wire->fd_count++] = fd;
			} else {
				close(fd);
				rc = -EPROTO;
			}
		}
	}
	return rc;
}

/* Whether a whole frame lies in the buffer already; then reading can wait. */
static int
have_frame(const struct kd_wire *wire)
{
	size_t have = wire->in_end - wire->in_start;
	if (have < HEADER)
		return 0;
	struct header header;
	memcpy(&header, wire->in + wire->in_start, HEADER);
	return le32toh(header.magic) != KD_WIRE_MAGIC ||
	       le32toh(header.length) > KD_WIRE_BODY ||
	       have - HEADER >= le32toh(header.length);
}

/* flags: MSG_DONTWAIT, or 0 to wait until a frame is whole, where the socket does. */
static int
fill(struct kd_wire *wire, int flags)
{
	while (!have_frame(wire)) {
		int rc = make_room(wire);
		if (rc < 0)
			return rc;
		union {
			char bytes[CMSG_SPACE(sizeof(int) * KD_WIRE_FDS)];
			struct cmsghdr align;
		} control;
		struct iovec part = {
			wire->in + wire->in_end, wire->in_room - wire->in_end};
		struct msghdr message = {
			.msg_iov = &part,
			.msg_iovlen = 1,
			.msg_control = wire->refuses_fds ? NULL : control.bytes,
			.msg_controllen = wire->refuses_fds ? 0 : sizeof control.bytes,
		};
		ssize_t got = recvmsg(wire->fd, &message, MSG_CMSG_CLOEXEC | flags);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -errno;
		if (got == 0) {
			wire->ended = 1;
			return -EPIPE;
		}
		rc = take_fds(wire, &message);
		if (rc < 0)
			return rc;
		wire->in_end += (size_t)got;
	}
	return 0;
}

int
kd_wire_fill(struct kd_wire *wire)
{
	return fill(wire, MSG_DONTWAIT);
}

int
kd_wire_next(struct kd_wire *wire, struct kd_wire_message *message)
{
	size_t have = wire->in_end - wire->in_start;
	if (have < HEADER)
		return 0;
	struct header header;
	memcpy(&header, wire->in + wire->in_start, HEADER);
	uint32_t length = le32toh(header.length);
	unsigned fd_count = le16toh(header.fd_count);
	if (le32toh(header.magic) != KD_WIRE_MAGIC || length > KD_WIRE_BODY ||
		fd_count > KD_WIRE_FDS)
		return -EPROTO;
	if (have - HEADER < length)
		return 0;
	if (fd_count > wire->fd_count)
		return -EPROTO;
	char *body = malloc((size_t)length + 1);
	if (body == NULL)
		return -ENOMEM;
	memcpy(body, wire->in + wire->in_start + HEADER, length);
	body[length] = '\0';
	*message = (struct kd_wire_message){
		.type = le16toh(header.type),
		.fd_count = (uint16_t)fd_count,
		.serial = le32toh(header.serial),
		.length = length,
		.body = body,
	};
	for (unsigned i = 0; i < KD_WIRE_FDS; i++)
		message->fds[i] = i < fd_count ? wire->fds[i] : -1;
	wire->fd_count -= fd_count;
	memmove(wire->fds, wire->fds + fd_count, wire->fd_count * sizeof wire->fds[0]);
	wire->in_start += HEADER + length;
	return 1;
}

void
kd_wire_done(struct kd_wire_message *message)
{
	for (unsigned i = 0; i < message->fd_count; i++)
		if (message->fds[i] >= 0)
			close(message->fds[i]);
	free(message->body);
	*message = (struct kd_wire_message){0};
}

int
kd_wire_send(struct kd_wire *wire, uint16_t type, uint32_t serial, const json_t *body,
	const int *fds, unsigned fd_count)
{
	int rc = kd_wire_put(wire, type, serial, body, fds, fd_count);
	if (rc < 0)
		return rc;
	while ((rc = kd_wire_flush(wire)) == 1) {
		struct pollfd ready = {.fd = wire->fd, .events = POLLOUT};
		if (poll(&ready, 1, -1) < 0 && errno != EINTR)
			return -errno;
	}
	return rc;
}

static int64_t
now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int
kd_wire_receive(struct kd_wire *wire, int timeout, struct kd_wire_message *message)
{
	int64_t deadline = timeout < 0 ? 0 : now_ms() + timeout;
	for (;;) {
		int rc = kd_wire_next(wire, message);
		if (rc != 0)
			return rc < 0 ? rc : 0;
		rc = wire->ended ? -EPIPE : fill(wire, timeout < 0 ? 0 : MSG_DONTWAIT);
		if (rc < 0)
			return rc;
		if (have_frame(wire))
			continue;
		int64_t left = timeout < 0 ? -1 : deadline - now_ms();
		if (timeout >= 0 && left <= 0)
			return -ETIMEDOUT;
		struct pollfd ready = {.fd = wire->fd, .events = POLLIN};
		if (poll(&ready, 1, (int)left) < 0 && errno != EINTR)
			return -errno;
	}
}

json_t *
kd_wire_json(const struct kd_wire_message *message)
{
	json_t *json =
		json_loadb(message->body, message->length, JSON_REJECT_DUPLICATES, NULL);
	if (json != NULL && !json_is_object(json)) {
		json_decref(json);
		return NULL;
	}
	return json;
}
