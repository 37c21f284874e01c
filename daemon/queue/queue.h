/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * queue.h - the open units in memory, by rule and group, and which of them form the next
 * batch.  Pure bookkeeping on the loop's thread: no files, no ledger, no processes.
 *
 * Times called now are the loop's clock (ev_now: Unix time), which not_before is in too.
 */
#ifndef KD_QUEUE_H
#define KD_QUEUE_H

#include "daemon/queue/unit.h"
#include "daemon/rules/rule.h"

struct kd_queue;

/* Why a rule starts no batches for now; a set. */
enum kd_hold {
	KD_HOLD_PAUSED = 1, /* somebody wished it */
	KD_HOLD_LOW_WATER =
		2, /* its output's file system is nearly full, or not looked at */
	KD_HOLD_REFUSED = 4, /* its kernel does not take its parameters */
};

/* Units that run together; the queue keeps the units until kd_queue_end(). */
struct kd_batch {
	const struct kd_rule *rule; /* of conf */
	struct kd_conf *conf;	    /* a reference of the batch's own */
	int gpu;		    /* it takes one of the GPU slots */
	int64_t id;		    /* the ledger's, once it is started */
	uint32_t unit_count;
	struct kd_unit *units[];
};

/* Of what comes by the thousand, one call does so much. */
enum { KD_QUEUE_AT_ONCE = 256 };

struct kd_queue *kd_queue_new(void);
void kd_queue_free(struct kd_queue *queue);

/* Takes a new configuration; units stay, those of rules that are gone sleep until a rule
 * of that name returns.  Where a rule forms other groups now, kd_queue_regroup() is to be
 * called, from turns of the loop, as long as it returns 1; 0: all are formed; -ENOMEM: try
 * again later.  A unit that is not in its group yet waits. */
int kd_queue_configure(struct kd_queue *queue, struct kd_conf *conf);
int kd_queue_regroup(struct kd_queue *queue);

/* Takes a unit that is READY or DEFERRED.  -ENOMEM: the caller keeps it. */
int kd_queue_add(struct kd_queue *queue, struct kd_unit *unit, double now);

/* Holds a rule (NULL: all of them), or lets go of it, for one reason.  What runs, runs on;
 * units are still taken in. */
void kd_queue_hold(struct kd_queue *queue, const char *rule, enum kd_hold why, int held);
/* The set of reasons that hold a rule, those that hold all among them. */
unsigned kd_queue_held(const struct kd_queue *queue, const char *rule);

/* Takes a waiting unit, READY or DEFERRED, out of the queue: it is the caller's.  NULL:
 * none of that number waits.  Walks the queue. */
struct kd_unit *kd_queue_take(struct kd_queue *queue, int64_t id);
/* All waiting units of a rule, at once, however many there are: from now on they do not
 * wait, but are still counted.  NULL when memory is out. */
struct kd_queue_drain;
struct kd_queue_drain *kd_queue_drain(struct kd_queue *queue, const char *rule);
/* The next of them is the caller's, and not counted any more; NULL: that was all. */
struct kd_unit *kd_queue_drain_next(struct kd_queue_drain *drain);
/* Frees it, with the units that are left; they are counted on.  The queue may be gone. */
void kd_queue_drain_free(struct kd_queue_drain *drain);

/* Where a unit waits, for people.  Walks the queue. */
struct kd_queue_place {
	const struct kd_unit *unit; /* NULL: it does not wait here */
	uint64_t ahead;		    /* units of its rule that will run before it */
	uint32_t running, workers;  /* batches of its rule, and at most */
	uint32_t all_running, all_workers;
	int wants_gpu; /* and no slot is free */
};
void kd_queue_find(const struct kd_queue *queue, const char *rule, int64_t id,
	struct kd_queue_place *place);

/* How many drops of a rule still settle: while there are any, its groups wait for them,
 * up to max_wait. */
void kd_queue_set_settling(struct kd_queue *queue, const char *rule, uint64_t count);

/* So many more drops of a rule (less, below 0) are on their way into the ledger, or out
 * of it again. */
void kd_queue_expect(struct kd_queue *queue, const char *rule, int more);
/* Units of a rule that are in hand: expected, waiting or running. */
uint64_t kd_queue_open(const struct kd_queue *queue, const char *rule);

/* The next batch that may start, with its units RUNNING: 1 and *batch; 0 none now;
 * -ENOMEM.  Highest priority first, then the rule that has waited longest; within a rule
 * first those that were there when a batch crashed. */
int kd_queue_next(struct kd_queue *queue, double now, struct kd_batch **batch);

/* Seconds until kd_queue_next() may have more without any other event; < 0: never. */
double kd_queue_wait(const struct kd_queue *queue, double now);

/* A batch is over: its place is free.  Its units are the caller's now, each to be added
 * again, or to be counted by kd_queue_close() and freed. */
void kd_queue_end(struct kd_queue *queue, struct kd_batch *batch);

/* Counts a unit as closed in its final state; frees it. */
void kd_queue_close(struct kd_queue *queue, struct kd_unit *unit);

/* Adds what the ledger had counted before. */
void kd_queue_count(
	struct kd_queue *queue, const char *rule, enum kd_state state, uint64_t count);

/* Takes off what the ledger has forgotten. */
void kd_queue_discount(
	struct kd_queue *queue, const char *rule, enum kd_state state, uint64_t count);

/* Units of a rule in a state, open and closed; rule NULL: all. */
uint64_t kd_queue_total(
	const struct kd_queue *queue, const char *rule, enum kd_state state);
/* Of the units of a rule that wait those that have ended, but for their inputs. */
uint64_t kd_queue_undisposed(const struct kd_queue *queue, const char *rule);
uint64_t kd_queue_settling(const struct kd_queue *queue, const char *rule);
uint32_t kd_queue_gpus_busy(const struct kd_queue *queue);
/* Nothing ready or running (deferred units may wait, and those of rules that are held). */
int kd_queue_is_idle(const struct kd_queue *queue);

#endif
