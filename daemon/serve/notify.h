/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * notify.h - what kilnd tells systemd: READY, RELOADING with its monotonic time, STATUS,
 * STOPPING, and the watchdog's pings.  Without systemd all of it does nothing.
 */
#ifndef KD_NOTIFY_H
#define KD_NOTIFY_H

#include <ev.h>

struct kd_notify;

/* What is asked of the daemon. */
struct kd_notify_handler {
	/* Before each ping; 0 withholds it, so that systemd restarts a kilnd whose loop
	 * turns but whose ledger or workers do not.  NULL: always alive. */
	int (*alive)(void *context);
	/* One line of how things stand, for `systemctl status`. */
	void (*status)(void *context, char *line, size_t size);
	void *context;
};
struct kd_notify *kd_notify_new(
	struct ev_loop *loop, const struct kd_notify_handler *handler);
void kd_notify_free(struct kd_notify *notify);

/* It has started, or has ended a reload, well or not; with its status. */
void kd_notify_ready(struct kd_notify *notify);
/* Its status may be another by now.  It is asked for a second later at most once, however
 * often this is called, and sent when it is another: a daemon to which nothing happens is
 * not woken up.  Without systemd nothing is asked. */
void kd_notify_changed(struct kd_notify *notify);
void kd_notify_reloading(struct kd_notify *notify);
void kd_notify_stopping(struct kd_notify *notify);
/* Keeps a descriptor over a restart, under a name; and finds it again (-1: none). */
void kd_notify_keep(struct kd_notify *notify, int fd, const char *name);
int kd_notify_kept(const char *name);

#endif
