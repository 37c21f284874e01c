/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control socket: its path, its lock, who gets in.
 */
#include "daemon/serve/control_client.h"

#include <errno.h>
#include <fcntl.h>
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
/* How long accept() rests when there is no descriptor to be had. */
#define ACCEPT_REST 1.0
/* How long a client may take to ask, or to read on, unless the handler says otherwise. */
#define PATIENCE 30.0

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
	/* Whoever holds the most connections gives one up, so that nobody can keep others
	 * out. */
	if (control->client_count >= MOST_CLIENTS)
		kd_control_client_drop(kd_control_client_weakest(control));
	kd_control_client_new(control, fd);
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

static void
on_sweep(struct ev_loop *loop, struct ev_timer *timer, int events)
{
	(void)events;
	struct kd_control *control = timer->data;
	for (struct kd_control_client *c = control->clients, *next; c != NULL; c = next) {
		next = c->next;
		if (kd_control_client_is_stuck(c, ev_now(loop)))
			kd_control_client_drop(c);
	}
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
	if (made->handler.patience <= 0)
		made->handler.patience = PATIENCE;
	ev_timer_init(&made->sweep, on_sweep, made->handler.patience / 4,
		made->handler.patience / 4);
	made->listener.data = made->rest.data = made->sweep.data = made;
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
		kd_control_client_drop(control->clients);
	ev_io_stop(control->loop, &control->listener);
	ev_timer_stop(control->loop, &control->rest);
	ev_timer_stop(control->loop, &control->sweep);
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
