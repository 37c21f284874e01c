/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * control_client.h - inside the control socket: one connection.  For
 * daemon/serve/control*.c only.
 *
 * Invariant: a client is freed by kd_control_client_drop(), which only watchers of the
 * control socket and kd_control_free() call, never a handler; so a handler may answer, or
 * find its client gone, at any depth.
 */
#ifndef KD_CONTROL_CLIENT_H
#define KD_CONTROL_CLIENT_H

#include "daemon/serve/control.h"

struct kd_control_client {
	struct kd_control *control;
	struct kd_control_client *next, **link;
	struct ev_io io;
	struct kd_wire *wire;
	struct kd_control_peer peer;
	struct kd_control_request *request; /* NULL: none at hand */
	int broken;			    /* to be dropped by its watcher */
	/* When it came, or was last answered; when what it is told last became less. */
	double idle_since, stalled_since;
};

struct kd_control {
	struct ev_loop *loop;
	struct kd_control_handler handler;
	struct ev_io listener;
	struct ev_timer rest, sweep;
	char *path;
	int lock;
	int spare; /* given up to take, and turn away, a client when descriptors are out
		    */
	int bound; /* the path is ours to remove */
	unsigned client_count;
	struct kd_control_client *clients; /* the newest first */
};

/* Takes fd, also when it cannot serve it. */
void kd_control_client_new(struct kd_control *control, int fd);
void kd_control_client_drop(struct kd_control_client *client);

/* Of the user who has the most connections the one that asks nothing, else any; the
 * oldest of several.  There is a client. */
struct kd_control_client *kd_control_client_weakest(const struct kd_control *control);
/* It neither asks anything, nor reads what it is told. */
int kd_control_client_is_stuck(const struct kd_control_client *client, double now);

#endif
