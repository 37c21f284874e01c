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

struct kd_notify {
	struct ev_loop *loop;
	struct ev_timer watchdog;
	int (*alive)(void *context);
	void *context;
};

static void
on_watchdog(struct ev_loop *loop, struct ev_timer *timer, int events)
{
	struct kd_notify *notify = timer->data;
	(void)loop, (void)events;
	if (notify->alive == NULL || notify->alive(notify->context))
		sd_notify(0, "WATCHDOG=1");
}

struct kd_notify *
kd_notify_new(struct ev_loop *loop, int (*alive)(void *context), void *context)
{
	struct kd_notify *notify = calloc(1, sizeof *notify);
	if (notify == NULL)
		return NULL;
	notify->loop = loop;
	notify->alive = alive;
	notify->context = context;
	ev_timer_init(&notify->watchdog, on_watchdog, 0., 0.);
	notify->watchdog.data = notify;
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
	free(notify);
}

/* A line break in a status would begin another assignment. */
static void
send_status(const char *before, const char *status)
{
	char line[512];
	size_t length = strcspn(status, "\r\n");
	if (length >= sizeof line)
		length = sizeof line - 1;
	memcpy(line, status, length);
	line[length] = '\0';
	sd_notifyf(0, "%sSTATUS=%s", before, line);
}

void
kd_notify_ready(struct kd_notify *notify, const char *status)
{
	(void)notify;
	if (status == NULL)
		sd_notify(0, "READY=1");
	else
		send_status("READY=1\n", status);
}

void
kd_notify_status(struct kd_notify *notify, const char *status)
{
	(void)notify;
	send_status("", status);
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
