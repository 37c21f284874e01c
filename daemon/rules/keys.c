/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/rules/keys.h"

#include "daemon/base/name.h"
#include "daemon/rules/near.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int
refuse_at(
	const struct kd_keys *at, int line, int column, const char *format, va_list args)
{
	char sentence[900];
	vsnprintf(sentence, sizeof sentence, format, args);
	return kd_err_set(
		at->err, -EINVAL, "%s:%d:%d: %s", at->file, line, column, sentence);
}

int
kd_keys_refuse(
	const struct kd_keys *at, const struct kd_toml *value, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int by_key = value->type == KD_TOML_TABLE && value->key != NULL;
	int code = refuse_at(at, by_key ? value->key_line : value->line,
		by_key ? value->key_column : value->column, format, args);
	va_end(args);
	return code;
}

int
kd_keys_refuse_key(
	const struct kd_keys *at, const struct kd_toml *value, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int code = refuse_at(at, value->key_line, value->key_column, format, args);
	va_end(args);
	return code;
}

int
kd_keys_memory(const struct kd_keys *at)
{
	return kd_err_set(at->err, -ENOMEM, "%s: out of memory", at->file);
}

int
kd_keys_replace(const struct kd_keys *at, char **field, const char *text)
{
	char *copy = strdup(text);
	if (copy == NULL)
		return kd_keys_memory(at);
	free(*field);
	*field = copy;
	return 0;
}

static const struct kd_key *
find_key(const struct kd_key *keys, const char *name, struct kd_near *near)
{
	for (const struct kd_key *key = keys; key->name != NULL; key++) {
		if (strcmp(key->name, name) == 0)
			return key;
		kd_near_offer(near, key->name);
	}
	return NULL;
}

static int
has_key(const struct kd_key *keys, const char *name)
{
	for (; keys->name != NULL; keys++)
		if (strcmp(keys->name, name) == 0)
			return 1;
	return 0;
}

int
kd_keys_at_home(const struct kd_keys *at, const struct kd_key *own,
	const struct kd_toml *table, const struct kd_keys_home *homes)
{
	for (uint32_t i = 0; table != NULL && i < table->count; i++) {
		const struct kd_toml *value = table->children[i];
		if (has_key(own, value->key))
			continue;
		for (const struct kd_keys_home *home = homes; home->keys != NULL; home++)
			if (has_key(home->keys, value->key))
				return kd_keys_refuse_key(at, value,
					"unknown key \"%s\" here; it belongs into %s",
					value->key, home->home);
	}
	return 0;
}

int
kd_keys_read(const struct kd_keys *at, const struct kd_key *keys,
	const struct kd_toml *table, void *object)
{
	for (uint32_t i = 0; i < table->count; i++) {
		const struct kd_toml *value = table->children[i];
		struct kd_near near = {.wanted = value->key};
		const struct kd_key *key = find_key(keys, value->key, &near);
		if (key == NULL)
			return kd_keys_refuse_key(at, value, "unknown key \"%s\"%s",
				KD_NAME(value->key), KD_NEAR_HINT(&near));
		int code = key->read(at, key, value, (char *)object + key->offset);
		if (code != 0)
			return code;
	}
	return 0;
}

static int
expect(const struct kd_keys *at, const struct kd_key *key, const struct kd_toml *value,
	const char *expected)
{
	return kd_keys_refuse(at, value, "%s: expected %s, found %s", key->name, expected,
		KD_TOML_FOUND(value));
}

int
kd_key_any(const struct kd_keys *at, const struct kd_key *key,
	const struct kd_toml *value, void *field)
{
	(void)at, (void)key, (void)value, (void)field;
	return 0;
}

int
kd_key_text(const struct kd_keys *at, const struct kd_key *key,
	const struct kd_toml *value, void *field)
{
	if (value->type != KD_TOML_STRING || value->text[0] == '\0')
		return expect(at, key, value, "a string that is not empty");
	char *text = strdup(value->text);
	if (text == NULL)
		return kd_keys_memory(at);
	free(*(char **)field);
	*(char **)field = text;
	return 0;
}

char *
kd_keys_plain_folder(const char *text)
{
	size_t length = strlen(text);
	char *plain = malloc(length + 2), *out = plain;
	if (plain == NULL)
		return NULL;
	if (text[0] != '/')
		goto bad;
	for (const char *part = text; *part != '\0';) {
		part += strspn(part, "/");
		size_t size = strcspn(part, "/");
		if (size == 2 && part[0] == '.' && part[1] == '.')
			goto bad;
		if (size > 0 && !(size == 1 && part[0] == '.')) {
			*out++ = '/';
			memcpy(out, part, size);
			out += size;
		}
		part += size;
	}
	*out = '\0';
	if (out > plain)
		return plain;
bad:
	free(plain);
	errno = EINVAL;
	return NULL;
}

int
kd_key_folder(const struct kd_keys *at, const struct kd_key *key,
	const struct kd_toml *value, void *field)
{
	static const char expected[] =
		"the absolute path of a folder below \"/\" without \"..\"";
	if (value->type != KD_TOML_STRING)
		return expect(at, key, value, expected);
	char *folder = kd_keys_plain_folder(value->text);
	if (folder == NULL && errno == EINVAL)
		return expect(at, key, value, expected);
	if (folder == NULL)
		return kd_keys_memory(at);
	free(*(char **)field);
	*(char **)field = folder;
	return 0;
}

/* A list of what `one` reads, or one of them. */
static int
read_list(const struct kd_keys *at, const struct kd_key *key, const struct kd_toml *value,
	char ***field, kd_key_fn *one)
{
	int is_list = value->type == KD_TOML_ARRAY;
	uint32_t count = is_list ? value->count : 1;
	if (!is_list && value->type != KD_TOML_STRING)
		return expect(at, key, value, "a list of strings");
	char **texts = calloc((size_t)count + 1, sizeof *texts);
	if (texts == NULL)
		return kd_keys_memory(at);
	for (uint32_t i = 0; i < count; i++) {
		int code = one(at, key, is_list ? value->children[i] : value, &texts[i]);
		if (code != 0) {
			kd_keys_free_texts(texts);
			return code;
		}
	}
	kd_keys_free_texts(*field);
	*field = texts;
	return 0;
}

int
kd_key_texts(const struct kd_keys *at, const struct kd_key *key,
	const struct kd_toml *value, void *field)
{
	return read_list(at, key, value, field, kd_key_text);
}

int
kd_key_folders(const struct kd_keys *at, const struct kd_key *key,
	const struct kd_toml *value, void *field)
{
	return read_list(at, key, value, field, kd_key_folder);
}

int
kd_key_bool(const struct kd_keys *at, const struct kd_key *key,
	const struct kd_toml *value, void *field)
{
	if (value->type != KD_TOML_BOOL)
		return expect(at, key, value, "true or false");
	*(int *)field = value->integer != 0;
	return 0;
}

int
kd_key_integer(const struct kd_keys *at, const struct kd_key *key,
	const struct kd_toml *value, void *field)
{
	if (value->type != KD_TOML_INTEGER || (double)value->integer < key->least ||
		(double)value->integer > key->most)
		return kd_keys_refuse(at, value,
			"%s: expected an integer from %.0f to %.0f, found %s", key->name,
			key->least, key->most, KD_TOML_FOUND(value));
	*(int64_t *)field = value->integer;
	return 0;
}

int
kd_key_u32(const struct kd_keys *at, const struct kd_key *key,
	const struct kd_toml *value, void *field)
{
	int64_t integer = 0;
	int code = kd_key_integer(at, key, value, &integer);
	if (code == 0)
		*(uint32_t *)field = (uint32_t)integer;
	return code;
}

int
kd_key_i32(const struct kd_keys *at, const struct kd_key *key,
	const struct kd_toml *value, void *field)
{
	int64_t integer = 0;
	int code = kd_key_integer(at, key, value, &integer);
	if (code == 0)
		*(int32_t *)field = (int32_t)integer;
	return code;
}

struct unit {
	const char *name;
	double factor;
};

/* Digits, perhaps a point and digits, then exactly one of the units.  strtod() would
 * take signs, hexadecimals, infinities and the locale's comma as well. */
static int
read_quantity(const char *text, const struct unit *units, double *quantity)
{
	double value = 0, place = 1;
	size_t digits = strspn(text, "0123456789");
	if (digits == 0 || digits > 15)
		return -EINVAL;
	for (; digits > 0; digits--)
		value = value * 10 + (*text++ - '0');
	if (*text == '.') {
		digits = strspn(++text, "0123456789");
		if (digits == 0 || digits > 9)
			return -EINVAL;
		for (; digits > 0; digits--)
			value += (*text++ - '0') * (place /= 10);
	}
	for (; units->name != NULL; units++) {
		if (strcmp(text, units->name) == 0) {
			*quantity = value * units->factor;
			return 0;
		}
	}
	return -EINVAL;
}

static const struct unit durations[] = {
	{"ms", 1e-3}, {"s", 1}, {"min", 60}, {"h", 3600}, {"d", 86400}, {NULL, 0}};
static const struct unit sizes[] = {{"B", 1}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9},
	{"TB", 1e12}, {"KiB", 0x1p10}, {"MiB", 0x1p20}, {"GiB", 0x1p30}, {"TiB", 0x1p40},
	{NULL, 0}};

int
kd_keys_duration(const char *text, double *seconds)
{
	return read_quantity(text, durations, seconds);
}

int
kd_key_duration(const struct kd_keys *at, const struct kd_key *key,
	const struct kd_toml *value, void *field)
{
	double seconds;
	if (value->type != KD_TOML_STRING || kd_keys_duration(value->text, &seconds) != 0)
		return expect(at, key, value,
			"a duration such as \"500ms\", \"2s\", \"10min\" or \"1h\"");
	if (seconds < key->least || seconds > key->most)
		return kd_keys_refuse(at, value,
			"%s: expected a duration from %gs to %gs, found %s", key->name,
			key->least, key->most, KD_TOML_FOUND(value));
	*(double *)field = seconds;
	return 0;
}

int
kd_key_size(const struct kd_keys *at, const struct kd_key *key,
	const struct kd_toml *value, void *field)
{
	double bytes = 0;
	int is_none = value->type == KD_TOML_STRING && strcmp(value->text, "none") == 0;
	if (value->type != KD_TOML_STRING ||
		(!is_none && read_quantity(value->text, sizes, &bytes) != 0))
		return expect(at, key, value,
			"a size such as \"512MiB\", \"4GiB\" or \"20GB\", or \"none\"");
	if (!is_none && (bytes < key->least || bytes > key->most))
		return kd_keys_refuse(at, value,
			"%s: expected a size from %.0f to %.0f bytes, found %s",
			key->name, key->least, key->most, KD_TOML_FOUND(value));
	*(uint64_t *)field = (uint64_t)bytes;
	return 0;
}

static void
append(char *text, size_t size, const char *piece)
{
	size_t used = strlen(text);
	snprintf(text + used, size - used, "%s", piece);
}

int
kd_key_choice(const struct kd_keys *at, const struct kd_key *key,
	const struct kd_toml *value, void *field)
{
	struct kd_near near = {
		.wanted = value->type == KD_TOML_STRING ? value->text : ""};
	char list[300] = "";
	for (const struct kd_choice *choice = key->choices; choice->name != NULL;
		choice++) {
		if (strcmp(choice->name, near.wanted) == 0) {
			*(uint32_t *)field = choice->value;
			return 0;
		}
		kd_near_offer(&near, choice->name);
		append(list, sizeof list, choice == key->choices ? "\"" : ", \"");
		append(list, sizeof list, choice->name);
		append(list, sizeof list, "\"");
	}
	return kd_keys_refuse(at, value, "%s: expected one of %s, found %s%s", key->name,
		list, KD_TOML_FOUND(value), KD_NEAR_HINT(&near));
}

int
kd_key_table(const struct kd_keys *at, const struct kd_key *key,
	const struct kd_toml *value, void *field)
{
	if (value->type != KD_TOML_TABLE)
		return expect(at, key, value, "a table");
	return key->below == NULL ? 0 : kd_keys_read(at, key->below, value, field);
}

void
kd_keys_free_texts(char **texts)
{
	for (char **text = texts; text != NULL && *text != NULL; text++)
		free(*text);
	free(texts);
}
