/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spawn.h - starts a keeper: kiln-worker in a process of its own, with one end of a
 * socketpair as its link, nothing else of ours open, signals as at first, and dead when
 * we are.
 */
#ifndef KD_SPAWN_H
#define KD_SPAWN_H

#include <sys/types.h>

/* 0, *link (non-blocking, close-on-exec) and *pid; else a negative errno.  drop: NULL, or
 * the drop folder into which this one takes what its link brings (worker/drop.h). */
int kd_spawn_keeper(const char *worker, const char *drop, int *link, pid_t *pid);

#endif
