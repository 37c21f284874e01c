/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Why is this not processed?  What each rule whose drop folder holds a path makes of it:
 * the filter's word, whether it settles, what the ledger has, and where it stands in the
 * queue.  kilnd looks at no file for it: kilnctl tells whether there is one.
 */
#include "daemon/base/name.h"
#include "daemon/intake/explain.h"
#include "daemon/kiln_answer.h"
#include "daemon/kiln_hold.h"
#include "daemon/kiln_intake.h"
#include "plugins/kiln_plugin.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RULES_MOST = 64 };

struct answer {
	struct kd_kiln_ask ask;
	struct kd_kiln *kiln;
	int exists;
	double changed; /* what exists: when; 0: not said */
	json_t *rules;
	uint32_t waiting; /* for the ledger, and one for the question itself */
};

/* What one rule makes of it. */
struct part {
	struct answer *answer;
	char *rule, *path; /* path: below the drop folder, or an output's own */
	int is_output;
	char *unit; /* the path of the unit that it belongs to; NULL: it is one */
};

static void add(const struct part *part, json_t *unit, const char *state,
	const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Takes unit, which may be NULL. */
static void
add(const struct part *part, json_t *unit, const char *state, const char *format, ...)
{
	char text[1600], belongs[PATH_MAX] = "";
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (part->unit != NULL)
		snprintf(belongs, sizeof belongs,
			"it %s '%s': ", part->is_output ? "was made of" : "belongs to",
			KD_NAME(part->unit));
	json_array_append_new(part->answer->rules,
		json_pack("{s:s, s:s, s:s+, s:o}", "rule", part->rule, "state", state,
			"reason", belongs, text, "unit",
			unit == NULL ? json_null() : unit));
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

static void
part_free(struct part *part)
{
	if (part == NULL)
		return;
	free(part->rule);
	free(part->path);
	free(part->unit);
	free(part);
}

static int
is_family(const struct kd_rule *rule)
{
	return rule != NULL && (rule->unit == KILN_SEQUENCE || rule->unit == KILN_BUNDLE);
}

/* What a file of a family waits for that no unit is known of: nothing more is to be had
 * from names. */
static void
explain_incomplete(const struct part *part, const struct kd_rule *rule)
{
	if (rule->unit == KILN_BUNDLE)
		add(part, NULL, "incomplete",
			"no main file (\"%s\"%s) of a stem that fits its name is known",
			rule->match[0], rule->match[1] == NULL ? "" : ", ...");
	else if (rule->sequence.last >= 0)
		add(part, NULL, "incomplete",
			"its sequence is taken when its last frame, %lld, is there",
			(long long)rule->sequence.last);
	else
		add(part, NULL, "unseen",
			"its sequence has not been noticed; 'kilnctl sync' waits until "
			"it is");
}

/* The ledger has nothing of it. */
static void
explain_unseen(const struct part *part)
{
	const char *why = NULL;
	const struct answer *answer = part->answer;
	const struct kd_rule *rule = kd_conf_rule(answer->kiln->conf, part->rule);
	struct kd_intake *intake = kd_kiln_intake(answer->kiln, part->rule);
	enum kd_intake_state state =
		intake == NULL ? KD_INTAKE_WAITING : kd_intake_state(intake, &why);
	if (part->is_output)
		add(part, NULL, "unknown",
			"its sidecar says so, but the ledger has forgotten the unit");
	else if (state == KD_INTAKE_WAITING)
		add(part, NULL, "waiting", "the rule waits for its drop folder: %s",
			why == NULL ? "it is not there" : why);
	else if (answer->exists && kd_intake_is_full(intake))
		add(part, NULL, "unseen",
			"it lies there until there is room: %u drops of the rule are in "
			"hand (backlog), and others are taken in when half of these are "
			"done",
			rule->backlog);
	else if (!kd_intake_is_current(intake))
		add(part, NULL, "unseen",
			"the drop folder is being looked through at this moment");
	else if (!answer->exists)
		add(part, NULL, "absent",
			"there is nothing of that name, and there was nothing");
	else if (is_family(rule))
		explain_incomplete(part, rule);
	else if (state == KD_INTAKE_POLLING)
		add(part, NULL, "unseen",
			"the drop folder is looked through from time to time, for no "
			"events come from it (%s)",
			why == NULL ? "polling" : why);
	else
		add(part, NULL, "unseen",
			"it has not been noticed; 'kilnctl sync' waits until it is");
}

static void
explain_waiting(const struct part *part, json_t *unit, const struct kd_queue_place *place)
{
	char held[1200];
	const struct answer *answer = part->answer;
	const char *why = kd_kiln_why_held(answer->kiln, part->rule, held, sizeof held);
	if (kd_unit_is_final(place->unit->recorded))
		add(part, unit, kd_unit_state_name(place->unit->recorded),
			"but its input could not be disposed of, try %u; the next is in "
			"%.0f s",
			place->unit->disposals,
			place->unit->not_before > ev_now(answer->kiln->loop)
				? place->unit->not_before - ev_now(answer->kiln->loop)
				: 0.);
	else if (place->unit->state == KD_STATE_DEFERRED)
		add(part, unit, "deferred",
			"it waits %.0f s more for its next try, number %u",
			place->unit->not_before - ev_now(answer->kiln->loop),
			place->unit->attempts + 1);
	else if (why != NULL)
		add(part, unit, "paused", "the rule starts nothing: %s", why);
	else if (place->wants_gpu)
		add(part, unit, "queued",
			"behind %llu units of its rule; all GPU slots are taken",
			(unsigned long long)place->ahead);
	else if (place->running >= place->workers)
		add(part, unit, "queued",
			"behind %llu units of its rule, of which %u batches run, as many "
			"as may",
			(unsigned long long)place->ahead, place->running);
	else if (place->all_running >= place->all_workers)
		add(part, unit, "queued",
			"behind %llu units of its rule; %u batches run over all rules, "
			"as many as may",
			(unsigned long long)place->ahead, place->all_running);
	else
		add(part, unit, "queued",
			"behind %llu units of its rule; its batch waits for drops that "
			"settle",
			(unsigned long long)place->ahead);
}

/* What the row says of a unit that does not wait. */
static void
explain_row(const struct part *part, json_t *unit)
{
	const char *state = json_string_value(json_object_get(unit, "state"));
	const char *reason = json_string_value(json_object_get(unit, "reason"));
	const char *output = json_string_value(json_object_get(unit, "output"));
	if (strcmp(state, "published") == 0)
		add(part, unit, state, "it is published as '%s'",
			output == NULL ? "?" : output);
	else if (strcmp(state, "skipped") == 0)
		add(part, unit, state, "the same content was published before, as '%s'",
			output == NULL ? "?" : output);
	else if (strcmp(state, "running") == 0)
		add(part, unit, state, "it runs, in batch %lld",
			(long long)json_integer_value(json_object_get(unit, "batch")));
	else if (strcmp(state, "cancelled") == 0)
		add(part, unit, state,
			"somebody cancelled it; 'kilnctl retry' has it run");
	else
		add(part, unit, state, "%s",
			reason == NULL ? "no reason is known" : reason);
}

/* A file of a family whose unit has been moved away, and that came after that. */
static int
is_late(const struct part *part, const json_t *unit)
{
	double updated = json_real_value(json_object_get(unit, "updated"));
	return part->unit != NULL && !part->is_output && part->answer->exists &&
	       json_is_true(json_object_get(unit, "left")) &&
	       part->answer->changed > updated;
}

static void
explain_late(const struct part *part, json_t *unit)
{
	const struct kd_rule *rule = kd_conf_rule(part->answer->kiln->conf, part->rule);
	const char *state = json_string_value(json_object_get(unit, "state"));
	char when[100] = "settled";
	if (rule != NULL && rule->unit == KILN_BUNDLE)
		snprintf(when, sizeof when, "a main file of that stem has settled");
	else if (rule != NULL && rule->sequence.last >= 0)
		snprintf(when, sizeof when, "the last frame, %lld, is there",
			(long long)rule->sequence.last);
	add(part, unit, "late",
		"but it came when that was %s and gone; it is taken with the next unit "
		"of that name, when %s",
		state, when);
}

static void
on_row(void *context, int rc, json_t *json)
{
	struct part *part = context;
	struct answer *answer = part->answer;
	int64_t id = json_integer_value(json_object_get(json, "id"));
	const char *escaped = json_string_value(json_object_get(json, "path"));
	char *path = escaped == NULL ? NULL : kd_name_unescape(escaped);
	struct kd_queue_place place = {0};
	if (path != NULL && strcmp(path, part->path) != 0) {
		part->unit = path;
		path = NULL;
	}
	if (rc == 0 && json != NULL)
		kd_queue_find(answer->kiln->queue, part->rule, id, &place);
	if (rc < 0)
		add(part, NULL, "unknown", "the ledger cannot be read");
	else if (json == NULL)
		explain_unseen(part);
	else if (place.unit != NULL)
		explain_waiting(part, json_incref(json), &place);
	else if (is_late(part, json))
		explain_late(part, json_incref(json));
	else
		explain_row(part, json_incref(json));
	json_decref(json);
	free(path);
	part_free(part);
	release(answer);
}

/* unit > 0: that one, whatever its path. */
static void
ask_ledger(const struct part *given, const struct kd_rule *rule, int64_t unit)
{
	struct part *part = calloc(1, sizeof *part);
	if (part != NULL) {
		part->answer = given->answer;
		part->is_output = given->is_output;
		part->rule = strdup(given->rule);
		part->path = strdup(given->path);
	}
	if (part == NULL || part->rule == NULL || part->path == NULL) {
		add(given, NULL, "unknown", "out of memory");
		part_free(part);
		return;
	}
	struct kd_ledger_query wanted = {
		.rule = part->rule,
		.path = unit > 0 ? NULL : part->path,
		.unit = unit,
		.member = is_family(rule) ? rule->unit : 0,
	};
	part->answer->waiting++;
	if (kd_ledger_show(part->answer->kiln->ledger, &wanted, on_row, part) < 0)
		on_row(part, -ENOMEM, NULL);
}

static void
explain_for(struct answer *answer, const struct kd_rule *rule, const char *below,
	int is_folder)
{
	char reason[800], unit[PATH_MAX];
	const struct part part = {.answer = answer, .rule = rule->name, .path = unit};
	size_t length = kd_explain_path(rule, below, is_folder, reason, sizeof reason);
	struct kd_intake *intake = kd_kiln_intake(answer->kiln, rule->name);
	if (length == 0) {
		add(&part, NULL, "ignored", "%s", reason);
		return;
	}
	snprintf(unit, sizeof unit, "%.*s", (int)length, below);
	/* What is not there any more settles only to be forgotten. */
	if (answer->exists && intake != NULL && kd_intake_is_settling(intake, unit))
		add(&part, NULL, "settling",
			"'%s' settles: it is taken when it has been quiet for %g s%s",
			KD_NAME(unit), rule->settle,
			rule->ready == KD_READY_QUIET ? ""
						      : " and says that it is ready");
	else if (intake != NULL && kd_intake_is_waited_for(intake, unit))
		add(&part, NULL, "incomplete",
			"frames of its sequence are missing: they are waited for until "
			"it "
			"has been quiet for %g s",
			rule->sequence.wait);
	else
		ask_ledger(&part, rule, 0);
}

/* What kilnctl found in the sidecar that an output has. */
static void
explain_output(struct answer *answer, const json_t *arguments, char *path)
{
	const char *rule = json_string_value(json_object_get(arguments, "rule"));
	int64_t unit = json_integer_value(json_object_get(arguments, "unit"));
	const struct part part = {
		.answer = answer, .rule = (char *)rule, .path = path, .is_output = 1};
	if (rule != NULL && unit > 0)
		ask_ledger(&part, NULL, unit);
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
	answer->changed = json_number_value(json_object_get(arguments, "changed"));
	kd_kiln_ask_begin(&answer->ask, request);
	for (uint32_t i = 0; i < kiln->conf->rule_count && i < RULES_MOST; i++) {
		const struct kd_rule *rule = kiln->conf->rules[i];
		const char *below = kd_kiln_below(rule, path);
		if (below != NULL && kd_name_is_beneath(below))
			explain_for(answer, rule, below,
				type != NULL && strcmp(type, "folder") == 0);
	}
	explain_output(answer, arguments, path);
	free(path);
	release(answer);
}
