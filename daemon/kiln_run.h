/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kiln_run.h - one batch on its way: kiln_start.c begins it, kiln_batch.c brings it to its
 * end.
 */
#ifndef KD_KILN_RUN_H
#define KD_KILN_RUN_H

#include "daemon/kiln_parts.h"
#include "daemon/outcome.h"

struct kd_kiln_run {
	struct kd_kiln_run *next;
	struct kd_kiln *kiln;
	struct kd_batch *batch;
	struct kd_job *job; /* NULL before it starts and after its end */
	uint32_t pending;   /* ledger callbacks that still hold this */
	int over;
	struct kd_outcome outcomes[];
};

/* What its keeper has to say; context is a struct kd_kiln_run. */
extern const struct kd_job_handler kd_kiln_run_handler;

/* A unit leaves its batch, or comes out of the ledger: closed, or into the queue. */
void kd_kiln_run_settle(
	struct kd_kiln *kiln, struct kd_unit *unit, const struct kd_outcome *outcome);
/* Nothing of this try counts: all units wait a little and come again. */
void kd_kiln_run_put_back(struct kd_kiln_run *run, const char *why);
/* Whether somebody asked to cancel one of its units. */
int kd_kiln_run_is_cancelled(const struct kd_kiln_run *run);

/* The units of a batch as a list, so that the batch can go before they do; and the first
 * of such a list, taken out of it. */
struct kd_unit *kd_kiln_run_chain(const struct kd_batch *batch);
struct kd_unit *kd_kiln_run_unchain(struct kd_unit **first);

/* kiln_start.c: starts batches while the queue has some. */
void kd_kiln_start_batches(struct kd_kiln *kiln);
void kd_kiln_cancel_batches(struct kd_kiln *kiln);
void kd_kiln_free_batches(struct kd_kiln *kiln);

#endif
