/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One batch from the queue to its end: intent in the ledger, a keeper's work, the outcome
 * in the ledger, the inputs' disposal, the end in the ledger.  Each step starts in the
 * callback of the one before; whatever breaks off is taken up again from the ledger.
 */
#include "daemon/base/log.h"
#include "daemon/base/name.h"
#include "daemon/kiln_parts.h"
#include "daemon/outcome.h"
#include "plugins/kiln_plugin.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct kd_kiln_run {
	struct kd_kiln_run *next;
	struct kd_kiln *kiln;
	struct kd_batch *batch;
	struct kd_job *job; /* NULL before it starts and after its end */
	uint32_t pending;   /* ledger callbacks that still hold this */
	int over;
	struct kd_outcome outcomes[];
};

/* A question to the ledger about one unit. */
struct question {
	struct kd_kiln_run *run;
	uint32_t unit;
};

static void
run_free(struct kd_kiln_run *run)
{
	free(run);
}

static void
release(struct kd_kiln_run *run)
{
	if (run->over && run->pending == 0)
		run_free(run);
}

static struct kd_log_about
about(const struct kd_kiln_run *run, const struct kd_unit *unit)
{
	return (struct kd_log_about){
		.rule = run->batch->rule->name,
		.batch = run->batch->id,
		.unit = unit == NULL ? 0 : unit->id,
	};
}

/* A unit leaves its batch: closed, or back into the queue. */
static void
settle_unit(struct kd_kiln *kiln, struct kd_unit *unit, const struct kd_outcome *outcome)
{
	unit->state = outcome->state;
	unit->not_before = outcome->not_before;
	unit->alone = outcome->alone;
	unit->attempts -= (uint32_t)outcome->refund;
	unit->batch = 0;
	kd_kiln_tell_unit(kiln, unit, outcome->reason[0] == '\0' ? NULL : outcome->reason,
		outcome->output);
	struct kd_intake *intake = kd_kiln_intake(kiln, unit->rule);
	if (outcome->look_again && intake != NULL)
		kd_intake_touch(intake, unit->path);
	if (outcome->look_later)
		kd_kiln_revisit(kiln, unit->rule, unit->path);
	if (kd_unit_is_final(unit->state)) {
		kd_queue_close(kiln->queue, unit);
	} else if (kd_queue_add(kiln->queue, unit, ev_now(kiln->loop)) < 0) {
		kd_log(KD_ERROR,
			"rule '%s': out of memory, '%s' waits for the next start",
			unit->rule, KD_NAME(unit->path));
		kd_unit_free(unit);
	}
}

/* The units of a batch as a list, so that the batch can go before they do. */
static struct kd_unit *
chain_units(const struct kd_batch *batch)
{
	struct kd_unit *first = NULL;
	for (uint32_t i = batch->unit_count; i-- > 0;) {
		batch->units[i]->next = first;
		first = batch->units[i];
	}
	return first;
}

static struct kd_unit *
unchain(struct kd_unit **first)
{
	struct kd_unit *unit = *first;
	*first = unit->next;
	unit->next = unit->previous = NULL;
	return unit;
}

static void
end_run(struct kd_kiln_run *run)
{
	struct kd_kiln *kiln = run->kiln;
	uint32_t count = run->batch->unit_count;
	struct kd_kiln_run **at = &kiln->runs;
	while (*at != run)
		at = &(*at)->next;
	*at = run->next;
	struct kd_unit *first = chain_units(run->batch);
	kd_queue_end(kiln->queue, run->batch);
	for (uint32_t i = 0; i < count; i++) {
		settle_unit(kiln, unchain(&first), &run->outcomes[i]);
		kd_outcome_clear(&run->outcomes[i]);
	}
	run->over = 1;
	release(run);
	kd_kiln_turn(kiln);
}

/* Nothing of this try counts: all units wait a little and come again. */
static void
put_back(struct kd_kiln_run *run, const char *why)
{
	struct kd_log_about where = about(run, NULL);
	kd_log_about(KD_ERROR, &where, "rule '%s': a batch of %u units is put back: %s",
		run->batch->rule->name, run->batch->unit_count, why);
	for (uint32_t i = 0; i < run->batch->unit_count; i++)
		kd_outcome_put_back(&run->outcomes[i], run->batch->units[i],
			ev_now(run->kiln->loop), why);
	end_run(run);
}

static void
on_closed(void *context, int rc)
{
	struct kd_kiln_run *run = context;
	run->pending--;
	if (rc < 0)
		kd_log(KD_ERROR,
			"rule '%s': the ledger could not close a batch; the next start "
			"does",
			run->batch->rule->name);
	end_run(run);
}

/* The keeper went before it had disposed of the inputs.  The ledger has the outcomes; the
 * units come again, and are found published, only to have that done. */
static void
come_again(struct kd_kiln_run *run, const char *why)
{
	struct kd_log_about where = about(run, NULL);
	kd_log_about(KD_WARNING, &where,
		"rule '%s': inputs of batch %lld were not all disposed of: %s; trying "
		"again",
		run->batch->rule->name, (long long)run->batch->id, why);
	for (uint32_t i = 0; i < run->batch->unit_count; i++) {
		struct kd_outcome *outcome = &run->outcomes[i];
		if (!kd_unit_is_final(outcome->state) || outcome->state == KD_STATE_GONE)
			continue;
		run->batch->units[i]->recorded = outcome->state;
		kd_outcome_clear(outcome);
		kd_outcome_put_back(
			outcome, run->batch->units[i], ev_now(run->kiln->loop), why);
	}
}

/* The inputs are where they belong: the last entry. */
static void
on_finished(void *context, const uint32_t *failed, char *const *reasons,
	uint32_t failed_count, const char *reason)
{
	struct kd_kiln_run *run = context;
	struct kd_batch *batch = run->batch;
	struct kd_log_about where = about(run, NULL);
	run->job = NULL;
	if (reason != NULL)
		come_again(run, reason);
	for (uint32_t i = 0; i < failed_count; i++) {
		run->outcomes[failed[i]].kept_input = 1;
		kd_log_about(KD_WARNING, &where, "rule '%s': '%s' stays where it is: %s",
			batch->rule->name, KD_NAME(batch->units[failed[i]]->path),
			reasons[i]);
	}
	struct kd_ledger_closed *units = calloc(batch->unit_count, sizeof *units);
	uint32_t count = 0;
	for (uint32_t i = 0; units != NULL && reason == NULL && i < batch->unit_count;
		i++) {
		enum kd_state state = run->outcomes[i].state;
		if (!kd_unit_is_final(state) || run->outcomes[i].kept_input)
			continue;
		units[count++] = (struct kd_ledger_closed){
			.unit = batch->units[i]->id,
			.left = state == KD_STATE_FAILED
					? batch->rule->quarantine != NULL
					: batch->rule->inputs != KD_INPUTS_KEEP,
		};
	}
	run->pending++;
	if (kd_ledger_finish(run->kiln->ledger, units, count, on_closed, run) < 0)
		on_closed(run, -ENOMEM);
	free(units);
}

static void
log_outcomes(const struct kd_kiln_run *run)
{
	uint32_t published = 0, failed = 0, other = 0;
	const struct kd_batch *batch = run->batch;
	for (uint32_t i = 0; i < batch->unit_count; i++) {
		const struct kd_outcome *outcome = &run->outcomes[i];
		struct kd_log_about where = about(run, batch->units[i]);
		published += outcome->state == KD_STATE_PUBLISHED;
		failed += outcome->state == KD_STATE_FAILED;
		other += outcome->state != KD_STATE_PUBLISHED &&
			 outcome->state != KD_STATE_FAILED;
		if (outcome->reason[0] != '\0')
			kd_log_about(
				kd_outcome_is_trouble(outcome) ? KD_WARNING : KD_INFO,
				&where, "rule '%s': '%s' %s: %s", batch->rule->name,
				KD_NAME(batch->units[i]->path),
				outcome->look_later || outcome->look_again
					? "waits"
					: kd_unit_state_name(outcome->state),
				outcome->reason);
	}
	struct kd_log_about where = about(run, NULL);
	kd_log_about(KD_INFO, &where,
		"rule '%s': batch %lld done, %u published, %u failed, %u other",
		batch->rule->name, (long long)batch->id, published, failed, other);
}

static void
on_recorded(void *context, int rc)
{
	struct kd_kiln_run *run = context;
	run->pending--;
	if (rc < 0) {
		/* What was published is found again by its sidecar. */
		for (uint32_t i = 0; i < run->batch->unit_count; i++)
			kd_outcome_put_back(&run->outcomes[i], run->batch->units[i],
				ev_now(run->kiln->loop), "the ledger cannot be written");
		kd_log(KD_ERROR,
			"rule '%s': the ledger cannot be written (%s); batch %lld comes "
			"again",
			run->batch->rule->name, strerror(-rc), (long long)run->batch->id);
	} else {
		log_outcomes(run);
	}
	if (run->job == NULL) {
		on_finished(run, NULL, NULL, 0, NULL);
		return;
	}
	uint32_t *units = calloc(run->batch->unit_count, sizeof *units), count = 0;
	for (uint32_t i = 0; units != NULL && i < run->batch->unit_count; i++) {
		enum kd_state state = run->outcomes[i].state;
		if (kd_unit_is_final(state) && state != KD_STATE_GONE)
			units[count++] = i;
	}
	kd_job_finish(run->job, units, count);
	free(units);
}

static void
record(struct kd_kiln_run *run, const struct kd_result *result, const char *failure)
{
	struct kd_batch *batch = run->batch;
	struct kd_ledger_outcome *rows = calloc(batch->unit_count, sizeof *rows);
	int rc = -ENOMEM;
	for (uint32_t i = 0; rows != NULL && i < batch->unit_count; i++) {
		const struct kd_outcome *outcome = &run->outcomes[i];
		rows[i] = (struct kd_ledger_outcome){
			.unit = batch->units[i]->id,
			.state = outcome->state,
			.not_before = outcome->not_before,
			.alone = outcome->alone,
			.refund = outcome->refund,
			.result = result == NULL ? NULL : &result->units[i],
			.reason = outcome->reason[0] == '\0' ? NULL : outcome->reason,
		};
	}
	struct kd_ledger_record given = {
		.batch = batch->id,
		.failure = failure,
		.variant = result == NULL ? NULL : result->variant,
		.device = result == NULL ? NULL : result->device,
		.revision = result == NULL ? NULL : result->revision,
		.out = batch->rule->output,
		.outcomes = rows,
		.outcome_count = batch->unit_count,
	};
	run->pending++;
	if (rows != NULL)
		rc = kd_ledger_record(run->kiln->ledger, &given, on_recorded, run);
	free(rows);
	if (rc < 0)
		on_recorded(run, rc);
}

static void
on_result(void *context, struct kd_job *job, const struct kd_result *result,
	const char *reason)
{
	struct kd_kiln_run *run = context;
	struct kd_batch *batch = run->batch;
	run->job = job;
	struct kd_outcome_judge judge = {
		.rule = batch->rule,
		.company = batch->unit_count,
		.now = ev_now(run->kiln->loop),
		.stopping = run->kiln->stopping,
		.failure = reason,
	};
	for (uint32_t i = 0; i < batch->unit_count; i++)
		kd_outcome_judge(&judge, batch->units[i],
			result == NULL ? NULL : &result->units[i], &run->outcomes[i]);
	record(run, result, result == NULL ? reason : result->failure);
}

static void
on_same(void *context, int rc, const char *output)
{
	struct question *question = context;
	struct kd_kiln_run *run = question->run;
	run->pending--;
	/* A ledger that cannot answer lets the unit run: that is never wrong. */
	if (run->job != NULL)
		kd_job_verdict(run->job, question->unit,
			rc < 0 || output == NULL ? KD_VERDICT_RUN : KD_VERDICT_SAME,
			output);
	free(question);
	release(run);
}

static void
on_hashed(void *context, struct kd_job *job, uint32_t unit, const char *sha256,
	const char *revision)
{
	struct kd_kiln_run *run = context;
	const struct kd_rule *rule = run->batch->rule;
	run->job = job;
	struct question *question =
		rule->same == KD_SAME_SKIP ? malloc(sizeof *question) : NULL;
	if (question != NULL) {
		*question = (struct question){run, unit};
		struct kd_ledger_same same = {
			.rule = rule->name,
			.revision = revision,
			.sha256 = sha256,
			.not_unit = run->batch->units[unit]->id,
		};
		run->pending++;
		if (kd_ledger_same(run->kiln->ledger, &same, on_same, question) == 0)
			return;
		run->pending--;
		free(question);
	}
	kd_job_verdict(job, unit,
		rule->same == KD_SAME_RUN ? KD_VERDICT_RUN_AGAIN : KD_VERDICT_RUN, NULL);
}

static void
on_progress(void *context, uint32_t unit, uint64_t done, uint64_t total)
{
	struct kd_kiln_run *run = context;
	run->batch->units[unit]->done = done;
	run->batch->units[unit]->total = total;
	kd_kiln_tell_progress(run->kiln, run->batch->units[unit]);
}

/* The drop's sub-folder, below which its outputs land. */
static const char *
output_folder(const struct kd_rule *rule, const char *path, char *folder, size_t size)
{
	const char *slash = strrchr(path, '/');
	if (rule->layout == KD_LAYOUT_FLAT || slash == NULL)
		return "";
	snprintf(folder, size, "%.*s", (int)(slash - path), path);
	return folder;
}

/* The names of those parameters whose content counts. */
static json_t *
path_params(const struct kd_kernel *kernel)
{
	json_t *names = json_array();
	for (uint32_t i = 0; i < kernel->param_count; i++)
		if (kernel->params[i].type == KILN_PATH)
			json_array_append_new(names, json_string(kernel->params[i].name));
	return names;
}

static int
start_job(struct kd_kiln_run *run)
{
	const struct kd_batch *batch = run->batch;
	const struct kd_rule *rule = batch->rule;
	struct kd_manifest_unit *units = calloc(batch->unit_count, sizeof *units);
	char(*folders)[4096] = calloc(batch->unit_count, sizeof *folders);
	int rc = units == NULL || folders == NULL ? -ENOMEM : 0;
	for (uint32_t i = 0; rc == 0 && i < batch->unit_count; i++) {
		struct kd_unit *unit = batch->units[i];
		units[i] = (struct kd_manifest_unit){
			.id = unit->id,
			.kind = unit->kind,
			.attempt = unit->attempts,
			.path = unit->path,
			.output = (char *)output_folder(
				rule, unit->path, folders[i], sizeof folders[i]),
		};
	}
	/* Borrowed but for path_params: nothing else here is cleared. */
	struct kd_manifest manifest = {
		.batch = batch->id,
		.rule = rule->name,
		.revision = (char *)rule->revision,
		.plugin = rule->kernel->plugin,
		.kernel = rule->kernel->name,
		.params = rule->params,
		.path_params = path_params(rule->kernel),
		.device = rule->device,
		.needs = rule->needs,
		.threads = batch->conf->threads,
		.repeat = 1,
		.memory_limit = rule->limits.memory,
		.output_limit = rule->limits.output,
		.wall_limit = rule->limits.wall,
		.root = rule->watch,
		.out = rule->output,
		.collision = rule->collision,
		.inputs = rule->inputs,
		.done = rule->done,
		.quarantine = rule->quarantine,
		.mode = rule->mode,
		.group = rule->group,
		.verify_writers = 1,
		.marker = rule->ready == KD_READY_MARKER ? rule->marker : NULL,
		.count = rule->ready == KD_READY_COUNT ? rule->count : 0,
		.unit_count = batch->unit_count,
		.units = units,
	};
	struct kd_pool_start start = {
		.manifest = &manifest,
		.idle = rule->idle,
		.warm = batch->conf->workers,
	};
	const struct kd_job_handler handler = {
		.hashed = on_hashed,
		.progress = on_progress,
		.result = on_result,
		.finished = on_finished,
		.context = run,
	};
	if (rc == 0)
		rc = kd_pool_start(run->kiln->pool, &start, &handler, &run->job);
	json_decref(manifest.path_params);
	free(units);
	free(folders);
	return rc;
}

static void
on_started(void *context, int rc, int64_t batch)
{
	struct kd_kiln_run *run = context;
	run->pending--;
	if (run->kiln->stopping || rc < 0) {
		put_back(run, rc < 0 ? "the ledger cannot be written" : "kilnd stops");
		return;
	}
	run->batch->id = batch;
	for (uint32_t i = 0; i < run->batch->unit_count; i++) {
		struct kd_unit *unit = run->batch->units[i];
		unit->batch = batch;
		unit->attempts++;
		kd_kiln_tell_unit(run->kiln, unit, NULL, NULL);
	}
	rc = start_job(run);
	if (rc < 0)
		put_back(run, "no worker can be started");
}

static int
start_batch(struct kd_kiln *kiln, struct kd_batch *batch)
{
	struct kd_kiln_run *run =
		calloc(1, sizeof *run + batch->unit_count * sizeof run->outcomes[0]);
	int64_t *units = calloc(batch->unit_count, sizeof *units);
	if (run == NULL || units == NULL) {
		free(run);
		free(units);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < batch->unit_count; i++)
		units[i] = batch->units[i]->id;
	run->kiln = kiln;
	run->batch = batch;
	run->pending = 1;
	struct kd_ledger_start start = {
		.rule = batch->rule->name,
		.revision = batch->rule->revision,
		.units = units,
		.unit_count = batch->unit_count,
	};
	int rc = kd_ledger_start(kiln->ledger, &start, on_started, run);
	free(units);
	if (rc < 0) {
		free(run);
		return rc;
	}
	run->next = kiln->runs;
	kiln->runs = run;
	return 0;
}

void
kd_kiln_start_batches(struct kd_kiln *kiln)
{
	struct kd_batch *batch;
	while (kd_queue_next(kiln->queue, ev_now(kiln->loop), &batch) == 1) {
		if (start_batch(kiln, batch) == 0)
			continue;
		kd_log(KD_ERROR, "rule '%s': out of memory, a batch waits",
			batch->rule->name);
		struct kd_unit *first = chain_units(batch);
		kd_queue_end(kiln->queue, batch);
		while (first != NULL) {
			struct kd_unit *unit = unchain(&first);
			struct kd_outcome outcome;
			kd_outcome_put_back(
				&outcome, unit, ev_now(kiln->loop), "out of memory");
			settle_unit(kiln, unit, &outcome);
		}
		return;
	}
}

void
kd_kiln_cancel_batches(struct kd_kiln *kiln)
{
	for (struct kd_kiln_run *run = kiln->runs; run != NULL; run = run->next)
		if (run->job != NULL)
			kd_job_cancel(run->job);
}

void
kd_kiln_free_batches(struct kd_kiln *kiln)
{
	while (kiln->runs != NULL) {
		struct kd_kiln_run *run = kiln->runs;
		kiln->runs = run->next;
		for (uint32_t i = 0; i < run->batch->unit_count; i++) {
			kd_unit_free(run->batch->units[i]);
			kd_outcome_clear(&run->outcomes[i]);
		}
		kd_queue_end(kiln->queue, run->batch);
		run_free(run);
	}
}
