/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inotify.h - one inotify instance for all rules.  A folder that several rules watch has
 * one kernel watch and several subscribers.  Events are hints: whoever gets one looks
 * again.
 */
#ifndef KD_INOTIFY_H
#define KD_INOTIFY_H

#include "daemon/base/err.h"

#include <ev.h>
#include <stdint.h>

struct kd_inotify;

/* One rule's interest; embedded in the subscriber. */
struct kd_inotify_subscriber {
	/* name is in the folder `path` (relative to the subscriber's root, "" the root).
	 */
	void (*event)(struct kd_inotify_subscriber *subscriber, const char *path,
		const char *name, uint32_t mask);
	/* The kernel lost events: everything must be looked at again. */
	void (*overflow)(struct kd_inotify_subscriber *subscriber);
	/* A folder above the root went away, or something was mounted or unmounted
	 * somewhere: the root's name may lead to another folder by now. */
	void (*moved)(struct kd_inotify_subscriber *subscriber);
	struct kd_inotify_subscriber *next;
};

/* Where the limit of instances is reached (-EMFILE), kd_inotify_add() tries again. */
int kd_inotify_new(struct ev_loop *loop, struct kd_inotify **inotify, struct kd_err *err);
void kd_inotify_free(struct kd_inotify *inotify);

void kd_inotify_subscribe(
	struct kd_inotify *inotify, struct kd_inotify_subscriber *subscriber);
/* Takes away its watches too. */
void kd_inotify_unsubscribe(
	struct kd_inotify *inotify, struct kd_inotify_subscriber *subscriber);

/* Takes away its watches of the folder `path` and all below it; "" is all of them. */
void kd_inotify_forget(struct kd_inotify *inotify,
	struct kd_inotify_subscriber *subscriber, const char *path);

/* Watches the folder that dir is open on; its events carry `path`, which is copied.
 * Again on the same folder: the path is replaced.  -ENOSPC: the limit of watches; -EMFILE
 * or -ENFILE: of instances. */
int kd_inotify_add(struct kd_inotify *inotify, struct kd_inotify_subscriber *subscriber,
	int dir, const char *path);

/* Has the subscriber told (moved) when that folder, absolute, of those above its root is
 * renamed or removed.  A negative errno when it cannot be. */
int kd_inotify_add_above(struct kd_inotify *inotify,
	struct kd_inotify_subscriber *subscriber, const char *path);

/* Delivers what one read(2) gives, some dozens of events; 0: there were none.  The loop
 * does so by itself. */
int kd_inotify_deliver(struct kd_inotify *inotify);
/* How far events were delivered, and how far the kernel has queued some by now, in bytes
 * since the beginning.  On a local file system what happened before is before that. */
uint64_t kd_inotify_delivered(const struct kd_inotify *inotify);
uint64_t kd_inotify_horizon(const struct kd_inotify *inotify);
/* Delivers all that the kernel has queued by now, be it thousands, at once. */
void kd_inotify_drain(struct kd_inotify *inotify);

/* Has the kernel tell of the folder that dir is open on, which is watched: an event with
 * IN_OPEN and no name is under way.  -ENOENT: the kernel knows of no such watch. */
int kd_inotify_probe(struct kd_inotify *inotify, int dir);
/* That came, or never will: opening is nobody's business any more. */
void kd_inotify_probed(struct kd_inotify *inotify, int dir);
/* How often the loop has read events. */
uint64_t kd_inotify_turns(const struct kd_inotify *inotify);

uint64_t kd_inotify_overflows(const struct kd_inotify *inotify);

#endif
