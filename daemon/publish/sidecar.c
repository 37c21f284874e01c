/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "daemon/publish/sidecar.h"

#include "daemon/base/file.h"
#include "daemon/base/name.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SIDECAR_MOST = 256 << 20 };

static json_t *
name_json(const char *name)
{
	char *escaped = kd_name_escape(name == NULL ? "" : name);
	json_t *json = escaped == NULL ? NULL : json_string(escaped);
	free(escaped);
	return json;
}

static json_t *
time_json(struct timespec time)
{
	char text[64], whole[32];
	struct tm utc;
	gmtime_r(&time.tv_sec, &utc);
	strftime(whole, sizeof whole, "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(text, sizeof text, "%s.%03ldZ", whole, time.tv_nsec / 1000000);
	return json_string(text);
}

static json_t *
host_json(void)
{
	char host[256] = "";
	gethostname(host, sizeof host - 1);
	return name_json(host);
}

static json_t *
outputs_json(const struct kd_output *outputs, uint32_t count)
{
	json_t *list = json_array();
	for (uint32_t i = 0; i < count; i++)
		json_array_append_new(
			list, json_pack("{sosssIsb}", "name", name_json(outputs[i].path),
				      "sha256", outputs[i].sha256, "bytes",
				      (json_int_t)outputs[i].bytes, "companion",
				      outputs[i].companion));
	return list;
}

/* The caller's own, held once more: what is made of it is written, not changed. */
static json_t *
share(const json_t *json, json_t *otherwise)
{
	if (json == NULL)
		return otherwise;
	json_decref(otherwise);
	return json_incref((json_t *)json);
}

json_t *
kd_sidecar_json(const struct kd_sidecar *sidecar, const struct kd_output *outputs,
	uint32_t output_count)
{
	const struct kd_manifest *manifest = sidecar->manifest;
	const struct kd_manifest_unit *unit = sidecar->unit;
	const struct {
		const char *key;
		json_t *value;
	} members[] = {
		{"format", json_integer(KD_SIDECAR_FORMAT)},
		{"kiln", json_string(PACKAGE_VERSION)},
		{"rule", name_json(manifest->rule)},
		{"revision", name_json(manifest->revision)},
		{"unit", json_integer(unit->id)},
		{"path", name_json(unit->path)},
		{"sha256", json_string(sidecar->sha256)},
		{"batch", json_integer(manifest->batch)},
		{"attempt", json_integer(unit->attempt)},
		{"kernel", name_json(manifest->kernel)},
		{"plugin", name_json(sidecar->plugin)},
		{"plugin_version", name_json(sidecar->version)},
		{"variant", name_json(sidecar->variant)},
		{"device", name_json(sidecar->device)},
		{"params", share(manifest->params, json_object())},
		{"path_params", share(sidecar->paths, json_object())},
		{"inputs", share(sidecar->inputs, json_array())},
		{"outputs", outputs_json(outputs, output_count)},
		{"facts", share(sidecar->facts, json_object())},
		{"warnings", share(sidecar->warnings, json_array())},
		{"started", time_json(sidecar->started)},
		{"finished", time_json(sidecar->finished)},
		{"seconds", json_real(sidecar->seconds)},
		{"host", host_json()},
	};
	json_t *json = json_object();
	int rc = 0;
	for (size_t i = 0; i < sizeof members / sizeof *members; i++)
		rc |= json_object_set_new(json, members[i].key, members[i].value);
	if (sidecar->superseded != NULL)
		rc |= json_object_set(json, "superseded", (json_t *)sidecar->superseded);
	if (rc != 0) {
		json_decref(json);
		return NULL;
	}
	return json;
}

json_t *
kd_sidecar_read(int dir, const char *name)
{
	struct stat st;
	char *text;
	size_t length;
	int fd = kd_file_open_regular(dir, name, &st);
	if (fd < 0)
		return NULL;
	int rc = kd_file_read_all(fd, SIDECAR_MOST, &text, &length);
	close(fd);
	if (rc < 0)
		return NULL;
	json_t *json = json_loadb(text, length, 0, NULL);
	free(text);
	if (json_integer_value(json_object_get(json, "format")) != KD_SIDECAR_FORMAT) {
		json_decref(json);
		return NULL;
	}
	return json;
}

static int
member_is(const json_t *json, const char *key, const char *expected)
{
	json_t *wanted = name_json(expected);
	int same = wanted != NULL && json_equal(json_object_get(json, key), wanted);
	json_decref(wanted);
	return same;
}

int
kd_sidecar_matches(const json_t *json, const struct kd_sidecar *sidecar, int again)
{
	json_int_t unit = json_integer_value(json_object_get(json, "unit"));
	if (again && (sidecar->unit->id == 0 || unit != sidecar->unit->id))
		return 0;
	return member_is(json, "sha256", sidecar->sha256) &&
	       member_is(json, "rule", sidecar->manifest->rule) &&
	       member_is(json, "revision", sidecar->manifest->revision);
}

int
kd_sidecar_stands(const json_t *json, int dir)
{
	const json_t *outputs = json_object_get(json, "outputs"), *output;
	size_t i;
	json_array_foreach(outputs, i, output)
	{
		if (json_is_true(json_object_get(output, "companion")))
			continue;
		const char *name = json_string_value(json_object_get(output, "name"));
		const char *sha = json_string_value(json_object_get(output, "sha256"));
		char *file = name == NULL ? NULL : kd_name_unescape(name);
		char hex[KD_HASH_HEX];
		struct stat st;
		int fd = file == NULL || strchr(file, '/') != NULL
				 ? -1
				 : kd_file_open_regular(dir, file, &st);
		free(file);
		if (fd < 0)
			return 0;
		json_int_t bytes = json_integer_value(json_object_get(output, "bytes"));
		int stands = st.st_size == bytes && sha != NULL &&
			     kd_hash_file(fd, hex, NULL) == 0 && strcmp(hex, sha) == 0;
		close(fd);
		return stands;
	}
	return 0;
}
