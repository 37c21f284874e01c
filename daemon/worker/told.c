/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/worker/told.h"

#include "daemon/base/name.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	TEXT_MOST = 1000,
	NAME_MOST = 256,
	/* A million names of outputs, each with what the keeper notes beside it. */
	TOLD_MOST = 256 << 20,
	ITEM = 64, /* bytes that anything remembered takes besides its own */
	/* A parsed value takes so many times its text at worst: "[[],[],..." */
	PARSED = 48,
	FACTS_MOST = 10000
};

/* Where to cut so that no character is torn. */
static size_t
cut(const char *text)
{
	size_t length = strnlen(text, TEXT_MOST + 1);
	if (length <= TEXT_MOST)
		return length;
	for (length = TEXT_MOST;
		length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80;)
		length--;
	return length;
}

char *
kd_told_sentence(const json_t *body, const char *key)
{
	const char *told = json_string_value(json_object_get(body, key));
	char *raw = told == NULL ? NULL : kd_name_unescape(told);
	if (raw == NULL)
		return NULL;
	raw[cut(raw)] = '\0';
	char *escaped = kd_name_escape(raw);
	free(raw);
	return escaped;
}

char *
kd_told_plain(const char *text)
{
	char *copy = strndup(text, cut(text));
	for (char *c = copy; c != NULL && *c != '\0'; c++) {
		unsigned char byte = (unsigned char)*c, next = (unsigned char)c[1];
		if (byte < 0x20 || byte == 0x7f)
			*c = '?';
		/* C1, as UTF-8. */
		else if (byte == 0xc2 && next < 0xa0)
			c[0] = c[1] = '?';
	}
	return copy;
}

int
kd_told_is_name(const char *text)
{
	if (text[0] == '\0' || strnlen(text, NAME_MOST + 1) > NAME_MOST)
		return 0;
	char *escaped = kd_name_escape(text);
	int same = escaped != NULL && strcmp(escaped, text) == 0;
	free(escaped);
	return same;
}

int
kd_told_remember(uint64_t *told, size_t bytes, struct kd_err *err)
{
	*told += bytes + ITEM;
	if (*told <= TOLD_MOST)
		return 0;
	return kd_err_set(err, -EPROTO,
		"it told its keeper more than %d MiB to remember, in names, facts and "
		"warnings",
		TOLD_MOST >> 20);
}

static size_t
weight(const char *key, const json_t *value)
{
	return strlen(key) +
	       PARSED * json_dumpb(value, NULL, 0, JSON_ENCODE_ANY | JSON_COMPACT);
}

int
kd_told_fact(
	uint64_t *told, json_t *facts, const char *key, json_t *value, struct kd_err *err)
{
	const json_t *old = json_object_get(facts, key);
	if (old == NULL && json_object_size(facts) >= FACTS_MOST)
		return 0;
	if (old != NULL)
		*told -= weight(key, old) + ITEM;
	int rc = kd_told_remember(told, weight(key, value), err);
	if (rc == 0)
		json_object_set(facts, key, value);
	return rc;
}
