/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rule_check.c - what a rule's values say about each other, and the rules about each
 * other.  A folder that feeds itself would process its own outputs without end; that is
 * refused here, before anything is watched.
 */
#include "daemon/rules/rule_read.h"

#include "daemon/rules/keys.h"
#include "daemon/rules/rule_folders.h"
#include "plugins/kiln_plugin.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct kd_toml *
value_of(const struct kd_rule_source *source, const char *key)
{
	const struct kd_toml *value = kd_toml_get(source->table, key);
	return value != NULL ? value : source->table;
}

static int
check_required(const struct kd_keys *at, const struct kd_rule_source *source)
{
	static const char *const required[] = {"watch", "output", NULL};
	for (const char *const *key = required; *key != NULL; key++)
		if (kd_toml_get(source->table, *key) == NULL)
			return kd_keys_refuse_key(at, source->table,
				"rule \"%s\" lacks the key \"%s\"", source->table->key,
				*key);
	return 0;
}

/* What the language of rules has and this version does not run. */
static int
check_built(const struct kd_keys *at, const struct kd_rule *rule,
	const struct kd_rule_source *source)
{
	if (rule->unit != KILN_SEQUENCE && kd_toml_get(source->table, "sequence") != NULL)
		return kd_keys_refuse_key(at, value_of(source, "sequence"),
			"sequence: expected only beside unit = \"sequence\"");
	if (rule->unit != KD_UNIT_ARCHIVE &&
		kd_toml_get(source->table, "archive") != NULL)
		return kd_keys_refuse_key(at, value_of(source, "archive"),
			"archive: expected only beside unit = \"archive\"");
	if (strcmp(rule->executor, "slurm") == 0)
		return kd_keys_refuse(at, value_of(source, "executor"),
			"executor: \"slurm\" is not built yet: use \"local\"");
	if (strcmp(rule->executor, "local") != 0)
		return kd_keys_refuse(at, value_of(source, "executor"),
			"executor: expected \"local\" or \"slurm\", found %s",
			KD_TOML_FOUND(value_of(source, "executor")));
	return 0;
}

/* What belongs together is told by names, which must be said. */
static int
check_unit(const struct kd_keys *at, const struct kd_rule *rule,
	const struct kd_rule_source *source)
{
	if (rule->unit == KILN_BUNDLE && kd_toml_get(source->table, "match") == NULL)
		return kd_keys_refuse(at, value_of(source, "unit"),
			"unit: a bundle expects the key \"match\" to name its main file, "
			"such as [\"*.obj\"]");
	if (rule->unit == KILN_SEQUENCE && rule->sequence.first >= 0 &&
		rule->sequence.last >= 0 && rule->sequence.first > rule->sequence.last)
		return kd_keys_refuse(at, value_of(source, "sequence"),
			"sequence: expected first at most last, found %lld and %lld",
			(long long)rule->sequence.first, (long long)rule->sequence.last);
	return 0;
}

/* What a unit can be counted, marked or renamed. */
static int
check_ready(const struct kd_keys *at, const struct kd_rule *rule,
	const struct kd_rule_source *source)
{
	const struct kd_toml *value = value_of(source, "ready");
	if ((rule->unit == KILN_SEQUENCE || rule->unit == KILN_BUNDLE) &&
		rule->ready != KD_READY_QUIET)
		return kd_keys_refuse(at, value,
			"ready: expected \"quiet\" beside unit = \"sequence\" or "
			"\"bundle\", found %s",
			KD_TOML_FOUND(value));
	if (rule->ready == KD_READY_COUNT && rule->unit != KILN_DIRECTORY)
		return kd_keys_refuse(at, value,
			"ready: expected \"count:N\" only beside unit = \"directory\"");
	if (rule->ready == KD_READY_MARKER && rule->unit != KILN_DIRECTORY &&
		rule->marker[0] != '.')
		return kd_keys_refuse(at, value,
			"ready: expected a marker that begins with \".\" beside unit = "
			"\"file\" (it stands behind the file's name), found %s",
			KD_TOML_FOUND(value));
	return 0;
}

/* The names of a set of bits, as a sentence wants them: `"cuda", "jit"`. */
static const char *
names_of(uint32_t set, const char *const *names, char *text, size_t size)
{
	text[0] = '\0';
	for (unsigned i = 0; names[i] != NULL; i++) {
		size_t used = strlen(text);
		if (set & 1u << i)
			snprintf(text + used, size - used, "%s\"%s\"",
				used > 0 ? ", " : "", names[i]);
	}
	return text;
}

static int
check_kernel(const struct kd_keys *at, const struct kd_rule *rule,
	const struct kd_rule_source *source)
{
	static const char *const kinds[] = {
		"file", "directory", "sequence", "bundle", "archive", NULL};
	static const char *const needs[] = {"cuda", "jit", NULL};
	const struct kd_kernel *kernel = rule->kernel;
	uint32_t lacking = kernel->needs & ~rule->needs;
	char text[100], unit[40];
	/* An archive comes to it as a directory. */
	uint32_t kind = rule->unit == KD_UNIT_ARCHIVE ? KILN_DIRECTORY : rule->unit;
	if ((kernel->accepts & kind) == 0)
		return kd_keys_refuse(at, value_of(source, "unit"),
			"unit: expected what kernel \"%s\" accepts (%s), found %s",
			kernel->name, names_of(kernel->accepts, kinds, text, sizeof text),
			names_of(rule->unit, kinds, unit, sizeof unit));
	if ((kernel->needs & KILN_NEEDS_EXEC) != 0)
		return kd_keys_refuse(at, value_of(source, "kernel"),
			"kernel: \"%s\" has to start programs (\"exec\"), which is not "
			"built yet: use another",
			kernel->name);
	if (lacking != 0)
		return kd_keys_refuse(at, value_of(source, "needs"),
			"needs: kernel \"%s\" cannot do without %s, which the rule does "
			"not "
			"grant",
			kernel->name, names_of(lacking, needs, text, sizeof text));
	return 0;
}

static int
check_apart(const struct kd_keys *at, const struct kd_rule *rule,
	const struct kd_rule_source *source, const struct kd_rule_folders *real)
{
	if (kd_rule_folders_is_within(real->output, real->watch))
		return kd_keys_refuse(at, value_of(source, "output"),
			"output: expected a folder outside watch (%s), found \"%s\": "
			"outputs would be taken for drops",
			rule->watch, rule->output);
	if (kd_rule_folders_is_within(real->watch, real->output))
		return kd_keys_refuse(at, value_of(source, "watch"),
			"watch: expected a folder outside output (%s), found \"%s\": "
			"outputs would be taken for drops",
			rule->output, rule->watch);
	if (real->done != NULL && kd_rule_folders_is_within(real->done, real->watch))
		return kd_keys_refuse(at, value_of(source, "inputs"),
			"inputs: expected a folder outside watch (%s), found \"%s\": "
			"what is done would be taken for drops",
			rule->watch, rule->done);
	if (real->quarantine != NULL &&
		kd_rule_folders_is_within(real->quarantine, real->watch))
		return kd_keys_refuse(at, value_of(source, "quarantine"),
			"quarantine: expected a folder outside watch (%s), found \"%s\": "
			"what failed would be taken for drops",
			rule->watch, rule->quarantine);
	return 0;
}

static int
check_folders(const struct kd_keys *at, const struct kd_rule *rule,
	const struct kd_rule_source *source)
{
	struct kd_rule_folders real;
	int code = kd_rule_folders_find(rule, &real) < 0
			   ? kd_keys_memory(at)
			   : check_apart(at, rule, source, &real);
	kd_rule_folders_clear(&real);
	return code;
}

int
kd_rule_check(const struct kd_rule *rule, const struct kd_rule_source *source,
	struct kd_err *err)
{
	struct kd_keys at = {source->file, err};
	int code = check_required(&at, source);
	if (code == 0)
		code = check_built(&at, rule, source);
	if (code == 0)
		code = check_unit(&at, rule, source);
	if (code == 0)
		code = check_ready(&at, rule, source);
	if (code == 0)
		code = check_kernel(&at, rule, source);
	if (code == 0)
		code = check_folders(&at, rule, source);
	return code;
}

static int
feeds(const struct kd_rule_folders *from, const struct kd_rule_folders *to)
{
	return from != to &&
	       (kd_rule_folders_overlap(from->output, to->watch) ||
		       kd_rule_folders_overlap(from->done, to->watch) ||
		       kd_rule_folders_overlap(from->quarantine, to->watch));
}

/* A walk along the rules that feed each other: trail holds the way to where it stands. */
struct walk {
	const struct kd_conf *conf;
	const struct kd_rule_folders *folders; /* of its rules */
	uint8_t *seen;	 /* 0 never, 1 on the trail, 2 left behind */
	uint32_t *trail; /* indices of rules */
	uint32_t length;
};

static int
refuse_circle(const struct walk *walk, uint32_t again, struct kd_err *err)
{
	struct kd_rule *const *rules = walk->conf->rules;
	char circle[700] = "";
	uint32_t start = 0;
	while (walk->trail[start] != again)
		start++;
	for (uint32_t i = start; i < walk->length; i++) {
		size_t used = strlen(circle);
		snprintf(circle + used, sizeof circle - used, "%s -> ",
			rules[walk->trail[i]]->name);
	}
	size_t used = strlen(circle);
	snprintf(circle + used, sizeof circle - used, "%s", rules[again]->name);
	return kd_err_set(err, -ELOOP, "%s:%d:%d: rules feed each other in a circle: %s",
		rules[again]->file, rules[again]->line, rules[again]->column, circle);
}

/* Depth first and without recursion: the number of rules is the administrator's. */
static int
walk_from(struct walk *walk, uint32_t *next, uint32_t start, struct kd_err *err)
{
	const struct kd_conf *conf = walk->conf;
	walk->trail[walk->length++] = start;
	walk->seen[start] = 1;
	while (walk->length > 0) {
		uint32_t here = walk->trail[walk->length - 1];
		if (next[here] == conf->rule_count) {
			walk->seen[here] = 2;
			walk->length--;
			continue;
		}
		uint32_t to = next[here]++;
		if (walk->seen[to] == 2 ||
			!feeds(&walk->folders[here], &walk->folders[to]))
			continue;
		if (walk->seen[to] == 1)
			return refuse_circle(walk, to, err);
		walk->trail[walk->length++] = to;
		walk->seen[to] = 1;
	}
	return 0;
}

static int
check_circles(const struct kd_conf *conf, const struct kd_rule_folders *folders,
	struct kd_err *err)
{
	size_t count = conf->rule_count > 0 ? conf->rule_count : 1;
	struct walk walk = {.conf = conf,
		.folders = folders,
		.seen = calloc(count, 1),
		.trail = calloc(count, 4)};
	uint32_t *next = calloc(count, sizeof *next);
	int code = 0;
	if (walk.seen == NULL || walk.trail == NULL || next == NULL)
		code = kd_err_set(err, -ENOMEM, "%s: out of memory", conf->file);
	for (uint32_t i = 0; code == 0 && i < conf->rule_count; i++)
		if (walk.seen[i] == 0)
			code = walk_from(&walk, next, i, err);
	free(next);
	free(walk.trail);
	free(walk.seen);
	return code;
}

static int
check_state(const struct kd_rule *rule, const struct kd_rule_folders *real,
	const struct kd_conf *conf, struct kd_err *err)
{
	char *state = kd_rule_folders_real(conf->state);
	int code = 0;
	if (state == NULL && conf->state != NULL)
		code = kd_err_set(err, -ENOMEM, "%s: out of memory", conf->file);
	else if (kd_rule_folders_overlap(real->watch, state) ||
		 (state != NULL && kd_rule_folders_is_within(real->output, state)))
		code = kd_err_set(err, -EINVAL,
			"%s:%d:%d: rule \"%s\": expected folders apart from kilnd's "
			"state (%s), found watch \"%s\", output \"%s\"",
			rule->file, rule->line, rule->column, rule->name, conf->state,
			rule->watch, rule->output);
	free(state);
	return code;
}

int
kd_rule_check_together(const struct kd_conf *conf, struct kd_err *err)
{
	struct kd_rule_folders *folders = calloc(conf->rule_count + 1, sizeof *folders);
	int code = 0;
	for (uint32_t i = 0; folders != NULL && code == 0 && i < conf->rule_count; i++) {
		code = kd_rule_folders_find(conf->rules[i], &folders[i]);
		if (code == 0)
			code = check_state(conf->rules[i], &folders[i], conf, err);
	}
	if (folders == NULL || code == -ENOMEM)
		code = kd_err_set(err, -ENOMEM, "%s: out of memory", conf->file);
	if (code == 0)
		code = check_circles(conf, folders, err);
	for (uint32_t i = 0; folders != NULL && i < conf->rule_count; i++)
		kd_rule_folders_clear(&folders[i]);
	free(folders);
	return code;
}
