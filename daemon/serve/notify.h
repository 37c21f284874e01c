/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * notify.h - what kilnd tells systemd: READY, RELOADING with its monotonic time, STATUS,
 * STOPPING, and the watchdog's pings.  Without systemd all of it does nothing.
 */
#ifndef KD_NOTIFY_H
#define KD_NOTIFY_H

#include <ev.h>

struct kd_notify;

/* alive: asked before each ping; 0 withholds it, so that systemd restarts a kilnd whose
 * loop turns but whose ledger or workers do not. NULL: always alive. */
struct kd_notify *kd_notify_new(
	struct ev_loop *loop, int (*alive)(void *context), void *context);
void kd_notify_free(struct kd_notify *notify);

void kd_notify_ready(struct kd_notify *notify, const char *status);
void kd_notify_status(struct kd_notify *notify, const char *status);
void kd_notify_reloading(struct kd_notify *notify);
void kd_notify_stopping(struct kd_notify *notify);
/* Keeps a descriptor over a restart, under a name; and finds it again (-1: none). */
void kd_notify_keep(struct kd_notify *notify, int fd, const char *name);
int kd_notify_kept(const char *name);

#endif
