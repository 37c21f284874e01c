/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ledger.h - the record of every unit, batch, try and output: SQLite in WAL mode with
 * synchronous=FULL, so that what a callback reports is on disk.
 *
 * One thread owns the connection.  Calls from the loop post an order and return at once;
 * the thread takes all orders that wait into one transaction and commits once; then each
 * order's callback runs on the loop, in the order of posting, at most KD_LEDGER_AT_ONCE of
 * them in one turn of the loop.  Callers keep nothing alive: an order copies what it
 * needs.  A negative rc in a callback means that nothing of the order is recorded; why is
 * in the log.
 */
#ifndef KD_LEDGER_H
#define KD_LEDGER_H

#include "daemon/base/err.h"
#include "daemon/queue/unit.h"
#include "daemon/worker/manifest.h"

#include <ev.h>
#include <jansson.h>

struct kd_ledger;

enum { KD_LEDGER_AT_ONCE = 128 };

/* Opens or makes the file and migrates its schema.  -EAGAIN when another process holds
 * it.  Then kd_ledger_load(), kd_ledger_counts() and kd_ledger_pauses() may be called, and
 * nothing else until kd_ledger_begin() has started the thread. */
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
/* How many closed units each rule has in each final state. */
typedef void kd_ledger_count_fn(
	void *context, const char *rule, enum kd_state state, uint64_t count);
int kd_ledger_counts(struct kd_ledger *ledger, kd_ledger_count_fn *each, void *context);
/* What is paused: rule NULL is everything.  who: the user's name or number. */
typedef int kd_ledger_pause_fn(
	void *context, const char *rule, double since, const char *who);
int kd_ledger_pauses(struct kd_ledger *ledger, kd_ledger_pause_fn *each, void *context,
	struct kd_err *err);

/* A settled drop.  It is known, and nothing is to be done; or the caller queues it under
 * id: it is new, or had gone or been moved away and is there again. */
enum kd_ledger_news {
	KD_LEDGER_KNOWN,
	KD_LEDGER_FRESH,
	KD_LEDGER_RETURNED, /* see struct kd_unit */
};
typedef void kd_ledger_offer_fn(
	void *context, int rc, int64_t id, enum kd_ledger_news news);
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
	const char *path; /* of a unit of that path only; NULL: of any */
};
int kd_ledger_same(struct kd_ledger *ledger, const struct kd_ledger_same *same,
	kd_ledger_same_fn *done, void *context);

/* The outcome of one unit's try. */
struct kd_ledger_outcome {
	int64_t unit;
	enum kd_state state;
	double not_before;
	uint32_t company; /* see struct kd_unit */
	int refund; /* the attempt is not counted (cancelled, busy, the company's crash)
		     */
	int open;   /* although it is CANCELLED: its input is to be put back first */
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

/* Units that wait are CANCELLED, and closed unless they are astray: then their inputs are
 * put back first. */
struct kd_ledger_cancelled {
	int64_t unit;
	int astray;
};
int kd_ledger_cancel(struct kd_ledger *ledger, const struct kd_ledger_cancelled *units,
	uint32_t unit_count, kd_ledger_done_fn *done, void *context);

/* Opens a FAILED or CANCELLED unit again, as if never tried; or, with a rule in place of
 * a unit, the first KD_LEDGER_RETRY of its FAILED ones with higher numbers than `unit`.
 * units: linked by next, by number, for the caller to take and queue.  was: the state that
 * the one unit had; when it had none of the two, units is NULL.  -ENOENT: there is no such
 * unit. */
enum { KD_LEDGER_RETRY = 500 };
struct kd_ledger_retry {
	int64_t unit;
	const char *rule;
};
typedef void kd_ledger_retry_fn(
	void *context, int rc, struct kd_unit *units, enum kd_state was);
int kd_ledger_retry(struct kd_ledger *ledger, const struct kd_ledger_retry *retry,
	kd_ledger_retry_fn *done, void *context);

/* Notes that a rule (NULL: everything) is paused, or is not any more. */
struct kd_ledger_pause {
	const char *rule, *who;
	int paused;
};
int kd_ledger_pause(struct kd_ledger *ledger, const struct kd_ledger_pause *pause,
	kd_ledger_done_fn *done, void *context);

/* Forgets closed units whose inputs are not where they were dropped and which nobody
 * touched since `before` (Unix seconds), a slice at a time so that nobody waits for long.
 * One whose input still lies in the drop folder is kept: without its row it would be a
 * new drop.  forgot[] is borrowed: what is to be counted off; count 0 and rc 0: nothing
 * is left to forget, else post it again. */
struct kd_ledger_forgot {
	char *rule;
	enum kd_state state;
	uint64_t count;
};
typedef void kd_ledger_prune_fn(
	void *context, int rc, const struct kd_ledger_forgot *forgot, size_t count);
int kd_ledger_prune(
	struct kd_ledger *ledger, double before, kd_ledger_prune_fn *done, void *context);

/* A copy of the whole, consistent and self-contained, made between transactions.  fd is
 * the callback's, open for reading, of a file that has no name any more.  -EBUSY: another
 * backup is under way. */
typedef void kd_ledger_backup_fn(void *context, int rc, int fd);
int kd_ledger_backup(struct kd_ledger *ledger, kd_ledger_backup_fn *done, void *context);

/* For kilnctl: an array of units, newest first; one unit whole (null: none). */
typedef void kd_ledger_json_fn(void *context, int rc, json_t *json); /* takes json */
struct kd_ledger_query {
	const char *rule; /* NULL: any */
	int state;	  /* -1: any */
	int64_t limit;
	int64_t before; /* only units with smaller numbers; 0: any */
	int64_t unit;	/* kd_ledger_show: by number, or 0 and by path: */
	const char
		*path; /* relative path within the rule, or any: the newest such unit */
	uint32_t
		member; /* with rule and path: KILN_SEQUENCE or KILN_BUNDLE, when path may
			    be of one of its files too; else 0 */
};
int kd_ledger_list(struct kd_ledger *ledger, const struct kd_ledger_query *query,
	kd_ledger_json_fn *done, void *context);
int kd_ledger_show(struct kd_ledger *ledger, const struct kd_ledger_query *query,
	kd_ledger_json_fn *done, void *context);

#endif
