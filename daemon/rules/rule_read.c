/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rule_read.c - one table into one rule: defaults, keys, kernel, parameters, revision.
 */
#include "daemon/rules/rule_read.h"

#include "daemon/base/name.h"
#include "daemon/rules/keys.h"
#include "daemon/rules/near.h"
#include "daemon/rules/params.h"
#include "plugins/kiln_plugin.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The rule's own patterns and the reserved ones behind them. */
static int
add_reserved(const struct kd_keys *at, struct kd_rule *rule)
{
	size_t count = 0, more = KD_RULE_KEYS_RESERVED + 1;
	while (rule->ignore != NULL && rule->ignore[count] != NULL)
		count++;
	char **all = realloc(rule->ignore, (count + more) * sizeof *all);
	if (all == NULL)
		return kd_keys_memory(at);
	rule->ignore = all;
	memset(all + count, 0, more * sizeof *all);
	for (size_t i = 0; kd_rule_keys_reserved[i] != NULL; i++)
		if ((all[count + i] = strdup(kd_rule_keys_reserved[i])) == NULL)
			return kd_keys_memory(at);
	return 0;
}

static int
fill_defaults(const struct kd_keys *at, struct kd_rule *rule)
{
	if (rule->match == NULL) {
		if ((rule->match = calloc(2, sizeof *rule->match)) == NULL ||
			(rule->match[0] = strdup("*")) == NULL)
			return kd_keys_memory(at);
	}
	if (rule->device == NULL && kd_keys_replace(at, &rule->device, "auto") != 0)
		return -ENOMEM;
	if (rule->executor == NULL && kd_keys_replace(at, &rule->executor, "local") != 0)
		return -ENOMEM;
	return add_reserved(at, rule);
}

static int
find_kernel(const struct kd_keys *at, const struct kd_rule_source *source,
	struct kd_rule *rule)
{
	const struct kd_catalog *catalog = source->catalog;
	const struct kd_toml *named = kd_toml_get(source->table, "kernel");
	if (named == NULL)
		return kd_keys_refuse_key(at, source->table,
			"rule \"%s\" lacks the key \"kernel\"", rule->name);
	struct kd_near near = {
		.wanted = named->type == KD_TOML_STRING ? named->text : ""};
	rule->kernel = kd_catalog_find(catalog, near.wanted);
	if (rule->kernel != NULL)
		return 0;
	for (uint32_t i = 0; i < catalog->kernel_count; i++)
		kd_near_offer(&near, catalog->kernels[i]->name);
	char refused[400] = "";
	if (catalog->refused_count > 0)
		snprintf(refused, sizeof refused, " (%u refused, the first: %s: %s)",
			catalog->refused_count, catalog->refused[0].path,
			catalog->refused[0].reason);
	return kd_keys_refuse(at, named,
		"kernel: expected one of the %u that the plugins offer, found %s%s%s",
		catalog->kernel_count, KD_TOML_FOUND(named), KD_NEAR_HINT(&near),
		refused);
}

struct placing {
	const struct kd_keys *at;
	const struct kd_toml *rule;
};

/* Puts FILE:LINE:COLUMN before what params.c says of a parameter: the parameter's own
 * place, else that of [rule.NAME.params], else the rule's. */
static int
place_param(void *context, const char *name, struct kd_err *err)
{
	const struct placing *placing = context;
	const struct kd_toml *params = kd_toml_get(placing->rule, "params");
	const struct kd_toml *value = name != NULL ? kd_toml_get(params, name) : NULL;
	const struct kd_toml *key = value != NULL    ? value
				    : params != NULL ? params
						     : placing->rule;
	return kd_err_set(err, err->code, "%s:%d:%d: %s", placing->at->file,
		value != NULL ? value->line : key->key_line,
		value != NULL ? value->column : key->key_column, err->text);
}

static int
read_params(const struct kd_keys *at, const struct kd_rule_source *source,
	struct kd_rule *rule)
{
	const struct kd_toml *params = kd_toml_get(source->table, "params");
	json_t *given = params != NULL ? kd_toml_json(params) : json_object();
	if (given == NULL)
		return kd_keys_refuse_key(at, params != NULL ? params : source->table,
			"params: expected values that JSON can hold (no nan, no inf)");
	struct placing placing = {at, source->table};
	struct kd_params_input input = {
		.kernel = rule->kernel,
		.given = given,
		.base = source->folder,
		.exists = source->check_paths,
		.place = place_param,
		.context = &placing,
	};
	int code = kd_params_check(&input, &rule->params, at->err);
	json_decref(given);
	return code;
}

/*
 * The revision says whether a drop asks for something new: kernel, plugin and its
 * version, every parameter, the class of device and the kind of unit decide what is
 * published.  Where it goes and with what rights (output, layout, collision, mode,
 * group) and how it gets there (settle, batch, limits) do not; nor does the content of
 * path parameters, which the keeper adds (worker/handle.h).
 */
static int
make_revision(const struct kd_keys *at, struct kd_rule *rule)
{
	char device[8];
	snprintf(device, sizeof device, "%.*s", (int)strcspn(rule->device, ":"),
		rule->device);
	json_t *all = json_pack("{s:s, s:s, s:s, s:s, s:i, s:O}", "kernel",
		rule->kernel->name, "plugin", rule->kernel->plugin_name, "version",
		rule->kernel->version, "device", device, "unit", (int)rule->unit,
		"params", rule->params);
	char *text = all != NULL ? json_dumps(all, JSON_SORT_KEYS | JSON_COMPACT) : NULL;
	json_decref(all);
	if (text == NULL)
		return kd_keys_memory(at);
	kd_hash_bytes(text, strlen(text), rule->revision);
	free(text);
	return 0;
}

static int
check_name(const struct kd_keys *at, const struct kd_toml *table)
{
	const char *name = table->key;
	size_t length = strlen(name);
	if (table->type != KD_TOML_TABLE)
		return kd_keys_refuse_key(at, table,
			"expected a rule: a table [rule.NAME], found %s",
			KD_TOML_FOUND(table));
	if (length == 0 || length > 64 || !isalnum((unsigned char)name[0]) ||
		strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			     "0123456789_-") != length)
		return kd_keys_refuse_key(at, table,
			"expected a rule's name of at most 64 letters, digits, \"-\" and "
			"\"_\", found \"%s\"",
			KD_NAME(name));
	return 0;
}

int
kd_rule_read(
	const struct kd_rule_source *source, struct kd_rule **rule, struct kd_err *err)
{
	struct kd_err ignored;
	struct kd_keys at = {source->file, err != NULL ? err : &ignored};
	int code = check_name(&at, source->table);
	if (code != 0)
		return code;
	struct kd_rule *made = malloc(sizeof *made);
	if (made == NULL)
		return kd_keys_memory(&at);
	*made = (struct kd_rule){
		.line = source->table->key_line,
		.column = source->table->key_column,
		.recursive = 1,
		.unit = KILN_FILE,
		.settle = 2,
		.sequence = {.first = -1, .last = -1},
		.batch = {.max_units = 64, .max_bytes = 2ull << 30, .max_wait = 5},
		.backlog = 100000,
		.workers = 1,
		.idle = 600,
		.limits = {.memory = 4ull << 30, .output = 20ull << 30, .wall = 1800},
		.mode = 0644,
		.retries = {.max = 3, .backoff_least = 10, .backoff_most = 600},
	};
	if ((made->name = strdup(source->table->key)) == NULL ||
		(made->file = strdup(source->file)) == NULL) {
		code = kd_keys_memory(&at);
		goto fail;
	}
	if ((code = kd_keys_read(&at, kd_rule_keys, source->table, made)) != 0 ||
		(code = fill_defaults(&at, made)) != 0 ||
		(code = find_kernel(&at, source, made)) != 0 ||
		(code = kd_rule_check(made, source, at.err)) != 0 ||
		(code = read_params(&at, source, made)) != 0 ||
		(code = make_revision(&at, made)) != 0)
		goto fail;
	*rule = made;
	return 0;
fail:
	kd_rule_free(made);
	return code;
}

void
kd_rule_free(struct kd_rule *rule)
{
	if (rule == NULL)
		return;
	json_decref(rule->params);
	kd_keys_free_texts(rule->match);
	kd_keys_free_texts(rule->ignore);
	kd_keys_free_texts(rule->droppers);
	kd_people_clear(&rule->may_drop);
	free(rule->batch.regex);
	free(rule->quarantine);
	free(rule->executor);
	free(rule->device);
	free(rule->marker);
	free(rule->output);
	free(rule->group);
	free(rule->watch);
	free(rule->mount);
	free(rule->done);
	free(rule->file);
	free(rule->name);
	free(rule);
}
