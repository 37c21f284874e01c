/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * canary.h - proof that a drop folder's watch is alive: now and then the folder is opened,
 * and the kernel is to tell of that the way it tells of drops, through the loop.  Nothing
 * is written, so it serves for folders that are read-only or somebody else's.
 */
#ifndef KD_CANARY_H
#define KD_CANARY_H

#include "daemon/intake/inotify.h"
#include "daemon/intake/root.h"

struct kd_canary {	/* all zero at first */
	int asked;	/* the kernel has not told of it yet */
	uint64_t turns; /* of the loop's reading, when it was asked */
	int late;	/* it was found lying there, so often in a row */
};

enum kd_canary_verdict {
	KD_CANARY_ALIVE, /* or not known yet */
	KD_CANARY_DEAD,	 /* the kernel does not tell of that folder */
	KD_CANARY_DEAF,	 /* it does, and the loop does not listen */
};

/* What became of the question before, and asks again.  A root that is away cannot be asked
 * about: that it is, is found out elsewhere.  It is left open. */
enum kd_canary_verdict kd_canary_ask(
	struct kd_canary *canary, struct kd_inotify *inotify, struct kd_root *root);
/* The kernel told that the folder was opened, by whomever. */
void kd_canary_answered(
	struct kd_canary *canary, struct kd_inotify *inotify, struct kd_root *root);
/* Events were lost, or the folder is another one: the question no longer stands. */
void kd_canary_forget(struct kd_canary *canary);

#endif
