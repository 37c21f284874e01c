/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * root.h - a drop folder as a place that may be away: not made yet, not mounted,
 * unmounted, or replaced by another folder of the same name.
 *
 * What is open keeps its file system from being unmounted, so the folder is held open
 * only while there is something to do in it; in between it is known by device and inode.
 */
#ifndef KD_ROOT_H
#define KD_ROOT_H

#include "daemon/base/err.h"

#include <sys/types.h>

struct kd_root {
	const char *path; /* borrowed, absolute */
	int fd;		  /* -1: not held open */
	int found;	  /* device and inode say which folder it is */
	dev_t device;
	ino_t inode;
	char *mount; /* it lies on what is mounted there; NULL: on the root of all */
};

/* Nothing is looked at yet.  mount: where a file system must be mounted before the folder
 * is taken for the drop folder, copied; NULL: learnt when the folder is first found, so
 * that an unmounted drop folder is not mistaken for the empty one below it.  0 or
 * -ENOMEM; clear it afterwards in any case. */
int kd_root_init(struct kd_root *root, const char *path, const char *mount);
void kd_root_clear(struct kd_root *root);

/* Finds the folder that bears the name now and holds it open.  0, or a negative errno with
 * a sentence that says what it waits for. */
int kd_root_find(struct kd_root *root, struct kd_err *err);
/* Whether the name still leads to the folder that was found. */
int kd_root_is_same(const struct kd_root *root);
/* The folder that was found, open until it is released; -ESTALE when the name leads
 * elsewhere by now, or another negative errno. */
int kd_root_open(struct kd_root *root);
void kd_root_release(struct kd_root *root);
/* Forgets which folder it was. */
void kd_root_lose(struct kd_root *root);

/* Whether changes are made on file systems of that type (statfs(2)) that no event here
 * tells of: by other machines, or below it. */
int kd_root_needs_polling(unsigned type);
/* The same of the folder's own file system. */
int kd_root_is_polled(const struct kd_root *root);

#endif
