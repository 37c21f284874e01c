/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Everything is taken from one arena that is freed as a whole: the structs point into
 * each other too much to be freed one by one.
 */
#include "daemon/worker/values.h"

#include "daemon/base/name.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct piece {
	struct piece *next;
	max_align_t bytes[];
};

struct kd_values {
	struct piece *pieces;
	struct kiln_params params;
	struct kiln_batch batch;
};

/* Zeroed; NULL when memory is out.  A list of none still gets an address. */
static void *
take(struct kd_values *values, size_t count, size_t size)
{
	size_t bytes;
	if (__builtin_mul_overflow(count, size, &bytes) ||
		__builtin_add_overflow(bytes, sizeof(struct piece) + 1, &bytes))
		return NULL;
	struct piece *piece = calloc(1, bytes);
	if (piece == NULL)
		return NULL;
	piece->next = values->pieces;
	values->pieces = piece;
	return piece->bytes;
}

static char *
take_text(struct kd_values *values, const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = take(values, size, 1);
	if (copy != NULL)
		memcpy(copy, text, size);
	return copy;
}

/* NULL where json is no string, is badly escaped, or memory is out. */
static char *
take_name(struct kd_values *values, const json_t *json)
{
	const char *escaped = json_string_value(json);
	char *name = escaped == NULL ? NULL : kd_name_unescape(escaped);
	char *copy = name == NULL ? NULL : take_text(values, name);
	free(name);
	return copy;
}

static int
wrong(const struct kiln_value *value, const char *expected, struct kd_err *err)
{
	return kd_err_set(
		err, -EINVAL, "parameter '%s' is not %s", value->name, expected);
}

static int
list_from_json(struct kd_values *values, struct kiln_value *value, const json_t *json,
	struct kd_err *err)
{
	size_t count = json_is_string(json) ? 1 : json_array_size(json);
	if (!json_is_string(json) && !json_is_array(json))
		return wrong(value, "a list of strings", err);
	char **list = take(values, count + 1, sizeof *list);
	if (list == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		const json_t *item =
			json_is_string(json) ? json : json_array_get(json, i);
		if (!json_is_string(item))
			return wrong(value, "a list of strings", err);
		list[i] = take_text(values, json_string_value(item));
		if (list[i] == NULL)
			return -ENOMEM;
	}
	value->list = (const char *const *)list;
	value->list_count = (uint32_t)count;
	return 0;
}

static int
text_from_json(struct kd_values *values, struct kiln_value *value, const json_t *json,
	struct kd_err *err)
{
	if (value->type == KILN_JSON) {
		char *text = json_dumps(json, JSON_ENCODE_ANY | JSON_COMPACT);
		value->text = text == NULL ? NULL : take_text(values, text);
		free(text);
	} else if (!json_is_string(json)) {
		return wrong(value, "a string", err);
	} else {
		value->text = take_text(values, json_string_value(json));
	}
	return value->text == NULL ? -ENOMEM : 0;
}

static int
value_from_json(struct kd_values *values, struct kiln_value *value, const json_t *json,
	struct kd_err *err)
{
	if (json == NULL || json_is_null(json))
		return 0;
	value->set = 1;
	switch (value->type) {
	case KILN_BOOL:
		if (!json_is_boolean(json))
			return wrong(value, "true or false", err);
		value->integer = json_is_true(json);
		return 0;
	case KILN_INTEGER:
		if (!json_is_integer(json))
			return wrong(value, "an integer", err);
		value->integer = json_integer_value(json);
		value->number = (double)value->integer;
		return 0;
	case KILN_NUMBER:
		if (!json_is_number(json))
			return wrong(value, "a number", err);
		value->number = json_number_value(json);
		return 0;
	case KILN_LIST:
		return list_from_json(values, value, json, err);
	default:
		return text_from_json(values, value, json, err);
	}
}

int
kd_values_params(const struct kiln_kernel *kernel, const json_t *given,
	struct kd_values **values, struct kd_err *err)
{
	size_t count = 0;
	while (kernel->params != NULL && kernel->params[count] != NULL)
		count++;
	struct kd_values *got = calloc(1, sizeof *got);
	if (got == NULL)
		return -ENOMEM;
	const struct kiln_value **list = take(got, count, sizeof *list);
	int rc = list == NULL ? -ENOMEM : 0;
	for (size_t i = 0; rc == 0 && i < count; i++) {
		struct kiln_value *value = take(got, 1, sizeof *value);
		if (value == NULL) {
			rc = -ENOMEM;
			break;
		}
		value->size = sizeof *value;
		value->type = kernel->params[i]->type;
		value->name = kernel->params[i]->name;
		rc = value_from_json(
			got, value, json_object_get(given, value->name), err);
		if (rc == 0 && !value->set &&
			(kernel->params[i]->flags & KILN_REQUIRED) != 0)
			rc = kd_err_set(err, -EINVAL,
				"parameter '%s' is required and was not given",
				value->name);
		list[i] = value;
	}
	if (rc < 0) {
		kd_values_free(got);
		return rc == -ENOMEM ? kd_err_set(err, rc, "out of memory") : rc;
	}
	got->params = (struct kiln_params){
		.size = sizeof got->params, .count = (uint32_t)count, .values = list};
	*values = got;
	return 0;
}

const struct kiln_params *
kd_values_get_params(const struct kd_values *values)
{
	return &values->params;
}

/* NULL when malformed or out of memory. */
static const struct kiln_unit *
unit_from_json(struct kd_values *values, const json_t *json)
{
	const json_t *inputs = json_object_get(json, "inputs");
	size_t count = json_array_size(inputs);
	struct kiln_unit *unit = take(values, 1, sizeof *unit);
	const struct kiln_input **list = take(values, count, sizeof *list);
	if (unit == NULL || list == NULL)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		const json_t *from = json_array_get(inputs, i);
		struct kiln_input *input = take(values, 1, sizeof *input);
		if (input == NULL)
			return NULL;
		input->size = sizeof *input;
		input->name = take_name(values, json_object_get(from, "name"));
		input->bytes =
			(uint64_t)json_integer_value(json_object_get(from, "bytes"));
		if (input->name == NULL)
			return NULL;
		list[i] = input;
	}
	*unit = (struct kiln_unit){
		.size = sizeof *unit,
		.kind = (uint32_t)json_integer_value(json_object_get(json, "kind")),
		.name = take_name(values, json_object_get(json, "name")),
		.stem = take_name(values, json_object_get(json, "stem")),
		.inputs = list,
		.input_count = (uint32_t)count,
	};
	return unit->name == NULL || unit->stem == NULL ? NULL : unit;
}

int
kd_values_batch(const json_t *body, struct kd_values **values, struct kd_err *err)
{
	const json_t *units = json_object_get(body, "units");
	size_t count = json_array_size(units);
	struct kd_values *got = calloc(1, sizeof *got);
	if (got == NULL)
		return kd_err_set(err, -ENOMEM, "out of memory");
	const struct kiln_unit **list = take(got, count, sizeof *list);
	int rc = list == NULL ? -ENOMEM : 0;
	for (size_t i = 0; rc == 0 && i < count; i++) {
		list[i] = unit_from_json(got, json_array_get(units, i));
		if (list[i] == NULL)
			rc = kd_err_set(err, -EINVAL,
				"unit %zu of the batch is malformed or too large", i);
	}
	if (rc < 0) {
		kd_values_free(got);
		return rc;
	}
	got->batch = (struct kiln_batch){
		.size = sizeof got->batch, .unit_count = (uint32_t)count, .units = list};
	*values = got;
	return 0;
}

const struct kiln_batch *
kd_values_get_batch(const struct kd_values *values)
{
	return &values->batch;
}

void
kd_values_free(struct kd_values *values)
{
	if (values == NULL)
		return;
	while (values->pieces != NULL) {
		struct piece *next = values->pieces->next;
		free(values->pieces);
		values->pieces = next;
	}
	free(values);
}
