/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bodies that keeper, engine and client read of each other, by the first letter:
 * 'm'anifest and 'r'esult (keeper and kilnd), 'u'nits and 'p'arameters (engine).  What is
 * taken can be written and taken again.
 */
#include "daemon/worker/manifest.h"
#include "daemon/worker/values.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

static void
read_manifest(const json_t *json)
{
	struct kd_manifest manifest, again;
	struct kd_err err = {0};
	if (kd_manifest_from_json(json, &manifest, &err) < 0) {
		if (err.text[0] == '\0')
			abort();
		return;
	}
	json_t *written = kd_manifest_to_json(&manifest);
	if (written == NULL || kd_manifest_from_json(written, &again, &err) < 0)
		abort();
	json_decref(written);
	kd_manifest_clear(&again);
	kd_manifest_clear(&manifest);
}

static void
read_result(const json_t *json)
{
	struct kd_result result, again;
	struct kd_err err = {0};
	if (kd_manifest_result_from_json(json, &result, &err) < 0) {
		if (err.text[0] == '\0')
			abort();
		return;
	}
	json_t *written = kd_manifest_result_to_json(&result);
	if (written == NULL || kd_manifest_result_from_json(written, &again, &err) < 0)
		abort();
	json_decref(written);
	kd_manifest_result_clear(&again);
	kd_manifest_result_clear(&result);
}

static void
read_units(const json_t *json)
{
	struct kd_values *values;
	struct kd_err err = {0};
	if (kd_values_batch(json, &values, &err) < 0)
		return;
	const struct kiln_batch *batch = kd_values_get_batch(values);
	for (uint32_t i = 0; i < batch->unit_count; i++)
		if (batch->units[i]->name == NULL || batch->units[i]->stem == NULL)
			abort();
	kd_values_free(values);
}

static void
read_params(const json_t *json)
{
	static const struct kiln_param types[] = {
		{.size = sizeof types[0], .type = KILN_BOOL, .name = "bool"},
		{.size = sizeof types[0], .type = KILN_INTEGER, .name = "integer"},
		{.size = sizeof types[0], .type = KILN_NUMBER, .name = "number"},
		{.size = sizeof types[0], .type = KILN_STRING, .name = "string"},
		{.size = sizeof types[0], .type = KILN_PATH, .name = "path"},
		{.size = sizeof types[0], .type = KILN_LIST, .name = "list"},
		{.size = sizeof types[0], .type = KILN_JSON, .name = "json"}};
	static const struct kiln_param *const params[] = {&types[0], &types[1], &types[2],
		&types[3], &types[4], &types[5], &types[6], NULL};
	static const struct kiln_kernel kernel = {
		.size = sizeof kernel, .name = "fuzz", .params = params};
	struct kd_values *values;
	struct kd_err err = {0};
	if (kd_values_params(&kernel, json, &values, &err) == 0)
		kd_values_free(values);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	json_t *json = json_loadb((const char *)data + 1, size - 1, 0, NULL);
	switch (data[0]) {
	case 'm':
		read_manifest(json);
		break;
	case 'r':
		read_result(json);
		break;
	case 'u':
		read_units(json);
		break;
	case 'p':
		read_params(json);
		break;
	}
	json_decref(json);
	return 0;
}
