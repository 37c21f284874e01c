/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "daemon/kiln.h"

#include "daemon/base/file.h"
#include "daemon/base/log.h"
#include "daemon/base/name.h"
#include "daemon/kiln_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double STOP_PATIENCE = 10; /* seconds a stop waits for running batches */
static const double REVISIT = 30; /* seconds before a file in use is looked at again */
static const double LEDGER_PATIENCE = 60; /* a transaction that runs longer hangs */

struct kd_intake *
kd_kiln_intake(struct kd_kiln *kiln, const char *rule)
{
	for (uint32_t i = 0; i < kiln->intake_count; i++)
		if (strcmp(kd_intake_rule(kiln->intakes[i])->name, rule) == 0)
			return kiln->intakes[i];
	return NULL;
}

static void
end_revisit(struct kd_kiln_revisit *revisit)
{
	*revisit->at = revisit->next;
	if (revisit->next != NULL)
		revisit->next->at = revisit->at;
	kd_queue_expect(revisit->kiln->queue, revisit->rule, -1);
	ev_timer_stop(revisit->kiln->loop, &revisit->timer);
	free(revisit->rule);
	free(revisit->path);
	free(revisit);
}

static void
on_revisit(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)events;
	struct kd_kiln_revisit *revisit = timer->data;
	struct kd_intake *intake = kd_kiln_intake(revisit->kiln, revisit->rule);
	if (intake != NULL)
		kd_intake_touch(intake, revisit->path);
	end_revisit(revisit);
}

void
kd_kiln_revisit(struct kd_kiln *kiln, const char *rule, const char *path)
{
	struct kd_kiln_revisit *revisit = calloc(1, sizeof *revisit);
	if (revisit != NULL) {
		revisit->rule = strdup(rule);
		revisit->path = strdup(path);
	}
	if (revisit == NULL || revisit->rule == NULL || revisit->path == NULL) {
		kd_log(KD_ERROR, "rule '%s': out of memory, '%s' waits for the next scan",
			rule, KD_NAME(path));
		if (revisit != NULL) {
			free(revisit->rule);
			free(revisit->path);
		}
		free(revisit);
		return;
	}
	revisit->kiln = kiln;
	revisit->at = &kiln->revisits;
	revisit->next = kiln->revisits;
	if (revisit->next != NULL)
		revisit->next->at = &revisit->next;
	kiln->revisits = revisit;
	kd_queue_expect(kiln->queue, rule, 1);
	ev_timer_init(&revisit->timer, on_revisit, REVISIT, 0.);
	revisit->timer.data = revisit;
	ev_timer_start(kiln->loop, &revisit->timer);
}

/* A drop that the ledger has not seen is queued. */
struct offered {
	struct kd_kiln *kiln;
	struct kd_unit *unit;
};

static void
on_offered(void *context, int rc, int64_t id, enum kd_ledger_news news)
{
	struct offered *offered = context;
	struct kd_kiln *kiln = offered->kiln;
	struct kd_unit *unit = offered->unit;
	free(offered);
	kiln->offers--;
	kd_queue_expect(kiln->queue, unit->rule, -1);
	if (rc < 0) {
		kd_log(KD_ERROR,
			"rule '%s': '%s' cannot be entered into the ledger (%s), looking "
			"again",
			unit->rule, KD_NAME(unit->path), strerror(-rc));
		struct kd_intake *intake = kd_kiln_intake(kiln, unit->rule);
		if (intake != NULL)
			kd_intake_touch(intake, unit->path);
		kd_unit_free(unit);
	} else if (news == KD_LEDGER_KNOWN) {
		kd_unit_free(unit);
	} else {
		unit->id = id;
		unit->returned = news == KD_LEDGER_RETURNED;
		kd_kiln_tell_unit(kiln, unit, NULL, NULL);
		if (kd_queue_add(kiln->queue, unit, ev_now(kiln->loop)) < 0) {
			kd_log(KD_ERROR,
				"rule '%s': out of memory, '%s' waits for the next start",
				unit->rule, KD_NAME(unit->path));
			kd_unit_free(unit);
		}
	}
	kd_kiln_turn(kiln);
}

static void
on_settled(void *context, const struct kd_unit *seen)
{
	struct kd_kiln *kiln = context;
	struct offered *offered = calloc(1, sizeof *offered);
	struct kd_unit *unit = kd_unit_new(seen->rule, seen->path, seen->kind);
	if (offered != NULL && unit != NULL) {
		unit->identity = seen->identity;
		*offered = (struct offered){kiln, unit};
		kiln->offers++;
		kd_queue_expect(kiln->queue, unit->rule, 1);
		if (kd_ledger_offer(kiln->ledger, unit, on_offered, offered) == 0)
			return;
		kiln->offers--;
		kd_queue_expect(kiln->queue, unit->rule, -1);
	}
	kd_log(KD_ERROR, "rule '%s': out of memory, '%s' waits for the next scan",
		seen->rule, KD_NAME(seen->path));
	kd_unit_free(unit);
	free(offered);
}

/* Drops wait in memory only as far as the rule's backlog goes. */
static void
make_room(struct kd_kiln *kiln, struct kd_intake *intake)
{
	const struct kd_rule *rule = kd_intake_rule(intake);
	uint64_t taken =
		kd_intake_settling(intake) + kd_queue_open(kiln->queue, rule->name);
	kd_intake_set_room(intake, taken < rule->backlog ? rule->backlog - taken : 0);
}

static void
on_intake_changed(void *context, struct kd_intake *intake)
{
	struct kd_kiln *kiln = context;
	kd_queue_set_settling(
		kiln->queue, kd_intake_rule(intake)->name, kd_intake_settling(intake));
	make_room(kiln, intake);
	kd_kiln_turn(kiln);
}

static void
free_intakes(struct kd_intake **intakes, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		kd_intake_free(intakes[i]);
	free(intakes);
}

int
kd_kiln_build_intakes(struct kd_kiln *kiln, struct kd_conf *conf)
{
	const struct kd_intake_handler handler = {
		.settled = on_settled,
		.changed = on_intake_changed,
		.context = kiln,
	};
	struct kd_intake **intakes = calloc(conf->rule_count + 1, sizeof *intakes);
	uint32_t count = 0;
	if (intakes == NULL)
		return -ENOMEM;
	for (; count < conf->rule_count; count++) {
		intakes[count] = kd_intake_new(
			kiln->loop, kiln->inotify, conf->rules[count], &handler);
		if (intakes[count] == NULL) {
			free_intakes(intakes, count);
			return -ENOMEM;
		}
	}
	free_intakes(kiln->intakes, kiln->intake_count);
	kiln->intakes = intakes;
	kiln->intake_count = count;
	for (uint32_t i = 0; i < count; i++) {
		kd_queue_set_settling(kiln->queue, conf->rules[i]->name,
			kd_intake_settling(intakes[i]));
		make_room(kiln, intakes[i]);
	}
	return 0;
}

static void
on_schedule(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)events;
	kd_kiln_turn(timer->data);
}

void
kd_kiln_turn(struct kd_kiln *kiln)
{
	if (kiln->stopping) {
		if (kiln->runs == NULL)
			ev_break(kiln->loop, EVBREAK_ALL);
		return;
	}
	kd_kiln_start_batches(kiln);
	for (uint32_t i = 0; i < kiln->intake_count; i++)
		if (kd_intake_is_full(kiln->intakes[i]))
			make_room(kiln, kiln->intakes[i]);
	double wait = kd_queue_wait(kiln->queue, ev_now(kiln->loop));
	ev_timer_stop(kiln->loop, &kiln->schedule);
	if (wait >= 0) {
		/* Never 0: a batch that cannot start now must not spin the loop. */
		ev_timer_set(&kiln->schedule, wait + 0.01, 0.);
		ev_timer_start(kiln->loop, &kiln->schedule);
	}
	kd_kiln_answer_waiters(kiln);
	kd_notify_changed(kiln->notify);
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
	ev_timer_init(&kiln->schedule, on_schedule, 0., 0.);
	kiln->schedule.data = kiln;
	ev_timer_init(&kiln->give_up, on_give_up, STOP_PATIENCE, 0.);
	kd_kiln_begin_waiters(kiln);
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
	kd_kiln_begin_pruning(kiln);
	kd_notify_ready(kiln->notify);
	kd_kiln_turn(kiln);
	return 0;
}

void
kd_kiln_free(struct kd_kiln *kiln)
{
	if (kiln == NULL)
		return;
	kiln->stopping = 1;
	ev_timer_stop(kiln->loop, &kiln->prune);
	ev_timer_stop(kiln->loop, &kiln->schedule);
	ev_timer_stop(kiln->loop, &kiln->give_up);
	kd_kiln_free_reload(kiln);
	kd_kiln_free_space(kiln);
	while (kiln->revisits != NULL)
		end_revisit(kiln->revisits);
	free_intakes(kiln->intakes, kiln->intake_count);
	kiln->intakes = NULL;
	kiln->intake_count = 0;
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
	kd_kiln_turn(kiln);
}
