/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How kilnd and its rules fare: from counters alone, for any number of units.
 */
#include "config.h"

#include "daemon/kiln_answer.h"
#include "daemon/kiln_hold.h"
#include "daemon/kiln_intake.h"

#include <stdio.h>
#include <unistd.h>

static json_t *
units_json(struct kd_kiln *kiln, const char *rule)
{
	json_t *json = json_pack(
		"{s:I}", "settling", (json_int_t)kd_queue_settling(kiln->queue, rule));
	for (int s = 0; s < KD_STATES; s++)
		json_object_set_new(json, kd_unit_state_name((enum kd_state)s),
			json_integer((json_int_t)kd_queue_total(
				kiln->queue, rule, (enum kd_state)s)));
	return json;
}

static json_t *
rule_json(struct kd_kiln *kiln, const struct kd_rule *rule)
{
	static const char *const names[] = {
		[KD_INTAKE_WATCHING] = "watching",
		[KD_INTAKE_POLLING] = "polling",
		[KD_INTAKE_WAITING] = "waiting",
	};
	const char *why = NULL;
	char held[1200];
	struct kd_intake *intake = kd_kiln_intake(kiln, rule->name);
	enum kd_intake_state state =
		intake == NULL ? KD_INTAKE_WAITING : kd_intake_state(intake, &why);
	const char *name = names[state],
		   *hold = kd_kiln_why_held(kiln, rule->name, held, sizeof held);
	char full[120];
	if (intake != NULL && kd_intake_is_full(intake) && why == NULL) {
		snprintf(full, sizeof full,
			"%u drops wait (backlog); others are taken in when half of these "
			"are done",
			rule->backlog);
		why = full;
	}
	/* Drops are taken in by a rule that is held too: how, matters less. */
	if (hold != NULL) {
		name = "paused";
		why = hold;
	}
	return json_pack("{s:s, s:s, s:o, s:o, s:s, s:s?, s:I, s:o}", "name", rule->name,
		"kernel", rule->kernel->name, "watch", kd_kiln_name_json(rule->watch),
		"output", kd_kiln_name_json(rule->output), "state", name, "why", why,
		"undisposed", (json_int_t)kd_queue_undisposed(kiln->queue, rule->name),
		"units", units_json(kiln, rule->name));
}

static json_t *
status_json(struct kd_kiln *kiln)
{
	json_t *rules = json_array();
	json_int_t polling = 0, lost = 0;
	for (uint32_t i = 0; i < kiln->conf->rule_count; i++)
		json_array_append_new(rules, rule_json(kiln, kiln->conf->rules[i]));
	for (uint32_t i = 0; i < kiln->intake_count; i++) {
		const char *why;
		lost += (json_int_t)kd_intake_lost(kiln->intakes[i]);
		polling += kd_intake_state(kiln->intakes[i], &why) == KD_INTAKE_POLLING;
	}
	return json_pack(
		"{s:s, s:i, s:f, s:o, s:o, s:f, s:s?, s:I, s:I, s:I, s:{s:i, s:i, "
		"s:i}, s:{s:i, s:i}, s:o, s:o}",
		"version", PACKAGE_VERSION, "pid", (int)getpid(), "started",
		kiln->started, "state", kd_kiln_name_json(kiln->conf->state),
		"configuration", kd_kiln_name_json(kiln->conf->file), "loaded",
		kiln->loaded, "reload_error",
		kiln->reload_error[0] == '\0' ? NULL : kiln->reload_error, "overflows",
		(json_int_t)kd_inotify_overflows(kiln->inotify), "polling", polling,
		"lost_watches", lost, "workers", "limit", (int)kiln->conf->workers,
		"busy", (int)kd_pool_busy(kiln->pool), "idle",
		(int)kd_pool_idle(kiln->pool), "gpus", "slots",
		(int)kiln->conf->gpu_slots, "busy", (int)kd_queue_gpus_busy(kiln->queue),
		"units", units_json(kiln, NULL), "rules", rules);
}

static unsigned long long
total(const struct kd_kiln *kiln, enum kd_state state)
{
	return kd_queue_total(kiln->queue, NULL, state);
}

void
kd_kiln_status_line(void *context, char *line, size_t size)
{
	const struct kd_kiln *kiln = context;
	uint32_t paused = 0, absent = 0;
	for (uint32_t i = 0; i < kiln->intake_count; i++) {
		const char *why;
		paused += kd_queue_held(kiln->queue,
				  kd_intake_rule(kiln->intakes[i])->name) != 0;
		absent += kd_intake_state(kiln->intakes[i], &why) == KD_INTAKE_WAITING;
	}
	size_t used = (size_t)snprintf(line, size,
		"%llu waiting, %llu running, %llu done, %llu failed; %u rule%s",
		(unsigned long long)kd_queue_settling(kiln->queue, NULL) +
			total(kiln, KD_STATE_READY) + total(kiln, KD_STATE_DEFERRED),
		total(kiln, KD_STATE_RUNNING),
		total(kiln, KD_STATE_PUBLISHED) + total(kiln, KD_STATE_SKIPPED) +
			total(kiln, KD_STATE_KEPT),
		total(kiln, KD_STATE_FAILED), kiln->conf->rule_count,
		kiln->conf->rule_count == 1 ? "" : "s");
	if (paused > 0 && used < size)
		used += (size_t)snprintf(line + used, size - used, ", %u paused", paused);
	if (absent > 0 && used < size)
		used += (size_t)snprintf(line + used, size - used,
			", %u without their drop folder", absent);
	if (kiln->reload_error[0] != '\0' && used < size)
		snprintf(line + used, size - used, "; the last reload was refused: %s",
			kiln->reload_error);
}

void
kd_kiln_answer_status(
	struct kd_kiln *kiln, struct kd_control_request *request, const json_t *arguments)
{
	(void)arguments;
	kd_control_end(request, status_json(kiln));
}
