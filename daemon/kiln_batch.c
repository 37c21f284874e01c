/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One batch on its way to its end: a keeper's work, the outcome in the ledger, the inputs'
 * disposal, the end in the ledger.  Each step starts in the callback of the one before;
 * whatever breaks off is taken up again from the ledger.
 */
#include "daemon/base/log.h"
#include "daemon/base/name.h"
#include "daemon/kiln_hold.h"
#include "daemon/kiln_intake.h"
#include "daemon/kiln_run.h"
#include "daemon/kiln_space.h"
#include "daemon/kiln_tell.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A question to the ledger about one unit. */
struct question {
	struct kd_kiln_run *run;
	uint32_t unit;
};

static void
release(struct kd_kiln_run *run)
{
	if (run->over && run->pending == 0)
		free(run);
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

void
kd_kiln_run_settle(
	struct kd_kiln *kiln, struct kd_unit *unit, const struct kd_outcome *outcome)
{
	unit->state = outcome->state;
	unit->not_before = outcome->not_before;
	unit->company = outcome->company;
	unit->restore = unit->restore && !kd_unit_is_final(outcome->state);
	unit->astray |= outcome->astray != 0;
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

struct kd_unit *
kd_kiln_run_chain(const struct kd_batch *batch)
{
	struct kd_unit *first = NULL;
	for (uint32_t i = batch->unit_count; i-- > 0;) {
		batch->units[i]->next = first;
		first = batch->units[i];
	}
	return first;
}

struct kd_unit *
kd_kiln_run_unchain(struct kd_unit **first)
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
	struct kd_unit *first = kd_kiln_run_chain(run->batch);
	kd_queue_end(kiln->queue, run->batch);
	for (uint32_t i = 0; i < count; i++) {
		kd_kiln_run_settle(kiln, kd_kiln_run_unchain(&first), &run->outcomes[i]);
		kd_outcome_clear(&run->outcomes[i]);
	}
	run->over = 1;
	release(run);
	kd_kiln_look_for_space(kiln);
	kd_kiln_stir(kiln);
}

void
kd_kiln_run_put_back(struct kd_kiln_run *run, const char *why)
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

/* All is recorded but that the input of unit i is disposed of: it comes again for that. */
static void
come_again(struct kd_kiln_run *run, uint32_t i)
{
	struct kd_outcome *outcome = &run->outcomes[i];
	struct kd_unit *unit = run->batch->units[i];
	kd_unit_note_end(unit, outcome->state, outcome->sha256, outcome->reason);
	kd_outcome_dispose_again(
		outcome, unit, run->batch->rule, ev_now(run->kiln->loop));
}

/* The keeper went before it had disposed of the inputs. */
static void
all_come_again(struct kd_kiln_run *run, const char *why)
{
	struct kd_log_about where = about(run, NULL);
	uint32_t count = 0;
	for (uint32_t i = 0; i < run->batch->unit_count; i++) {
		if (!kd_unit_is_disposed(run->outcomes[i].state))
			continue;
		come_again(run, i);
		count++;
	}
	if (count > 0)
		kd_log_about(KD_WARNING, &where,
			"rule '%s': inputs of batch %lld were not all disposed of: %s; "
			"trying again",
			run->batch->rule->name, (long long)run->batch->id, why);
}

/* What is cancelled while its keeper is gone may lie in a claim. */
static int
is_to_be_put_back(const struct kd_kiln_run *run, const struct kd_outcome *outcome)
{
	return outcome->state == KD_STATE_CANCELLED && outcome->astray &&
	       run->batch->rule->inputs != KD_INPUTS_KEEP;
}

/* Those whose inputs are where they belong, for the ledger. */
static uint32_t
list_closed(const struct kd_kiln_run *run, struct kd_ledger_closed *units)
{
	const struct kd_batch *batch = run->batch;
	uint32_t count = 0;
	for (uint32_t i = 0; i < batch->unit_count; i++) {
		const struct kd_outcome *outcome = &run->outcomes[i];
		int moved = outcome->state == KD_STATE_FAILED
				    ? batch->rule->quarantine != NULL
				    : batch->rule->inputs != KD_INPUTS_KEEP;
		if (kd_unit_is_disposed(outcome->state))
			units[count++] = (struct kd_ledger_closed){
				.unit = batch->units[i]->id,
				.left = moved && !outcome->stays,
			};
	}
	return count;
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
	for (uint32_t i = 0; i < failed_count; i++) {
		if (!kd_unit_is_disposed(run->outcomes[failed[i]].state))
			continue;
		come_again(run, failed[i]);
		kd_log_about(KD_WARNING, &where,
			"rule '%s': '%s' stays where it is: %s; trying again",
			batch->rule->name, KD_NAME(batch->units[failed[i]]->path),
			reasons[i]);
	}
	if (reason != NULL)
		all_come_again(run, reason);
	struct kd_ledger_closed *units = calloc(batch->unit_count, sizeof *units);
	uint32_t count = units == NULL ? 0 : list_closed(run, units);
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
	for (uint32_t i = 0; rc == 0 && i < run->batch->unit_count; i++)
		if (is_to_be_put_back(run, &run->outcomes[i]))
			come_again(run, i);
	if (run->job == NULL) {
		on_finished(run, NULL, NULL, 0, rc < 0 ? NULL : "its keeper is gone");
		return;
	}
	uint32_t *units = calloc(run->batch->unit_count, sizeof *units), count = 0;
	for (uint32_t i = 0; units != NULL && i < run->batch->unit_count; i++) {
		if (kd_unit_is_disposed(run->outcomes[i].state) &&
			!run->outcomes[i].stays)
			units[count++] = i;
	}
	kd_job_finish(run->job, units, count);
	free(units);
}

/* A unit that had ended before stays as it ended, however often its input is tried. */
static struct kd_ledger_outcome
row_of(const struct kd_kiln_run *run, uint32_t i, const struct kd_result_unit *result)
{
	const struct kd_outcome *outcome = &run->outcomes[i];
	const struct kd_unit *unit = run->batch->units[i];
	int had_ended = kd_unit_is_final(unit->recorded);
	const char *reason = outcome->reason;
	if (had_ended && unit->end != NULL)
		reason = unit->end->reason;
	return (struct kd_ledger_outcome){
		.unit = unit->id,
		.state = had_ended ? unit->recorded : outcome->state,
		.not_before = outcome->not_before,
		.company = outcome->company,
		.refund = outcome->refund,
		.open = is_to_be_put_back(run, outcome) ||
			(had_ended && !kd_unit_is_final(outcome->state)),
		.result = result,
		.reason = reason[0] == '\0' ? NULL : reason,
	};
}

static void
record(struct kd_kiln_run *run, const struct kd_result *result, const char *failure)
{
	struct kd_batch *batch = run->batch;
	struct kd_ledger_outcome *rows = calloc(batch->unit_count, sizeof *rows);
	int rc = -ENOMEM;
	for (uint32_t i = 0; rows != NULL && i < batch->unit_count; i++)
		rows[i] = row_of(run, i, result == NULL ? NULL : &result->units[i]);
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
		.refused = result != NULL && result->refused,
		.failure = reason,
	};
	for (uint32_t i = 0; result != NULL && i < batch->unit_count; i++)
		judge.crashed += result->units[i].status == KD_UNIT_CRASHED;
	if (judge.refused)
		kd_kiln_refuse(run->kiln, batch->rule, result->failure);
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
	snprintf(run->outcomes[unit].sha256, sizeof run->outcomes[unit].sha256, "%s",
		sha256);
	const struct kd_unit *asked = run->batch->units[unit];
	struct question *question = rule->same == KD_SAME_SKIP || asked->returned
					    ? malloc(sizeof *question)
					    : NULL;
	if (question != NULL) {
		*question = (struct question){run, unit};
		/* That the rule wants all to run does not make two drops of one. */
		struct kd_ledger_same same = {
			.rule = rule->name,
			.revision = revision,
			.sha256 = sha256,
			.not_unit = asked->id,
			.path = rule->same == KD_SAME_SKIP ? NULL : asked->path,
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

const struct kd_job_handler kd_kiln_run_handler = {
	.hashed = on_hashed,
	.progress = on_progress,
	.result = on_result,
	.finished = on_finished,
};

int
kd_kiln_run_is_cancelled(const struct kd_kiln_run *run)
{
	for (uint32_t i = 0; i < run->batch->unit_count; i++)
		if (run->batch->units[i]->cancel)
			return 1;
	return 0;
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
		free(run);
	}
}
