/* SPDX-License-Identifier: BSD-2-Clause */
/* Manifests to and from JSON; a reader that fails leaves its struct empty. */
#include "daemon/worker/manifest.h"

#include "daemon/base/name.h"
#include "daemon/worker/manifest_fields.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *const collision_names[] = {"version", "keep", "replace", NULL};
static const char *const inputs_names[] = {"keep", "delete", "move", NULL};

static const struct kd_manifest_field manifest_fields[] = {
	{"batch", KD_FIELD_I64, KD_FIELD_AT(kd_manifest, batch), NULL},
	{"rule", KD_FIELD_NAME, KD_FIELD_AT(kd_manifest, rule), NULL},
	{"revision", KD_FIELD_NAME, KD_FIELD_AT(kd_manifest, revision), NULL},
	{"plugin", KD_FIELD_NAME, KD_FIELD_AT(kd_manifest, plugin), NULL},
	{"kernel", KD_FIELD_NAME, KD_FIELD_AT(kd_manifest, kernel), NULL},
	{"device", KD_FIELD_NAME, KD_FIELD_AT(kd_manifest, device), NULL},
	{"needs", KD_FIELD_U32, KD_FIELD_AT(kd_manifest, needs), NULL},
	{"threads", KD_FIELD_U32, KD_FIELD_AT(kd_manifest, threads), NULL},
	{"repeat", KD_FIELD_U32, KD_FIELD_AT(kd_manifest, repeat), NULL},
	{"memory_limit", KD_FIELD_U64, KD_FIELD_AT(kd_manifest, memory_limit), NULL},
	{"output_limit", KD_FIELD_U64, KD_FIELD_AT(kd_manifest, output_limit), NULL},
	{"wall_limit", KD_FIELD_REAL, KD_FIELD_AT(kd_manifest, wall_limit), NULL},
	{"root", KD_FIELD_NAME, KD_FIELD_AT(kd_manifest, root), NULL},
	{"out", KD_FIELD_NAME, KD_FIELD_AT(kd_manifest, out), NULL},
	{"collision", KD_FIELD_CHOICE, KD_FIELD_AT(kd_manifest, collision),
		collision_names},
	{"inputs", KD_FIELD_CHOICE, KD_FIELD_AT(kd_manifest, inputs), inputs_names},
	{"done", KD_FIELD_NAME_OPT, KD_FIELD_AT(kd_manifest, done), NULL},
	{"quarantine", KD_FIELD_NAME_OPT, KD_FIELD_AT(kd_manifest, quarantine), NULL},
	{"mode", KD_FIELD_U32, KD_FIELD_AT(kd_manifest, mode), NULL},
	{"group", KD_FIELD_NAME_OPT, KD_FIELD_AT(kd_manifest, group), NULL},
	{"verify_writers", KD_FIELD_BOOL, KD_FIELD_AT(kd_manifest, verify_writers), NULL},
	{"marker", KD_FIELD_NAME_OPT, KD_FIELD_AT(kd_manifest, marker), NULL},
	{"count", KD_FIELD_U32_OPT, KD_FIELD_AT(kd_manifest, count), NULL},
	{"match", KD_FIELD_NAMES, KD_FIELD_AT(kd_manifest, match), NULL},
	{"ignore", KD_FIELD_NAMES, KD_FIELD_AT(kd_manifest, ignore), NULL},
	{"sequence_first", KD_FIELD_I64_OPT, KD_FIELD_AT(kd_manifest, sequence_first),
		NULL},
	{"sequence_last", KD_FIELD_I64_OPT, KD_FIELD_AT(kd_manifest, sequence_last),
		NULL},
	{"sequence_gaps", KD_FIELD_U32_OPT, KD_FIELD_AT(kd_manifest, sequence_gaps),
		NULL},
	{"archive_bytes", KD_FIELD_U64_OPT, KD_FIELD_AT(kd_manifest, archive.bytes),
		NULL},
	{"archive_entries", KD_FIELD_U32_OPT, KD_FIELD_AT(kd_manifest, archive.entries),
		NULL},
	{"archive_depth", KD_FIELD_U32_OPT, KD_FIELD_AT(kd_manifest, archive.depth),
		NULL},
	{"archive_ratio", KD_FIELD_U32_OPT, KD_FIELD_AT(kd_manifest, archive.ratio),
		NULL},
	{"archive_name", KD_FIELD_U32_OPT, KD_FIELD_AT(kd_manifest, archive.name), NULL},
	{NULL, 0, 0, NULL},
};
static const struct kd_manifest_field manifest_unit_fields[] = {
	{"id", KD_FIELD_I64, KD_FIELD_AT(kd_manifest_unit, id), NULL},
	{"kind", KD_FIELD_U32, KD_FIELD_AT(kd_manifest_unit, kind), NULL},
	{"attempt", KD_FIELD_U32, KD_FIELD_AT(kd_manifest_unit, attempt), NULL},
	{"path", KD_FIELD_NAME, KD_FIELD_AT(kd_manifest_unit, path), NULL},
	{"bytes", KD_FIELD_U64_OPT, KD_FIELD_AT(kd_manifest_unit, bytes), NULL},
	{"written", KD_FIELD_U64_OPT, KD_FIELD_AT(kd_manifest_unit, written), NULL},
	{"output", KD_FIELD_NAME, KD_FIELD_AT(kd_manifest_unit, output), NULL},
	{"restore", KD_FIELD_U32_OPT, KD_FIELD_AT(kd_manifest_unit, restore), NULL},
	{"ended", KD_FIELD_U32_OPT, KD_FIELD_AT(kd_manifest_unit, ended), NULL},
	{"ended_reason", KD_FIELD_NAME_OPT, KD_FIELD_AT(kd_manifest_unit, ended_reason),
		NULL},
	{"ended_sha256", KD_FIELD_NAME_OPT, KD_FIELD_AT(kd_manifest_unit, ended_sha256),
		NULL},
	{NULL, 0, 0, NULL},
};

json_t *
kd_manifest_to_json(const struct kd_manifest *manifest)
{
	json_t *json = kd_manifest_fields_to_json(manifest_fields, manifest);
	json_t *units = json_array();
	for (uint32_t i = 0; i < manifest->unit_count; i++)
		json_array_append_new(
			units, kd_manifest_fields_to_json(
				       manifest_unit_fields, &manifest->units[i]));
	if (json_object_set_new(json, "format", json_integer(1)) < 0 ||
		json_object_set(json, "params", manifest->params) < 0 ||
		(manifest->path_params != NULL && json_object_set(json, "path_params",
							  manifest->path_params) < 0) ||
		json_object_set_new(json, "units", units) < 0 ||
		json_array_size(units) != manifest->unit_count) {
		json_decref(json);
		return NULL;
	}
	return json;
}

/* What no table can say. */
static int
manifest_check(const struct kd_manifest *manifest, struct kd_err *err)
{
	const char *const absolute[][2] = {{"plugin", manifest->plugin},
		{"root", manifest->root}, {"out", manifest->out},
		{"done", manifest->done}, {"quarantine", manifest->quarantine}};
	for (size_t i = 0; i < sizeof absolute / sizeof *absolute; i++)
		if (absolute[i][1] != NULL && absolute[i][1][0] != '/')
			return kd_err_set(err, -EINVAL, "'%s' is not an absolute path",
				absolute[i][0]);
	if (manifest->inputs == KD_INPUTS_MOVE && manifest->done == NULL)
		return kd_err_set(err, -EINVAL, "'inputs' is \"move\" without 'done'");
	if (manifest->threads == 0 || manifest->repeat == 0)
		return kd_err_set(err, -EINVAL, "'threads' and 'repeat' are at least 1");
	if (manifest->mode > 07777 || (manifest->mode & 0400) == 0)
		return kd_err_set(
			err, -EINVAL, "'mode' is no mode with which the owner can read");
	for (uint32_t i = 0; i < manifest->unit_count; i++) {
		const struct kd_manifest_unit *unit = &manifest->units[i];
		if (!kd_name_is_beneath(unit->path))
			return kd_err_set(
				err, -EINVAL, "units[%u]: 'path' leaves the root", i);
		if (unit->output[0] != '\0' && !kd_name_is_beneath(unit->output))
			return kd_err_set(err, -EINVAL,
				"units[%u]: 'output' leaves the output folder", i);
		if (unit->ended > 1 + KD_UNIT_HELD)
			return kd_err_set(
				err, -EINVAL, "units[%u]: 'ended' is no status", i);
	}
	return 0;
}

int
kd_manifest_from_json(
	const json_t *json, struct kd_manifest *manifest, struct kd_err *err)
{
	struct kd_manifest got = {0};
	void *units = NULL;
	int rc = kd_manifest_fields_from_json(manifest_fields, json, &got, err);
	if (rc == 0) {
		struct kd_manifest_array array = {
			manifest_unit_fields, sizeof *got.units, &units, &got.unit_count};
		rc = kd_manifest_fields_read_array(json, "units", &array, err);
		got.units = units;
	}
	const json_t *params = json_object_get(json, "params");
	if (rc == 0 && !json_is_object(params))
		rc = kd_err_set(err, -EINVAL, "'params' is not an object");
	const json_t *paths = json_object_get(json, "path_params"), *path;
	size_t at;
	if (rc == 0 && paths != NULL && !json_is_array(paths))
		rc = kd_err_set(err, -EINVAL, "'path_params' is not a list");
	json_array_foreach(paths, at, path) if (rc == 0 && !json_is_string(path)) rc =
		kd_err_set(
			err, -EINVAL, "'path_params' holds something other than names");
	if (rc == 0) {
		got.path_params = json_deep_copy(paths);
		got.params = json_deep_copy(params);
		rc = manifest_check(&got, err);
	}
	if (rc < 0) {
		kd_manifest_clear(&got);
		return kd_err_set(err, rc, "manifest: %s", err == NULL ? "" : err->text);
	}
	*manifest = got;
	return 0;
}

int
kd_manifest_write(const struct kd_manifest *manifest)
{
	return kd_manifest_fields_to_memfd(
		kd_manifest_to_json(manifest), "kiln-manifest");
}

int
kd_manifest_read(int fd, struct kd_manifest *manifest, struct kd_err *err)
{
	json_t *json;
	int rc = kd_manifest_fields_from_fd(fd, &json, err);
	if (rc < 0)
		return rc;
	rc = kd_manifest_from_json(json, manifest, err);
	json_decref(json);
	return rc;
}

void
kd_manifest_clear(struct kd_manifest *manifest)
{
	kd_manifest_fields_clear(manifest_fields, manifest);
	for (uint32_t i = 0; i < manifest->unit_count; i++)
		kd_manifest_fields_clear(manifest_unit_fields, &manifest->units[i]);
	free(manifest->units);
	json_decref(manifest->params);
	json_decref(manifest->path_params);
	*manifest = (struct kd_manifest){0};
}
