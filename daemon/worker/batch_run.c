/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A batch's way: read, hash, ask the client, look for earlier outputs, run, compare the
 * inputs with what was read, publish, tell.  Every unit leaves it with a status.
 */
#include "daemon/worker/batch_run.h"

#include "daemon/worker/attempt.h"
#include "daemon/worker/custody.h"
#include "daemon/worker/identity.h"
#include "daemon/worker/spent.h"
#include "daemon/worker/unpack_keeper.h"

#include <stdlib.h>
#include <string.h>

/* Who carries the batch takes hold of its inputs, its stage and its outputs' place. */
static int
begin(int fd, struct kd_batch *batch, struct kd_err *err)
{
	int rc = kd_batch_read(fd, batch, err);
	if (rc == 0)
		rc = kd_custody_begin(batch, err);
	if (rc < 0)
		return rc;
	rc = kd_stage_open(
		&batch->stage, batch->manifest.out, batch->manifest.batch, err);
	if (rc < 0)
		return rc;
	return kd_publish_new(&batch->stage, &batch->manifest, &batch->publisher, err);
}

/* The outcome of publishing, as the unit's. */
static void
take_over(struct kd_batch *batch, struct kd_batch_unit *unit)
{
	json_t *key;
	size_t i;
	unit->status = unit->publish.status;
	unit->stage = KD_BATCH_SETTLED;
	free(unit->reason);
	unit->reason = unit->publish.reason == NULL ? NULL : strdup(unit->publish.reason);
	if (unit->status != KD_UNIT_PUBLISHED && unit->status != KD_UNIT_ALREADY)
		return;
	json_array_foreach(unit->checkpoints, i, key)
		kd_stage_drop_checkpoint(&batch->stage, json_string_value(key));
}

static void
publish(struct kd_batch *batch, const struct kd_handle *handle,
	struct kd_publish_unit **list)
{
	size_t count = 0;
	for (uint32_t i = 0; i < batch->manifest.unit_count; i++) {
		struct kd_batch_unit *unit = &batch->units[i];
		if (unit->stage == KD_BATCH_SETTLED) {
			if (unit->status == KD_UNIT_ALREADY)
				list[count++] = &unit->publish;
			continue;
		}
		int same = kd_content_verify(&unit->source, &unit->content, 1);
		if (same < 0) {
			kd_batch_settle_changed(unit, same,
				"while it was processed; the result was dropped");
			continue;
		}
		json_object_update_missing(unit->facts, handle->facts);
		kd_batch_describe(batch, i, handle);
		unit->publish.status = KD_UNIT_PUBLISHED;
		list[count++] = &unit->publish;
	}
	kd_publish_units(batch->publisher, list, count);
	for (uint32_t i = 0; i < batch->manifest.unit_count; i++)
		if (batch->units[i].stage == KD_BATCH_DONE ||
			batch->units[i].status == KD_UNIT_ALREADY)
			take_over(batch, &batch->units[i]);
}

static int
by_size(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;
	return (left > right) - (left < right);
}

static double
median(double *values, uint32_t count)
{
	qsort(values, count, sizeof *values, by_size);
	return count % 2 == 1 ? values[count / 2]
			      : (values[count / 2 - 1] + values[count / 2]) / 2;
}

/* NULL stays NULL. */
static char *
copy(const char *text)
{
	return text == NULL ? NULL : strdup(text);
}

static void
tell_unit(struct kd_batch_unit *unit, struct kd_result_unit *told)
{
	struct kd_publish_unit *publish = &unit->publish;
	told->status = unit->status;
	told->reason = unit->status == KD_UNIT_PUBLISHED ? NULL : copy(unit->reason);
	memcpy(told->sha256, unit->content.sha256, KD_HASH_HEX);
	told->seconds = unit->seconds;
	told->primary = copy(publish->primary);
	told->sidecar = copy(publish->sidecar_path);
	/* Outputs that were not placed are nobody's business. */
	if (publish->primary != NULL) {
		told->outputs = publish->outputs;
		told->output_count = publish->output_count;
		publish->outputs = NULL;
		publish->output_count = 0;
	}
	size_t count = json_array_size(unit->warnings);
	told->warnings = calloc(count + 1, sizeof *told->warnings);
	for (size_t i = 0; told->warnings != NULL && i < count; i++)
		told->warnings[told->warning_count++] =
			copy(json_string_value(json_array_get(unit->warnings, i)));
}

static void
tell(struct kd_batch *batch, const struct kd_handle *handle, struct kd_result *result)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	uint32_t count = batch->units == NULL ? 0 : batch->manifest.unit_count;
	*result = (struct kd_result){
		.variant = strdup(handle->variant == NULL ? "" : handle->variant),
		.device = strdup(kd_handle_device(handle)),
		.failure = copy(batch->failure),
		.revision = copy(batch->manifest.revision),
		.refused = batch->refused != 0,
		.seconds = kd_batch_seconds(&batch->started, &now),
		.frames = batch->frames,
		.repeats = batch->repeat,
		.units = calloc(count + 1, sizeof *result->units),
	};
	if (batch->repeat > 0)
		result->kernel_seconds = median(batch->repeats, batch->repeat);
	if (result->units == NULL)
		return;
	result->unit_count = count;
	for (uint32_t i = 0; i < count; i++)
		tell_unit(&batch->units[i], &result->units[i]);
}

/* The sidecar names an archive with what was in it. */
static void
name_entries(struct kd_batch *batch)
{
	for (uint32_t i = 0; i < batch->manifest.unit_count; i++) {
		struct kd_batch_unit *unit = &batch->units[i];
		if (!unit->is_unpacked)
			continue;
		unit->unpacked_inputs = kd_batch_inputs(&unit->unpacked);
		json_object_set(json_array_get(unit->inputs, 0), "entries",
			unit->unpacked_inputs);
	}
}

static int
run(struct kd_link *link, struct kd_handle *handle, struct kd_batch *batch)
{
	const struct kd_broker broker = {batch, handle, link};
	link->verdict = kd_identity_verdict;
	link->context = (void *)&broker;
	int rc = kd_identity_revise(
		batch, handle, kd_handle_fits(handle, &batch->manifest));
	int to_run = rc < 0 ? rc : kd_identity_begin(&broker);
	if (to_run > 0) {
		rc = kd_unpack_keeper_run(batch, link);
		if (rc == 0) {
			name_entries(batch);
			rc = kd_attempt_run(&broker);
		}
		if (rc == 0)
			rc = kd_identity_end(&broker);
		if (rc == 0 && handle->opened)
			rc = kd_identity_revise(batch, handle, 1);
	}
	kd_identity_clear(batch);
	link->aside = NULL;
	link->verdict = NULL;
	link->context = NULL;
	if (rc < 0 || to_run < 0)
		return rc < 0 ? rc : to_run;
	struct kd_publish_unit **list =
		calloc(batch->manifest.unit_count + 1, sizeof *list);
	if (list == NULL) {
		for (uint32_t i = 0; i < batch->manifest.unit_count; i++)
			if (batch->units[i].stage == KD_BATCH_DONE)
				kd_batch_settle(&batch->units[i], KD_UNIT_TRANSIENT,
					"out of memory");
		return 0;
	}
	publish(batch, handle, list);
	free(list);
	return 0;
}

int
kd_batch_run(int fd, struct kd_link *link, struct kd_handle *handle,
	struct kd_batch *batch, struct kd_result *result)
{
	struct kd_err err = {0};
	link->cancelled = 0;
	int rc = begin(fd, batch, &err);
	if (rc == 0) {
		rc = run(link, handle, batch);
	} else {
		batch->failure = strdup(err.text);
		if (batch->units != NULL)
			kd_batch_settle_rest(batch, KD_UNIT_HELD, err.text);
		rc = 0;
	}
	kd_publish_free(batch->publisher);
	batch->publisher = NULL;
	kd_spent_clear(batch);
	kd_stage_close(&batch->stage);
	if (rc == 0) {
		kd_custody_put_back(batch);
		tell(batch, handle, result);
	}
	return rc;
}

void
kd_batch_run_clear(struct kd_batch *batch)
{
	kd_spent_clear(batch);
	kd_custody_rest(batch);
	kd_batch_clear(batch);
}
