/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/serve/control_client.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* What a client may leave unread before it is given up; how much of that is looked at
 * together with what the others leave, and what all may. */
#define MOST_PENDING	      (8u << 20)
#define MUCH_PENDING	      (1u << 20)
#define MOST_PENDING_TOGETHER (64u << 20)
/* A client that reads as fast as we write has so much in one turn of the loop. */
#define WRITTEN_AT_ONCE (256u << 10)

struct kd_control_request {
	struct kd_control_client *client;
	uint32_t serial;
	void *data;
};

void
kd_control_client_drop(struct kd_control_client *client)
{
	struct kd_control *control = client->control;
	struct kd_control_request *request = client->request;
	ev_io_stop(control->loop, &client->io);
	if (request != NULL) {
		client->request = NULL;
		if (control->handler.gone != NULL)
			control->handler.gone(control->handler.context, request);
		free(request);
	}
	*client->link = client->next;
	if (client->next != NULL)
		client->next->link = client->link;
	/* A kilnd that nobody asks sleeps. */
	if (--control->client_count == 0)
		ev_timer_stop(control->loop, &control->sweep);
	kd_wire_free(client->wire);
	free(client->peer.groups);
	free(client);
}

/* Leaves the dropping to the client's watcher, in this turn of the loop. */
static void
client_break(struct kd_control_client *client)
{
	client->broken = 1;
	ev_feed_event(client->control->loop, &client->io, EV_READ);
}

static void
client_want(struct kd_control_client *client, int events)
{
	if (client->io.events == events)
		return;
	ev_io_stop(client->control->loop, &client->io);
	ev_io_set(&client->io, kd_wire_fd(client->wire), events);
	ev_io_start(client->control->loop, &client->io);
}

/* Many who let much lie unread are too much together: the one with the most goes. */
static void
relieve(struct kd_control *control)
{
	struct kd_control_client *worst = NULL;
	size_t sum = 0, most = 0;
	for (struct kd_control_client *c = control->clients; c != NULL; c = c->next) {
		size_t pending = c->broken ? 0 : kd_wire_pending(c->wire);
		sum += pending;
		if (pending > most) {
			most = pending;
			worst = c;
		}
	}
	if (sum > MOST_PENDING_TOGETHER)
		client_break(worst);
}

/* Queues a message, to be written when the loop finds the socket ready. */
static int
client_put(struct kd_control_client *client, uint16_t type, uint32_t serial,
	const json_t *body, int fd)
{
	if (client->broken)
		return 0;
	if (kd_wire_pending(client->wire) == 0)
		client->stalled_since = ev_now(client->control->loop);
	int rc = kd_wire_put(client->wire, type, serial, body, &fd, fd >= 0);
	if (rc == -EMSGSIZE)
		return rc;
	if (rc == 0 && kd_wire_pending(client->wire) > MOST_PENDING) {
		/* A long answer to a client that does read: hand on what the socket
		 * takes. */
		rc = kd_wire_flush(client->wire);
		if (rc == 1 && kd_wire_pending(client->wire) > MOST_PENDING)
			rc = -ENOBUFS;
	}
	if (rc == 0 && kd_wire_pending(client->wire) > MUCH_PENDING)
		relieve(client->control);
	if (rc < 0)
		client_break(client);
	else
		client_want(client, EV_READ | EV_WRITE);
	return 0;
}

static void
request_finish(struct kd_control_request *request, const json_t *body)
{
	struct kd_control_client *client = request->client;
	if (body == NULL) {
		client_break(client);
	} else if (client_put(client, KD_CTL_END, request->serial, body, -1) ==
		   -EMSGSIZE) {
		json_t *sorry = json_pack("{s:b,s:s}", "ok", 0, "error",
			"the answer is longer than a message may be");
		if (sorry == NULL ||
			client_put(client, KD_CTL_END, request->serial, sorry, -1) < 0)
			client_break(client);
		json_decref(sorry);
	}
	client->request = NULL;
	client->idle_since = client->stalled_since = ev_now(client->control->loop);
	free(request);
}

void
kd_control_hand(struct kd_control_request *request, json_t *body, int fd)
{
	if (body == NULL ||
		client_put(request->client, KD_CTL_EVENT, request->serial, body, fd) < 0)
		client_break(request->client);
	json_decref(body);
}

void
kd_control_event(struct kd_control_request *request, json_t *body)
{
	kd_control_hand(request, body, -1);
}

void
kd_control_end(struct kd_control_request *request, json_t *data)
{
	json_t *body = json_pack(
		"{s:b,s:o}", "ok", 1, "data", data != NULL ? data : json_object());
	request_finish(request, body);
	json_decref(body);
}

void
kd_control_refuse(struct kd_control_request *request, const char *format, ...)
{
	char text[1024];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	json_t *body = json_pack("{s:b,s:s}", "ok", 0, "error", text);
	if (body == NULL) /* a text cut within a character is no UTF-8 */
		body = json_pack("{s:b,s:s}", "ok", 0, "error", "refused");
	request_finish(request, body);
	json_decref(body);
}

const struct kd_control_peer *
kd_control_peer(const struct kd_control_request *request)
{
	return &request->client->peer;
}

void
kd_control_set_data(struct kd_control_request *request, void *data)
{
	request->data = data;
}

void *
kd_control_data(const struct kd_control_request *request)
{
	return request->data;
}

static int
client_request(struct kd_control_client *client, const struct kd_wire_message *message)
{
	/* One request at a time. */
	if (message->type != KD_CTL_REQUEST || client->request != NULL)
		return -EPROTO;
	json_t *body = kd_wire_json(message);
	const char *command = json_string_value(json_object_get(body, "command"));
	const json_t *arguments = json_object_get(body, "arguments");
	const json_t *version = json_object_get(body, "version");
	int rc = -EPROTO;
	if (command == NULL || !json_is_object(arguments) || !json_is_integer(version))
		goto out;
	struct kd_control_request *request = calloc(1, sizeof *request);
	rc = -ENOMEM;
	if (request == NULL)
		goto out;
	rc = 0;
	request->client = client;
	request->serial = message->serial;
	client->request = request;
	if (json_integer_value(version) != 1) {
		kd_control_refuse(request,
			"this kilnd speaks version 1 of the control protocol, not %lld",
			(long long)json_integer_value(version));
		goto out;
	}
	const struct kd_control_handler *handler = &client->control->handler;
	handler->request(handler->context, request, command, arguments);
out:
	json_decref(body);
	return rc;
}

/* Whether it has an answer to take before it is heard again.  Who asks a thousand things at
 * once is served one a turn of the loop, as others are, and not at all while he does not
 * read. */
static int
client_is_answered(const struct kd_control_client *client)
{
	return client->request == NULL && kd_wire_pending(client->wire) > 0;
}

/* What lies in its buffer already. */
static int
client_serve(struct kd_control_client *client)
{
	int rc = 0;
	while (rc == 0 && !client->broken && !client_is_answered(client)) {
		struct kd_wire_message message;
		rc = kd_wire_next(client->wire, &message);
		if (rc <= 0)
			break;
		rc = client_request(client, &message);
		kd_wire_done(&message);
	}
	return rc;
}

static int
client_read(struct kd_control_client *client)
{
	int rc = kd_wire_fill(client->wire);
	return rc < 0 ? rc : client_serve(client);
}

static void
on_client(struct ev_loop *loop, struct ev_io *io, int events)
{
	struct kd_control_client *client = io->data;
	int rc = 0;
	if (!client->broken && (events & EV_READ) != 0 && !client_is_answered(client))
		rc = client_read(client);
	if (rc == 0 && !client->broken && (client->io.events & EV_WRITE) != 0) {
		size_t before = kd_wire_pending(client->wire);
		rc = kd_wire_flush_some(client->wire, WRITTEN_AT_ONCE);
		if (kd_wire_pending(client->wire) < before)
			client->stalled_since = ev_now(loop);
		if (rc == 0) {
			client_want(client, EV_READ);
			rc = client_serve(client);
		}
	}
	if (rc >= 0 && !client->broken && client_is_answered(client))
		client_want(client, EV_WRITE);
	if (rc < 0 || client->broken)
		kd_control_client_drop(client);
}

/* What the kernel knows of the peer; nothing of it is the peer's own word. */
static int
read_peer(int fd, struct kd_control_peer *peer)
{
	struct ucred credentials;
	socklen_t length = sizeof credentials, size = 0;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) < 0)
		return -errno;
	*peer = (struct kd_control_peer){
		.uid = credentials.uid, .gid = credentials.gid, .pid = credentials.pid};
	/* With no room it tells how much it wants. */
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &size) == 0 ||
		errno != ERANGE)
		return 0;
	peer->groups = malloc(size);
	if (peer->groups == NULL ||
		getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, peer->groups, &size) < 0) {
		free(peer->groups);
		peer->groups = NULL;
		return -ENOMEM;
	}
	peer->group_count = size / sizeof peer->groups[0];
	return 0;
}

void
kd_control_client_new(struct kd_control *control, int fd)
{
	struct kd_control_client *client = calloc(1, sizeof *client);
	struct kd_wire *wire = client == NULL ? NULL : kd_wire_new(fd);
	if (wire == NULL) {
		close(fd);
		free(client);
		return;
	}
	if (read_peer(fd, &client->peer) < 0) {
		kd_wire_free(wire);
		free(client);
		return;
	}
	kd_wire_refuse_fds(wire);
	client->control = control;
	client->wire = wire;
	client->idle_since = client->stalled_since = ev_now(control->loop);
	client->next = control->clients;
	client->link = &control->clients;
	if (client->next != NULL)
		client->next->link = &client->next;
	control->clients = client;
	if (control->client_count++ == 0)
		ev_timer_again(control->loop, &control->sweep);
	ev_io_init(&client->io, on_client, fd, EV_READ);
	client->io.data = client;
	ev_io_start(control->loop, &client->io);
}

static unsigned
connections_of(const struct kd_control *control, uid_t uid)
{
	unsigned count = 0;
	for (const struct kd_control_client *c = control->clients; c != NULL; c = c->next)
		count += c->peer.uid == uid;
	return count;
}

struct kd_control_client *
kd_control_client_weakest(const struct kd_control *control)
{
	struct kd_control_client *weakest = NULL;
	unsigned most = 0;
	for (struct kd_control_client *c = control->clients; c != NULL; c = c->next) {
		unsigned count = connections_of(control, c->peer.uid);
		if (count < most ||
			(count == most && c->request != NULL && weakest->request == NULL))
			continue;
		most = count;
		weakest = c;
	}
	return weakest;
}

int
kd_control_client_is_stuck(const struct kd_control_client *client, double now)
{
	double patience = client->control->handler.patience;
	if (kd_wire_pending(client->wire) > 0)
		return now - client->stalled_since > patience;
	return client->request == NULL && now - client->idle_since > patience;
}
