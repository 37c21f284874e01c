/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kiln_parts.h - what the files of the daemon, kiln*.c, share.
 */
#ifndef KD_KILN_PARTS_H
#define KD_KILN_PARTS_H

#include "daemon/intake/intake.h"
#include "daemon/kiln.h"
#include "daemon/kiln_hold.h"
#include "daemon/kiln_keep.h"
#include "daemon/queue/ledger.h"
#include "daemon/queue/queue.h"
#include "daemon/rules/rule.h"
#include "daemon/serve/control.h"
#include "daemon/serve/notify.h"
#include "daemon/work/pool.h"

#include <pthread.h>

struct kd_kiln_run; /* one batch on its way; kiln_batch.c */

/* A kilnctl that waits: for events (watch), for quiet (sync), for a reload. */
struct kd_kiln_waiter {
	struct kd_kiln_waiter *next;
	struct kd_control_request *request;
	enum { KD_WAITS_EVENTS, KD_WAITS_SEEN, KD_WAITS_IDLE, KD_WAITS_RELOAD } what;
	char *rule; /* of which it wants events; NULL: all */
};

struct kd_kiln_reload_job; /* kiln_reload.c */

/* A drop that somebody still wrote to is looked at again when he closes it, which is an
 * event; and after a while in any case.  Until then it is one of its rule's backlog. */
struct kd_kiln_revisit {
	struct kd_kiln_revisit *next, **at;
	struct kd_kiln *kiln;
	ev_timer timer;
	char *rule, *path;
};

struct kd_kiln {
	struct ev_loop *loop;
	struct kd_kiln_options options;
	struct kd_conf *conf;
	double started, loaded;
	char reload_error[1024]; /* "" when the last reload went well */
	struct kd_inotify *inotify;
	struct kd_ledger *ledger;
	struct kd_queue *queue;
	struct kd_pool *pool;
	struct kd_control *control;
	struct kd_notify *notify;
	struct kd_intake **intakes; /* one for each rule, in their order */
	uint32_t intake_count;
	struct kd_kiln_run *runs;
	struct kd_kiln_waiter *waiters;
	struct kd_kiln_revisit *revisits;
	struct kd_kiln_hold *holds;
	struct kd_kiln_drop *drops;
	struct kd_kiln_space *space;
	struct kd_kiln_reload_job *reload; /* under way */
	int reload_again;		   /* asked for meanwhile */
	uint64_t offers;		   /* posted to the ledger, not yet answered */
	ev_timer prune;			   /* the ledger forgets what is old then */
	ev_timer schedule;		   /* the queue may have a batch then */
	ev_timer give_up;		   /* stopping: no longer than this */
	ev_timer drain;	      /* a sync waits for what the kernel has queued ... */
	uint64_t drain_until; /* ... as far as this, of kd_inotify_delivered() */
	int stopping;
};

/* kiln.c */
struct kd_intake *kd_kiln_intake(struct kd_kiln *kiln, const char *rule);
int kd_kiln_build_intakes(struct kd_kiln *kiln, struct kd_conf *conf);
void kd_kiln_revisit(struct kd_kiln *kiln, const char *rule, const char *path);
/* Starts what may start, arms the timer for the rest, answers who waits for quiet. */
void kd_kiln_turn(struct kd_kiln *kiln);

/* kiln_start.c and kiln_batch.c: starts batches while the queue has some. */
void kd_kiln_start_batches(struct kd_kiln *kiln);
void kd_kiln_cancel_batches(struct kd_kiln *kiln);
void kd_kiln_free_batches(struct kd_kiln *kiln);

/* kiln_status.c: one line of how things stand, for systemd. */
void kd_kiln_status_line(void *kiln, char *line, size_t size);

/* kiln_answer.c; kiln_tell.c tells watching kilnctls, reason and output may be NULL */
extern const struct kd_control_handler kd_kiln_control_handler;
void kd_kiln_tell_unit(struct kd_kiln *kiln, const struct kd_unit *unit,
	const char *reason, const char *output);
void kd_kiln_tell_progress(struct kd_kiln *kiln, const struct kd_unit *unit);
void kd_kiln_answer_waiters(struct kd_kiln *kiln);
void kd_kiln_begin_waiters(struct kd_kiln *kiln);
void kd_kiln_answer_reload(struct kd_kiln *kiln, const char *error);
void kd_kiln_free_waiters(struct kd_kiln *kiln);

/* kiln_drop.c: ends those whose kilnctl has left */
void kd_kiln_end_drops(struct kd_kiln *kiln);
void kd_kiln_free_drops(struct kd_kiln *kiln);

/* kiln_reload.c */
void kd_kiln_free_reload(struct kd_kiln *kiln);

#endif
