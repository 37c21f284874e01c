/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * aside.h - what the keeper has done aside, so that it can go on serving its engine: jobs
 * that read and compute, done one after the other by one thread.
 *
 * The thread touches nothing but what a job points at; whoever adds a job leaves that
 * alone until it has ended.  All functions are the main thread's.
 */
#ifndef KD_ASIDE_H
#define KD_ASIDE_H

#include <stdatomic.h>

/* Embedded in what is to be done. */
struct kd_aside_job {
	/* [in the thread]  stop: from a nonzero value on nobody wants the result. */
	void (*run)(struct kd_aside_job *job, atomic_int *stop);
	struct kd_aside_job *next; /* aside's own */
};

struct kd_aside;

/* 0 or a negative errno. */
int kd_aside_new(struct kd_aside **made);
/* Stops: the job at hand ends early, those behind it are not begun.  Waits for that; what
 * was added is the caller's again. */
void kd_aside_free(struct kd_aside *aside);

/* Lets the job be run; borrowed until it was taken.  Where the system grants no thread it
 * is run at once. */
void kd_aside_add(struct kd_aside *aside, struct kd_aside_job *job);

/* A job that has ended, in the order they were added; NULL: none has, yet. */
struct kd_aside_job *kd_aside_take(struct kd_aside *aside);

/* Readable while there is something to take. */
int kd_aside_fd(const struct kd_aside *aside);

#endif
