/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Why is this not processed?  What each rule whose drop folder holds a path makes of it:
 * the filter's word, whether it settles, what the ledger has, and where it stands in the
 * queue.  kilnd looks at no file for it: kilnctl tells whether there is one.
 */
#include "daemon/base/name.h"
#include "daemon/intake/explain.h"
#include "daemon/kiln_answer.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RULES_MOST = 64 };

struct answer {
	struct kd_kiln_ask ask;
	struct kd_kiln *kiln;
	int exists;
	json_t *rules;
	uint32_t waiting; /* for the ledger, and one for the question itself */
};

/* A rule whose ledger is asked. */
struct part {
	struct answer *answer;
	char *rule, *path; /* of the unit, below the drop folder */
};

static void add(struct answer *answer, const char *rule, json_t *unit, const char *state,
	const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Takes unit, which may be NULL. */
static void
add(struct answer *answer, const char *rule, json_t *unit, const char *state,
	const char *format, ...)
{
	char text[1600];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	json_array_append_new(answer->rules,
		json_pack("{s:s, s:s, s:s, s:o}", "rule", rule, "state", state, "reason",
			text, "unit", unit == NULL ? json_null() : unit));
}

static void
release(struct answer *answer)
{
	if (--answer->waiting > 0)
		return;
	struct kd_control_request *request = kd_kiln_ask_end(&answer->ask);
	if (request != NULL)
		kd_control_end(request, json_pack("{s:O}", "rules", answer->rules));
	json_decref(answer->rules);
	free(answer);
}

/* The ledger has nothing of it. */
static void
explain_unseen(struct answer *answer, const char *rule)
{
	const char *why = NULL;
	struct kd_intake *intake = kd_kiln_intake(answer->kiln, rule);
	enum kd_intake_state state =
		intake == NULL ? KD_INTAKE_WAITING : kd_intake_state(intake, &why);
	if (state == KD_INTAKE_WAITING)
		add(answer, rule, NULL, "waiting",
			"the rule waits for its drop folder: %s",
			why == NULL ? "it is not there" : why);
	else if (!kd_intake_is_current(intake))
		add(answer, rule, NULL, "unseen",
			"the drop folder is being looked through at this moment");
	else if (!answer->exists)
		add(answer, rule, NULL, "absent",
			"there is nothing of that name, and there was nothing");
	else if (state == KD_INTAKE_POLLING)
		add(answer, rule, NULL, "unseen",
			"the drop folder is looked through from time to time, for no "
			"events come from it (%s)",
			why == NULL ? "polling" : why);
	else
		add(answer, rule, NULL, "unseen",
			"it has not been noticed; 'kilnctl sync' waits until it is");
}

static void
explain_waiting(struct answer *answer, const struct part *part, json_t *unit,
	const struct kd_queue_place *place)
{
	char held[1200];
	const char *rule = part->rule, *why;
	if (place->unit->state == KD_STATE_DEFERRED)
		add(answer, rule, unit, "deferred",
			"it waits %.0f s more for its next try, number %u",
			place->unit->not_before - ev_now(answer->kiln->loop),
			place->unit->attempts + 1);
	else if ((why = kd_kiln_why_held(answer->kiln, rule, held, sizeof held)) != NULL)
		add(answer, rule, unit, "paused", "the rule starts nothing: %s", why);
	else if (place->wants_gpu)
		add(answer, rule, unit, "queued",
			"behind %llu units of its rule; all GPU slots are taken",
			(unsigned long long)place->ahead);
	else if (place->running >= place->workers)
		add(answer, rule, unit, "queued",
			"behind %llu units of its rule, of which %u batches run, as many "
			"as may",
			(unsigned long long)place->ahead, place->running);
	else if (place->all_running >= place->all_workers)
		add(answer, rule, unit, "queued",
			"behind %llu units of its rule; %u batches run over all rules, "
			"as many as may",
			(unsigned long long)place->ahead, place->all_running);
	else
		add(answer, rule, unit, "queued",
			"behind %llu units of its rule; its batch waits for drops that "
			"settle",
			(unsigned long long)place->ahead);
}

/* What the row says of a unit that does not wait. */
static void
explain_row(struct answer *answer, const struct part *part, json_t *unit)
{
	const char *state = json_string_value(json_object_get(unit, "state"));
	const char *reason = json_string_value(json_object_get(unit, "reason"));
	const char *output = json_string_value(json_object_get(unit, "output"));
	if (strcmp(state, "published") == 0)
		add(answer, part->rule, unit, state, "it is published as '%s'",
			output == NULL ? "?" : output);
	else if (strcmp(state, "skipped") == 0)
		add(answer, part->rule, unit, state,
			"the same content was published before, as '%s'",
			output == NULL ? "?" : output);
	else if (strcmp(state, "running") == 0)
		add(answer, part->rule, unit, state, "it runs, in batch %lld",
			(long long)json_integer_value(json_object_get(unit, "batch")));
	else if (strcmp(state, "cancelled") == 0)
		add(answer, part->rule, unit, state,
			"somebody cancelled it; 'kilnctl retry' has it run");
	else
		add(answer, part->rule, unit, state, "%s",
			reason == NULL ? "no reason is known" : reason);
}

static void
on_row(void *context, int rc, json_t *json)
{
	struct part *part = context;
	struct answer *answer = part->answer;
	int64_t id = json_integer_value(json_object_get(json, "id"));
	struct kd_queue_place place = {0};
	if (rc == 0 && json != NULL)
		kd_queue_find(answer->kiln->queue, part->rule, id, &place);
	if (rc < 0)
		add(answer, part->rule, NULL, "unknown", "the ledger cannot be read");
	else if (json == NULL)
		explain_unseen(answer, part->rule);
	else if (place.unit != NULL)
		explain_waiting(answer, part, json_incref(json), &place);
	else
		explain_row(answer, part, json_incref(json));
	json_decref(json);
	free(part->rule);
	free(part->path);
	free(part);
	release(answer);
}

static void
ask_ledger(struct answer *answer, const struct kd_rule *rule, const char *path)
{
	struct part *part = calloc(1, sizeof *part);
	if (part != NULL) {
		part->answer = answer;
		part->rule = strdup(rule->name);
		part->path = strdup(path);
	}
	if (part == NULL || part->rule == NULL || part->path == NULL) {
		add(answer, rule->name, NULL, "unknown", "out of memory");
		if (part != NULL) {
			free(part->rule);
			free(part->path);
		}
		free(part);
		return;
	}
	struct kd_ledger_query wanted = {.rule = part->rule, .path = part->path};
	answer->waiting++;
	if (kd_ledger_show(answer->kiln->ledger, &wanted, on_row, part) < 0)
		on_row(part, -ENOMEM, NULL);
}

static void
explain_for(struct answer *answer, const struct kd_rule *rule, const char *below,
	int is_folder)
{
	char reason[800], unit[4096];
	size_t length = kd_explain_path(rule, below, is_folder, reason, sizeof reason);
	struct kd_intake *intake = kd_kiln_intake(answer->kiln, rule->name);
	if (length == 0) {
		add(answer, rule->name, NULL, "ignored", "%s", reason);
		return;
	}
	snprintf(unit, sizeof unit, "%.*s", (int)length, below);
	if (intake != NULL && kd_intake_is_settling(intake, unit))
		add(answer, rule->name, NULL, "settling",
			"'%s' settles: it is taken when it has been quiet for %g s%s",
			KD_NAME(unit), rule->settle,
			rule->ready == KD_READY_QUIET ? ""
						      : " and says that it is ready");
	else
		ask_ledger(answer, rule, unit);
}

void
kd_kiln_answer_explain(
	struct kd_kiln *kiln, struct kd_control_request *request, const json_t *arguments)
{
	const char *escaped = json_string_value(json_object_get(arguments, "path"));
	const char *type = json_string_value(json_object_get(arguments, "type"));
	char *path = escaped == NULL ? NULL : kd_name_unescape(escaped);
	struct answer *answer = path == NULL ? NULL : calloc(1, sizeof *answer);
	if (answer != NULL)
		answer->rules = json_array();
	if (answer == NULL || answer->rules == NULL) {
		kd_control_refuse(request,
			path == NULL ? "expected the path of a drop" : "out of memory");
		free(answer);
		free(path);
		return;
	}
	answer->kiln = kiln;
	answer->waiting = 1;
	answer->exists = type != NULL;
	kd_kiln_ask_begin(&answer->ask, request);
	for (uint32_t i = 0; i < kiln->conf->rule_count && i < RULES_MOST; i++) {
		const struct kd_rule *rule = kiln->conf->rules[i];
		const char *below = kd_kiln_below(rule, path);
		if (below != NULL && kd_name_is_beneath(below))
			explain_for(answer, rule, below,
				type != NULL && strcmp(type, "folder") == 0);
	}
	free(path);
	release(answer);
}
