/* SPDX-License-Identifier: BSD-2-Clause */
/* Results to and from JSON; a reader that fails leaves its struct empty. */
#include "daemon/worker/manifest.h"
#include "daemon/worker/manifest_fields.h"

#include <errno.h>
#include <stdlib.h>

static const char *const status_names[] = {"published", "already", "same", "kept", "bad",
	"transient", "busy", "changed", "gone", "cancelled", "crashed", "held", NULL};

static const struct kd_manifest_field result_fields[] = {
	{"variant", KD_FIELD_NAME, KD_FIELD_AT(kd_result, variant), NULL},
	{"device", KD_FIELD_NAME, KD_FIELD_AT(kd_result, device), NULL},
	{"failure", KD_FIELD_NAME_OPT, KD_FIELD_AT(kd_result, failure), NULL},
	{"revision", KD_FIELD_NAME_OPT, KD_FIELD_AT(kd_result, revision), NULL},
	{"refused", KD_FIELD_U32_OPT, KD_FIELD_AT(kd_result, refused), NULL},
	{"seconds", KD_FIELD_REAL, KD_FIELD_AT(kd_result, seconds), NULL},
	{"kernel_seconds", KD_FIELD_REAL, KD_FIELD_AT(kd_result, kernel_seconds), NULL},
	{"frames", KD_FIELD_U64, KD_FIELD_AT(kd_result, frames), NULL},
	{"repeats", KD_FIELD_U64, KD_FIELD_AT(kd_result, repeats), NULL},
	{NULL, 0, 0, NULL},
};
static const struct kd_manifest_field result_unit_fields[] = {
	{"status", KD_FIELD_CHOICE, KD_FIELD_AT(kd_result_unit, status), status_names},
	{"reason", KD_FIELD_NAME_OPT, KD_FIELD_AT(kd_result_unit, reason), NULL},
	{"sha256", KD_FIELD_HASH, KD_FIELD_AT(kd_result_unit, sha256), NULL},
	{"primary", KD_FIELD_NAME_OPT, KD_FIELD_AT(kd_result_unit, primary), NULL},
	{"sidecar", KD_FIELD_NAME_OPT, KD_FIELD_AT(kd_result_unit, sidecar), NULL},
	{"seconds", KD_FIELD_REAL, KD_FIELD_AT(kd_result_unit, seconds), NULL},
	{NULL, 0, 0, NULL},
};
static const struct kd_manifest_field output_fields[] = {
	{"path", KD_FIELD_NAME, KD_FIELD_AT(kd_output, path), NULL},
	{"sha256", KD_FIELD_HASH, KD_FIELD_AT(kd_output, sha256), NULL},
	{"bytes", KD_FIELD_U64, KD_FIELD_AT(kd_output, bytes), NULL},
	{"companion", KD_FIELD_BOOL, KD_FIELD_AT(kd_output, companion), NULL},
	{NULL, 0, 0, NULL},
};

const char *
kd_manifest_status_name(enum kd_status status)
{
	return status_names[status];
}

static json_t *
result_unit_to_json(const struct kd_result_unit *unit)
{
	json_t *json = kd_manifest_fields_to_json(result_unit_fields, unit);
	json_t *outputs = json_array(), *warnings = json_array();
	for (uint32_t i = 0; i < unit->output_count; i++)
		json_array_append_new(outputs,
			kd_manifest_fields_to_json(output_fields, &unit->outputs[i]));
	for (uint32_t i = 0; i < unit->warning_count; i++)
		json_array_append_new(
			warnings, kd_manifest_fields_put_name(unit->warnings[i]));
	json_object_set_new(json, "outputs", outputs);
	json_object_set_new(json, "warnings", warnings);
	return json;
}

json_t *
kd_manifest_result_to_json(const struct kd_result *result)
{
	json_t *json = kd_manifest_fields_to_json(result_fields, result);
	json_t *units = json_array();
	for (uint32_t i = 0; i < result->unit_count; i++)
		json_array_append_new(units, result_unit_to_json(&result->units[i]));
	if (json_object_set_new(json, "format", json_integer(1)) < 0 ||
		json_object_set_new(json, "units", units) < 0 ||
		json_array_size(units) != result->unit_count) {
		json_decref(json);
		return NULL;
	}
	return json;
}

static int
warnings_from_json(const json_t *json, struct kd_result_unit *unit, struct kd_err *err)
{
	static const struct kd_manifest_field text = {"warnings", KD_FIELD_NAME, 0, NULL};
	const json_t *list = json_object_get(json, "warnings");
	if (!json_is_array(list))
		return kd_err_set(err, -EINVAL, "'warnings' is not a list");
	size_t count = json_array_size(list);
	unit->warnings = count == 0 ? NULL : calloc(count, sizeof *unit->warnings);
	if (count != 0 && unit->warnings == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		int rc = kd_manifest_fields_get_name(
			&text, json_array_get(list, i), &unit->warnings[i], err);
		if (rc < 0)
			return rc;
		unit->warning_count++;
	}
	return 0;
}

int
kd_manifest_result_from_json(
	const json_t *json, struct kd_result *result, struct kd_err *err)
{
	struct kd_result got = {0};
	void *units = NULL;
	int rc = kd_manifest_fields_from_json(result_fields, json, &got, err);
	if (rc == 0) {
		struct kd_manifest_array array = {
			result_unit_fields, sizeof *got.units, &units, &got.unit_count};
		rc = kd_manifest_fields_read_array(json, "units", &array, err);
		got.units = units;
	}
	const json_t *list = json_object_get(json, "units");
	for (uint32_t i = 0; rc == 0 && i < got.unit_count; i++) {
		struct kd_result_unit *unit = &got.units[i];
		const json_t *from = json_array_get(list, i);
		void *outputs = NULL;
		struct kd_manifest_array array = {output_fields, sizeof *unit->outputs,
			&outputs, &unit->output_count};
		rc = kd_manifest_fields_read_array(from, "outputs", &array, err);
		unit->outputs = outputs;
		if (rc == 0)
			rc = warnings_from_json(from, unit, err);
	}
	if (rc < 0) {
		kd_manifest_result_clear(&got);
		return kd_err_set(err, rc, "result: %s", err == NULL ? "" : err->text);
	}
	*result = got;
	return 0;
}

int
kd_manifest_result_write(const struct kd_result *result)
{
	return kd_manifest_fields_to_memfd(
		kd_manifest_result_to_json(result), "kiln-result");
}

int
kd_manifest_result_read(int fd, struct kd_result *result, struct kd_err *err)
{
	json_t *json;
	int rc = kd_manifest_fields_from_fd(fd, &json, err);
	if (rc < 0)
		return rc;
	rc = kd_manifest_result_from_json(json, result, err);
	json_decref(json);
	return rc;
}

void
kd_manifest_result_clear(struct kd_result *result)
{
	kd_manifest_fields_clear(result_fields, result);
	for (uint32_t i = 0; i < result->unit_count; i++) {
		struct kd_result_unit *unit = &result->units[i];
		kd_manifest_fields_clear(result_unit_fields, unit);
		for (uint32_t k = 0; k < unit->output_count; k++)
			kd_manifest_fields_clear(output_fields, &unit->outputs[k]);
		for (uint32_t k = 0; k < unit->warning_count; k++)
			free(unit->warnings[k]);
		free(unit->outputs);
		free(unit->warnings);
	}
	free(result->units);
	*result = (struct kd_result){0};
}
