/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wire.h - framed messages with descriptors over a connected AF_UNIX stream socket: the
 * link between kilnd and keeper, keeper and engine, kilnctl and kilnd.
 *
 * A frame is a 16-byte header {u32 magic, u16 type, u16 descriptors, u32 serial, u32
 * length}, little-endian, then length bytes of body (JSON, or nothing).  A body is at
 * most KD_WIRE_BODY bytes and brings at most KD_WIRE_FDS descriptors, which travel with
 * the header's first byte.  A peer that breaks any of this gets -EPROTO and nothing more.
 *
 * A wire may be used blocking (engine, kilnctl) or non-blocking below an event loop; it
 * belongs to one thread at a time.
 */
#ifndef KD_WIRE_H
#define KD_WIRE_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#define KD_WIRE_MAGIC 0x314e4c4bu /* "KLN1" */
#define KD_WIRE_BODY  (1u << 20)
#define KD_WIRE_FDS   4

struct kd_wire;

struct kd_wire_message {
	uint16_t type;
	uint16_t fd_count;
	uint32_t serial;
	uint32_t length;
	int fds[KD_WIRE_FDS]; /* the receiver's; kd_wire_done() closes those not set to -1
			       */
	char *body;	      /* NUL behind it; valid until kd_wire_done() */
};

/* Takes fd; NULL with errno when memory is out. */
struct kd_wire *kd_wire_new(int fd);
void kd_wire_free(struct kd_wire *wire); /* closes fd and descriptors not fetched */
int kd_wire_fd(const struct kd_wire *wire);
/* Descriptors that the peer sends are not received: to close one of a file system that
 * does not answer would hold us.  A frame that announces some is -EPROTO. */
void kd_wire_refuse_fds(struct kd_wire *wire);

/* Puts a message into the outgoing queue; descriptors are duplicated, the caller keeps
 * its own.  -EMSGSIZE, -ENOMEM. json may be NULL (no body); it is borrowed. */
int kd_wire_put(struct kd_wire *wire, uint16_t type, uint32_t serial, const json_t *body,
	const int *fds, unsigned fd_count);
/* Writes what it can without blocking: 0 all gone, 1 some left (wait for EV_WRITE),
 * negative errno: the peer is gone. */
int kd_wire_flush(struct kd_wire *wire);
/* The same, but ends with 1 when so many bytes or somewhat more have gone. */
int kd_wire_flush_some(struct kd_wire *wire, size_t most);
/* Bytes that wait to be written; for limits on slow readers. */
size_t kd_wire_pending(const struct kd_wire *wire);

/* Reads what is there without blocking.  0; -EPIPE at the end of the stream, -EPROTO. */
int kd_wire_fill(struct kd_wire *wire);
/* The next whole message: 1 and *message, 0 none yet, -EPROTO. */
int kd_wire_next(struct kd_wire *wire, struct kd_wire_message *message);
void kd_wire_done(struct kd_wire_message *message);

/* Blocking pairs: put and flush all; wait for one message (timeout in ms, -1 none;
 * -ETIMEDOUT). */
int kd_wire_send(struct kd_wire *wire, uint16_t type, uint32_t serial, const json_t *body,
	const int *fds, unsigned fd_count);
int kd_wire_receive(struct kd_wire *wire, int timeout, struct kd_wire_message *message);

/* The body as a JSON object, or NULL when it is none (the caller decrefs). */
json_t *kd_wire_json(const struct kd_wire_message *message);

#endif
