/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/worker/link.h"

#include "daemon/base/log.h"
#include "daemon/worker/protocol.h"

#include <errno.h>
#include <poll.h>

int
kd_link_tell(struct kd_link *link, uint16_t type, json_t *body, int fd)
{
	int rc = 0;
	if (link->wire != NULL)
		rc = kd_wire_put(link->wire, type, 0, body, &fd, fd >= 0);
	json_decref(body);
	if (rc == 0 && link->wire != NULL)
		rc = kd_wire_flush(link->wire);
	return rc < 0 ? rc : 0;
}

void
kd_link_log(struct kd_link *link, int level, const char *text)
{
	if (link->wire == NULL)
		kd_log((enum kd_log_level)level, "%s", text);
	else
		kd_link_tell(link, KD_MSG_KEEPER_LOG,
			json_pack("{siss}", "level", level, "text", text), -1);
}

int
kd_link_flush(struct kd_link *link)
{
	int rc = 0;
	while (link->wire != NULL && (rc = kd_wire_flush(link->wire)) == 1) {
		struct pollfd room = {.fd = kd_wire_fd(link->wire), .events = POLLOUT};
		if (poll(&room, 1, -1) < 0 && errno != EINTR)
			return -errno;
	}
	return rc;
}

/* Takes all whole messages of the client's: how many, or a negative errno. */
static int
take_messages(struct kd_link *link)
{
	struct kd_wire_message message;
	int count = 0, rc;
	while ((rc = kd_wire_next(link->wire, &message)) == 1) {
		if (message.type == KD_MSG_CANCEL) {
			link->cancelled = 1;
		} else if (message.type == KD_MSG_VERDICT && link->verdict != NULL) {
			json_t *body = kd_wire_json(&message);
			rc = link->verdict(link->context, body);
			json_decref(body);
		} else {
			rc = -EPROTO;
		}
		kd_wire_done(&message);
		if (rc < 0)
			return rc;
		count++;
		rc = kd_wire_fill(link->wire);
		if (rc < 0 && rc != -EPIPE)
			return rc;
	}
	return rc < 0 ? rc : count;
}

static int
read_client(struct kd_link *link)
{
	int filled = kd_wire_fill(link->wire);
	int rc = take_messages(link);
	return rc < 0 ? rc : filled < 0 ? filled : rc;
}

int
kd_link_wait(struct kd_link *link, struct kd_wire *other, int timeout)
{
	struct pollfd polled[3] = {{.fd = -1}, {.fd = -1}, {.fd = -1}};
	int rc = link->wire == NULL ? 0 : take_messages(link);
	if (rc != 0)
		return rc < 0 ? rc : 1;
	if (link->wire != NULL) {
		polled[0].fd = kd_wire_fd(link->wire);
		polled[0].events =
			POLLIN | (kd_wire_pending(link->wire) > 0 ? POLLOUT : 0);
	}
	if (other != NULL) {
		polled[1].fd = kd_wire_fd(other);
		polled[1].events = POLLIN | (kd_wire_pending(other) > 0 ? POLLOUT : 0);
	}
	if (link->aside != NULL)
		polled[2] = (struct pollfd){kd_aside_fd(link->aside), POLLIN, 0};
	int count = poll(polled, 3, timeout);
	if (count <= 0)
		return count < 0 && errno != EINTR ? -errno : 0;
	if ((polled[0].revents & POLLOUT) != 0 && (rc = kd_wire_flush(link->wire)) < 0)
		return rc;
	if ((polled[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0 &&
		(rc = read_client(link)) < 0)
		return rc;
	/* What is wrong with `other` shows when its owner reads it. */
	if ((polled[1].revents & POLLOUT) != 0)
		kd_wire_flush(other);
	return 1;
}
