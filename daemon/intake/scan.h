/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scan.h - the folders of a drop folder that are to be read, and their reading: in the
 * order in which they were asked for, a slice of entries in each turn of the loop that has
 * nothing else to do.
 */
#ifndef KD_SCAN_H
#define KD_SCAN_H

#include "daemon/intake/ready.h"

#include <ev.h>

struct kd_scan;

struct kd_scan_handler {
	/* Opens a folder, "" the top: a descriptor, which is the scan's then; -ENOENT: it
	 * is gone; or another negative errno. */
	int (*open)(void *context, const char *folder);
	/* An entry: of which no more is known than its path and whether it is a folder. */
	void (*entry)(
		void *context, const char *path, int is_folder, enum kd_ready_seen seen);
	/* A folder could not be opened for that errno, and is left out. */
	void (*skipped)(void *context, const char *folder, int rc);
	/* All that was asked for is read.  whole: the top was among it. */
	void (*ended)(void *context, int whole);
	void *context;
};

/* NULL when memory is out. */
struct kd_scan *kd_scan_new(struct ev_loop *loop, const struct kd_scan_handler *handler);
void kd_scan_free(struct kd_scan *scan);

/* Reads a folder, and tells its entries as `seen`.  0 or -ENOMEM. */
int kd_scan_add(struct kd_scan *scan, const char *folder, enum kd_ready_seen seen);
/* Reads the top, unless that waits to be read anyway.  What is found leads on. */
int kd_scan_all(struct kd_scan *scan);
/* Forgets all that was asked for, and holds nothing open. */
void kd_scan_stop(struct kd_scan *scan);

/* Reads nothing more until it is let go: the entry at hand was the last. */
void kd_scan_hold(struct kd_scan *scan, int held);

/* Whether nothing is left to be read. */
int kd_scan_is_over(const struct kd_scan *scan);

/* FOLDER/NAME, or NAME in the top; 0 when that is too long to be a path. */
int kd_scan_join(char path[], const char *folder, const char *name);

#endif
