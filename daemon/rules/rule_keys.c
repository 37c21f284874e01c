/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rule_keys.c - the keys of a rule as data, and the readers of those that are more than a
 * number or a word.
 */
#include "daemon/rules/rule_read.h"

#include "daemon/base/name.h"
#include "daemon/rules/keys.h"
#include "plugins/kiln_plugin.h"

#include <errno.h>
#include <fnmatch.h>
#include <grp.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const kd_rule_keys_reserved[KD_RULE_KEYS_RESERVED + 1] = {
	"*.kiln.json", "kiln.json", ".kiln-*", NULL};

#define DAYS(n)	   (86400.0 * (n))
#define MOST_BYTES 0x1p60

/* ":" and what follows, when text begins with word and ':'; else NULL. */
static const char *
after(const char *text, const char *word)
{
	size_t length = strlen(word);
	return strncmp(text, word, length) == 0 && text[length] == ':' ? text + length + 1
								       : NULL;
}

static int
expect(const struct kd_keys *at, const struct kd_key *key, const struct kd_toml *value,
	const char *expected)
{
	return kd_keys_refuse(at, value, "%s: expected %s, found %s", key->name, expected,
		KD_TOML_FOUND(value));
}

static const char *
text_or_empty(const struct kd_toml *value)
{
	return value->type == KD_TOML_STRING ? value->text : "";
}

/* Patterns of base names.  A pattern that could only ever match kiln's own files is a
 * misunderstanding that would wait for drops for ever. */
static int
read_patterns(const struct kd_keys *at, const struct kd_key *key,
	const struct kd_toml *value, void *field)
{
	int is_list = value->type == KD_TOML_ARRAY;
	for (uint32_t i = 0; i < (is_list ? value->count : 1); i++) {
		const struct kd_toml *one = is_list ? value->children[i] : value;
		const char *text = text_or_empty(one);
		if (strchr(text, '/') != NULL)
			return expect(at, key, one,
				"patterns of names without \"/\" (folders: recursive, "
				"layout)");
		for (const char *const *own = kd_rule_keys_reserved; *own != NULL; own++)
			if (strcmp(key->name, "match") == 0 &&
				fnmatch(*own, text, 0) == 0)
				return kd_keys_refuse(at, one,
					"%s: expected patterns of drops, found \"%s\": "
					"kiln's "
					"sidecars and stages are never taken",
					key->name, KD_NAME(text));
	}
	int code = kd_key_texts(at, key, value, field);
	if (code == 0 && (*(char ***)field)[0] == NULL && strcmp(key->name, "match") == 0)
		return expect(at, key, value, "at least one pattern");
	return code;
}

static int
read_ready(const struct kd_keys *at, const struct kd_key *key,
	const struct kd_toml *value, void *object)
{
	struct kd_rule *rule = object;
	const char *text = text_or_empty(value), *tail;
	if (strcmp(text, "quiet") == 0) {
		rule->ready = KD_READY_QUIET;
	} else if (strcmp(text, "rename") == 0) {
		rule->ready = KD_READY_RENAME;
	} else if ((tail = after(text, "marker")) != NULL) {
		if (tail[0] == '\0' || strchr(tail, '/') != NULL)
			return expect(
				at, key, value, "\"marker:NAME\", a name without \"/\"");
		rule->ready = KD_READY_MARKER;
		return kd_keys_replace(at, &rule->marker, tail);
	} else if ((tail = after(text, "count")) != NULL) {
		size_t digits = strspn(tail, "0123456789");
		rule->count = digits <= 7 ? (uint32_t)strtoul(tail, NULL, 10) : 0;
		if (digits == 0 || tail[digits] != '\0' || rule->count == 0)
			return expect(
				at, key, value, "\"count:N\" with N from 1 to 9999999");
		rule->ready = KD_READY_COUNT;
	} else {
		return expect(at, key, value,
			"\"quiet\", \"marker:NAME\", \"count:N\" or \"rename\"");
	}
	return 0;
}

static int
read_gaps(const struct kd_keys *at, const struct kd_key *key, const struct kd_toml *value,
	void *object)
{
	struct kd_rule *rule = object;
	const char *text = text_or_empty(value), *tail;
	if (strcmp(text, "refuse") == 0)
		rule->sequence.gaps = KD_GAPS_REFUSE;
	else if (strcmp(text, "allow") == 0)
		rule->sequence.gaps = KD_GAPS_ALLOW;
	else if ((tail = after(text, "wait")) != NULL &&
		 kd_keys_duration(tail, &rule->sequence.wait) == 0)
		rule->sequence.gaps = KD_GAPS_WAIT;
	else
		return expect(at, key, value,
			"\"refuse\", \"allow\" or \"wait:DURATION\" such as "
			"\"wait:10min\"");
	return 0;
}

/* The pattern is compiled here only to be sure that it can be; whoever groups by it
 * compiles its own. */
static int
read_regex(const struct kd_keys *at, const struct kd_key *key,
	const struct kd_toml *value, const char *pattern, char **field)
{
	regex_t regex;
	int code = regcomp(&regex, pattern, REG_EXTENDED);
	if (code != 0 || pattern[0] == '\0') {
		char why[128] = "it is empty";
		if (code != 0)
			regerror(code, &regex, why, sizeof why);
		else
			regfree(&regex);
		return kd_keys_refuse(at, value,
			"%s: expected an extended regular expression, found %s (%s)",
			key->name, KD_TOML_FOUND(value), why);
	}
	size_t captures = regex.re_nsub;
	regfree(&regex);
	if (captures > 1)
		return kd_keys_refuse(at, value,
			"%s: expected at most one group (...) in the regular expression, "
			"found %zu",
			key->name, captures);
	return kd_keys_replace(at, field, pattern);
}

static int
read_by(const struct kd_keys *at, const struct kd_key *key, const struct kd_toml *value,
	void *object)
{
	struct kd_rule *rule = object;
	const char *text = text_or_empty(value), *tail;
	if (strcmp(text, "parent") == 0) {
		rule->batch.by = KD_BATCH_PARENT;
	} else if (strcmp(text, "all") == 0) {
		rule->batch.by = KD_BATCH_ALL;
	} else if ((tail = after(text, "regex")) != NULL) {
		rule->batch.by = KD_BATCH_REGEX;
		return read_regex(at, key, value, tail, &rule->batch.regex);
	} else {
		return expect(at, key, value, "\"parent\", \"all\" or \"regex:(...)\"");
	}
	return 0;
}

static int
read_device(const struct kd_keys *at, const struct kd_key *key,
	const struct kd_toml *value, void *field)
{
	const char *text = text_or_empty(value), *tail = after(text, "cuda");
	size_t digits = tail != NULL ? strspn(tail, "0123456789") : 0;
	int is_numbered = digits >= 1 && digits <= 2 && tail[digits] == '\0';
	if (!is_numbered && strcmp(text, "auto") != 0 && strcmp(text, "cpu") != 0 &&
		strcmp(text, "cuda") != 0)
		return expect(at, key, value,
			"\"auto\", \"cpu\", \"cuda\" or a numbered GPU such as "
			"\"cuda:1\"");
	return kd_keys_replace(at, field, text);
}

static int
read_needs(const struct kd_keys *at, const struct kd_key *key,
	const struct kd_toml *value, void *field)
{
	static const struct kd_choice choices[] = {
		{"cuda", KILN_NEEDS_CUDA}, {"jit", KILN_NEEDS_JIT}, {NULL, 0}};
	struct kd_key one = *key;
	one.choices = choices;
	if (value->type != KD_TOML_ARRAY)
		return expect(at, key, value, "a list of \"cuda\", \"jit\"");
	uint32_t needs = 0, need;
	for (uint32_t i = 0; i < value->count; i++) {
		int code = kd_key_choice(at, &one, value->children[i], &need);
		if (code != 0)
			return code;
		needs |= need;
	}
	*(uint32_t *)field = needs;
	return 0;
}

static int
read_mode(const struct kd_keys *at, const struct kd_key *key, const struct kd_toml *value,
	void *field)
{
	const char *text = text_or_empty(value);
	size_t digits = strspn(text, "01234567");
	unsigned long mode = digits <= 4 ? strtoul(text, NULL, 8) : 01000;
	if (digits < 3 || text[digits] != '\0' || mode > 0777)
		return expect(at, key, value,
			"permissions as an octal string from \"0400\" to \"0777\"");
	if ((mode & 0400) == 0)
		return expect(at, key, value, "permissions that let their owner read");
	*(uint32_t *)field = (uint32_t)mode;
	return 0;
}

static int
read_group(const struct kd_keys *at, const struct kd_key *key,
	const struct kd_toml *value, void *field)
{
	struct group group, *found = NULL;
	char buffer[16384];
	int code = kd_key_text(at, key, value, field);
	if (code != 0)
		return code;
	/* ERANGE is a group of very many members: it exists. */
	code = getgrnam_r(value->text, &group, buffer, sizeof buffer, &found);
	if (found == NULL && code != ERANGE)
		return expect(at, key, value, "a group of this machine");
	return 0;
}

static int
read_inputs(const struct kd_keys *at, const struct kd_key *key,
	const struct kd_toml *value, void *object)
{
	struct kd_rule *rule = object;
	const char *text = text_or_empty(value), *tail = after(text, "move");
	if (strcmp(text, "keep") == 0) {
		rule->inputs = KD_INPUTS_KEEP;
	} else if (strcmp(text, "delete") == 0) {
		rule->inputs = KD_INPUTS_DELETE;
	} else {
		char *folder = tail != NULL ? kd_keys_plain_folder(tail) : NULL;
		if (folder == NULL)
			return expect(at, key, value,
				"\"keep\", \"delete\" or \"move:DIR\" with an absolute "
				"path");
		free(rule->done);
		rule->done = folder;
		rule->inputs = KD_INPUTS_MOVE;
	}
	return 0;
}

static int
read_backoff(const struct kd_keys *at, const struct kd_key *key,
	const struct kd_toml *value, void *object)
{
	struct kd_rule *rule = object;
	char text[64];
	snprintf(text, sizeof text, "%s", text_or_empty(value));
	char *dots = strstr(text, "..");
	double least, most;
	if (dots != NULL)
		*dots = '\0';
	if (dots == NULL || kd_keys_duration(text, &least) != 0 ||
		kd_keys_duration(dots + 2, &most) != 0)
		return expect(at, key, value, "two durations such as \"10s..10min\"");
	if (least > most || most > DAYS(7))
		return expect(at, key, value,
			"the shorter duration first, and the longer at most \"7d\"");
	rule->retries.backoff_least = least;
	rule->retries.backoff_most = most;
	return 0;
}

#define AT(field) offsetof(struct kd_rule, field)

static const struct kd_choice units[] = {{"file", KILN_FILE},
	{"directory", KILN_DIRECTORY}, {"sequence", KILN_SEQUENCE},
	{"bundle", KILN_BUNDLE}, {"archive", KD_UNIT_ARCHIVE}, {NULL, 0}};
static const struct kd_choice layouts[] = {
	{"mirror", KD_LAYOUT_MIRROR}, {"flat", KD_LAYOUT_FLAT}, {NULL, 0}};
static const struct kd_choice collisions[] = {{"version", KD_COLLISION_VERSION},
	{"keep", KD_COLLISION_KEEP}, {"replace", KD_COLLISION_REPLACE}, {NULL, 0}};
static const struct kd_choice sames[] = {
	{"skip", KD_SAME_SKIP}, {"run", KD_SAME_RUN}, {NULL, 0}};

static const struct kd_key sequence_keys[] = {
	{.name = "first", kd_key_integer, AT(sequence.first), 0, 1e9, NULL, NULL},
	{.name = "last", kd_key_integer, AT(sequence.last), 0, 1e9, NULL, NULL},
	{.name = "gaps", read_gaps, 0, 0, 0, NULL, NULL},
	{NULL, NULL, 0, 0, 0, NULL, NULL},
};
static const struct kd_key batch_keys[] = {
	{.name = "by", read_by, 0, 0, 0, NULL, NULL},
	{.name = "max_units", kd_key_u32, AT(batch.max_units), 1, 65536, NULL, NULL},
	{.name = "max_bytes",
		kd_key_size,
		AT(batch.max_bytes),
		1,
		MOST_BYTES,
		NULL,
		NULL},
	{.name = "max_wait", kd_key_duration, AT(batch.max_wait), 0, DAYS(1), NULL, NULL},
	{NULL, NULL, 0, 0, 0, NULL, NULL},
};
/* An engine below 64 MiB could not even load a model; a second is the timer's grain. */
static const struct kd_key limit_keys[] = {
	{.name = "memory",
		kd_key_size,
		AT(limits.memory),
		0x1p26,
		MOST_BYTES,
		NULL,
		NULL},
	{.name = "wall", kd_key_duration, AT(limits.wall), 1, DAYS(30), NULL, NULL},
	{.name = "output", kd_key_size, AT(limits.output), 4096, MOST_BYTES, NULL, NULL},
	{NULL, NULL, 0, 0, 0, NULL, NULL},
};
/* Of a bound that nobody needs to be above: a directory cannot have more files or levels,
 * nor a file system longer names; and what is ten thousand times its size is a bomb. */
static const struct kd_key archive_keys[] = {
	{.name = "entries",
		kd_key_u32,
		AT(archive.entries),
		1,
		KD_ARCHIVE_ENTRIES,
		NULL,
		NULL},
	{.name = "bytes", kd_key_size, AT(archive.bytes), 4096, MOST_BYTES, NULL, NULL},
	{.name = "ratio", kd_key_u32, AT(archive.ratio), 2, 10000, NULL, NULL},
	{.name = "depth", kd_key_u32, AT(archive.depth), 1, KD_ARCHIVE_DEPTH, NULL, NULL},
	{.name = "name", kd_key_u32, AT(archive.name), 1, KD_ARCHIVE_NAME, NULL, NULL},
	{NULL, NULL, 0, 0, 0, NULL, NULL},
};
static const struct kd_key retry_keys[] = {
	{.name = "max", kd_key_u32, AT(retries.max), 0, 100, NULL, NULL},
	{.name = "backoff", read_backoff, 0, 0, 0, NULL, NULL},
	{NULL, NULL, 0, 0, 0, NULL, NULL},
};

const struct kd_key kd_rule_keys[] = {
	{.name = "watch", kd_key_folder, AT(watch), 0, 0, NULL, NULL},
	{.name = "mount", kd_key_folder, AT(mount), 0, 0, NULL, NULL},
	{.name = "match", read_patterns, AT(match), 0, 0, NULL, NULL},
	{.name = "ignore", read_patterns, AT(ignore), 0, 0, NULL, NULL},
	{.name = "recursive", kd_key_bool, AT(recursive), 0, 0, NULL, NULL},
	{.name = "unit", kd_key_choice, AT(unit), 0, 0, units, NULL},
	{.name = "settle", kd_key_duration, AT(settle), 0.05, DAYS(1), NULL, NULL},
	{.name = "ready", read_ready, 0, 0, 0, NULL, NULL},
	{.name = "sequence", kd_key_table, 0, 0, 0, NULL, sequence_keys},
	{.name = "archive", kd_key_table, 0, 0, 0, NULL, archive_keys},
	{.name = "batch", kd_key_table, 0, 0, 0, NULL, batch_keys},
	{.name = "backlog", kd_key_u32, AT(backlog), 1, 1e7, NULL, NULL},
	{.name = "kernel", kd_key_any, 0, 0, 0, NULL, NULL},
	{.name = "device", read_device, AT(device), 0, 0, NULL, NULL},
	{.name = "workers", kd_key_u32, AT(workers), 1, 256, NULL, NULL},
	{.name = "priority", kd_key_i32, AT(priority), -1000, 1000, NULL, NULL},
	{.name = "idle", kd_key_duration, AT(idle), 0, DAYS(30), NULL, NULL},
	{.name = "limits", kd_key_table, 0, 0, 0, NULL, limit_keys},
	{.name = "needs", read_needs, AT(needs), 0, 0, NULL, NULL},
	{.name = "executor", kd_key_text, AT(executor), 0, 0, NULL, NULL},
	{.name = "output", kd_key_folder, AT(output), 0, 0, NULL, NULL},
	{.name = "layout", kd_key_choice, AT(layout), 0, 0, layouts, NULL},
	{.name = "collision", kd_key_choice, AT(collision), 0, 0, collisions, NULL},
	{.name = "same", kd_key_choice, AT(same), 0, 0, sames, NULL},
	{.name = "mode", read_mode, AT(mode), 0, 0, NULL, NULL},
	{.name = "group", read_group, AT(group), 0, 0, NULL, NULL},
	{.name = "inputs", read_inputs, 0, 0, 0, NULL, NULL},
	{.name = "retries", kd_key_table, 0, 0, 0, NULL, retry_keys},
	{.name = "quarantine", kd_key_folder, AT(quarantine), 0, 0, NULL, NULL},
	{.name = "low_water", kd_key_size, AT(low_water), 1, MOST_BYTES, NULL, NULL},
	{.name = "droppers", kd_key_texts, AT(droppers), 0, 0, NULL, NULL},
	{.name = "params", kd_key_table, 0, 0, 0, NULL, NULL},
	{NULL, NULL, 0, 0, 0, NULL, NULL},
};
