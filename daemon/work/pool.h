/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pool.h - keepers at work: started when needed, kept warm for the rule's idle time, and
 * given one batch at a time.  Lives on the loop's thread.
 */
#ifndef KD_POOL_H
#define KD_POOL_H

#include "daemon/worker/manifest.h"

#include <ev.h>
#include <stdint.h>

struct kd_pool;
struct kd_job; /* one batch with one keeper, until ended */

struct kd_job_handler {
	/* A unit's content, and what was asked for with the content of path parameters,
	 * which together say whether this was done before: answer by kd_job_verdict(), now or later. */
	void (*hashed)(void *context, struct kd_job *job, uint32_t unit,
		const char *sha256, const char *revision);
	void (*progress)(void *context, uint32_t unit, uint64_t done, uint64_t total);
	/* What the keeper published is durable: record it, then kd_job_finish().  result
	 * is borrowed.  NULL: the keeper died or broke the protocol, reason says how; the
	 * job is over. */
	void (*result)(void *context, struct kd_job *job, const struct kd_result *result,
		const char *reason);
	/* Inputs are disposed of; failed[] are indices with their reasons that could not
	 * be. reason: the keeper died meanwhile.  The job is over. */
	void (*finished)(void *context, const uint32_t *failed, char *const *reasons,
		uint32_t failed_count, const char *reason);
	void *context;
};

struct kd_pool_options {
	const char *worker; /* path of kiln-worker */
};

struct kd_pool *kd_pool_new(struct ev_loop *loop, const struct kd_pool_options *options);
/* Kills what still runs; no handler is called. */
void kd_pool_free(struct kd_pool *pool);

/* Starts a batch on a warm keeper of the same kind (rule, revision), else on a new one.
 * The caller sees to the limit of jobs at once; more warm keepers than `warm` are let
 * go, the longest idle first. */
struct kd_pool_start {
	const struct kd_manifest *manifest; /* borrowed for the call */
	double idle; /* seconds the keeper may stay warm afterwards */
	uint32_t warm;
};
int kd_pool_start(struct kd_pool *pool, const struct kd_pool_start *start,
	const struct kd_job_handler *handler, struct kd_job **job);

/* Whether a unit runs, although its content may have been published before. */
enum kd_verdict {
	KD_VERDICT_RUN, /* an output of the same content, rule and revision serves */
	KD_VERDICT_RUN_AGAIN, /* only an output of this very unit serves */
	KD_VERDICT_SAME,      /* it does not run: `output` is the earlier one */
};
void kd_job_verdict(
	struct kd_job *job, uint32_t unit, enum kd_verdict verdict, const char *output);
void kd_job_finish(struct kd_job *job, const uint32_t *units, uint32_t unit_count);
/* Asks the keeper to stop; the result still comes. */
void kd_job_cancel(struct kd_job *job);

/* Lets all warm keepers go: their configuration is no longer in force. */
void kd_pool_cool(struct kd_pool *pool);

uint32_t kd_pool_busy(const struct kd_pool *pool);
uint32_t kd_pool_idle(const struct kd_pool *pool);

#endif
