/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/intake/inotify.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Changed content shows when the file is looked at again; only its arrival, the end of
 * its writing, and the life of folders need events. */
#define MASK                                                                             \
	(IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE |          \
		IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR | IN_EXCL_UNLINK)

#define ABOVE (IN_DELETE_SELF | IN_MOVE_SELF)

/* One subscriber's view of one watched folder. */
struct view {
	struct view *next;
	struct kd_inotify_subscriber *subscriber;
	char *path; /* below the root; absolute: a folder above it */
};

struct watch {
	int wd;
	struct view *views;
	struct watch *next_empty; /* while a sweep collects them */
};

struct kd_inotify {
	struct ev_loop *loop;
	ev_io readable;
	void *watches; /* tsearch(3) by wd */
	struct kd_inotify_subscriber *subscribers;
	ev_io mounts; /* an epoll that watches the table of mounts */
	int table;
	uint64_t delivered; /* bytes of events */
	uint64_t overflows, turns;
	int starved; /* of memory, while it delivered */
};

static int
compare(const void *a, const void *b)
{
	int x = ((const struct watch *)a)->wd, y = ((const struct watch *)b)->wd;
	return x < y ? -1 : x > y;
}

static struct watch *
find(const struct kd_inotify *inotify, int wd)
{
	struct watch key = {.wd = wd};
	struct watch **found = tfind(&key, (void *const *)&inotify->watches, compare);
	return found == NULL ? NULL : *found;
}

static void
view_free(struct view *view)
{
	free(view->path);
	free(view);
}

static void
watch_free(void *node)
{
	struct watch *watch = node;
	while (watch->views != NULL) {
		struct view *next = watch->views->next;
		view_free(watch->views);
		watch->views = next;
	}
	free(watch);
}

static void
overflow(struct kd_inotify *inotify)
{
	inotify->overflows++;
	for (struct kd_inotify_subscriber *s = inotify->subscribers; s != NULL;
		s = s->next)
		s->overflow(s);
}

/* A callback may add or remove watches, this very one too; so the views are copied. */
static void
deliver(struct kd_inotify *inotify, const struct inotify_event *event)
{
	struct watch *watch = find(inotify, event->wd);
	if (watch == NULL)
		return;
	struct view *copies = NULL;
	for (const struct view *v = watch->views; v != NULL; v = v->next) {
		struct view *copy = malloc(sizeof *copy);
		char *path = strdup(v->path);
		if (copy == NULL || path == NULL) {
			free(copy);
			free(path);
			inotify->starved = 1;
			continue;
		}
		*copy = (struct view){copies, v->subscriber, path};
		copies = copy;
	}
	if ((event->mask & IN_IGNORED) != 0) {
		tdelete(watch, &inotify->watches, compare);
		watch_free(watch);
	}
	while (copies != NULL) {
		struct view *v = copies;
		copies = v->next;
		const char *name = event->len > 0 ? event->name : "";
		if (v->path[0] != '/')
			v->subscriber->event(v->subscriber, v->path, name, event->mask);
		else if ((event->mask & ABOVE) != 0)
			v->subscriber->moved(v->subscriber);
		view_free(v);
	}
}

int
kd_inotify_deliver(struct kd_inotify *inotify)
{
	_Alignas(struct inotify_event) char
		buffer[16 * (sizeof(struct inotify_event) + NAME_MAX + 1)];
	ssize_t got = read(inotify->readable.fd, buffer, sizeof buffer);
	inotify->delivered += got > 0 ? (uint64_t)got : 0;
	for (char *at = buffer; got > 0 && at < buffer + got;) {
		const struct inotify_event *event = (const struct inotify_event *)at;
		at += sizeof *event + event->len;
		if ((event->mask & IN_Q_OVERFLOW) != 0)
			overflow(inotify);
		else
			deliver(inotify, event);
	}
	/* An event that no memory was left for is a lost one. */
	if (inotify->starved) {
		inotify->starved = 0;
		overflow(inotify);
	}
	return got > 0;
}

void
kd_inotify_drain(struct kd_inotify *inotify)
{
	uint64_t horizon = kd_inotify_horizon(inotify);
	while (inotify->delivered < horizon && kd_inotify_deliver(inotify))
		;
}

uint64_t
kd_inotify_horizon(const struct kd_inotify *inotify)
{
	int queued = 0;
	if (inotify->readable.fd >= 0)
		ioctl(inotify->readable.fd, FIONREAD, &queued);
	return inotify->delivered + (uint64_t)queued;
}

uint64_t
kd_inotify_delivered(const struct kd_inotify *inotify)
{
	return inotify->delivered;
}

/* The table of mounts changed.  The loop's own asking may have taken note of it already,
 * so that there is nothing left to be told. */
static void
mounted(struct ev_loop *loop, ev_io *io, int events)
{
	(void)loop;
	(void)events;
	struct kd_inotify *inotify = io->data;
	struct epoll_event event;
	epoll_wait(io->fd, &event, 1, 0);
	for (struct kd_inotify_subscriber *s = inotify->subscribers; s != NULL;
		s = s->next)
		s->moved(s);
}

/* The table is always readable, which is not what is asked; so an epoll of its own asks
 * for what is.  Without it, roots are looked at when they are scanned. */
static void
watch_mounts(struct kd_inotify *inotify)
{
	struct epoll_event event = {.events = EPOLLPRI};
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	inotify->table = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	if (epoll < 0 || inotify->table < 0 ||
		epoll_ctl(epoll, EPOLL_CTL_ADD, inotify->table, &event) < 0) {
		if (epoll >= 0)
			close(epoll);
		return;
	}
	ev_io_set(&inotify->mounts, epoll, EV_READ);
	ev_io_start(inotify->loop, &inotify->mounts);
}

/* Not all at once: who drops without end must not keep kilnd from all else. */
static void
readable(struct ev_loop *loop, ev_io *io, int events)
{
	(void)loop;
	(void)events;
	struct kd_inotify *inotify = io->data;
	inotify->turns++;
	kd_inotify_deliver(inotify);
}

/* An instance of inotify, unless there is one. */
static int
need_instance(struct kd_inotify *inotify)
{
	if (inotify->readable.fd >= 0)
		return 0;
	int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (fd < 0)
		return -errno;
	ev_io_set(&inotify->readable, fd, EV_READ);
	ev_io_start(inotify->loop, &inotify->readable);
	return 0;
}

int
kd_inotify_new(struct ev_loop *loop, struct kd_inotify **made, struct kd_err *err)
{
	struct kd_inotify *inotify = calloc(1, sizeof *inotify);
	if (inotify == NULL)
		return kd_err_errno(err, -ENOMEM, "folders cannot be watched");
	inotify->loop = loop;
	ev_io_init(&inotify->readable, readable, -1, EV_READ);
	inotify->readable.data = inotify;
	int rc = need_instance(inotify);
	if (rc < 0 && rc != -EMFILE && rc != -ENFILE) {
		free(inotify);
		return kd_err_errno(err, rc, "folders cannot be watched");
	}
	ev_io_init(&inotify->mounts, mounted, -1, EV_READ);
	inotify->mounts.data = inotify;
	watch_mounts(inotify);
	*made = inotify;
	return 0;
}

void
kd_inotify_free(struct kd_inotify *inotify)
{
	if (inotify == NULL)
		return;
	ev_io_stop(inotify->loop, &inotify->readable);
	if (inotify->readable.fd >= 0)
		close(inotify->readable.fd);
	ev_io_stop(inotify->loop, &inotify->mounts);
	if (inotify->mounts.fd >= 0)
		close(inotify->mounts.fd);
	if (inotify->table >= 0)
		close(inotify->table);
	tdestroy(inotify->watches, watch_free);
	free(inotify);
}

void
kd_inotify_subscribe(struct kd_inotify *inotify, struct kd_inotify_subscriber *subscriber)
{
	subscriber->next = inotify->subscribers;
	inotify->subscribers = subscriber;
}

/* Removes one subscriber's views of a folder and all below; collects the watches that
 * nobody needs any more (the tree must not change while it is walked). */
struct sweep {
	const struct kd_inotify_subscriber *subscriber;
	const char *path;
	size_t length;
	struct watch *empty;
};

static int
is_swept(const struct sweep *sweep, const struct view *view)
{
	return view->subscriber == sweep->subscriber &&
	       strncmp(view->path, sweep->path, sweep->length) == 0 &&
	       (sweep->length == 0 || view->path[sweep->length] == '\0' ||
		       view->path[sweep->length] == '/');
}

static void
sweep_views(const void *node, VISIT visit, void *closure)
{
	struct sweep *sweep = closure;
	struct watch *watch = *(struct watch *const *)node;
	if (visit != postorder && visit != leaf)
		return;
	for (struct view **at = &watch->views; *at != NULL;) {
		struct view *view = *at;
		if (!is_swept(sweep, view)) {
			at = &view->next;
			continue;
		}
		*at = view->next;
		view_free(view);
	}
	if (watch->views == NULL) {
		watch->next_empty = sweep->empty;
		sweep->empty = watch;
	}
}

void
kd_inotify_forget(struct kd_inotify *inotify, struct kd_inotify_subscriber *subscriber,
	const char *path)
{
	struct sweep sweep = {subscriber, path, strlen(path), NULL};
	twalk_r(inotify->watches, sweep_views, &sweep);
	while (sweep.empty != NULL) {
		struct watch *watch = sweep.empty;
		sweep.empty = watch->next_empty;
		inotify_rm_watch(inotify->readable.fd, watch->wd);
		tdelete(watch, &inotify->watches, compare);
		watch_free(watch);
	}
}

void
kd_inotify_unsubscribe(
	struct kd_inotify *inotify, struct kd_inotify_subscriber *subscriber)
{
	for (struct kd_inotify_subscriber **at = &inotify->subscribers; *at != NULL;
		at = &(*at)->next) {
		if (*at == subscriber) {
			*at = subscriber->next;
			break;
		}
	}
	kd_inotify_forget(inotify, subscriber, "");
}

static struct watch *
need_watch(struct kd_inotify *inotify, int wd)
{
	struct watch *watch = find(inotify, wd);
	if (watch != NULL)
		return watch;
	watch = calloc(1, sizeof *watch);
	if (watch == NULL)
		return NULL;
	watch->wd = wd;
	if (tsearch(watch, &inotify->watches, compare) == NULL) {
		free(watch);
		return NULL;
	}
	return watch;
}

static int
set_view(struct watch *watch, struct kd_inotify_subscriber *subscriber, const char *path)
{
	char *copy = strdup(path);
	if (copy == NULL)
		return -ENOMEM;
	for (struct view *v = watch->views; v != NULL; v = v->next) {
		if (v->subscriber == subscriber) {
			free(v->path);
			v->path = copy;
			return 0;
		}
	}
	struct view *view = malloc(sizeof *view);
	if (view == NULL) {
		free(copy);
		return -ENOMEM;
	}
	*view = (struct view){watch->views, subscriber, copy};
	watch->views = view;
	return 0;
}

/* A folder may be below one rule's root and above another's: then it has both masks. */
static int
add(struct kd_inotify *inotify, const char *folder, uint32_t mask,
	const struct view *view)
{
	int rc = need_instance(inotify);
	if (rc < 0)
		return rc;
	int wd = inotify_add_watch(inotify->readable.fd, folder, mask | IN_MASK_ADD);
	if (wd < 0)
		return -errno;
	struct watch *watch = need_watch(inotify, wd);
	return watch == NULL ? -ENOMEM : set_view(watch, view->subscriber, view->path);
}

int
kd_inotify_add(struct kd_inotify *inotify, struct kd_inotify_subscriber *subscriber,
	int dir, const char *path)
{
	char self[40];
	snprintf(self, sizeof self, "/proc/self/fd/%d", dir);
	return add(inotify, self, MASK, &(struct view){NULL, subscriber, (char *)path});
}

int
kd_inotify_add_above(struct kd_inotify *inotify, struct kd_inotify_subscriber *subscriber,
	const char *path)
{
	return add(inotify, path, ABOVE | IN_ONLYDIR,
		&(struct view){NULL, subscriber, (char *)path});
}

int
kd_inotify_probe(struct kd_inotify *inotify, int dir)
{
	char self[40];
	snprintf(self, sizeof self, "/proc/self/fd/%d", dir);
	int wd = inotify_add_watch(
		inotify->readable.fd, self, IN_OPEN | IN_ONLYDIR | IN_MASK_ADD);
	if (wd < 0)
		return -errno;
	if (find(inotify, wd) == NULL) {
		inotify_rm_watch(inotify->readable.fd, wd);
		return -ENOENT;
	}
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

void
kd_inotify_probed(struct kd_inotify *inotify, int dir)
{
	char self[40];
	snprintf(self, sizeof self, "/proc/self/fd/%d", dir);
	/* Without IN_MASK_ADD the mask takes the place of what was watched for; that of a
	 * folder above another root is part of it. */
	int wd = inotify_add_watch(inotify->readable.fd, self, MASK);
	if (wd >= 0 && find(inotify, wd) == NULL)
		inotify_rm_watch(inotify->readable.fd, wd);
}

uint64_t
kd_inotify_turns(const struct kd_inotify *inotify)
{
	return inotify->turns;
}

uint64_t
kd_inotify_overflows(const struct kd_inotify *inotify)
{
	return inotify->overflows;
}
