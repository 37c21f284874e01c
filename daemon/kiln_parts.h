/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kiln_parts.h - kilnd as one object, on which all its files, kiln*.c, stand.  From the
 * bottom up, each knowing only those before it:
 *
 *   ask, tell          who asks what, and telling those who watch
 *   intake, hold       what comes in; why a rule starts nothing
 *   space, batch       room for outputs; a batch to its end, and (start) its beginning
 *   keep, wait         what is forgotten; kilnctls that wait
 *   reload             another configuration
 *   status, explain, drop, order, amend, answer      what kilnctl is answered
 *   kiln.c             builds all of it, and turns
 */
#ifndef KD_KILN_PARTS_H
#define KD_KILN_PARTS_H

#include "daemon/intake/intake.h"
#include "daemon/kiln.h"
#include "daemon/queue/ledger.h"
#include "daemon/queue/queue.h"
#include "daemon/rules/rule.h"
#include "daemon/serve/control.h"
#include "daemon/serve/notify.h"
#include "daemon/work/pool.h"

#include <pthread.h>

struct kd_kiln_run; /* one batch on its way; kiln_batch.c */

/* A kilnctl that waits: for events (watch), for quiet (sync), for a reload. */
enum kd_kiln_wait { KD_WAITS_EVENTS, KD_WAITS_SEEN, KD_WAITS_IDLE, KD_WAITS_RELOAD };
struct kd_kiln_waiter {
	struct kd_kiln_waiter *next;
	struct kd_control_request *request;
	enum kd_kiln_wait what;
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
	ev_timer schedule;    /* kiln.c's next turn: the queue may have a batch */
	ev_timer give_up;     /* stopping: no longer than this */
	ev_timer regroup;     /* units are on their way into other groups */
	ev_timer drain;	      /* a sync waits for what the kernel has queued ... */
	uint64_t drain_until; /* ... as far as this, of kd_inotify_delivered() */
	int stopping;
};

/* Something has changed: kiln.c takes a turn as soon as the callback that says so has
 * returned, one for all that stirred in it.  A turn hangs on the timer of the schedule,
 * so this lies below all that may need one. */
static inline void
kd_kiln_stir(struct kd_kiln *kiln)
{
	ev_feed_event(kiln->loop, &kiln->schedule, EV_TIMER);
}

#endif
