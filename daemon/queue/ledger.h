/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ledger.h - the record of every unit, batch, try and output: SQLite in WAL mode with
 * synchronous=FULL, so that what a callback reports is on disk.
 *
 * One thread owns the connection.  Calls from the loop post an order and return at once;
 * the thread takes all orders that wait into one transaction and commits once; then each
 * order's callback runs on the loop, in the order of posting.  Callers keep nothing
 * alive: an order copies what it needs.  A negative rc in a callback means that nothing
 * of the order is recorded; why is in the log.
 */
#ifndef KD_LEDGER_H
#define KD_LEDGER_H

#include "daemon/base/err.h"
#include "daemon/queue/unit.h"
#include "daemon/worker/manifest.h"

#include <ev.h>
#include <jansson.h>

struct kd_ledger;

/* Opens or makes the file and migrates its schema.  -EAGAIN when another process holds
 * it.  Then kd_ledger_load() and kd_ledger_counts() may be called, and nothing else
 * until kd_ledger_begin() has started the thread. */
int kd_ledger_open(const char *path, struct ev_loop *loop, struct kd_ledger **ledger,
	struct kd_err *err);
int kd_ledger_begin(struct kd_ledger *ledger, struct kd_err *err);
/* Runs what was posted, calls the callbacks, ends the thread. */
void kd_ledger_close(struct kd_ledger *ledger);
/* For how many seconds the transaction at hand has been running; 0 when none is. */
double kd_ledger_busy(struct kd_ledger *ledger);

/* All units that are open: not final, or final with inputs not disposed of.  Running and
 * deferred ones come back READY or DEFERRED. */
typedef int kd_ledger_unit_fn(void *context, struct kd_unit *unit); /* takes unit */
int kd_ledger_load(struct kd_ledger *ledger, kd_ledger_unit_fn *each, void *context,
	struct kd_err *err);
/* How many closed units of a rule (NULL: all) are in each final state. */
int kd_ledger_counts(
	struct kd_ledger *ledger, const char *rule, uint64_t counts[KD_STATES]);

/* A settled drop.  fresh: it is new, or had gone or been moved away and is there again;
 * the caller queues it under id.  Otherwise it is known, and nothing is to be done. */
typedef void kd_ledger_offer_fn(void *context, int rc, int64_t id, int fresh);
int kd_ledger_offer(struct kd_ledger *ledger, const struct kd_unit *unit,
	kd_ledger_offer_fn *done, void *context);

/* The intent: a batch with its units becomes RUNNING, each with one more attempt. */
struct kd_ledger_start {
	const char *rule, *revision;
	const int64_t *units;
	uint32_t unit_count;
};
typedef void kd_ledger_start_fn(void *context, int rc, int64_t batch);
int kd_ledger_start(struct kd_ledger *ledger, const struct kd_ledger_start *start,
	kd_ledger_start_fn *done, void *context);

/* What a published output with the same content, rule and revision is; NULL: none. */
typedef void kd_ledger_same_fn(void *context, int rc, const char *output);
struct kd_ledger_same {
	const char *rule, *revision, *sha256;
	int64_t not_unit;
};
int kd_ledger_same(struct kd_ledger *ledger, const struct kd_ledger_same *same,
	kd_ledger_same_fn *done, void *context);

/* The outcome of one unit's try. */
struct kd_ledger_outcome {
	int64_t unit;
	enum kd_state state;
	double not_before;
	int alone;
	int refund; /* the attempt is not counted (cancelled, busy, the company's crash)
		     */
	const struct kd_result_unit *result; /* borrowed for the call; NULL: none came */
	const char *reason;
};
struct kd_ledger_record {
	int64_t batch;
	const char *failure; /* of the attempt as a whole; NULL */
	const char *variant, *device;
	const char *revision; /* that the units were told apart by; NULL: the batch's */
	const char *out;      /* the rule's output folder, for the paths of outputs */
	const struct kd_ledger_outcome *outcomes;
	uint32_t outcome_count;
};
typedef void kd_ledger_done_fn(void *context, int rc);
int kd_ledger_record(struct kd_ledger *ledger, const struct kd_ledger_record *record,
	kd_ledger_done_fn *done, void *context);

/* The units' inputs are disposed of: they are closed.  left: the input was moved away or
 * deleted, so that its coming back, even unchanged, is a new drop. */
struct kd_ledger_closed {
	int64_t unit;
	int left;
};
int kd_ledger_finish(struct kd_ledger *ledger, const struct kd_ledger_closed *units,
	uint32_t unit_count, kd_ledger_done_fn *done, void *context);

/* For kilnctl: an array of units, newest first; one unit whole (null: none). */
typedef void kd_ledger_json_fn(void *context, int rc, json_t *json); /* takes json */
struct kd_ledger_query {
	const char *rule; /* NULL: any */
	int state;	  /* -1: any */
	int64_t limit;
	int64_t unit; /* kd_ledger_show: by number, or 0 and by path: */
	const char
		*path; /* relative path within the rule, or any: the newest such unit */
};
int kd_ledger_list(struct kd_ledger *ledger, const struct kd_ledger_query *query,
	kd_ledger_json_fn *done, void *context);
int kd_ledger_show(struct kd_ledger *ledger, const struct kd_ledger_query *query,
	kd_ledger_json_fn *done, void *context);

#endif
