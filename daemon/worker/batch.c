/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/worker/batch.h"

#include "daemon/base/name.h"
#include "daemon/base/series.h"
#include "daemon/base/stems.h"
#include "plugins/kiln_plugin.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint32_t
kd_batch_kind(const struct kd_batch_unit *unit)
{
	return unit->unit->kind == KD_UNIT_ARCHIVE ? KILN_DIRECTORY : unit->unit->kind;
}

void
kd_batch_settle(
	struct kd_batch_unit *unit, enum kd_status status, const char *format, ...)
{
	va_list args;
	char *reason;
	va_start(args, format);
	if (vasprintf(&reason, format, args) < 0)
		reason = NULL;
	va_end(args);
	free(unit->reason);
	unit->reason = reason;
	unit->status = status;
	unit->stage = KD_BATCH_SETTLED;
}

void
kd_batch_settle_changed(struct kd_batch_unit *unit, int rc, const char *when)
{
	if (rc == -ENOENT)
		kd_batch_settle(unit, KD_UNIT_GONE, "it went away %s", when);
	else if (rc == -ESTALE)
		kd_batch_settle(unit, KD_UNIT_CHANGED, "it changed %s", when);
	else
		kd_batch_settle(unit, KD_UNIT_HELD,
			"nobody can tell whether it changed %s: %s", when, strerror(-rc));
}

void
kd_batch_settle_rest(struct kd_batch *batch, enum kd_status status, const char *reason)
{
	for (uint32_t i = 0; i < batch->manifest.unit_count; i++) {
		struct kd_batch_unit *unit = &batch->units[i];
		if (unit->stage != KD_BATCH_DONE && unit->stage != KD_BATCH_SETTLED)
			kd_batch_settle(unit, status, "%s", reason);
	}
}

void
kd_batch_forget(struct kd_batch_unit *unit)
{
	for (uint32_t i = 0; i < unit->publish.output_count; i++)
		free(unit->publish.outputs[i].path);
	unit->publish.output_count = 0;
	unit->primaries = 0;
	json_object_clear(unit->facts);
	json_array_clear(unit->warnings);
}

double
kd_batch_seconds(const struct timespec *from, const struct timespec *to)
{
	double seconds = (double)(to->tv_sec - from->tv_sec) +
			 (double)(to->tv_nsec - from->tv_nsec) * 1e-9;
	return seconds < 0 ? 0 : seconds; /* the wall clock may be set back */
}

/* What is left of a numbered file's name without its number, else its folder's name. */
static char *
sequence_stem(const struct kd_manifest_unit *unit)
{
	struct kd_series series;
	const char *name = kd_name_base(unit->path);
	if (kd_series_parse(name, &series) < 0)
		return strdup(name);
	char *stem = kd_series_stem(&series);
	kd_series_clear(&series);
	if (stem == NULL || stem[0] != '\0')
		return stem;
	free(stem);
	char *folder = strndup(unit->path, (size_t)(name - unit->path));
	if (folder == NULL || folder[0] == '\0') {
		free(folder);
		return strdup("sequence");
	}
	folder[name - unit->path - 1] = '\0';
	stem = strdup(kd_name_base(folder));
	free(folder);
	return stem;
}

/* "shot01" of "shot01.zip" and of "shot01.tar.gz". */
static char *
archive_stem(const char *name)
{
	char *stem = strndup(name, kd_stems_length(name));
	size_t length = stem == NULL ? 0 : strlen(stem);
	if (length > 4 && strcmp(stem + length - 4, ".tar") == 0)
		stem[length - 4] = '\0';
	return stem;
}

/* What outputs begin with: a file's name without its extension, a directory's name. */
static char *
stem_of(const struct kd_manifest_unit *unit)
{
	const char *name = kd_name_base(unit->path);
	switch (unit->kind) {
	case KILN_DIRECTORY:
		return strdup(name);
	case KILN_SEQUENCE:
		return sequence_stem(unit);
	case KD_UNIT_ARCHIVE:
		return archive_stem(name);
	default:
		return strndup(name, kd_stems_length(name));
	}
}

json_t *
kd_batch_inputs(const struct kd_content *content)
{
	json_t *list = json_array();
	for (size_t i = 0; i < content->count; i++) {
		const struct kd_content_file *file = &content->files[i];
		char *name = kd_name_escape(file->name);
		json_array_append_new(
			list, json_pack("{ss?sssI}", "name", name, "sha256", file->sha256,
				      "bytes", (json_int_t)file->bytes));
		free(name);
	}
	return list;
}

int
kd_batch_read(int fd, struct kd_batch *batch, struct kd_err *err)
{
	*batch = (struct kd_batch){.root = -1, .stage = KD_STAGE_NONE};
	clock_gettime(CLOCK_REALTIME, &batch->started);
	int rc = kd_manifest_read(fd, &batch->manifest, err);
	if (rc < 0)
		return rc;
	uint32_t count = batch->manifest.unit_count;
	batch->units = calloc(count + 1, sizeof *batch->units);
	batch->running = calloc(count + 1, sizeof *batch->running);
	batch->repeats = calloc(batch->manifest.repeat, sizeof *batch->repeats);
	if (batch->units == NULL || batch->running == NULL || batch->repeats == NULL)
		return kd_err_set(err, -ENOMEM, "out of memory");
	for (uint32_t i = 0; i < count; i++) {
		struct kd_batch_unit *unit = &batch->units[i];
		unit->unit = &batch->manifest.units[i];
		unit->publish.number = i;
		unit->stem = stem_of(unit->unit);
		unit->facts = json_object();
		unit->warnings = json_array();
		unit->checkpoints = json_array();
		if (unit->stem == NULL)
			return kd_err_set(err, -ENOMEM, "out of memory");
	}
	return 0;
}

void
kd_batch_describe(struct kd_batch *batch, uint32_t i, const struct kd_handle *handle)
{
	struct kd_batch_unit *unit = &batch->units[i];
	unit->publish.stem = unit->stem;
	unit->publish.sidecar = (struct kd_sidecar){
		.manifest = &batch->manifest,
		.unit = unit->unit,
		.sha256 = unit->content.sha256,
		.plugin = handle->plugin == NULL ? "" : handle->plugin,
		.version = handle->version == NULL ? "" : handle->version,
		.variant = handle->variant == NULL ? "" : handle->variant,
		.device = kd_handle_device(handle),
		.paths = handle->path_hashes,
		.inputs = unit->inputs,
		.facts = unit->facts,
		.warnings = unit->warnings,
		.started = unit->started,
		.finished = unit->finished,
		.seconds = unit->seconds,
	};
}

void
kd_batch_clear(struct kd_batch *batch)
{
	for (uint32_t i = 0; batch->units != NULL && i < batch->manifest.unit_count;
		i++) {
		struct kd_batch_unit *unit = &batch->units[i];
		free(unit->reason);
		free(unit->stem);
		kd_content_clear(&unit->content);
		kd_content_clear(&unit->unpacked);
		kd_publish_unit_clear(&unit->publish);
		json_decref(unit->inputs);
		json_decref(unit->unpacked_inputs);
		json_decref(unit->facts);
		json_decref(unit->warnings);
		json_decref(unit->checkpoints);
	}
	free(batch->units);
	free(batch->running);
	free(batch->repeats);
	free(batch->failure);
	free(batch->asked);
	kd_manifest_clear(&batch->manifest);
	*batch = (struct kd_batch){.root = -1};
}
