/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The service manager's side channel.  A lost message is not worth an error: systemd's
 * own timeouts answer for it.
 */
#include "daemon/serve/notify.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <time.h>

enum { STATUS_SIZE = 512 };

static const double STATUS_EVERY = 1; /* seconds between two */

struct kd_notify {
	struct ev_loop *loop;
	struct ev_timer watchdog, changed;
	struct kd_notify_handler handler;
	int is_heard;		/* by systemd */
	char said[STATUS_SIZE]; /* the last status */
};

static void
on_watchdog(struct ev_loop *loop, struct ev_timer *timer, int events)
{
	struct kd_notify *notify = timer->data;
	(void)loop, (void)events;
	const struct kd_notify_handler *handler = &notify->handler;
	if (handler->alive == NULL || handler->alive(handler->context))
		sd_notify(0, "WATCHDOG=1");
}

/* The status as it is now; whether it is another than the last. */
static int
is_other(struct kd_notify *notify)
{
	char line[STATUS_SIZE] = "";
	notify->handler.status(notify->handler.context, line, sizeof line);
	/* A line break would begin another assignment. */
	line[strcspn(line, "\r\n")] = '\0';
	int other = strcmp(line, notify->said) != 0;
	memcpy(notify->said, line, sizeof line);
	return other;
}

static void
on_changed(struct ev_loop *loop, struct ev_timer *timer, int events)
{
	struct kd_notify *notify = timer->data;
	(void)loop, (void)events;
	if (is_other(notify))
		sd_notifyf(0, "STATUS=%s", notify->said);
}

struct kd_notify *
kd_notify_new(struct ev_loop *loop, const struct kd_notify_handler *handler)
{
	struct kd_notify *notify = calloc(1, sizeof *notify);
	if (notify == NULL)
		return NULL;
	notify->loop = loop;
	notify->handler = *handler;
	notify->is_heard = getenv("NOTIFY_SOCKET") != NULL;
	ev_timer_init(&notify->changed, on_changed, 0., 0.);
	ev_timer_init(&notify->watchdog, on_watchdog, 0., 0.);
	notify->changed.data = notify->watchdog.data = notify;
	uint64_t usec;
	if (sd_watchdog_enabled(0, &usec) > 0) {
		/* Half the limit, as sd_watchdog_enabled(3) advises.  The daemon's watch
		 * on itself must not keep an otherwise empty loop alive. */
		notify->watchdog.repeat = (double)usec / 2e6;
		ev_timer_again(loop, &notify->watchdog);
		ev_unref(loop);
	}
	return notify;
}

void
kd_notify_free(struct kd_notify *notify)
{
	if (notify == NULL)
		return;
	if (ev_is_active(&notify->watchdog)) {
		ev_ref(notify->loop);
		ev_timer_stop(notify->loop, &notify->watchdog);
	}
	ev_timer_stop(notify->loop, &notify->changed);
	free(notify);
}

void
kd_notify_ready(struct kd_notify *notify)
{
	is_other(notify);
	sd_notifyf(0, "READY=1\nSTATUS=%s", notify->said);
}

void
kd_notify_changed(struct kd_notify *notify)
{
	if (!notify->is_heard || ev_is_active(&notify->changed))
		return;
	ev_timer_set(&notify->changed, STATUS_EVERY, 0.);
	ev_timer_start(notify->loop, &notify->changed);
}

void
kd_notify_reloading(struct kd_notify *notify)
{
	(void)notify;
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	/* Both in one datagram: systemd >= 253 tells this reload from an older one by it.
	 */
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
		(uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u);
}

void
kd_notify_stopping(struct kd_notify *notify)
{
	(void)notify;
	sd_notify(0, "STOPPING=1");
}

void
kd_notify_keep(struct kd_notify *notify, int fd, const char *name)
{
	(void)notify;
	char line[300] = "FDSTORE=1\nFDNAME=";
	if (strlen(name) > 255)
		return;
	strcat(line, name);
	sd_pid_notify_with_fds(0, 0, line, &fd, 1);
}

int
kd_notify_kept(const char *name)
{
	char **names = NULL;
	int found = -1, count = sd_listen_fds_with_names(0, &names);
	for (int i = 0; i < count; i++) {
		if (found < 0 && strcmp(names[i], name) == 0)
			found = SD_LISTEN_FDS_START + i;
		free(names[i]);
	}
	free(names);
	return found;
}
