/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control socket's server.  Invariant: a client is freed in its own watcher's
 * callback or by kd_control_free() and nowhere else, so a handler may answer, or find
 * its client gone, at any depth.
 */
#include "daemon/serve/control.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* Each client may hold a wire's buffers, so their number is bounded; sixty-four watchers
 * of one daemon are more than an office has screens. */
enum { MOST_CLIENTS = 64, BACKLOG = 64 };
/* What a client may leave unread before it is given up. */
#define MOST_PENDING (8u << 20)
/* How long accept() rests when there is no descriptor to be had. */
#define ACCEPT_REST 1.0

struct client {
	struct kd_control *control;
	struct client *next, **link;
	struct ev_io io;
	struct kd_wire *wire;
	struct kd_control_peer peer;
	struct kd_control_request *request; /* NULL: none at hand */
	int broken;			    /* to be dropped by its watcher */
};

struct kd_control_request {
	struct client *client;
	uint32_t serial;
	void *data;
};

struct kd_control {
	struct ev_loop *loop;
	struct kd_control_handler handler;
	struct ev_io listener;
	struct ev_timer rest;
	char *path;
	int lock;
	int spare; /* given up to take, and turn away, a client when descriptors are out
		    */
	int bound; /* the path is ours to remove */
	unsigned client_count;
	struct client *clients;
};

static void
client_drop(struct client *client)
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
	control->client_count--;
	kd_wire_free(client->wire);
	free(client);
}

/* Leaves the dropping to the client's watcher, in this turn of the loop. */
static void
client_break(struct client *client)
{
	client->broken = 1;
	ev_feed_event(client->control->loop, &client->io, EV_READ);
}

static void
client_want(struct client *client, int events)
{
	if (client->io.events == events)
		return;
	ev_io_stop(client->control->loop, &client->io);
	ev_io_set(&client->io, kd_wire_fd(client->wire), events);
	ev_io_start(client->control->loop, &client->io);
}

/* Queues a message, to be written when the loop finds the socket ready. */
static int
client_put(struct client *client, uint16_t type, uint32_t serial, const json_t *body)
{
	if (client->broken)
		return 0;
	int rc = kd_wire_put(client->wire, type, serial, body, NULL, 0);
	if (rc == -EMSGSIZE)
		return rc;
	if (rc == 0 && kd_wire_pending(client->wire) > MOST_PENDING) {
		/* A long answer to a client that does read: hand on what the socket
		 * takes. */
		rc = kd_wire_flush(client->wire);
		if (rc == 1 && kd_wire_pending(client->wire) > MOST_PENDING)
			rc = -ENOBUFS;
	}
	if (rc < 0)
		client_break(client);
	else
		client_want(client, EV_READ | EV_WRITE);
	return 0;
}

static void
request_finish(struct kd_control_request *request, const json_t *body)
{
	struct client *client = request->client;
	if (body == NULL) {
		client_break(client);
	} else if (client_put(client, KD_CTL_END, request->serial, body) == -EMSGSIZE) {
		json_t *sorry = json_pack("{s:b,s:s}", "ok", 0, "error",
			"the answer is longer than a message may be");
		if (sorry == NULL ||
			client_put(client, KD_CTL_END, request->serial, sorry) < 0)
			client_break(client);
		json_decref(sorry);
	}
	client->request = NULL;
	free(request);
}

void
kd_control_event(struct kd_control_request *request, json_t *body)
{
	if (body == NULL ||
		client_put(request->client, KD_CTL_EVENT, request->serial, body) < 0)
		client_break(request->client);
	json_decref(body);
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
client_request(struct client *client, const struct kd_wire_message *message)
{
	/* One request at a time, and none brings descriptors. */
	if (message->type != KD_CTL_REQUEST || message->fd_count != 0 ||
		client->request != NULL)
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

static int
client_read(struct client *client)
{
	int rc = kd_wire_fill(client->wire);
	while (rc == 0 && !client->broken) {
		struct kd_wire_message message;
		rc = kd_wire_next(client->wire, &message);
		if (rc <= 0)
			break;
		rc = client_request(client, &message);
		kd_wire_done(&message);
	}
	return rc;
}

static void
on_client(struct ev_loop *loop, struct ev_io *io, int events)
{
	struct client *client = io->data;
	(void)loop;
	int rc = 0;
	if (!client->broken && (events & EV_READ) != 0)
		rc = client_read(client);
	if (rc == 0 && !client->broken && (client->io.events & EV_WRITE) != 0) {
		rc = kd_wire_flush(client->wire);
		if (rc == 0)
			client_want(client, EV_READ);
	}
	if (rc < 0 || client->broken)
		client_drop(client);
}

static void
client_new(struct kd_control *control, int fd)
{
	struct client *client = calloc(1, sizeof *client);
	struct kd_wire *wire = client == NULL ? NULL : kd_wire_new(fd);
	struct ucred credentials;
	socklen_t length = sizeof credentials;
	if (wire == NULL) {
		close(fd);
		free(client);
		return;
	}
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) < 0) {
		kd_wire_free(wire);
		free(client);
		return;
	}
	client->control = control;
	client->wire = wire;
	client->peer = (struct kd_control_peer){
		credentials.uid, credentials.gid, credentials.pid};
	client->next = control->clients;
	client->link = &control->clients;
	if (client->next != NULL)
		client->next->link = &client->next;
	control->clients = client;
	control->client_count++;
	ev_io_init(&client->io, on_client, fd, EV_READ);
	client->io.data = client;
	ev_io_start(control->loop, &client->io);
}

/* One short message into an empty socket buffer: it fits, or the peer is gone. */
static void
turn_away(int fd, const char *why)
{
	struct kd_wire *wire = kd_wire_new(fd);
	if (wire == NULL) {
		close(fd);
		return;
	}
	json_t *body = json_pack("{s:b,s:s}", "ok", 0, "error", why);
	if (body != NULL && kd_wire_put(wire, KD_CTL_END, 0, body, NULL, 0) == 0)
		kd_wire_flush(wire);
	json_decref(body);
	kd_wire_free(wire);
}

static int
accept_one(const struct kd_control *control)
{
	return accept4(control->listener.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

/* Descriptors are out: a listener that stays readable would spin the loop.  The spare one
 * takes the client and says why not; without it the listener rests. */
static void
accept_without_descriptors(struct kd_control *control)
{
	if (control->spare >= 0) {
		close(control->spare);
		int fd = accept_one(control);
		if (fd >= 0)
			turn_away(fd, "kilnd has no file descriptor left");
		control->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
		if (control->spare >= 0)
			return;
	}
	ev_io_stop(control->loop, &control->listener);
	ev_timer_start(control->loop, &control->rest);
}

static void
on_listener(struct ev_loop *loop, struct ev_io *io, int events)
{
	struct kd_control *control = io->data;
	(void)loop, (void)events;
	int fd = accept_one(control);
	if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
			      errno == ENOBUFS))
		accept_without_descriptors(control);
	if (fd < 0)
		return;
	if (control->client_count >= MOST_CLIENTS)
		turn_away(fd, "kilnd serves 64 clients already");
	else
		client_new(control, fd);
}

static void
on_rested(struct ev_loop *loop, struct ev_timer *timer, int events)
{
	struct kd_control *control = timer->data;
	(void)events;
	ev_timer_stop(loop, timer);
	if (control->spare < 0)
		control->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
	ev_io_start(loop, &control->listener);
}

/* Whoever holds the lock owns the path.  It is kept as long as we live and never removed:
 * a lock file that comes and goes can be held twice. */
static int
take_lock(struct kd_control *control, struct kd_err *err)
{
	char name[4096];
	if ((size_t)snprintf(name, sizeof name, "%s.lock", control->path) >= sizeof name)
		return kd_err_set(err, -ENAMETOOLONG, "'%s' is too long", control->path);
	control->lock = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (control->lock < 0)
		return kd_err_errno(err, -errno, "cannot open '%s'", name);
	if (flock(control->lock, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno == EWOULDBLOCK)
		return kd_err_set(err, -EADDRINUSE,
			"another kilnd serves '%s'; stop it, or choose another --state",
			control->path);
	return kd_err_errno(err, -errno, "cannot lock '%s'", name);
}

/* A socket that answers belongs to somebody, whatever the lock says. */
static int
check_stale(const struct kd_control *control, struct kd_err *err)
{
	struct stat st;
	if (lstat(control->path, &st) < 0)
		return errno == ENOENT ? 0
				       : kd_err_errno(err, -errno, "cannot look at '%s'",
						 control->path);
	if (!S_ISSOCK(st.st_mode))
		return kd_err_set(
			err, -EEXIST, "'%s' is there and is no socket", control->path);
	int fd = kd_control_connect(control->path, NULL);
	if (fd < 0)
		return 0;
	close(fd);
	return kd_err_set(err, -EADDRINUSE, "another program serves '%s'", control->path);
}

/* Bound, opened to the group and listening under a name of its own first, so that the
 * path never names a socket that would refuse. */
static int
listen_at(struct kd_control *control, struct kd_err *err)
{
	struct sockaddr_un address;
	char name[4096];
	int dir = -1, rc;
	if ((size_t)snprintf(name, sizeof name, "%s.new", control->path) >= sizeof name)
		return kd_err_set(err, -ENAMETOOLONG, "'%s' is too long", control->path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return kd_err_errno(err, -errno, "cannot make a socket");
	unlink(name);
	rc = kd_control_address(name, &address, &dir);
	if (rc == 0 && (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 ||
			       chmod(name, 0660) < 0 || listen(fd, BACKLOG) < 0 ||
			       rename(name, control->path) < 0))
		rc = -errno;
	if (dir >= 0)
		close(dir);
	if (rc == 0)
		return fd;
	unlink(name);
	close(fd);
	return kd_err_errno(err, rc, "cannot listen on '%s'", control->path);
}

/* A socket from systemd serves as long as its path still stands. */
static int
is_listening(int fd, const char *path)
{
	int listening = 0, domain = 0;
	socklen_t size = sizeof listening, domain_size = sizeof domain;
	struct stat st;
	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) == 0 &&
	       listening &&
	       getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &domain_size) == 0 &&
	       domain == AF_UNIX && lstat(path, &st) == 0 && S_ISSOCK(st.st_mode);
}

static int
open_listener(struct kd_control *control, int fd, struct kd_err *err)
{
	int rc = take_lock(control, err);
	if (rc < 0)
		return rc;
	if (fd >= 0 && is_listening(fd, control->path)) {
		int flags = fcntl(fd, F_GETFL);
		if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
			fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
			return kd_err_errno(err, -errno, "cannot use the kept socket");
		return fd;
	}
	rc = check_stale(control, err);
	return rc < 0 ? rc : listen_at(control, err);
}

int
kd_control_new(struct ev_loop *loop, const char *path, int fd,
	const struct kd_control_handler *handler, struct kd_control **control,
	struct kd_err *err)
{
	int rc = -ENOMEM;
	struct kd_control *made = calloc(1, sizeof *made);
	if (made == NULL)
		goto fail;
	made->loop = loop;
	made->handler = *handler;
	made->lock = made->spare = -1;
	ev_io_init(&made->listener, on_listener, -1, EV_READ);
	ev_timer_init(&made->rest, on_rested, ACCEPT_REST, 0.);
	made->listener.data = made->rest.data = made;
	made->path = strdup(path);
	if (made->path == NULL)
		goto fail;
	rc = open_listener(made, fd, err);
	if (rc < 0)
		goto fail;
	if (fd >= 0 && rc != fd)
		close(fd);
	made->bound = 1;
	ev_io_set(&made->listener, rc, EV_READ);
	made->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
	ev_io_start(loop, &made->listener);
	*control = made;
	return 0;
fail:
	if (rc == -ENOMEM)
		kd_err_set(err, rc, "out of memory");
	kd_control_free(made);
	return rc;
}

void
kd_control_free(struct kd_control *control)
{
	if (control == NULL)
		return;
	while (control->clients != NULL)
		client_drop(control->clients);
	ev_io_stop(control->loop, &control->listener);
	ev_timer_stop(control->loop, &control->rest);
	if (control->bound)
		unlink(control->path);
	if (control->listener.fd >= 0)
		close(control->listener.fd);
	if (control->spare >= 0)
		close(control->spare);
	if (control->lock >= 0)
		close(control->lock);
	free(control->path);
	free(control);
}

int
kd_control_fd(const struct kd_control *control)
{
	return control->listener.fd;
}
