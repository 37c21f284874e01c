/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * intake_parts.h - one rule's intake as an object, from the bottom up: intake_parts.c, which
 * says how it is (intake.h), intake_root.c, which keeps the drop folder found and watched,
 * and intake.c, which joins events, scans and settling.
 */
#ifndef KD_INTAKE_PARTS_H
#define KD_INTAKE_PARTS_H

#include "daemon/intake/canary.h"
#include "daemon/intake/drops.h"
#include "daemon/intake/intake.h"
#include "daemon/intake/root.h"
#include "daemon/intake/scan.h"

struct kd_intake {
	struct ev_loop *loop;
	struct kd_inotify *inotify;
	struct kd_inotify_subscriber subscriber;
	const struct kd_rule *rule;
	struct kd_intake_handler handler;
	struct kd_drops *drops; /* that settle */
	struct kd_root root;
	int polled; /* events do not tell of everything there */
	int ready;  /* built: the handler may be called */
	enum kd_intake_state state;
	char why[256];
	struct kd_scan *scan;
	uint64_t unwatched; /* folders that this scan could not watch ... */
	int incomplete;	    /* ... or could not read, for want of descriptors or memory */
	ev_timer again;	    /* looks for the root, and polls */
	struct kd_canary canary;
	uint64_t lost;	   /* watches that had died */
	unsigned lost_now; /* of these, since one was last known to live */
};

/* Logs that path waits for the next scan, when rc is negative: memory was out. */
void kd_intake_tell_memory(const struct kd_intake *intake, const char *path, int rc);

#endif
