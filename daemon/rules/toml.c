/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/rules/toml.h"

#include "daemon/base/name.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
kd_toml_free(struct kd_toml *toml)
{
	if (toml == NULL)
		return;
	for (uint32_t i = 0; i < toml->count; i++)
		kd_toml_free(toml->children[i]);
	free(toml->children);
	free(toml->text);
	free(toml->key);
	free(toml);
}

const struct kd_toml *
kd_toml_get(const struct kd_toml *table, const char *key)
{
	if (table == NULL || table->type != KD_TOML_TABLE)
		return NULL;
	for (uint32_t i = 0; i < table->count; i++)
		if (strcmp(table->children[i]->key, key) == 0)
			return table->children[i];
	return NULL;
}

static json_t *
children_json(const struct kd_toml *toml, json_t *all)
{
	for (uint32_t i = 0; all != NULL && i < toml->count; i++) {
		const struct kd_toml *child = toml->children[i];
		json_t *value = kd_toml_json(child);
		int failed = json_is_array(all)
				     ? json_array_append_new(all, value)
				     : json_object_set_new(all, child->key, value);
		if (failed != 0) {
			json_decref(all);
			return NULL;
		}
	}
	return all;
}

json_t *
kd_toml_json(const struct kd_toml *toml)
{
	switch (toml->type) {
	case KD_TOML_TABLE:
		return children_json(toml, json_object());
	case KD_TOML_ARRAY:
		return children_json(toml, json_array());
	case KD_TOML_STRING:
	case KD_TOML_TIME:
		return json_string(toml->text);
	case KD_TOML_INTEGER:
		return json_integer(toml->integer);
	case KD_TOML_NUMBER:
		return json_real(toml->number);
	case KD_TOML_BOOL:
		return json_boolean(toml->integer);
	}
	return NULL;
}

/* "a string", "a table", ... */
static const char *
type_name(enum kd_toml_type type)
{
	switch (type) {
	case KD_TOML_TABLE:
		return "a table";
	case KD_TOML_ARRAY:
		return "a list";
	case KD_TOML_STRING:
		return "a string";
	case KD_TOML_INTEGER:
		return "an integer";
	case KD_TOML_NUMBER:
		return "a number";
	case KD_TOML_BOOL:
		return "true or false";
	case KD_TOML_TIME:
		return "a date or time";
	}
	return "nothing";
}

char *
kd_toml_found(const struct kd_toml *toml, char *buffer, size_t size)
{
	char name[160];
	switch (toml->type) {
	case KD_TOML_STRING:
		snprintf(buffer, size, "\"%s\"",
			kd_name_print(name, sizeof name, toml->text));
		break;
	case KD_TOML_TIME:
		snprintf(buffer, size, "%s", toml->text);
		break;
	case KD_TOML_INTEGER:
		snprintf(buffer, size, "%lld", (long long)toml->integer);
		break;
	case KD_TOML_NUMBER:
		snprintf(buffer, size, "%g", toml->number);
		break;
	case KD_TOML_BOOL:
		snprintf(buffer, size, "%s", toml->integer ? "true" : "false");
		break;
	default:
		snprintf(buffer, size, "%s", type_name(toml->type));
	}
	return buffer;
}
