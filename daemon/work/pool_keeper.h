/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pool_keeper.h - inside the pool: its keepers, and what they are at.  For
 * daemon/work/pool*.c only.
 *
 * Invariant: a keeper has at most one job; whatever goes wrong with its link ends both,
 * and the job's handler hears of it exactly once.
 */
#ifndef KD_POOL_KEEPER_H
#define KD_POOL_KEEPER_H

#include "daemon/base/wire.h"
#include "daemon/work/pool.h"
#include "daemon/work/reading.h"

#include <jansson.h>
#include <sys/types.h>

enum kd_job_phase { KD_JOB_RUNS, KD_JOB_IS_READ, KD_JOB_TOLD, KD_JOB_ENDS };

struct kd_job {
	struct kd_keeper *keeper; /* NULL: it went; what it said last still counts */
	struct kd_job *next_read, **at_read; /* while its result is read */
	struct kd_reading *reading;
	struct kd_job_handler handler;
	enum kd_job_phase phase;
	uint32_t unit_count;
};

struct kd_keeper {
	struct kd_keeper *next;
	struct kd_pool *pool;
	struct kd_wire *wire; /* NULL: stopped, and only to be reaped */
	ev_io readable, writable;
	ev_timer idle;
	ev_child child;
	pid_t pid;
	int reaped;
	char *kind; /* rule and revision */
	double idle_time, idle_since;
	struct kd_job *job; /* NULL: warm */
};

struct kd_pool {
	struct ev_loop *loop;
	/* Takes what a keeper says; a negative errno when it may not say that.  It may let
	 * the keeper go. */
	int (*hear)(struct kd_keeper *keeper, const struct kd_wire_message *message);
	char *worker;
	struct kd_keeper *keepers;
	struct kd_job *read; /* whose results are being read */
	uint32_t busy, warm;
};

/* A new one, warm; NULL when it cannot be had. */
struct kd_keeper *kd_pool_keeper_new(struct kd_pool *pool, const char *kind);
/* Takes it out of the pool and closes its link, which tells it to go. */
void kd_pool_keeper_stop(struct kd_keeper *keeper);
void kd_pool_keeper_free(struct kd_keeper *keeper);
/* The link is of no use any more, for that errno: the job, if any, is over, the process
 * is killed; its memory goes when it is reaped. */
void kd_pool_keeper_fail(struct kd_keeper *keeper, int rc);
/* Its job is over: it waits, warm, for another. */
void kd_pool_keeper_rest(struct kd_keeper *keeper);
/* Puts a message into the link; json is stolen. */
void kd_pool_keeper_tell(struct kd_keeper *keeper, uint16_t type, json_t *json);
void kd_pool_keeper_flush(struct kd_keeper *keeper);

#endif
