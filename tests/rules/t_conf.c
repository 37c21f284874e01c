/* SPDX-License-Identifier: BSD-2-Clause */
/* Configurations that are right: what they mean, their revisions, the shipped ones. */
#include "daemon/base/file.h"
#include "daemon/base/log.h"
#include "daemon/rules/rule.h"
#include "plugins/kiln_plugin.h"
#include "tests/rules/fake.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <limits.h>
#include <stdio.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct kd_conf *
load(const char *file)
{
	char path[PATH_MAX];
	struct kd_err err = {0, ""};
	struct kd_conf *conf = NULL;
	snprintf(path, sizeof path, "%s/%s", fake.folder, file);
	struct kd_conf_options options = {.file = path};
	if (kd_conf_load(&options, &conf, &err) != 0)
		fail_msg("%s", err.text);
	return conf;
}

static void
an_empty_file_is_a_configuration(void **state)
{
	(void)state;
	fake_write("empty/kiln.toml", "");
	struct kd_conf *conf = load("empty/kiln.toml");
	assert_string_equal(conf->state, "/var/lib/kilnd");
	assert_string_equal(conf->plugins[0], fake.plugins);
	assert_int_equal(conf->rule_count, 0);
	assert_int_equal(conf->log_level, KD_INFO);
	assert_true(conf->workers >= 1 && conf->threads >= 1);
	assert_null(conf->admins[0]);
	assert_null(conf->droppers);
	assert_true(conf->keep == 90 * 86400.0 && conf->gpu_slots >= 1);
	assert_null(kd_conf_rule(conf, "a"));
	kd_conf_unref(conf);
}

static void
what_is_not_said_has_its_default(void **state)
{
	(void)state;
	fake_write("defaults/kiln.toml",
		"[rule.a]\nwatch = \"/i\"\noutput = \"/o\"\nkernel = \"copy\"\n");
	struct kd_conf *conf = load("defaults/kiln.toml");
	const struct kd_rule *rule = kd_conf_rule(conf, "a");
	assert_string_equal(rule->match[0], "*");
	assert_null(rule->match[1]);
	assert_string_equal(rule->ignore[0], "*.kiln.json");
	assert_string_equal(rule->ignore[1], "kiln.json");
	assert_string_equal(rule->ignore[2], ".kiln-*");
	assert_null(rule->ignore[3]);
	assert_int_equal(rule->recursive, 1);
	assert_int_equal(rule->unit, KILN_FILE);
	assert_true(rule->settle == 2 && rule->idle == 600);
	assert_string_equal(rule->device, "auto");
	assert_string_equal(rule->executor, "local");
	assert_int_equal(rule->collision, KD_COLLISION_VERSION);
	assert_int_equal(rule->inputs, KD_INPUTS_KEEP);
	assert_int_equal(rule->mode, 0644);
	assert_null(rule->group);
	assert_int_equal(rule->limits.memory, 4ll << 30);
	assert_int_equal(json_integer_value(json_object_get(rule->params, "level")), 3);
	assert_true(json_is_null(json_object_get(rule->params, "shape")));
	kd_conf_unref(conf);
}

static void
every_key_means_what_it_says(void **state)
{
	(void)state;
	fake_write("every/kiln.toml",
		"[daemon]\nstate = \"/var//lib/./k/\"\nworkers = 3\nthreads = 2\n"
		"log = \"debug\"\nadmins = [\"ann\", \"@ops\"]\nrules = \"mine\"\n"
		"gpu_slots = 5\nkeep = \"forever\"\ndroppers = \"@artists\"\n"
		"[rule.inline]\nwatch = \"/x\"\noutput = \"/y\"\nkernel = \"copy\"\n"
		"unit = \"archive\"\narchive = { entries = 9, bytes = \"1MiB\", ratio = "
		"300, depth = 3, name = 99 }\n");
	fake_write("every/mine/no.toml.example", "not read");
	fake_write("every/mine/.hidden.toml", "not read");
	fake_write("every/mine/all.toml",
		"[rule.all]\nwatch = \"/i//j/\"\nmatch = [\"*.a\", \"*.b\"]\n"
		"ignore = \"*.part\"\nrecursive = false\nunit = \"directory\"\n"
		"settle = \"500ms\"\nready = \"quiet\"\n"
		"batch = { by = \"regex:^(.*)_[0-9]+$\", max_units = 7, max_bytes = "
		"\"1.5MB\", max_wait = \"0s\" }\nkernel = \"copy\"\ndevice = \"cuda:1\"\n"
		"workers = 2\npriority = -5\nidle = \"1h\"\n"
		"limits = { memory = \"none\", wall = \"2h\", output = \"20GB\" }\n"
		"needs = [\"cuda\", \"jit\"]\nexecutor = \"local\"\noutput = \"/o\"\n"
		"layout = \"flat\"\ncollision = \"replace\"\nsame = \"run\"\nmode = "
		"\"640\"\n"
		"group = \"root\"\ninputs = \"move:/done/\"\n"
		"retries = { max = 0, backoff = \"1s..2min\" }\nquarantine = "
		"\"/failed\"\n"
		"low_water = \"5GiB\"\ndroppers = [\"bob\"]\n[rule.all.params]\nlevel = "
		"9\nscale = 2\n"
		"shape = { a = [1, 1979-05-27] }\n");
	struct kd_conf *conf = load("every/kiln.toml");
	assert_string_equal(conf->state, "/var/lib/k");
	assert_int_equal(conf->workers, 3);
	assert_int_equal(conf->log_level, KD_DEBUG);
	assert_string_equal(conf->admins[1], "@ops");
	assert_string_equal(conf->droppers[0], "@artists");
	assert_true(conf->keep == 0 && conf->gpu_slots == 5);
	assert_int_equal(conf->rule_count, 2);
	assert_string_equal(conf->rules[0]->name, "all");
	const struct kd_archive_limits *archive = &kd_conf_rule(conf, "inline")->archive;
	assert_int_equal(archive->entries, 9);
	assert_int_equal(archive->bytes, 1 << 20);
	assert_int_equal(archive->ratio, 300);
	assert_int_equal(archive->depth, 3);
	assert_int_equal(archive->name, 99);
	const struct kd_rule *rule = kd_conf_rule(conf, "all");
	assert_string_equal(rule->watch, "/i/j");
	assert_string_equal(rule->match[1], "*.b");
	assert_string_equal(rule->ignore[0], "*.part");
	assert_string_equal(rule->ignore[1], "*.kiln.json");
	assert_int_equal(rule->recursive, 0);
	assert_int_equal(rule->unit, KILN_DIRECTORY);
	assert_true(rule->settle == 0.5 && rule->batch.max_wait == 0);
	assert_int_equal(rule->batch.by, KD_BATCH_REGEX);
	assert_string_equal(rule->batch.regex, "^(.*)_[0-9]+$");
	assert_int_equal(rule->batch.max_bytes, 1500000);
	assert_string_equal(rule->device, "cuda:1");
	assert_int_equal(rule->priority, -5);
	assert_int_equal(rule->limits.memory, 0);
	assert_int_equal(rule->limits.output, 20000000000ll);
	assert_int_equal(rule->needs, KILN_NEEDS_CUDA | KILN_NEEDS_JIT);
	assert_int_equal(rule->layout, KD_LAYOUT_FLAT);
	assert_int_equal(rule->collision, KD_COLLISION_REPLACE);
	assert_int_equal(rule->same, KD_SAME_RUN);
	assert_int_equal(rule->mode, 0640);
	assert_string_equal(rule->group, "root");
	assert_int_equal(rule->inputs, KD_INPUTS_MOVE);
	assert_string_equal(rule->done, "/done");
	assert_true(rule->retries.max == 0 && rule->retries.backoff_most == 120);
	assert_string_equal(rule->quarantine, "/failed");
	assert_int_equal(rule->low_water, 5ll << 30);
	assert_string_equal(rule->droppers[0], "bob");
	char *shape = json_dumps(json_object_get(rule->params, "shape"), JSON_COMPACT);
	assert_string_equal(shape, "{\"a\":[1,\"1979-05-27\"]}");
	free(shape);
	kd_conf_unref(conf);
}

/* A chain is no circle, and folders that only begin alike are not the same. */
static void
one_rules_output_may_feed_another(void **state)
{
	(void)state;
	fake_write("chain/kiln.toml",
		"[rule.a]\nwatch = \"/1\"\noutput = \"/2\"\nkernel = \"copy\"\n"
		"[rule.b]\nwatch = \"/2\"\noutput = \"/3\"\nkernel = \"copy\"\n"
		"[rule.c]\nwatch = \"/3\"\noutput = \"/11\"\nkernel = \"copy\"\n");
	kd_conf_unref(load("chain/kiln.toml"));
}

/* A folder by its other name is the same folder, also below what is not there yet. */
static void
a_folder_under_another_name_is_the_same_folder(void **state)
{
	(void)state;
	static const struct {
		const char *watch, *output, *more, *said;
	} cases[] = {
		{"real", "link/out", "", "outside watch"},
		{"real/in", "link", "", "outside output"},
		{"real/in", "out", "quarantine = \"%s/link/in/bad\"\n", "what failed"},
		{"real/in", "out", "inputs = \"move:%s/link/in\"\n", "what is done"},
		{"link/in", "other/in", "", NULL},
		{"real/in", "dangling/in", "", NULL},
	};
	char folder[128], link[160], text[1000], more[300], file[160];
	snprintf(folder, sizeof folder, "%s/names", fake.folder);
	fake_write("names/real/file", "");
	snprintf(link, sizeof link, "%s/link", folder);
	assert_int_equal(symlink("real", link), 0);
	snprintf(link, sizeof link, "%s/dangling", folder);
	assert_int_equal(symlink("nowhere", link), 0);
	snprintf(file, sizeof file, "%s/kiln.toml", folder);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct kd_conf_options options = {.file = file, .state = "/state"};
		struct kd_conf *conf = NULL;
		struct kd_err err = {0};
		const char *mark = strstr(cases[i].more, "%s");
		snprintf(more, sizeof more, "%.*s%s%s",
			mark == NULL ? 0 : (int)(mark - cases[i].more), cases[i].more,
			mark == NULL ? "" : folder, mark == NULL ? "" : mark + 2);
		snprintf(text, sizeof text,
			"[rule.a]\nwatch = \"%s/%s\"\noutput = \"%s/%s\"\nkernel = "
			"\"copy\"\n%s",
			folder, cases[i].watch, folder, cases[i].output, more);
		fake_write("names/kiln.toml", text);
		int rc = kd_conf_load(&options, &conf, &err);
		if (cases[i].said == NULL
				? rc < 0
				: rc == 0 || strstr(err.text, cases[i].said) == NULL)
			fail_msg("%s: %s", text, err.text);
		kd_conf_unref(conf);
	}
	snprintf(text, sizeof text,
		"[rule.a]\nwatch = \"%s/real/1\"\noutput = \"%s/link/2\"\nkernel = "
		"\"copy\"\n"
		"[rule.b]\nwatch = \"%s/real/2\"\noutput = \"%s/link/1\"\nkernel = "
		"\"copy\"\n",
		folder, folder, folder, folder);
	fake_write("names/kiln.toml", text);
	struct kd_conf_options options = {.file = file, .state = "/state"};
	struct kd_conf *conf = NULL;
	struct kd_err err = {0};
	assert_int_equal(kd_conf_load(&options, &conf, &err), -ELOOP);
	assert_non_null(strstr(err.text, "in a circle: a -> b -> a"));
	/* The state behind a link. */
	snprintf(link, sizeof link, "%s/link/1", folder);
	options.state = link;
	fake_write("names/kiln.toml", strstr(text, "[rule.b]"));
	assert_int_equal(kd_conf_load(&options, &conf, &err), -EINVAL);
	assert_non_null(strstr(err.text, "apart from kilnd's state"));
}

static void
revision_of(const char *more, const char *params, char revision[KD_HASH_HEX])
{
	char text[500];
	snprintf(text, sizeof text,
		"[rule.a]\nwatch = \"/i\"\noutput = \"/o\"\nkernel = \"copy\"\n%s\n"
		"[rule.a.params]\n%s\n",
		more, params);
	fake_write("revision/kiln.toml", text);
	struct kd_conf *conf = load("revision/kiln.toml");
	memcpy(revision, kd_conf_rule(conf, "a")->revision, KD_HASH_HEX);
	kd_conf_unref(conf);
}

static void
a_revision_is_what_the_rule_asks_for(void **state)
{
	(void)state;
	static const struct {
		const char *more, *params;
		int same;
	} cases[] = {
		{"", "", 1},
		{"settle = \"9s\"\nbatch = { max_units = 1 }", "", 1},
		{"limits = { wall = \"9s\" }\nretries = { max = 9 }\npriority = 3", "",
			1},
		{"collision = \"keep\"\nlayout = \"flat\"\nmode = \"0600\"", "", 1},
		{"", "level = 3", 1}, /* the default, said aloud */
		{"", "scale = 1", 1},
		{"", "scale = 1.0", 1},
		{"device = \"auto\"", "", 1},
		{"", "level = 4", 0},
		{"", "scale = 1.5", 0},
		{"", "shape = {}", 0},
		{"device = \"cpu\"", "", 0},
		{"unit = \"directory\"", "", 0},
	};
	char first[KD_HASH_HEX], other[KD_HASH_HEX], numbered[KD_HASH_HEX];
	revision_of("", "", first);
	assert_int_equal(strlen(first), 64);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		revision_of(cases[i].more, cases[i].params, other);
		if ((strcmp(first, other) == 0) != cases[i].same)
			fail_msg("%s %s: expected %s revision", cases[i].more,
				cases[i].params, cases[i].same ? "the same" : "another");
	}
	/* The class of device counts, not which of two GPUs. */
	revision_of("device = \"cuda\"", "", other);
	revision_of("device = \"cuda:1\"", "", numbered);
	assert_string_equal(other, numbered);
}

/* As a reload does: the old one stays usable, also when the new one is refused. */
static void
a_reload_that_fails_leaves_the_old_in_force(void **state)
{
	(void)state;
	char path[PATH_MAX];
	struct kd_err err = {0, ""};
	fake_write("reload/kiln.toml",
		"[rule.a]\nwatch = \"/i\"\noutput = \"/o\"\nkernel = \"copy\"\n");
	struct kd_conf *old = load("reload/kiln.toml"), *new = old;
	struct kd_conf *held = kd_conf_ref(old);
	assert_ptr_equal(held, old);
	fake_write("reload/kiln.toml", "[rule.a]\nwatch = 3\n");
	snprintf(path, sizeof path, "%s/reload/kiln.toml", fake.folder);
	struct kd_conf_options options = {.file = path};
	assert_true(kd_conf_load(&options, &new, &err) < 0);
	assert_ptr_equal(new, old);
	fake_write("reload/kiln.toml",
		"[rule.b]\nwatch = \"/i\"\noutput = \"/o\"\nkernel = \"copy\"\n");
	new = load("reload/kiln.toml");
	kd_conf_unref(old);
	assert_string_equal(kd_conf_rule(held, "a")->kernel->name, "copy");
	assert_non_null(kd_conf_rule(new, "b"));
	kd_conf_unref(held);
	kd_conf_unref(new);
	kd_conf_unref(NULL);
}

/* A state folder on the command line wins, and may be relative. */
static void
the_command_lines_state_folder_goes_before(void **state)
{
	(void)state;
	char path[PATH_MAX], cwd[PATH_MAX];
	struct kd_conf *conf = NULL;
	fake_write("state/kiln.toml", "[daemon]\nstate = \"/elsewhere\"\n");
	snprintf(path, sizeof path, "%s/state/kiln.toml", fake.folder);
	struct kd_conf_options options = {.file = path, .state = "."};
	assert_int_equal(kd_conf_load(&options, &conf, NULL), 0);
	assert_string_equal(conf->state, getcwd(cwd, sizeof cwd));
	kd_conf_unref(conf);
}

static void
load_shipped(void)
{
	char path[PATH_MAX];
	const char *top = getenv("top_srcdir");
	struct kd_err err = {0, ""};
	struct kd_conf *conf = NULL;
	snprintf(path, sizeof path, "%s/etc/kiln.toml", top != NULL ? top : ".");
	if (access(path, R_OK) != 0 && top == NULL) {
		print_message("top_srcdir is not set: cannot find etc/kiln.toml\n");
		skip();
	}
	struct kd_conf_options options = {.file = path};
	if (kd_conf_load(&options, &conf, &err) != 0)
		fail_msg("%s", err.text);
	assert_int_equal(conf->rule_count, 3);
	const struct kd_rule *motions = kd_conf_rule(conf, "motions");
	assert_non_null(motions);
	assert_string_equal(motions->kernel->name, "vmd-fk");
	assert_non_null(kd_conf_rule(conf, "copy-files"));
	assert_int_equal(kd_conf_rule(conf, "copy-folders")->unit, KILN_DIRECTORY);
	kd_conf_unref(conf);
}

static void
the_shipped_configuration_is_right(void **state)
{
	(void)state;
	load_shipped();
}

/* The same with the kernels that were built, so that no example names a parameter that
 * its kernel lost. */
static void
the_shipped_configuration_fits_the_built_plugins(void **state)
{
	(void)state;
	const char *top = getenv("top_builddir");
	char built[PATH_MAX], worker[PATH_MAX + 32], plugins[PATH_MAX + 16];
	if (realpath(top != NULL ? top : ".", built) == NULL)
		skip();
	static const char *const parts[] = {
		"kiln-worker", "plugins/copy.so", "plugins/vmd-fk.so"};
	for (int i = 0; i < 3; i++) {
		snprintf(worker, sizeof worker, "%s/%s", built, parts[i]);
		if (access(worker, R_OK) != 0) {
			print_message("%s is not built\n", worker);
			skip();
		}
	}
	snprintf(worker, sizeof worker, "%s/kiln-worker", built);
	snprintf(plugins, sizeof plugins, "%s/plugins", built);
	setenv("KILN_WORKER", worker, 1);
	setenv("KILN_PLUGINS", plugins, 1);
	load_shipped();
	setenv("KILN_WORKER", fake.worker, 1);
	setenv("KILN_PLUGINS", fake.plugins, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_file_is_a_configuration),
		cmocka_unit_test(what_is_not_said_has_its_default),
		cmocka_unit_test(every_key_means_what_it_says),
		cmocka_unit_test(one_rules_output_may_feed_another),
		cmocka_unit_test(a_folder_under_another_name_is_the_same_folder),
		cmocka_unit_test(a_revision_is_what_the_rule_asks_for),
		cmocka_unit_test(a_reload_that_fails_leaves_the_old_in_force),
		cmocka_unit_test(the_command_lines_state_folder_goes_before),
		cmocka_unit_test(the_shipped_configuration_is_right),
		cmocka_unit_test(the_shipped_configuration_fits_the_built_plugins),
	};
	return cmocka_run_group_tests_name(
		"rules/conf", tests, fake_set_up, fake_tear_down);
}
