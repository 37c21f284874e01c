/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * conf.c - kiln.toml and the files of its rules folder into one struct kd_conf, whole or
 * not at all.
 */
#include "daemon/rules/rule.h"

#include "daemon/base/file.h"
#include "daemon/base/log.h"
#include "daemon/base/name.h"
#include "daemon/rules/keys.h"
#include "daemon/rules/rule_read.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT_STATE "/var/lib/kilnd"
#define DEFAULT_RULES "rules.d"
#define DEFAULT_KEEP  (90 * 86400.0)

/* [daemon] as it stands in the file. */
struct daemon_table {
	char *state, *rules;
	char **plugins, **admins, **droppers;
	uint32_t workers, threads, gpu_slots, log;
	double keep;
};

static const struct kd_choice levels[] = {{"error", KD_ERROR}, {"warning", KD_WARNING},
	{"notice", KD_NOTICE}, {"info", KD_INFO}, {"debug", KD_DEBUG}, {NULL, 0}};

/* A duration, or "forever", which is 0.  Below an hour the ledger would forget what it
 * still has to say. */
static int
read_keep(const struct kd_keys *at, const struct kd_key *key, const struct kd_toml *value,
	void *field)
{
	double keep = 0;
	const char *text = value->type == KD_TOML_STRING ? value->text : "";
	if (strcmp(text, "forever") != 0 &&
		(kd_keys_duration(text, &keep) != 0 || keep < 3600))
		return kd_keys_refuse(at, value,
			"%s: expected a duration of at least \"1h\", or \"forever\", "
			"found %s",
			key->name, KD_TOML_FOUND(value));
	*(double *)field = keep;
	return 0;
}

#define AT(field) offsetof(struct daemon_table, field)

static const struct kd_key daemon_keys[] = {
	{.name = "state", kd_key_folder, AT(state), 0, 0, NULL, NULL},
	{.name = "plugins", kd_key_folders, AT(plugins), 0, 0, NULL, NULL},
	{.name = "rules", kd_key_text, AT(rules), 0, 0, NULL, NULL},
	{.name = "workers", kd_key_u32, AT(workers), 1, 256, NULL, NULL},
	{.name = "threads", kd_key_u32, AT(threads), 1, 1024, NULL, NULL},
	{.name = "gpu_slots", kd_key_u32, AT(gpu_slots), 1, 256, NULL, NULL},
	{.name = "log", kd_key_choice, AT(log), 0, 0, levels, NULL},
	{.name = "keep", read_keep, AT(keep), 0, 0, NULL, NULL},
	{.name = "admins", kd_key_texts, AT(admins), 0, 0, NULL, NULL},
	{.name = "droppers", kd_key_texts, AT(droppers), 0, 0, NULL, NULL},
	{NULL, NULL, 0, 0, 0, NULL, NULL},
};

/* The one file may hold all; those of the rules folder hold rules only. */
static const struct kd_key main_keys[] = {
	{.name = "daemon", kd_key_table, 0, 0, 0, NULL, daemon_keys},
	{.name = "rule", kd_key_table, 0, 0, 0, NULL, NULL},
	{NULL, NULL, 0, 0, 0, NULL, NULL},
};
static const struct kd_key rules_file_keys[] = {
	{.name = "rule", kd_key_table, 0, 0, 0, NULL, NULL},
	{NULL, NULL, 0, 0, 0, NULL, NULL},
};

/* Where a key belongs that stands in a table of the other kind, or in none. */
#define RULE_HOME   "a rule, below [rule.NAME]"
#define DAEMON_HOME "[daemon] of kiln.toml"
static const struct kd_keys_home top_homes[] = {
	{daemon_keys, DAEMON_HOME}, {kd_rule_keys, RULE_HOME}, {NULL, NULL}};
static const struct kd_keys_home daemon_homes[] = {
	{kd_rule_keys, RULE_HOME}, {NULL, NULL}};
static const struct kd_keys_home rule_homes[] = {
	{daemon_keys, DAEMON_HOME}, {NULL, NULL}};
static const struct kd_keys_home rules_file_homes[] = {
	{main_keys, "kiln.toml; files of the rules folder hold rules only"},
	{daemon_keys, DAEMON_HOME}, {kd_rule_keys, RULE_HOME}, {NULL, NULL}};

/* One load under way. */
struct loading {
	const struct kd_conf_options *options;
	struct kd_conf *conf;
	struct daemon_table daemon;
	struct kd_err *err;
};

static int
parse_file(const char *file, struct kd_toml **root, struct kd_err *err)
{
	char *text = NULL;
	size_t length = 0;
	struct stat st;
	/* O_NONBLOCK: a FIFO must not hold whoever reloads. */
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return kd_err_errno(err, -errno, "cannot open \"%s\"", KD_NAME(file));
	int code = fstat(fd, &st) == 0 ? 0 : -errno;
	if (code == 0 && !S_ISREG(st.st_mode))
		code = kd_err_set(
			err, -EINVAL, "\"%s\": expected a regular file", KD_NAME(file));
	else if (code != 0 ||
		 (code = kd_file_read_all(fd, KD_TOML_BYTES, &text, &length)) != 0)
		kd_err_errno(err, code, "cannot read \"%s\"", KD_NAME(file));
	close(fd);
	if (code == 0)
		code = kd_toml_parse(text, length, file, root, err);
	free(text);
	return code;
}

/* The folder a file lies in; the caller frees. */
static char *
folder_of(const char *file)
{
	const char *slash = strrchr(file, '/');
	return slash == file ? strdup("/") : strndup(file, (size_t)(slash - file));
}

static int
memory(const struct loading *loading)
{
	return kd_err_set(loading->err, -ENOMEM, "out of memory");
}

static const struct kd_rule *
find_rule(const struct kd_conf *conf, const char *name)
{
	for (uint32_t i = 0; i < conf->rule_count; i++)
		if (strcmp(conf->rules[i]->name, name) == 0)
			return conf->rules[i];
	return NULL;
}

static int
add_rules(struct loading *loading, const char *file, const struct kd_toml *root)
{
	struct kd_conf *conf = loading->conf;
	const struct kd_toml *rules = kd_toml_get(root, "rule");
	struct kd_keys at = {file, loading->err};
	char *folder = folder_of(file);
	int code = folder != NULL ? 0 : memory(loading);
	for (uint32_t i = 0; code == 0 && rules != NULL && i < rules->count; i++) {
		const struct kd_toml *table = rules->children[i];
		const struct kd_rule *first = find_rule(conf, table->key);
		struct kd_rule_source source = {file, folder, table, conf->catalog,
			loading->options->check_paths};
		struct kd_rule **more = realloc(
			conf->rules, (conf->rule_count + 1) * sizeof *conf->rules);
		if (more != NULL)
			conf->rules = more;
		if ((code = kd_keys_at_home(&at, kd_rule_keys, table, rule_homes)) != 0)
			break;
		if (first != NULL)
			code = kd_keys_refuse_key(&at, table,
				"rule \"%s\" is already defined at %s:%d:%d", first->name,
				first->file, first->line, first->column);
		else if (more == NULL)
			code = memory(loading);
		else if ((code = kd_rule_read(&source, &conf->rules[conf->rule_count],
				  loading->err)) == 0)
			conf->rule_count++;
	}
	free(folder);
	return code;
}

static int
is_rules_file(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);
	return entry->d_name[0] != '.' && length > 5 &&
	       strcmp(entry->d_name + length - 5, ".toml") == 0;
}

static int
by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int
add_file(struct loading *loading, const char *folder, const char *name)
{
	struct kd_toml *root = NULL;
	char *file = NULL;
	int code;
	if (asprintf(&file, "%s/%s", folder, name) < 0)
		return memory(loading);
	struct kd_keys at = {file, loading->err};
	if ((code = parse_file(file, &root, loading->err)) == 0 &&
		(code = kd_keys_at_home(&at, rules_file_keys, root, rules_file_homes)) ==
			0 &&
		(code = kd_keys_read(&at, rules_file_keys, root, NULL)) == 0)
		code = add_rules(loading, file, root);
	kd_toml_free(root);
	free(file);
	return code;
}

/* The rules folder: relative to kiln.toml; may be absent only where nobody named it. */
static int
add_folder(struct loading *loading)
{
	const char *named = loading->daemon.rules;
	const char *rules = named != NULL ? named : DEFAULT_RULES;
	char *base = folder_of(loading->conf->file), *folder = NULL;
	struct dirent **entries;
	int code = 0;
	if (base == NULL ||
		asprintf(&folder, "%s/%s", rules[0] == '/' ? "" : base, rules) < 0) {
		free(base);
		return memory(loading);
	}
	free(base);
	const char *plain = rules[0] == '/' ? folder + 1 : folder;
	int count = scandir(plain, &entries, is_rules_file, by_bytes);
	if (count < 0 && !(errno == ENOENT && named == NULL))
		code = kd_err_errno(loading->err, -errno,
			"%s: rules: cannot read the folder \"%s\"", loading->conf->file,
			KD_NAME(plain));
	for (int i = 0; i < count; i++) {
		if (code == 0)
			code = add_file(loading, plain, entries[i]->d_name);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
	free(folder);
	return code;
}

/* The absolute form of a command line's folder, which need not be there yet. */
static char *
state_folder(const char *told)
{
	char here[PATH_MAX], *resolved = realpath(told, NULL), *joined, *plain;
	if (resolved != NULL || told[0] == '\0')
		return resolved;
	if (told[0] == '/')
		return kd_keys_plain_folder(told);
	if (getcwd(here, sizeof here) == NULL ||
		asprintf(&joined, "%s/%s", here, told) < 0)
		return NULL;
	plain = kd_keys_plain_folder(joined);
	free(joined);
	return plain;
}

/* As many as the driver has made devices for.  Without any, a rule that asks for one is
 * told so by its kernel, one batch at a time. */
static uint32_t
visible_gpus(void)
{
	enum { MOST = 32 };
	uint32_t count = 0;
	for (int i = 0; i < MOST; i++) {
		char path[32];
		snprintf(path, sizeof path, "/dev/nvidia%d", i);
		count += access(path, F_OK) == 0;
	}
	return count > 0 ? count : 1;
}

/* Moves what [daemon] said into the configuration, and what holds where it is silent. */
static int
take_daemon(struct loading *loading)
{
	struct daemon_table *daemon = &loading->daemon;
	struct kd_conf *conf = loading->conf;
	const char *told = loading->options->state;
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	cores = cores < 1 ? 1 : cores > 1024 ? 1024 : cores;
	if (told != NULL) {
		conf->state = state_folder(told);
		if (conf->state == NULL)
			return kd_err_set(loading->err, -EINVAL,
				"expected a state folder, found \"%s\"", KD_NAME(told));
	} else {
		conf->state =
			daemon->state != NULL ? daemon->state : strdup(DEFAULT_STATE);
		daemon->state = NULL;
	}
	conf->plugins = daemon->plugins;
	conf->admins = daemon->admins;
	conf->droppers = daemon->droppers;
	daemon->plugins = daemon->admins = daemon->droppers = NULL;
	if (conf->plugins == NULL &&
		((conf->plugins = calloc(2, sizeof(char *))) == NULL ||
			(conf->plugins[0] = strdup(kd_catalog_plugins())) == NULL))
		return memory(loading);
	if (conf->admins == NULL)
		conf->admins = calloc(1, sizeof(char *));
	if (conf->state == NULL || conf->admins == NULL)
		return memory(loading);
	conf->log_level = (int)daemon->log;
	conf->keep = daemon->keep;
	conf->gpu_slots = daemon->gpu_slots > 0 ? daemon->gpu_slots : visible_gpus();
	/* Two batches at once hide each other's reading and writing; together they use
	 * every core once. */
	conf->workers = daemon->workers > 0 ? daemon->workers : cores > 1 ? 2 : 1;
	conf->threads =
		daemon->threads > 0
			? daemon->threads
			: (uint32_t)(cores > conf->workers ? cores / conf->workers : 1);
	return 0;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(
		(*(struct kd_rule *const *)a)->name, (*(struct kd_rule *const *)b)->name);
}

static int
find_people(struct loading *loading)
{
	struct kd_conf *conf = loading->conf;
	int rc = kd_people_find(conf->admins, &conf->may_command);
	if (rc == 0)
		rc = kd_people_find(conf->droppers, &conf->may_drop);
	for (uint32_t i = 0; rc == 0 && i < conf->rule_count; i++)
		rc = kd_people_find(conf->rules[i]->droppers, &conf->rules[i]->may_drop);
	return rc == 0 ? 0 : memory(loading);
}

static int
load(struct loading *loading)
{
	struct kd_conf *conf = loading->conf;
	struct kd_toml *root = NULL;
	int code;
	conf->file = realpath(loading->options->file, NULL);
	if (conf->file == NULL)
		return kd_err_errno(loading->err, -errno, "cannot open \"%s\"",
			KD_NAME(loading->options->file));
	struct kd_keys at = {conf->file, loading->err};
	if ((code = parse_file(conf->file, &root, loading->err)) == 0 &&
		(code = kd_keys_at_home(&at, main_keys, root, top_homes)) == 0 &&
		(code = kd_keys_at_home(&at, daemon_keys, kd_toml_get(root, "daemon"),
			 daemon_homes)) == 0 &&
		(code = kd_keys_read(&at, main_keys, root, &loading->daemon)) == 0 &&
		(code = take_daemon(loading)) == 0 &&
		(code = kd_catalog_load(kd_catalog_worker(), conf->plugins,
			 &conf->catalog, loading->err)) == 0 &&
		(code = add_rules(loading, conf->file, root)) == 0 &&
		(code = add_folder(loading)) == 0) {
		if (conf->rule_count > 0)
			qsort(conf->rules, conf->rule_count, sizeof *conf->rules,
				by_name);
		code = kd_rule_check_together(conf, loading->err);
	}
	if (code == 0)
		code = find_people(loading);
	kd_toml_free(root);
	return code;
}

int
kd_conf_load(
	const struct kd_conf_options *options, struct kd_conf **conf, struct kd_err *err)
{
	struct kd_err ignored;
	struct loading loading = {
		.options = options,
		.conf = calloc(1, sizeof *loading.conf),
		.daemon = {.log = KD_INFO, .keep = DEFAULT_KEEP},
		.err = err != NULL ? err : &ignored,
	};
	if (loading.conf == NULL)
		return memory(&loading);
	loading.conf->references = 1;
	int code = load(&loading);
	free(loading.daemon.state);
	free(loading.daemon.rules);
	kd_keys_free_texts(loading.daemon.plugins);
	kd_keys_free_texts(loading.daemon.admins);
	kd_keys_free_texts(loading.daemon.droppers);
	if (code == 0)
		*conf = loading.conf;
	else
		kd_conf_unref(loading.conf);
	return code;
}

struct kd_conf *
kd_conf_ref(struct kd_conf *conf)
{
	conf->references++;
	return conf;
}

void
kd_conf_unref(struct kd_conf *conf)
{
	if (conf == NULL || --conf->references > 0)
		return;
	for (uint32_t i = 0; i < conf->rule_count; i++)
		kd_rule_free(conf->rules[i]);
	free(conf->rules);
	kd_catalog_free(conf->catalog);
	kd_keys_free_texts(conf->plugins);
	kd_keys_free_texts(conf->admins);
	kd_keys_free_texts(conf->droppers);
	kd_people_clear(&conf->may_command);
	kd_people_clear(&conf->may_drop);
	free(conf->state);
	free(conf->file);
	free(conf);
}

const struct kd_rule *
kd_conf_rule(const struct kd_conf *conf, const char *name)
{
	return find_rule(conf, name);
}
