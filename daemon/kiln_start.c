/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A batch's beginning: out of the queue, the intent in the ledger, then a keeper with its
 * manifest.
 */
#include "daemon/base/log.h"
#include "daemon/kiln_run.h"
#include "daemon/kiln_tell.h"
#include "plugins/kiln_plugin.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The drop's sub-folder, below which its outputs land; allocated. */
static char *
output_folder(const struct kd_rule *rule, const char *path)
{
	const char *slash = strrchr(path, '/');
	if (rule->layout == KD_LAYOUT_FLAT || slash == NULL)
		return strdup("");
	return strndup(path, (size_t)(slash - path));
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

/* As what a unit that has ended is disposed of; 0: it has not. */
static uint32_t
ended_as(const struct kd_unit *unit)
{
	switch (unit->recorded) {
	case KD_STATE_PUBLISHED:
	case KD_STATE_SKIPPED:
		return 1 + KD_UNIT_SAME;
	case KD_STATE_KEPT:
		return 1 + KD_UNIT_KEPT;
	case KD_STATE_FAILED:
		return 1 + KD_UNIT_BAD;
	case KD_STATE_CANCELLED:
		return 1 + KD_UNIT_CANCELLED;
	default:
		return 0;
	}
}

/* What a file was when it settled.  Of several files that is a matter of their names as
 * well, which the keeper does not look at in the same way. */
static void
say_identity(const struct kd_unit *unit, struct kd_manifest_unit *said)
{
	const struct kd_identity *identity = &unit->identity;
	if (unit->kind != KILN_FILE && unit->kind != KD_UNIT_ARCHIVE)
		return;
	if (identity->size < 0 || identity->mtime <= 0)
		return;
	said->bytes = (uint64_t)identity->size;
	said->written = (uint64_t)identity->mtime;
}

/* The units as the keeper is told of them; the folders in them are the caller's to free.
 * 0 or -ENOMEM. */
static int
describe_units(const struct kd_batch *batch, struct kd_manifest_unit *units)
{
	for (uint32_t i = 0; i < batch->unit_count; i++) {
		const struct kd_unit *unit = batch->units[i];
		units[i] = (struct kd_manifest_unit){
			.id = unit->id,
			.kind = unit->kind,
			.attempt = unit->attempts,
			.path = (char *)unit->path,
			.restore = unit->restore,
			.ended = ended_as(unit),
			.ended_reason = unit->end == NULL ? NULL : unit->end->reason,
			.ended_sha256 = unit->end == NULL ? NULL : unit->end->sha256,
			.output = output_folder(batch->rule, unit->path),
		};
		say_identity(unit, &units[i]);
		if (units[i].output == NULL)
			return -ENOMEM;
	}
	return 0;
}

/* Borrowed from the batch and the units, but for path_params. */
static struct kd_manifest
describe_batch(const struct kd_batch *batch, struct kd_manifest_unit *units)
{
	const struct kd_rule *rule = batch->rule;
	return (struct kd_manifest){
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
		.match = rule->unit == KILN_BUNDLE ? rule->match : NULL,
		.ignore = rule->unit == KILN_BUNDLE || rule->unit == KILN_SEQUENCE
				  ? rule->ignore
				  : NULL,
		.sequence_first = rule->sequence.first,
		.sequence_last = rule->sequence.last,
		.sequence_gaps = rule->sequence.gaps == KD_GAPS_ALLOW,
		.archive = rule->archive,
		.unit_count = batch->unit_count,
		.units = units,
	};
}

static int
start_job(struct kd_kiln_run *run)
{
	const struct kd_batch *batch = run->batch;
	struct kd_manifest_unit *units = calloc(batch->unit_count, sizeof *units);
	int rc = units == NULL ? -ENOMEM : describe_units(batch, units);
	struct kd_manifest manifest = describe_batch(batch, units);
	struct kd_pool_start start = {
		.manifest = &manifest,
		.idle = batch->rule->idle,
		.warm = batch->conf->workers,
	};
	struct kd_job_handler handler = kd_kiln_run_handler;
	handler.context = run;
	if (rc == 0)
		rc = kd_pool_start(run->kiln->pool, &start, &handler, &run->job);
	json_decref(manifest.path_params);
	for (uint32_t i = 0; units != NULL && i < batch->unit_count; i++)
		free(units[i].output);
	free(units);
	return rc;
}

static void
on_started(void *context, int rc, int64_t batch)
{
	struct kd_kiln_run *run = context;
	run->pending--;
	if (run->kiln->stopping || rc < 0) {
		kd_kiln_run_put_back(
			run, rc < 0 ? "the ledger cannot be written" : "kilnd stops");
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
		kd_kiln_run_put_back(run, "no worker can be started");
	else if (kd_kiln_run_is_cancelled(run))
		kd_job_cancel(run->job);
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
		struct kd_unit *first = kd_kiln_run_chain(batch);
		kd_queue_end(kiln->queue, batch);
		while (first != NULL) {
			struct kd_unit *unit = kd_kiln_run_unchain(&first);
			struct kd_outcome outcome;
			kd_outcome_put_back(
				&outcome, unit, ev_now(kiln->loop), "out of memory");
			kd_kiln_run_settle(kiln, unit, &outcome);
		}
		return;
	}
}
