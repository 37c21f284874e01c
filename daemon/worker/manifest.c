/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Manifest and result to and from JSON.  One table per struct says which member stands
 * under which key, so that writing and reading cannot drift apart; a reader that fails
 * leaves its struct empty.
 */
#include "daemon/worker/manifest.h"

#include "daemon/base/file.h"
#include "daemon/base/name.h"

#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MANIFEST_MOST = 256 << 20 };

enum kind {
	FIELD_NAME,	/* char *, escaped; never NULL */
	FIELD_NAME_OPT, /* char *, escaped; null is NULL */
	FIELD_NAMES,	/* char **, NULL-ended, escaped; absent or null is NULL */
	FIELD_HASH,	/* char [KD_HASH_HEX], may be "" */
	FIELD_I64,
	FIELD_I64_OPT, /* of zero or above; absent or null is -1 */
	FIELD_U64,
	FIELD_U64_OPT, /* absent is 0 */
	FIELD_U32,
	FIELD_U32_OPT, /* absent is 0 */
	FIELD_BOOL,    /* int */
	FIELD_REAL,
	FIELD_CHOICE, /* an enum, by its name in `names` */
};

struct field {
	const char *key;
	enum kind kind;
	size_t offset;
	const char *const *names; /* NULL-ended, in the enum's order */
};

static const char *const collision_names[] = {"version", "keep", "replace", NULL};
static const char *const inputs_names[] = {"keep", "delete", "move", NULL};
static const char *const status_names[] = {"published", "already", "same", "kept", "bad",
	"transient", "busy", "changed", "gone", "cancelled", "crashed", "held", NULL};

#define AT(type, member) offsetof(struct type, member)
static const struct field manifest_fields[] = {
	{"batch", FIELD_I64, AT(kd_manifest, batch), NULL},
	{"rule", FIELD_NAME, AT(kd_manifest, rule), NULL},
	{"revision", FIELD_NAME, AT(kd_manifest, revision), NULL},
	{"plugin", FIELD_NAME, AT(kd_manifest, plugin), NULL},
	{"kernel", FIELD_NAME, AT(kd_manifest, kernel), NULL},
	{"device", FIELD_NAME, AT(kd_manifest, device), NULL},
	{"needs", FIELD_U32, AT(kd_manifest, needs), NULL},
	{"threads", FIELD_U32, AT(kd_manifest, threads), NULL},
	{"repeat", FIELD_U32, AT(kd_manifest, repeat), NULL},
	{"memory_limit", FIELD_U64, AT(kd_manifest, memory_limit), NULL},
	{"output_limit", FIELD_U64, AT(kd_manifest, output_limit), NULL},
	{"wall_limit", FIELD_REAL, AT(kd_manifest, wall_limit), NULL},
	{"root", FIELD_NAME, AT(kd_manifest, root), NULL},
	{"out", FIELD_NAME, AT(kd_manifest, out), NULL},
	{"collision", FIELD_CHOICE, AT(kd_manifest, collision), collision_names},
	{"inputs", FIELD_CHOICE, AT(kd_manifest, inputs), inputs_names},
	{"done", FIELD_NAME_OPT, AT(kd_manifest, done), NULL},
	{"quarantine", FIELD_NAME_OPT, AT(kd_manifest, quarantine), NULL},
	{"mode", FIELD_U32, AT(kd_manifest, mode), NULL},
	{"group", FIELD_NAME_OPT, AT(kd_manifest, group), NULL},
	{"verify_writers", FIELD_BOOL, AT(kd_manifest, verify_writers), NULL},
	{"marker", FIELD_NAME_OPT, AT(kd_manifest, marker), NULL},
	{"count", FIELD_U32_OPT, AT(kd_manifest, count), NULL},
	{"match", FIELD_NAMES, AT(kd_manifest, match), NULL},
	{"ignore", FIELD_NAMES, AT(kd_manifest, ignore), NULL},
	{"sequence_first", FIELD_I64_OPT, AT(kd_manifest, sequence_first), NULL},
	{"sequence_last", FIELD_I64_OPT, AT(kd_manifest, sequence_last), NULL},
	{"sequence_gaps", FIELD_U32_OPT, AT(kd_manifest, sequence_gaps), NULL},
	{"archive_bytes", FIELD_U64_OPT, AT(kd_manifest, archive.bytes), NULL},
	{"archive_entries", FIELD_U32_OPT, AT(kd_manifest, archive.entries), NULL},
	{"archive_depth", FIELD_U32_OPT, AT(kd_manifest, archive.depth), NULL},
	{"archive_ratio", FIELD_U32_OPT, AT(kd_manifest, archive.ratio), NULL},
	{"archive_name", FIELD_U32_OPT, AT(kd_manifest, archive.name), NULL},
	{NULL, 0, 0, NULL},
};
static const struct field manifest_unit_fields[] = {
	{"id", FIELD_I64, AT(kd_manifest_unit, id), NULL},
	{"kind", FIELD_U32, AT(kd_manifest_unit, kind), NULL},
	{"attempt", FIELD_U32, AT(kd_manifest_unit, attempt), NULL},
	{"path", FIELD_NAME, AT(kd_manifest_unit, path), NULL},
	{"output", FIELD_NAME, AT(kd_manifest_unit, output), NULL},
	{"restore", FIELD_U32_OPT, AT(kd_manifest_unit, restore), NULL},
	{"ended", FIELD_U32_OPT, AT(kd_manifest_unit, ended), NULL},
	{"ended_reason", FIELD_NAME_OPT, AT(kd_manifest_unit, ended_reason), NULL},
	{"ended_sha256", FIELD_NAME_OPT, AT(kd_manifest_unit, ended_sha256), NULL},
	{NULL, 0, 0, NULL},
};
static const struct field result_fields[] = {
	{"variant", FIELD_NAME, AT(kd_result, variant), NULL},
	{"device", FIELD_NAME, AT(kd_result, device), NULL},
	{"failure", FIELD_NAME_OPT, AT(kd_result, failure), NULL},
	{"revision", FIELD_NAME_OPT, AT(kd_result, revision), NULL},
	{"refused", FIELD_U32_OPT, AT(kd_result, refused), NULL},
	{"seconds", FIELD_REAL, AT(kd_result, seconds), NULL},
	{"kernel_seconds", FIELD_REAL, AT(kd_result, kernel_seconds), NULL},
	{"frames", FIELD_U64, AT(kd_result, frames), NULL},
	{"repeats", FIELD_U64, AT(kd_result, repeats), NULL},
	{NULL, 0, 0, NULL},
};
static const struct field result_unit_fields[] = {
	{"status", FIELD_CHOICE, AT(kd_result_unit, status), status_names},
	{"reason", FIELD_NAME_OPT, AT(kd_result_unit, reason), NULL},
	{"sha256", FIELD_HASH, AT(kd_result_unit, sha256), NULL},
	{"primary", FIELD_NAME_OPT, AT(kd_result_unit, primary), NULL},
	{"sidecar", FIELD_NAME_OPT, AT(kd_result_unit, sidecar), NULL},
	{"seconds", FIELD_REAL, AT(kd_result_unit, seconds), NULL},
	{NULL, 0, 0, NULL},
};
static const struct field output_fields[] = {
	{"path", FIELD_NAME, AT(kd_output, path), NULL},
	{"sha256", FIELD_HASH, AT(kd_output, sha256), NULL},
	{"bytes", FIELD_U64, AT(kd_output, bytes), NULL},
	{"companion", FIELD_BOOL, AT(kd_output, companion), NULL},
	{NULL, 0, 0, NULL},
};

const char *
kd_manifest_status_name(enum kd_status status)
{
	return status_names[status];
}

static json_t *
name_to_json(const char *name)
{
	if (name == NULL)
		return json_null();
	char *escaped = kd_name_escape(name);
	json_t *json = escaped == NULL ? NULL : json_string(escaped);
	free(escaped);
	return json;
}

static json_t *
names_to_json(char *const *names)
{
	if (names == NULL)
		return json_null();
	json_t *list = json_array();
	for (; *names != NULL; names++) {
		if (json_array_append_new(list, name_to_json(*names)) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_t *
field_to_json(const struct field *field, const void *base)
{
	const char *at = (const char *)base + field->offset;
	switch (field->kind) {
	case FIELD_NAME:
	case FIELD_NAME_OPT:
		return name_to_json(*(char *const *)at);
	case FIELD_NAMES:
		return names_to_json(*(char **const *)at);
	case FIELD_HASH:
		return json_string(at);
	case FIELD_I64_OPT:
		if (*(const int64_t *)at < 0)
			return json_null();
		return json_integer(*(const int64_t *)at);
	case FIELD_I64:
		return json_integer(*(const int64_t *)at);
	case FIELD_U64:
	case FIELD_U64_OPT:
		return json_integer((json_int_t) * (const uint64_t *)at);
	case FIELD_U32:
	case FIELD_U32_OPT:
		return json_integer(*(const uint32_t *)at);
	case FIELD_BOOL:
		return json_boolean(*(const int *)at);
	case FIELD_REAL:
		return json_real(*(const double *)at);
	case FIELD_CHOICE:
		return json_string(field->names[*(const unsigned *)at]);
	}
	return NULL;
}

static json_t *
fields_to_json(const struct field *fields, const void *base)
{
	json_t *json = json_object();
	for (const struct field *field = fields; field->key != NULL; field++) {
		if (json_object_set_new(json, field->key, field_to_json(field, base)) <
			0) {
			json_decref(json);
			return NULL;
		}
	}
	return json;
}

static int
wrong(const struct field *field, const char *expected, struct kd_err *err)
{
	return kd_err_set(err, -EINVAL, "'%s' is not %s", field->key, expected);
}

static int
name_from_json(
	const struct field *field, const json_t *value, char **name, struct kd_err *err)
{
	if (field->kind == FIELD_NAME_OPT && (value == NULL || json_is_null(value))) {
		*name = NULL;
		return 0;
	}
	if (!json_is_string(value))
		return wrong(field, "a string", err);
	*name = kd_name_unescape(json_string_value(value));
	if (*name == NULL)
		return wrong(field, "a properly escaped string", err);
	return 0;
}

static void
free_names(char **names)
{
	for (char **at = names; at != NULL && *at != NULL; at++)
		free(*at);
	free(names);
}

static int
names_from_json(
	const struct field *field, const json_t *value, char ***names, struct kd_err *err)
{
	size_t count = json_array_size(value);
	*names = NULL;
	if (value == NULL || json_is_null(value))
		return 0;
	if (!json_is_array(value))
		return wrong(field, "a list of strings", err);
	char **got = calloc(count + 1, sizeof *got);
	if (got == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		const char *text = json_string_value(json_array_get(value, i));
		got[i] = text == NULL ? NULL : kd_name_unescape(text);
		if (got[i] == NULL) {
			free_names(got);
			return wrong(field, "a list of properly escaped strings", err);
		}
	}
	*names = got;
	return 0;
}

static int
integer_from_json(
	const struct field *field, const json_t *value, char *at, struct kd_err *err)
{
	if (value == NULL &&
		(field->kind == FIELD_U32_OPT || field->kind == FIELD_U64_OPT))
		return 0;
	if ((value == NULL || json_is_null(value)) && field->kind == FIELD_I64_OPT) {
		*(int64_t *)at = -1;
		return 0;
	}
	if (!json_is_integer(value))
		return wrong(field, "an integer", err);
	json_int_t integer = json_integer_value(value);
	if (field->kind == FIELD_I64)
		*(int64_t *)at = integer;
	else if (integer < 0)
		return wrong(field, "zero or above", err);
	else if (field->kind == FIELD_I64_OPT)
		*(int64_t *)at = integer;
	else if (field->kind == FIELD_U64 || field->kind == FIELD_U64_OPT)
		*(uint64_t *)at = (uint64_t)integer;
	else if (integer > UINT32_MAX)
		return wrong(field, "below 2^32", err);
	else
		*(uint32_t *)at = (uint32_t)integer;
	return 0;
}

static int
choice_from_json(const struct field *field, const json_t *value, unsigned *choice,
	struct kd_err *err)
{
	const char *text = json_string_value(value);
	for (unsigned i = 0; text != NULL && field->names[i] != NULL; i++) {
		if (strcmp(text, field->names[i]) == 0) {
			*choice = i;
			return 0;
		}
	}
	return wrong(field, "one of the words known here", err);
}

static int
field_from_json(
	const struct field *field, const json_t *json, void *base, struct kd_err *err)
{
	const json_t *value = json_object_get(json, field->key);
	char *at = (char *)base + field->offset;
	switch (field->kind) {
	case FIELD_NAME:
	case FIELD_NAME_OPT:
		return name_from_json(field, value, (char **)at, err);
	case FIELD_NAMES:
		return names_from_json(field, value, (char ***)at, err);
	case FIELD_HASH: {
		const char *text = json_string_value(value);
		size_t length = text == NULL ? 1 : strlen(text);
		if (length != 0 && (length != KD_HASH_HEX - 1 ||
					   strspn(text, "0123456789abcdef") != length))
			return wrong(field, "a SHA-256 in hexadecimal", err);
		memcpy(at, text, length + 1);
		return 0;
	}
	case FIELD_I64:
	case FIELD_I64_OPT:
	case FIELD_U64:
	case FIELD_U64_OPT:
	case FIELD_U32:
	case FIELD_U32_OPT:
		return integer_from_json(field, value, at, err);
	case FIELD_BOOL:
		if (!json_is_boolean(value))
			return wrong(field, "true or false", err);
		*(int *)at = json_is_true(value);
		return 0;
	case FIELD_REAL:
		if (!json_is_number(value) || !isfinite(json_number_value(value)) ||
			json_number_value(value) < 0)
			return wrong(field, "a number of zero or above", err);
		*(double *)at = json_number_value(value);
		return 0;
	case FIELD_CHOICE:
		return choice_from_json(field, value, (unsigned *)at, err);
	}
	return -EINVAL;
}

static int
fields_from_json(
	const struct field *fields, const json_t *json, void *base, struct kd_err *err)
{
	if (!json_is_object(json))
		return kd_err_set(err, -EINVAL, "expected a JSON object");
	for (const struct field *field = fields; field->key != NULL; field++) {
		int rc = field_from_json(field, json, base, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* An array of structs: allocates *items (NULL when empty); *count counts those begun,
 * so that a half-read array can be cleared. */
struct array {
	const struct field *fields;
	size_t item;
	void **items;
	uint32_t *count;
};

static int
array_from_json(const json_t *json, const char *key, const struct array *array,
	struct kd_err *err)
{
	const json_t *list = json_object_get(json, key);
	if (!json_is_array(list))
		return kd_err_set(err, -EINVAL, "'%s' is not a list", key);
	size_t count = json_array_size(list);
	*array->items = count == 0 ? NULL : calloc(count, array->item);
	if (count != 0 && *array->items == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		*array->count = (uint32_t)i + 1;
		int rc = fields_from_json(array->fields, json_array_get(list, i),
			(char *)*array->items + i * array->item, err);
		if (rc < 0)
			return kd_err_set(err, rc, "%s[%zu]: %s", key, i,
				err == NULL ? "" : err->text);
	}
	return 0;
}

json_t *
kd_manifest_to_json(const struct kd_manifest *manifest)
{
	json_t *json = fields_to_json(manifest_fields, manifest);
	json_t *units = json_array();
	for (uint32_t i = 0; i < manifest->unit_count; i++)
		json_array_append_new(
			units, fields_to_json(manifest_unit_fields, &manifest->units[i]));
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
	int rc = fields_from_json(manifest_fields, json, &got, err);
	if (rc == 0) {
		struct array array = {
			manifest_unit_fields, sizeof *got.units, &units, &got.unit_count};
		rc = array_from_json(json, "units", &array, err);
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

static json_t *
result_unit_to_json(const struct kd_result_unit *unit)
{
	json_t *json = fields_to_json(result_unit_fields, unit);
	json_t *outputs = json_array(), *warnings = json_array();
	for (uint32_t i = 0; i < unit->output_count; i++)
		json_array_append_new(
			outputs, fields_to_json(output_fields, &unit->outputs[i]));
	for (uint32_t i = 0; i < unit->warning_count; i++)
		json_array_append_new(warnings, name_to_json(unit->warnings[i]));
	json_object_set_new(json, "outputs", outputs);
	json_object_set_new(json, "warnings", warnings);
	return json;
}

json_t *
kd_manifest_result_to_json(const struct kd_result *result)
{
	json_t *json = fields_to_json(result_fields, result);
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
	static const struct field text = {"warnings", FIELD_NAME, 0, NULL};
	const json_t *list = json_object_get(json, "warnings");
	if (!json_is_array(list))
		return kd_err_set(err, -EINVAL, "'warnings' is not a list");
	size_t count = json_array_size(list);
	unit->warnings = count == 0 ? NULL : calloc(count, sizeof *unit->warnings);
	if (count != 0 && unit->warnings == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		int rc = name_from_json(
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
	int rc = fields_from_json(result_fields, json, &got, err);
	if (rc == 0) {
		struct array array = {
			result_unit_fields, sizeof *got.units, &units, &got.unit_count};
		rc = array_from_json(json, "units", &array, err);
		got.units = units;
	}
	const json_t *list = json_object_get(json, "units");
	for (uint32_t i = 0; rc == 0 && i < got.unit_count; i++) {
		struct kd_result_unit *unit = &got.units[i];
		const json_t *from = json_array_get(list, i);
		void *outputs = NULL;
		struct array array = {output_fields, sizeof *unit->outputs, &outputs,
			&unit->output_count};
		rc = array_from_json(from, "outputs", &array, err);
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

/* Takes json. */
static int
json_to_memfd(json_t *json, const char *name)
{
	char *text = json == NULL ? NULL : json_dumps(json, JSON_INDENT(1));
	json_decref(json);
	if (text == NULL)
		return -ENOMEM;
	int fd = memfd_create(name, MFD_CLOEXEC);
	int rc = fd < 0 ? -errno : kd_file_write_all(fd, text, strlen(text));
	free(text);
	if (rc == 0 && lseek(fd, 0, SEEK_SET) < 0)
		rc = -errno;
	if (rc < 0 && fd >= 0)
		close(fd);
	return rc < 0 ? rc : fd;
}

static int
json_from_fd(int fd, json_t **json, struct kd_err *err)
{
	char *text;
	size_t length;
	int rc = lseek(fd, 0, SEEK_SET) < 0 ? -errno : 0;
	if (rc == 0)
		rc = kd_file_read_all(fd, MANIFEST_MOST, &text, &length);
	if (rc < 0)
		return kd_err_errno(err, rc, "cannot read it");
	json_error_t at;
	*json = json_loadb(text, length, JSON_REJECT_DUPLICATES, &at);
	free(text);
	if (*json == NULL)
		return kd_err_set(err, -EINVAL, "line %d: %s", at.line, at.text);
	return 0;
}

int
kd_manifest_write(const struct kd_manifest *manifest)
{
	return json_to_memfd(kd_manifest_to_json(manifest), "kiln-manifest");
}

int
kd_manifest_read(int fd, struct kd_manifest *manifest, struct kd_err *err)
{
	json_t *json;
	int rc = json_from_fd(fd, &json, err);
	if (rc < 0)
		return rc;
	rc = kd_manifest_from_json(json, manifest, err);
	json_decref(json);
	return rc;
}

int
kd_manifest_result_write(const struct kd_result *result)
{
	return json_to_memfd(kd_manifest_result_to_json(result), "kiln-result");
}

int
kd_manifest_result_read(int fd, struct kd_result *result, struct kd_err *err)
{
	json_t *json;
	int rc = json_from_fd(fd, &json, err);
	if (rc < 0)
		return rc;
	rc = kd_manifest_result_from_json(json, result, err);
	json_decref(json);
	return rc;
}

static void
clear_fields(const struct field *fields, void *base)
{
	for (const struct field *field = fields; field->key != NULL; field++)
		if (field->kind == FIELD_NAME || field->kind == FIELD_NAME_OPT)
			free(*(char **)((char *)base + field->offset));
		else if (field->kind == FIELD_NAMES)
			free_names(*(char ***)((char *)base + field->offset));
}

void
kd_manifest_clear(struct kd_manifest *manifest)
{
	clear_fields(manifest_fields, manifest);
	for (uint32_t i = 0; i < manifest->unit_count; i++)
		clear_fields(manifest_unit_fields, &manifest->units[i]);
	free(manifest->units);
	json_decref(manifest->params);
	json_decref(manifest->path_params);
	*manifest = (struct kd_manifest){0};
}

void
kd_manifest_result_clear(struct kd_result *result)
{
	clear_fields(result_fields, result);
	for (uint32_t i = 0; i < result->unit_count; i++) {
		struct kd_result_unit *unit = &result->units[i];
		clear_fields(result_unit_fields, unit);
		for (uint32_t k = 0; k < unit->output_count; k++)
			clear_fields(output_fields, &unit->outputs[k]);
		for (uint32_t k = 0; k < unit->warning_count; k++)
			free(unit->warnings[k]);
		free(unit->outputs);
		free(unit->warnings);
	}
	free(result->units);
	*result = (struct kd_result){0};
}
