/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What administrators command of units: cancel and retry.  What waits is taken out of the
 * queue at once, so that nothing starts it while the ledger is told.  Those of a rule, of
 * which there may be very many, are gone through some at a time: each of the ledger's
 * answers is followed by the next question.  kilnctl is told when all is on disk.
 */
#include "daemon/base/log.h"
#include "daemon/base/name.h"
#include "daemon/kiln_answer.h"
#include "daemon/kiln_run.h"
#include "daemon/kiln_tell.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { AT_ONCE = 500, RETRY_MOST = 100000 };

struct order {
	struct kd_kiln_ask ask;
	struct kd_kiln *kiln;
	void (*with_unit)(struct order *order, int64_t unit, const char *state);
	struct kd_queue_drain *rest; /* of a rule, taken out of the queue */
	struct kd_unit *units;	     /* some of them, or the one: the ledger is told */
	const char *failure;	     /* why what is left goes back into the queue */
	char *rule;		     /* to be tried again */
	int64_t last;		     /* as far as this unit */
	int64_t cancelled, asked, retried;
};

static struct order *
order_new(struct kd_kiln *kiln, struct kd_control_request *request)
{
	struct order *order = calloc(1, sizeof *order);
	if (order == NULL) {
		kd_control_refuse(request, "%s", strerror(ENOMEM));
		return NULL;
	}
	order->kiln = kiln;
	kd_kiln_ask_begin(&order->ask, request);
	return order;
}

static void
order_free(struct order *order)
{
	kd_queue_drain_free(order->rest);
	free(order->rule);
	free(order);
}

static void
refuse(struct order *order, const char *why)
{
	struct kd_control_request *request = kd_kiln_ask_end(&order->ask);
	int64_t done = order->cancelled + order->retried;
	if (request != NULL && done > 0)
		kd_control_refuse(request, "%s; %lld units had been %s before", why,
			(long long)done,
			order->cancelled > 0 ? "cancelled" : "tried again");
	else if (request != NULL)
		kd_control_refuse(request, "%s", why);
	order_free(order);
}

static void
put_into_queue(struct kd_kiln *kiln, struct kd_unit *unit)
{
	kd_kiln_tell_unit(kiln, unit, NULL, NULL);
	if (kd_queue_add(kiln->queue, unit, ev_now(kiln->loop)) == 0)
		return;
	kd_log(KD_ERROR, "rule '%s': out of memory, '%s' waits for the next start",
		unit->rule, KD_NAME(unit->path));
	kd_unit_free(unit);
}

/* The number of the unit that is meant; its rule's ledger is asked where only its path is
 * known. */
static void
on_found(void *context, int rc, json_t *json)
{
	struct order *order = context;
	int64_t unit = json_integer_value(json_object_get(json, "id"));
	if (rc < 0)
		refuse(order, "the ledger cannot be read");
	else if (json == NULL)
		refuse(order, "there is no such unit");
	else
		order->with_unit(
			order, unit, json_string_value(json_object_get(json, "state")));
	json_decref(json);
}

static void
find_unit(struct order *order, const json_t *arguments)
{
	struct kd_ledger_query wanted;
	char *path;
	if (kd_kiln_wanted_unit(order->kiln, arguments, &wanted, &path) < 0)
		refuse(order, "expected the number of a unit, its path, or a rule");
	else if (kd_ledger_show(order->kiln->ledger, &wanted, on_found, order) < 0)
		refuse(order, strerror(ENOMEM));
	free(path);
}

/* cancel */

static void
end_cancel(struct order *order)
{
	struct kd_control_request *request = kd_kiln_ask_end(&order->ask);
	if (request != NULL)
		kd_control_end(request,
			json_pack("{s:I, s:I}", "cancelled", (json_int_t)order->cancelled,
				"stopping", (json_int_t)order->asked));
	kd_kiln_stir(order->kiln);
	order_free(order);
}

/* Whether a keeper has to look whether it left the unit in a claim. */
static int
is_astray(const struct kd_kiln *kiln, const struct kd_unit *unit)
{
	const struct kd_rule *rule = kd_conf_rule(kiln->conf, unit->rule);
	return unit->astray && (rule == NULL || rule->inputs != KD_INPUTS_KEEP);
}

static void cancel_units(struct order *order);

static void
close_cancelled(struct order *order, struct kd_unit *unit)
{
	struct kd_kiln *kiln = order->kiln;
	order->cancelled++;
	if (is_astray(kiln, unit)) {
		kd_unit_note_end(unit, KD_STATE_CANCELLED, NULL, "cancelled");
		unit->state = KD_STATE_READY;
		put_into_queue(kiln, unit);
		return;
	}
	unit->state = KD_STATE_CANCELLED;
	kd_kiln_tell_unit(kiln, unit, "cancelled", NULL);
	kd_queue_close(kiln->queue, unit);
}

static void
on_cancelled(void *context, int rc)
{
	struct order *order = context;
	struct kd_kiln *kiln = order->kiln;
	if (rc < 0 && order->failure == NULL)
		order->failure = "the ledger cannot be written";
	while (order->units != NULL) {
		struct kd_unit *unit = kd_kiln_run_unchain(&order->units);
		if (rc < 0)
			put_into_queue(kiln, unit);
		else
			close_cancelled(order, unit);
	}
	if (order->rest != NULL && kiln->stopping)
		refuse(order, "kilnd stops");
	else if (order->rest != NULL)
		cancel_units(order);
	else if (order->failure != NULL)
		refuse(order, order->failure);
	else
		end_cancel(order);
}

/* The next of the rule's units, for the ledger to be told of.  Those that have ended are
 * only in the queue for their inputs: they go on with that. */
static void
take_some(struct order *order)
{
	for (int i = 0; order->rest != NULL && i < AT_ONCE; i++) {
		struct kd_unit *unit = kd_queue_drain_next(order->rest);
		if (unit == NULL) {
			kd_queue_drain_free(order->rest);
			order->rest = NULL;
		} else if (order->failure != NULL || kd_unit_is_final(unit->recorded)) {
			put_into_queue(order->kiln, unit);
		} else {
			unit->next = order->units;
			order->units = unit;
		}
	}
}

/* The ledger is told of the units at hand, or is only waited for when there are none. */
static void
cancel_units(struct order *order)
{
	struct kd_ledger_cancelled ids[AT_ONCE];
	uint32_t count = 0;
	take_some(order);
	for (struct kd_unit *u = order->units; u != NULL; u = u->next)
		ids[count++] = (struct kd_ledger_cancelled){
			.unit = u->id, .astray = is_astray(order->kiln, u)};
	int rc = kd_ledger_cancel(order->kiln->ledger, ids, count, on_cancelled, order);
	if (rc == 0)
		return;
	order->failure = strerror(-rc);
	while (order->rest != NULL)
		take_some(order);
	on_cancelled(order, rc);
}

/* Those that run are asked to stop: their keeper tells the kernel, and ends its engine
 * when it does not listen.  The company runs anew, uncharged. */
static void
stop_running(struct order *order, const char *rule, int64_t id)
{
	for (struct kd_kiln_run *run = order->kiln->runs; run != NULL; run = run->next) {
		int64_t before = order->asked;
		if (rule != NULL && strcmp(run->batch->rule->name, rule) != 0)
			continue;
		for (uint32_t i = 0; i < run->batch->unit_count; i++) {
			struct kd_unit *unit = run->batch->units[i];
			if (rule == NULL && unit->id != id)
				continue;
			unit->cancel = 1;
			order->asked++;
		}
		if (order->asked > before && run->job != NULL)
			kd_job_cancel(run->job);
	}
}

static void
cancel_unit(struct order *order, int64_t id, const char *state)
{
	order->units = kd_queue_take(order->kiln->queue, id);
	/* One that has ended is only in the queue for its input: it goes on with that. */
	if (order->units != NULL && kd_unit_is_final(order->units->recorded))
		put_into_queue(order->kiln, kd_kiln_run_unchain(&order->units));
	if (order->units == NULL)
		stop_running(order, NULL, id);
	if (order->units != NULL) {
		cancel_units(order);
		return;
	}
	if (order->asked > 0) {
		end_cancel(order);
		return;
	}
	struct kd_control_request *request = kd_kiln_ask_end(&order->ask);
	if (request != NULL)
		kd_control_refuse(request, "unit %lld is %s: there is nothing to cancel",
			(long long)id, state == NULL ? "over" : state);
	order_free(order);
}

void
kd_kiln_answer_cancel(
	struct kd_kiln *kiln, struct kd_control_request *request, const json_t *arguments)
{
	const char *rule = json_string_value(json_object_get(arguments, "rule"));
	struct order *order = order_new(kiln, request);
	if (order == NULL)
		return;
	order->with_unit = cancel_unit;
	if (rule == NULL) {
		find_unit(order, arguments);
	} else if (kd_conf_rule(kiln->conf, rule) == NULL) {
		refuse(order, "there is no such rule");
	} else if ((order->rest = kd_queue_drain(kiln->queue, rule)) == NULL) {
		refuse(order, strerror(ENOMEM));
	} else {
		stop_running(order, rule, 0);
		cancel_units(order);
	}
}

/* retry */

static void
end_retry(struct order *order)
{
	struct kd_control_request *request = kd_kiln_ask_end(&order->ask);
	if (request != NULL)
		kd_control_end(request,
			json_pack("{s:I}", "retried", (json_int_t)order->retried));
	kd_kiln_stir(order->kiln);
	order_free(order);
}

static void retry_some(struct order *order);

static void
on_retried(void *context, int rc, struct kd_unit *units, enum kd_state was)
{
	struct order *order = context;
	struct kd_kiln *kiln = order->kiln;
	int was_closed = was == KD_STATE_CANCELLED ? KD_STATE_CANCELLED : KD_STATE_FAILED;
	if (rc < 0) {
		refuse(order, "the ledger cannot be written");
		return;
	}
	int64_t before = order->retried;
	while (units != NULL) {
		struct kd_unit *unit = kd_kiln_run_unchain(&units);
		order->last = unit->id;
		kd_queue_discount(kiln->queue, unit->rule, (enum kd_state)was_closed, 1);
		put_into_queue(kiln, unit);
		order->retried++;
	}
	if (order->rule == NULL || order->retried < before + KD_LEDGER_RETRY ||
		order->retried >= RETRY_MOST)
		end_retry(order);
	else if (kiln->stopping)
		refuse(order, "kilnd stops");
	else
		retry_some(order);
}

static void
retry_some(struct order *order)
{
	struct kd_ledger_retry given = {.unit = order->last, .rule = order->rule};
	if (kd_ledger_retry(order->kiln->ledger, &given, on_retried, order) < 0)
		refuse(order, strerror(ENOMEM));
}

static void
retry_unit(struct order *order, int64_t id, const char *state)
{
	struct kd_kiln *kiln = order->kiln;
	struct kd_unit *waiting = kd_queue_take(kiln->queue, id);
	if (waiting != NULL) {
		/* It need not wait for its time. */
		waiting->state = KD_STATE_READY;
		waiting->not_before = 0;
		put_into_queue(kiln, waiting);
		order->retried++;
		end_retry(order);
		return;
	}
	int may = state != NULL &&
		  (strcmp(state, "failed") == 0 || strcmp(state, "cancelled") == 0);
	struct kd_ledger_retry given = {.unit = id};
	if (may && kd_ledger_retry(kiln->ledger, &given, on_retried, order) == 0)
		return;
	struct kd_control_request *request = kd_kiln_ask_end(&order->ask);
	if (request != NULL)
		kd_control_refuse(request,
			may ? "out of memory; unit %lld is %s"
			    : "unit %lld is %s: only failed, cancelled and deferred "
			      "units "
			      "are tried again; to have others run anew, drop them again",
			(long long)id, state == NULL ? "unknown" : state);
	order_free(order);
}

void
kd_kiln_answer_retry(
	struct kd_kiln *kiln, struct kd_control_request *request, const json_t *arguments)
{
	const char *rule = json_string_value(json_object_get(arguments, "rule"));
	struct order *order = order_new(kiln, request);
	if (order == NULL)
		return;
	order->with_unit = retry_unit;
	if (rule == NULL)
		find_unit(order, arguments);
	else if (kd_conf_rule(kiln->conf, rule) == NULL)
		refuse(order, "there is no such rule");
	else if ((order->rule = strdup(rule)) == NULL)
		refuse(order, strerror(ENOMEM));
	else
		retry_some(order);
}
