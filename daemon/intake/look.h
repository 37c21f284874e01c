/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * look.h - what a drop looks like from outside: names, sizes and times.  Nothing that was
 * dropped is ever opened for its content.
 */
#ifndef KD_LOOK_H
#define KD_LOOK_H

#include "daemon/intake/settle.h"

/* At a single thing beneath root, whatever its type; links are not followed. -ENOENT. */
int kd_look_file(int root, const char *path, struct kd_look *look);

/* A look at a folder that takes as many turns of the loop as the folder is large. */
struct kd_look_walk;
struct kd_look_walk *kd_look_walk_new(void); /* NULL when memory is out */
void kd_look_walk_free(struct kd_look_walk *walk);
/* Leaves off, and holds nothing open. */
void kd_look_walk_stop(struct kd_look_walk *walk);

struct kd_look_wanted {
	int root;
	const char *path, *marker;
};
/* At a folder beneath root and everything in it, to 32 levels and 100,000 entries (what
 * lies beyond is the worker's to refuse).  A file `marker` (NULL: none) at its top is not
 * one of its files.  -ENOENT when it is gone or holds no file; KD_SETTLE_MORE when
 * *entries, from which each entry is taken off, do not reach: the next call for the same
 * path goes on, one for another begins anew. */
int kd_look_directory(struct kd_look_walk *walk, const struct kd_look_wanted *wanted,
	int *entries, struct kd_look *look);

/* Several files, added up; it does not matter in which order. */
struct kd_look_sum {
	uint64_t files, bytes, fingerprint, freshness;
};
/* Adds the entry of a folder: 0; 1: it is a folder itself and was not added; -ENOENT. */
int kd_look_add(int dir, const char *name, struct kd_look_sum *sum);
/* What a unit looks like that consists of these, in the folder of inode ino. */
void kd_look_set(uint64_t ino, const struct kd_look_sum *sum, struct kd_look *look);

#endif
