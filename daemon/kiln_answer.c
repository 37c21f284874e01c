/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What kilnd answers on its control socket (serve/control.h says what is asked).
 */
#include "daemon/kiln_answer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { LIST_MOST = 1000 }; /* rows of one answer: many may be on their way at once */

/* list and show */

struct ask {
	struct kd_kiln_ask ask;
	int is_list;
};

static void
on_rows(void *context, int rc, json_t *json)
{
	struct ask *ask = context;
	struct kd_control_request *request = kd_kiln_ask_end(&ask->ask);
	if (request == NULL) {
		/* Nobody is left to hear it. */
	} else if (rc < 0) {
		kd_control_refuse(
			request, "the ledger cannot be read: %s", strerror(-rc));
	} else if (ask->is_list) {
		size_t i;
		json_t *row;
		json_array_foreach(json, i, row)
			kd_control_event(request, json_incref(row));
		kd_control_end(request, json_object());
	} else if (json == NULL) {
		kd_control_refuse(request, "no such unit");
	} else {
		kd_control_end(request, json_incref(json));
	}
	json_decref(json);
	free(ask);
}

static void
query(struct kd_kiln *kiln, struct kd_control_request *request,
	const struct kd_ledger_query *wanted, int is_list)
{
	struct ask *ask = malloc(sizeof *ask);
	int rc = -ENOMEM;
	if (ask != NULL) {
		ask->is_list = is_list;
		kd_kiln_ask_begin(&ask->ask, request);
		rc = is_list ? kd_ledger_list(kiln->ledger, wanted, on_rows, ask)
			     : kd_ledger_show(kiln->ledger, wanted, on_rows, ask);
	}
	if (rc < 0) {
		if (ask != NULL)
			kd_kiln_ask_end(&ask->ask);
		free(ask);
		kd_control_refuse(request, "%s", strerror(-rc));
	}
}

static void
answer_list(
	struct kd_kiln *kiln, struct kd_control_request *request, const json_t *arguments)
{
	struct kd_ledger_query wanted = {.state = -1, .limit = 100};
	const char *state = json_string_value(json_object_get(arguments, "state"));
	const json_t *limit = json_object_get(arguments, "limit");
	wanted.rule = json_string_value(json_object_get(arguments, "rule"));
	wanted.before = json_integer_value(json_object_get(arguments, "before"));
	if (state != NULL)
		wanted.state = kd_unit_state_parse(state);
	if (json_is_integer(limit))
		wanted.limit = json_integer_value(limit);
	if (wanted.limit < 0 || wanted.limit > LIST_MOST)
		wanted.limit = LIST_MOST;
	if (state != NULL && wanted.state < 0)
		kd_control_refuse(request,
			"'%s' is no state: expected ready, running, deferred, published, "
			"skipped, kept, failed, gone or cancelled",
			state);
	else if (wanted.rule != NULL && kd_conf_rule(kiln->conf, wanted.rule) == NULL)
		kd_control_refuse(request, "there is no rule '%s'", wanted.rule);
	else
		query(kiln, request, &wanted, 1);
}

static void
answer_show(
	struct kd_kiln *kiln, struct kd_control_request *request, const json_t *arguments)
{
	struct kd_ledger_query wanted;
	char *path;
	if (kd_kiln_wanted_unit(kiln, arguments, &wanted, &path) < 0)
		kd_control_refuse(request, "expected the number of a unit, or its path");
	else
		query(kiln, request, &wanted, 0);
	free(path);
}

/* waiting: watch, sync, reload */

static void
wait_for(struct kd_kiln *kiln, struct kd_control_request *request, int what,
	const char *rule)
{
	struct kd_kiln_waiter *waiter = calloc(1, sizeof *waiter);
	char *copy = rule == NULL ? NULL : strdup(rule);
	if (waiter == NULL || (rule != NULL && copy == NULL)) {
		free(waiter);
		kd_control_refuse(request, "%s", strerror(ENOMEM));
		return;
	}
	waiter->request = request;
	waiter->what = what;
	waiter->rule = copy;
	waiter->next = kiln->waiters;
	kiln->waiters = waiter;
}

static void
waiter_free(struct kd_kiln_waiter **at)
{
	struct kd_kiln_waiter *waiter = *at;
	*at = waiter->next;
	free(waiter->rule);
	free(waiter);
}

static int
all_seen(const struct kd_kiln *kiln)
{
	if (ev_is_active(&kiln->drain))
		return 0;
	for (uint32_t i = 0; i < kiln->intake_count; i++) {
		const struct kd_intake *intake = kiln->intakes[i];
		/* What a held rule has no room for is not seen before it is let go. */
		if (!kd_intake_is_current(intake) &&
			!(kd_intake_is_full(intake) &&
				kd_queue_held(kiln->queue, kd_intake_rule(intake)->name)))
			return 0;
	}
	return 1;
}

void
kd_kiln_answer_waiters(struct kd_kiln *kiln)
{
	if (kiln->waiters == NULL || !all_seen(kiln))
		return;
	int idle = kiln->offers == 0 && kiln->runs == NULL && !kd_kiln_is_looking(kiln) &&
		   kd_queue_is_idle(kiln->queue);
	for (struct kd_kiln_waiter **at = &kiln->waiters; *at != NULL;) {
		struct kd_kiln_waiter *waiter = *at;
		if (waiter->what != KD_WAITS_SEEN &&
			!(waiter->what == KD_WAITS_IDLE && idle)) {
			at = &waiter->next;
			continue;
		}
		struct kd_control_request *request = waiter->request;
		waiter_free(at);
		kd_control_end(request, json_object());
	}
}

void
kd_kiln_answer_reload(struct kd_kiln *kiln, const char *error)
{
	for (struct kd_kiln_waiter **at = &kiln->waiters; *at != NULL;) {
		struct kd_kiln_waiter *waiter = *at;
		if (waiter->what != KD_WAITS_RELOAD) {
			at = &waiter->next;
			continue;
		}
		struct kd_control_request *request = waiter->request;
		waiter_free(at);
		if (error == NULL)
			kd_control_end(request, json_object());
		else
			kd_control_refuse(request, "%s", error);
	}
}

void
kd_kiln_free_waiters(struct kd_kiln *kiln)
{
	ev_timer_stop(kiln->loop, &kiln->drain);
	while (kiln->waiters != NULL)
		waiter_free(&kiln->waiters);
}

/* A part of the events in each turn of the loop, however busy that is; then what they do
 * not tell of. */
static void
drain(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)events;
	enum { READS = 4 };
	struct kd_kiln *kiln = timer->data;
	int more = 1;
	for (int i = 0; i < READS && more; i++)
		more = kd_inotify_delivered(kiln->inotify) < kiln->drain_until &&
		       kd_inotify_deliver(kiln->inotify);
	if (more) {
		ev_timer_set(timer, 0., 0.);
		ev_timer_start(loop, timer);
		return;
	}
	for (uint32_t i = 0; i < kiln->intake_count; i++)
		kd_intake_catch_up(kiln->intakes[i]);
	kd_kiln_turn(kiln);
}

void
kd_kiln_begin_waiters(struct kd_kiln *kiln)
{
	ev_timer_init(&kiln->drain, drain, 0., 0.);
	kiln->drain.data = kiln;
}

/* Events that happened before the question are in the kernel's queue: delivering those,
 * and letting the scans that follow end, is the barrier.  Where no events come, a scan
 * is. */
static void
answer_sync(
	struct kd_kiln *kiln, struct kd_control_request *request, const json_t *arguments)
{
	kiln->drain_until = kd_inotify_horizon(kiln->inotify);
	ev_timer_start(kiln->loop, &kiln->drain);
	int idle = json_is_true(json_object_get(arguments, "idle"));
	wait_for(kiln, request, idle ? KD_WAITS_IDLE : KD_WAITS_SEEN, NULL);
}

static void
answer_watch(
	struct kd_kiln *kiln, struct kd_control_request *request, const json_t *arguments)
{
	/* What is asked from now on is asked by somebody who misses nothing. */
	kd_control_event(request, json_pack("{s:s}", "event", "watching"));
	wait_for(kiln, request, KD_WAITS_EVENTS,
		json_string_value(json_object_get(arguments, "rule")));
}

static void
answer_reload(
	struct kd_kiln *kiln, struct kd_control_request *request, const json_t *arguments)
{
	(void)arguments;
	wait_for(kiln, request, KD_WAITS_RELOAD, NULL);
	kd_kiln_reload(kiln);
}

/* What may be asked, and by whom; who may drop depends on the rule. */
static const struct {
	const char *command;
	int for_admins;
	kd_kiln_answer_fn *answer;
} answers[] = {
	{"status", 0, kd_kiln_answer_status},
	{"list", 0, answer_list},
	{"show", 0, answer_show},
	{"explain", 0, kd_kiln_answer_explain},
	{"watch", 0, answer_watch},
	{"sync", 0, answer_sync},
	{"drop", 0, kd_kiln_answer_drop},
	{"reload", 1, answer_reload},
	{"pause", 1, kd_kiln_answer_pause},
	{"resume", 1, kd_kiln_answer_resume},
	{"cancel", 1, kd_kiln_answer_cancel},
	{"retry", 1, kd_kiln_answer_retry},
	{"prune", 1, kd_kiln_answer_prune},
	{"backup", 1, kd_kiln_answer_backup},
};

static void
on_request(void *context, struct kd_control_request *request, const char *command,
	const json_t *arguments)
{
	struct kd_kiln *kiln = context;
	for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
		if (strcmp(command, answers[i].command) != 0)
			continue;
		if (answers[i].for_admins &&
			!kd_kiln_may_command(kiln, kd_control_peer(request)))
			kd_control_refuse(request,
				"you may not %s: only root, the daemon's own user and "
				"the "
				"admins of kiln.toml may",
				command);
		else
			answers[i].answer(kiln, request, arguments);
		return;
	}
	kd_control_refuse(request, "this kilnd knows no command '%s'", command);
}

static void
on_gone(void *context, struct kd_control_request *request)
{
	struct kd_kiln *kiln = context;
	kd_kiln_ask_gone(request);
	kd_kiln_end_drops(kiln);
	for (struct kd_kiln_waiter **at = &kiln->waiters; *at != NULL;) {
		if ((*at)->request == request)
			waiter_free(at);
		else
			at = &(*at)->next;
	}
}

const struct kd_control_handler kd_kiln_control_handler = {
	.request = on_request,
	.gone = on_gone,
};
