/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "daemon/kiln.h"

#include "daemon/base/file.h"
#include "daemon/base/log.h"
#include "daemon/base/name.h"
#include "daemon/kiln_answer.h"
#include "daemon/kiln_hold.h"
#include "daemon/kiln_intake.h"
#include "daemon/kiln_keep.h"
#include "daemon/kiln_reload.h"
#include "daemon/kiln_run.h"
#include "daemon/kiln_space.h"
#include "daemon/kiln_wait.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double STOP_PATIENCE = 10;	  /* seconds a stop waits for running batches */
static const double LEDGER_PATIENCE = 60; /* a transaction that runs longer hangs */

/* Starts what may start, arms the timer for the rest, answers who waits for quiet.  What
 * stirs meanwhile asks for another turn: the timer is stopped first, not to lose that. */
static void
turn(struct kd_kiln *kiln)
{
	if (kiln->stopping) {
		if (kiln->runs == NULL)
			ev_break(kiln->loop, EVBREAK_ALL);
		return;
	}
	ev_timer_stop(kiln->loop, &kiln->schedule);
	kd_kiln_start_batches(kiln);
	for (uint32_t i = 0; i < kiln->intake_count; i++)
		if (kd_intake_is_full(kiln->intakes[i]))
			kd_kiln_make_room(kiln, kiln->intakes[i]);
	double wait = kd_queue_wait(kiln->queue, ev_now(kiln->loop));
	if (wait >= 0) {
		/* Never 0: a batch that cannot start now must not spin the loop. */
		ev_timer_set(&kiln->schedule, wait + 0.01, 0.);
		ev_timer_start(kiln->loop, &kiln->schedule);
	}
	kd_kiln_answer_waiters(kiln);
	kd_notify_changed(kiln->notify);
}

static void
on_turn(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)events;
	turn(timer->data);
}

static int
take_up(void *context, struct kd_unit *unit)
{
	struct kd_kiln *kiln = context;
	int rc = kd_queue_add(kiln->queue, unit, ev_now(kiln->loop));
	if (rc < 0)
		kd_unit_free(unit);
	return rc;
}

static void
count(void *context, const char *rule, enum kd_state state, uint64_t units)
{
	struct kd_kiln *kiln = context;
	kd_queue_count(kiln->queue, rule, state, units);
}

static int
open_ledger(struct kd_kiln *kiln, struct kd_err *err)
{
	char path[4096];
	int rc = kd_file_make_dirs(kiln->conf->state, 0750);
	if (rc < 0)
		return kd_err_errno(err, rc, "the state folder '%s' cannot be made",
			kiln->conf->state);
	snprintf(path, sizeof path, "%s/ledger.db", kiln->conf->state);
	rc = kd_ledger_open(path, kiln->loop, &kiln->ledger, err);
	if (rc == 0)
		rc = kd_ledger_load(kiln->ledger, take_up, kiln, err);
	if (rc == 0 && kd_ledger_counts(kiln->ledger, count, kiln) < 0)
		rc = kd_err_set(err, -EIO, "the ledger's units cannot be counted");
	if (rc == 0)
		rc = kd_kiln_load_pauses(kiln, err);
	return rc < 0 ? rc : kd_ledger_begin(kiln->ledger, err);
}

static int
open_control(struct kd_kiln *kiln, struct kd_err *err)
{
	char path[4096];
	snprintf(path, sizeof path, "%s/control", kiln->conf->state);
	struct kd_control_handler handler = kd_kiln_control_handler;
	handler.context = kiln;
	int kept = kd_notify_kept("control");
	int rc = kd_control_new(kiln->loop, path, kept, &handler, &kiln->control, err);
	if (rc == 0 && kept < 0)
		kd_notify_keep(kiln->notify, kd_control_fd(kiln->control), "control");
	return rc;
}

static int
is_alive(void *context)
{
	struct kd_kiln *kiln = context;
	int alive = kd_ledger_busy(kiln->ledger) < LEDGER_PATIENCE;
	/* It is asked at every ping of the watchdog: a time at which kilnd wakes up. */
	for (uint32_t i = 0; i < kiln->intake_count; i++)
		alive &= kd_intake_prove(kiln->intakes[i]);
	return alive;
}

static void
on_give_up(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)timer;
	(void)events;
	kd_log(KD_WARNING,
		"some batches did not end in time; they start anew with kilnd");
	ev_break(loop, EVBREAK_ALL);
}

/* The parts, in the order in which each needs the one before. */
static int
build(struct kd_kiln *kiln, struct kd_err *err)
{
	struct kd_conf_options conf = {
		.file = kiln->options.file,
		.state = kiln->options.state,
		.check_paths = 1,
	};
	struct kd_pool_options pool = {.worker = kd_catalog_worker()};
	int rc = kd_conf_load(&conf, &kiln->conf, err);
	if (rc < 0)
		return rc;
	kd_log_level(kiln->conf->log_level);
	kiln->queue = kd_queue_new();
	kiln->pool = kd_pool_new(kiln->loop, &pool);
	struct kd_notify_handler heard = {is_alive, kd_kiln_status_line, kiln};
	kiln->notify = kd_notify_new(kiln->loop, &heard);
	if (kiln->queue == NULL || kiln->pool == NULL || kiln->notify == NULL ||
		kd_queue_configure(kiln->queue, kiln->conf) < 0)
		return kd_err_errno(err, -ENOMEM, "kilnd cannot start");
	rc = open_ledger(kiln, err);
	if (rc == 0)
		rc = open_control(kiln, err);
	if (rc == 0)
		rc = kd_inotify_new(kiln->loop, &kiln->inotify, err);
	if (rc == 0 && kd_kiln_build_intakes(kiln, kiln->conf) < 0)
		rc = kd_err_errno(err, -ENOMEM, "kilnd cannot start");
	return rc;
}

int
kd_kiln_new(struct ev_loop *loop, const struct kd_kiln_options *options,
	struct kd_kiln **made, struct kd_err *err)
{
	struct kd_kiln *kiln = calloc(1, sizeof *kiln);
	if (kiln == NULL)
		return kd_err_errno(err, -ENOMEM, "kilnd cannot start");
	kiln->loop = loop;
	kiln->options = *options;
	ev_timer_init(&kiln->schedule, on_turn, 0., 0.);
	kiln->schedule.data = kiln;
	ev_timer_init(&kiln->give_up, on_give_up, STOP_PATIENCE, 0.);
	kd_kiln_begin_waiters(kiln);
	kd_kiln_begin_reloads(kiln);
	ev_now_update(loop);
	kiln->started = kiln->loaded = ev_now(loop);
	int rc = build(kiln, err);
	if (rc < 0) {
		kd_kiln_free(kiln);
		return rc;
	}
	kd_log(KD_INFO, "kilnd " PACKAGE_VERSION ": %u rules, %u kernels from '%s'",
		kiln->conf->rule_count, kiln->conf->catalog->kernel_count,
		KD_NAME(kiln->conf->file));
	*made = kiln;
	kd_kiln_begin_holds(kiln);
	kd_kiln_look_for_space(kiln);
	kd_kiln_begin_pruning(kiln);
	kd_notify_ready(kiln->notify);
	turn(kiln);
	return 0;
}

void
kd_kiln_free(struct kd_kiln *kiln)
{
	if (kiln == NULL)
		return;
	kiln->stopping = 1;
	ev_timer_stop(kiln->loop, &kiln->prune);
	ev_timer_stop(kiln->loop, &kiln->give_up);
	kd_kiln_free_reload(kiln);
	kd_kiln_free_space(kiln);
	kd_kiln_free_intakes(kiln);
	kd_inotify_free(kiln->inotify);
	kd_pool_free(kiln->pool);
	kd_ledger_close(kiln->ledger);
	kd_kiln_free_batches(kiln);
	kd_kiln_free_waiters(kiln);
	kd_kiln_free_drops(kiln);
	kd_control_free(kiln->control);
	kd_kiln_free_holds(kiln);
	kd_queue_free(kiln->queue);
	kd_notify_free(kiln->notify);
	kd_conf_unref(kiln->conf);
	/* Last: as the parts end they may ask for a turn, which is never to come. */
	ev_timer_stop(kiln->loop, &kiln->schedule);
	free(kiln);
}

void
kd_kiln_stop(struct kd_kiln *kiln)
{
	if (kiln->stopping)
		return;
	kd_notify_stopping(kiln->notify);
	kiln->stopping = 1;
	ev_timer_start(kiln->loop, &kiln->give_up);
	kd_kiln_cancel_batches(kiln);
	turn(kiln);
}
