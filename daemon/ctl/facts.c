/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/ctl/facts.h"

#include "daemon/base/name.h"
#include "daemon/ctl/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_COLUMNS = 23 };

/* "rotate, move" of an array of strings; NULL when it is another thing. */
static char *
join_strings(const json_t *array)
{
	char *text = NULL;
	size_t length = 0, i;
	const json_t *one;
	if (!json_is_array(array) || json_array_size(array) == 0)
		return NULL;
	json_array_foreach(array, i, one) if (!json_is_string(one)) return NULL;
	FILE *file = open_memstream(&text, &length);
	if (file == NULL)
		return NULL;
	json_array_foreach(array, i, one)
	{
		char *word = kd_name_escape(json_string_value(one));
		fprintf(file, "%s%s", i == 0 ? "" : ", ", word != NULL ? word : "?");
		free(word);
	}
	fclose(file);
	return text;
}

/* One value in one line; the caller frees.  Texts are out of files that people were given:
 * what would move the cursor is escaped. */
static char *
value_text(const json_t *value)
{
	if (value == NULL || json_is_null(value))
		return strdup("-");
	if (json_is_boolean(value))
		return strdup(json_is_true(value) ? "yes" : "no");
	if (json_is_string(value))
		return kd_name_escape(json_string_value(value));
	char *words = join_strings(value);
	if (words != NULL)
		return words;
	return json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(7));
}

static int
is_table(const json_t *value)
{
	size_t i;
	const json_t *row;
	json_array_foreach(value, i, row) if (!json_is_object(row)) return 0;
	return json_is_array(value) && json_array_size(value) > 0;
}

static int
is_number_column(const json_t *rows, const char *key)
{
	size_t i;
	const json_t *row;
	json_array_foreach(rows, i, row)
	{
		const json_t *value = json_object_get(row, key);
		if (value != NULL && !json_is_number(value) && !json_is_null(value))
			return 0;
	}
	return 1;
}

/* The keys of all rows, each once. */
static size_t
collect_keys(const json_t *rows, const char *keys[MOST_COLUMNS + 1])
{
	json_t *seen = json_object();
	size_t count = 0, i;
	json_t *row, *value;
	const char *key;
	json_array_foreach(rows, i, row) json_object_foreach(row, key,
		value) if (json_object_get(seen, key) == NULL && count < MOST_COLUMNS)
	{
		json_object_set_new(seen, key, json_true());
		keys[count++] = key;
	}
	keys[count] = NULL;
	json_decref(seen);
	return count;
}

static void
print_table(const json_t *rows)
{
	const char *keys[MOST_COLUMNS + 1];
	char *headings[MOST_COLUMNS + 1] = {NULL};
	size_t count = collect_keys(rows, keys), i;
	const json_t *row;
	for (size_t c = 0; c < count; c++)
		if (asprintf(&headings[c], "%s%s",
			    is_number_column(rows, keys[c]) ? ">" : "", keys[c]) < 0)
			headings[c] = NULL;
	struct kd_ctl_table *table = kd_ctl_table_new((const char *const *)headings);
	json_array_foreach(rows, i, row) for (size_t c = 0; c < count; c++)
	{
		char *text = value_text(json_object_get(row, keys[c]));
		kd_ctl_table_cell(table, text);
		free(text);
	}
	kd_ctl_table_print(table, stdout, 2);
	kd_ctl_table_free(table);
	for (size_t c = 0; c < count; c++)
		free(headings[c]);
}

static void
print_value(const char *key, const json_t *value, unsigned indent)
{
	char *text = value_text(value);
	printf("%*s%s: %s\n", (int)indent, "", key, text != NULL ? text : "-");
	free(text);
}

void
kd_ctl_facts_print(const json_t *facts)
{
	const char *key, *inner;
	json_t *value, *one;
	json_object_foreach((json_t *)facts, key, value)
	{
		if (is_table(value)) {
			printf("%s (%zu):\n", key, json_array_size(value));
			print_table(value);
		} else if (json_is_object(value)) {
			printf("%s:\n", key);
			json_object_foreach(value, inner, one) print_value(inner, one, 2);
		} else {
			print_value(key, value, 0);
		}
	}
}
