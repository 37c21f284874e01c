/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/worker/manifest_fields.h"

#include "daemon/base/file.h"
#include "daemon/base/hash.h"
#include "daemon/base/name.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MOST = 256 << 20 };

json_t *
kd_manifest_fields_put_name(const char *name)
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
		if (json_array_append_new(list, kd_manifest_fields_put_name(*names)) <
			0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_t *
field_to_json(const struct kd_manifest_field *field, const void *base)
{
	const char *at = (const char *)base + field->offset;
	switch (field->kind) {
	case KD_FIELD_NAME:
	case KD_FIELD_NAME_OPT:
		return kd_manifest_fields_put_name(*(char *const *)at);
	case KD_FIELD_NAMES:
		return names_to_json(*(char **const *)at);
	case KD_FIELD_HASH:
		return json_string(at);
	case KD_FIELD_I64_OPT:
		if (*(const int64_t *)at < 0)
			return json_null();
		return json_integer(*(const int64_t *)at);
	case KD_FIELD_I64:
		return json_integer(*(const int64_t *)at);
	case KD_FIELD_U64:
	case KD_FIELD_U64_OPT:
		return json_integer((json_int_t) * (const uint64_t *)at);
	case KD_FIELD_U32:
	case KD_FIELD_U32_OPT:
		return json_integer(*(const uint32_t *)at);
	case KD_FIELD_BOOL:
		return json_boolean(*(const int *)at);
	case KD_FIELD_REAL:
		return json_real(*(const double *)at);
	case KD_FIELD_CHOICE:
		return json_string(field->names[*(const unsigned *)at]);
	}
	return NULL;
}

json_t *
kd_manifest_fields_to_json(const struct kd_manifest_field *fields, const void *base)
{
	json_t *json = json_object();
	for (const struct kd_manifest_field *field = fields; field->key != NULL;
		field++) {
		if (json_object_set_new(json, field->key, field_to_json(field, base)) <
			0) {
			json_decref(json);
			return NULL;
		}
	}
	return json;
}

static int
wrong(const struct kd_manifest_field *field, const char *expected, struct kd_err *err)
{
	return kd_err_set(err, -EINVAL, "'%s' is not %s", field->key, expected);
}

int
kd_manifest_fields_get_name(const struct kd_manifest_field *field, const json_t *value,
	char **name, struct kd_err *err)
{
	if (field->kind == KD_FIELD_NAME_OPT && (value == NULL || json_is_null(value))) {
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
names_from_json(const struct kd_manifest_field *field, const json_t *value, char ***names,
	struct kd_err *err)
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
integer_from_json(const struct kd_manifest_field *field, const json_t *value, char *at,
	struct kd_err *err)
{
	if (value == NULL &&
		(field->kind == KD_FIELD_U32_OPT || field->kind == KD_FIELD_U64_OPT))
		return 0;
	if ((value == NULL || json_is_null(value)) && field->kind == KD_FIELD_I64_OPT) {
		*(int64_t *)at = -1;
		return 0;
	}
	if (!json_is_integer(value))
		return wrong(field, "an integer", err);
	json_int_t integer = json_integer_value(value);
	if (field->kind == KD_FIELD_I64)
		*(int64_t *)at = integer;
	else if (integer < 0)
		return wrong(field, "zero or above", err);
	else if (field->kind == KD_FIELD_I64_OPT)
		*(int64_t *)at = integer;
	else if (field->kind == KD_FIELD_U64 || field->kind == KD_FIELD_U64_OPT)
		*(uint64_t *)at = (uint64_t)integer;
	else if (integer > UINT32_MAX)
		return wrong(field, "below 2^32", err);
	else
		*(uint32_t *)at = (uint32_t)integer;
	return 0;
}

static int
choice_from_json(const struct kd_manifest_field *field, const json_t *value,
	unsigned *choice, struct kd_err *err)
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
field_from_json(const struct kd_manifest_field *field, const json_t *json, void *base,
	struct kd_err *err)
{
	const json_t *value = json_object_get(json, field->key);
	char *at = (char *)base + field->offset;
	switch (field->kind) {
	case KD_FIELD_NAME:
	case KD_FIELD_NAME_OPT:
		return kd_manifest_fields_get_name(field, value, (char **)at, err);
	case KD_FIELD_NAMES:
		return names_from_json(field, value, (char ***)at, err);
	case KD_FIELD_HASH: {
		const char *text = json_string_value(value);
		size_t length = text == NULL ? 1 : strlen(text);
		if (length != 0 && (length != KD_HASH_HEX - 1 ||
					   strspn(text, "0123456789abcdef") != length))
			return wrong(field, "a SHA-256 in hexadecimal", err);
		memcpy(at, text, length + 1);
		return 0;
	}
	case KD_FIELD_I64:
	case KD_FIELD_I64_OPT:
	case KD_FIELD_U64:
	case KD_FIELD_U64_OPT:
	case KD_FIELD_U32:
	case KD_FIELD_U32_OPT:
		return integer_from_json(field, value, at, err);
	case KD_FIELD_BOOL:
		if (!json_is_boolean(value))
			return wrong(field, "true or false", err);
		*(int *)at = json_is_true(value);
		return 0;
	case KD_FIELD_REAL:
		if (!json_is_number(value) || !isfinite(json_number_value(value)) ||
			json_number_value(value) < 0)
			return wrong(field, "a number of zero or above", err);
		*(double *)at = json_number_value(value);
		return 0;
	case KD_FIELD_CHOICE:
		return choice_from_json(field, value, (unsigned *)at, err);
	}
	return -EINVAL;
}

int
kd_manifest_fields_from_json(const struct kd_manifest_field *fields, const json_t *json,
	void *base, struct kd_err *err)
{
	if (!json_is_object(json))
		return kd_err_set(err, -EINVAL, "expected a JSON object");
	for (const struct kd_manifest_field *field = fields; field->key != NULL;
		field++) {
		int rc = field_from_json(field, json, base, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int
kd_manifest_fields_read_array(const json_t *json, const char *key,
	const struct kd_manifest_array *array, struct kd_err *err)
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
		int rc = kd_manifest_fields_from_json(array->fields,
			json_array_get(list, i), (char *)*array->items + i * array->item,
			err);
		if (rc < 0)
			return kd_err_set(err, rc, "%s[%zu]: %s", key, i,
				err == NULL ? "" : err->text);
	}
	return 0;
}

void
kd_manifest_fields_clear(const struct kd_manifest_field *fields, void *base)
{
	for (const struct kd_manifest_field *field = fields; field->key != NULL; field++)
		if (field->kind == KD_FIELD_NAME || field->kind == KD_FIELD_NAME_OPT)
			free(*(char **)((char *)base + field->offset));
		else if (field->kind == KD_FIELD_NAMES)
			free_names(*(char ***)((char *)base + field->offset));
}

int
kd_manifest_fields_to_memfd(json_t *json, const char *name)
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

int
kd_manifest_fields_from_fd(int fd, json_t **json, struct kd_err *err)
{
	char *text;
	size_t length;
	int rc = lseek(fd, 0, SEEK_SET) < 0 ? -errno : 0;
	if (rc == 0)
		rc = kd_file_read_all(fd, MOST, &text, &length);
	if (rc < 0)
		return kd_err_errno(err, rc, "cannot read it");
	json_error_t at;
	*json = json_loadb(text, length, JSON_REJECT_DUPLICATES, &at);
	free(text);
	if (*json == NULL)
		return kd_err_set(err, -EINVAL, "line %d: %s", at.line, at.text);
	return 0;
}
