/* SPDX-License-Identifier: BSD-2-Clause */
/* Plugins that refuse, hang, flood, crash or say nonsense; then what good ones say. */
#include "daemon/rules/catalog.h"
#include "daemon/rules/describe.h"
#include "daemon/rules/params.h"
#include "plugins/kiln_plugin.h"
#include "tests/rules/fake.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KERNEL(name, accepts, more)                                                      \
	"{\"name\":\"" name "\",\"summary\":\"s\",\"accepts\":" accepts                  \
	",\"makes\":\"file\",\"needs\":[],\"inspect\":false,\"params\":[" more "]}"
#define PLUGIN(kernels) "{\"name\":\"p\",\"version\":\"1\",\"kernels\":[" kernels "]}"

static void
plugins_that_do_not_answer_well_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *text, *said;
	} cases[] = {
		{"refuse: it is owned by nobody", "it is owned by nobody"},
		{"refuse: plugin '/x/odd.so' is refused: wrong magic", "wrong magic"},
		{"silent", "refused without a reason"},
		{"crash", "ended with signal 11"},
		{"flood", "at most 1048576 bytes"},
		{"", "expected JSON"},
		{"[", "expected JSON"},
		{"[]", "1 to 256 kernels"},
		{"{}", "1 to 256 kernels"},
		{"{\"version\":\"1\",\"kernels\":[{}]}", "a string as \"name\""},
		{PLUGIN("3"), "a string as \"name\""},
		{PLUGIN(KERNEL("A b", "[\"file\"]", "")), "[a-z0-9-], found \"A b\""},
		{PLUGIN(KERNEL("a", "[]", "")), "\"accepts\""},
		{PLUGIN(KERNEL("a", "[\"film\"]", "")), "\"accepts\""},
		{PLUGIN(KERNEL("a", "[\"file\"]", "{\"name\":\"x\",\"type\":\"float\"}")),
			"\"type\" of \"x\""},
		{PLUGIN(KERNEL("a", "[\"file\"]", "{\"name\":\"x\",\"type\":\"bool\"}")),
			"\"required\""},
		{PLUGIN(KERNEL("a", "[\"file\"]",
			 "{\"name\":\"x\",\"type\":\"number\",\"required\":false,"
			 "\"minimum\":2,\"maximum\":1}")),
			"not above"},
		{PLUGIN(KERNEL("a", "[\"file\"]",
			 "{\"name\":\"x\",\"type\":\"string\",\"required\":false,"
			 "\"choices\":[1]}")),
			"strings as \"choices\""},
		{PLUGIN(KERNEL("a", "[\"file\"]",
			 "{\"name\":\"x\",\"type\":\"bool\",\"required\":false},"
			 "{\"name\":\"x\",\"type\":\"bool\",\"required\":false}")),
			"\"x\" twice"},
		{PLUGIN(KERNEL("a", "[\"file\"]",
			 "{\"name\":\"x\",\"type\":\"bool\",\"required\":false,"
			 "\"default\":\"maybe\"}")),
			"parameter x: expected a TOML value as its default"},
		{PLUGIN(KERNEL("a", "[\"file\"]",
			 "{\"name\":\"x\",\"type\":\"integer\",\"required\":false,"
			 "\"default\":\"true\"}")),
			"parameter x: expected"},
		{PLUGIN(KERNEL("a", "[\"file\"]",
			 "{\"name\":\"x\",\"type\":\"number\",\"required\":false,"
			 "\"minimum\":1,\"maximum\":2,\"default\":\"3\"}")),
			"parameter x: expected"},
		{PLUGIN(KERNEL("a", "[\"file\"]",
			 "{\"name\":\"x\",\"type\":\"string\",\"required\":false,"
			 "\"choices\":[\"a\"],\"default\":\"\\\"b\\\"\"}")),
			"parameter x: expected one of \"a\""},
		/* the second kernel takes the first down with it */
		{PLUGIN(KERNEL("a", "[\"file\"]", "") "," KERNEL("a", "[\"file\"]", "")),
			"already offered"},
		{PLUGIN(KERNEL("copy", "[\"file\"]", "")), "/copy.so"},
	};
	char *folders[] = {fake.plugins, NULL};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct kd_catalog *catalog = NULL;
		struct kd_err err = {0, ""};
		fake_write("plugins/odd.so", cases[i].text);
		assert_int_equal(
			kd_catalog_load(fake.worker, folders, &catalog, &err), 0);
		assert_int_equal(catalog->kernel_count, 4);
		assert_int_equal(catalog->refused_count, 1);
		if (strstr(catalog->refused[0].reason, cases[i].said) == NULL)
			fail_msg("%s\nexpected: %s\nfound: %s", cases[i].text,
				cases[i].said, catalog->refused[0].reason);
		assert_null(strstr(catalog->refused[0].reason, "is refused: "));
		assert_non_null(strstr(catalog->refused[0].path, "/plugins/odd.so"));
		kd_catalog_free(catalog);
	}
	fake_write("plugins/odd.so", "refuse: no longer");
}

/* The worker would sleep for 1000 s: it ends because its time is up. */
static void
a_plugin_that_hangs_is_given_up(void **state)
{
	(void)state;
	char plugin[PATH_MAX];
	struct kd_err err = {0, ""};
	json_t *json = NULL;
	fake_write("hang.so", "hang");
	snprintf(plugin, sizeof plugin, "%s/hang.so", fake.folder);
	struct kd_describe describe = {fake.worker, plugin, 0.05};
	assert_int_equal(kd_describe_run(&describe, &json, &err), -ETIMEDOUT);
	assert_non_null(strstr(err.text, "within 0.05 seconds"));
	assert_null(json);
}

static void
a_folder_or_a_worker_that_is_missing_is_said(void **state)
{
	(void)state;
	char *nowhere[] = {(char *)"/nowhere", NULL}, *folders[] = {fake.plugins, NULL};
	struct kd_catalog *catalog = NULL;
	struct kd_err err = {0, ""};
	assert_int_equal(kd_catalog_load(fake.worker, nowhere, &catalog, &err), -ENOENT);
	assert_non_null(strstr(err.text, "plugin folder \"/nowhere\""));
	assert_int_equal(kd_catalog_load("/nowhere", folders, &catalog, &err), -ENOENT);
	assert_non_null(strstr(err.text, "cannot run kiln-worker"));
	assert_null(catalog);
}

/* A file of the kernel's name is all that is described, unless it does not offer it. */
static void
for_one_kernel_its_own_plugin_alone_is_asked(void **state)
{
	(void)state;
	static const struct {
		const char *kernel;
		uint32_t kernels, refused;
	} cases[] = {{"copy", 3, 0}, {"vmd-fk", 1, 0}, {"gpu-copy", 4, 1}, {"odd", 4, 1},
		{"copi", 4, 1}, {"../plugins/copy", 4, 1}, {"", 4, 1}};
	char *folders[] = {fake.plugins, NULL};
	struct kd_err err = {0, ""};
	fake_write("plugins/odd.so", "refuse: no longer");
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct kd_catalog *catalog = NULL;
		assert_int_equal(kd_catalog_load_for(cases[i].kernel, fake.worker,
					 folders, &catalog, &err),
			0);
		if (catalog->kernel_count != cases[i].kernels ||
			catalog->refused_count != cases[i].refused)
			fail_msg("for '%s': %u kernels, %u refused", cases[i].kernel,
				catalog->kernel_count, catalog->refused_count);
		kd_catalog_free(catalog);
	}
	assert_int_equal(
		kd_catalog_load_for("copy", "/nowhere", folders, NULL, &err), -ENOENT);
}

static struct kd_catalog *
good(void)
{
	char *folders[] = {fake.plugins, NULL};
	struct kd_catalog *catalog = NULL;
	assert_int_equal(
		kd_catalog_load(kd_catalog_worker(), folders, &catalog, NULL), 0);
	return catalog;
}

static void
a_kernel_is_described(void **state)
{
	(void)state;
	struct kd_catalog *catalog = good();
	assert_string_equal(catalog->kernels[0]->name, "copy");
	assert_string_equal(catalog->kernels[1]->name, "gpu-copy");
	const struct kd_kernel *kernel = kd_catalog_find(catalog, "vmd-fk");
	assert_non_null(strstr(kernel->plugin, "/plugins/vmd-fk.so"));
	assert_int_equal(kernel->accepts, KILN_FILE);
	assert_int_equal(kernel->makes, KILN_MAKES_FILE);
	assert_int_equal(kernel->inspects, 1);
	assert_int_equal(kernel->param_count, 8);
	assert_int_equal(kernel->params[0].required, 1);
	assert_int_equal(kernel->params[0].type, KILN_PATH);
	assert_string_equal(kernel->params[7].choices[2], "utf-8");
	kernel = kd_catalog_find(catalog, "copy");
	assert_true(kernel->params[1].has_range && kernel->params[1].maximum == 2.5);
	assert_int_equal(kd_catalog_find(catalog, "gpu-copy")->needs,
		KILN_NEEDS_CUDA | KILN_NEEDS_JIT);
	assert_null(kd_catalog_find(catalog, "copi"));
	kd_catalog_free(catalog);
}

static void
arguments_that_do_not_fit_are_refused(void **state)
{
	(void)state;
	struct kd_err err;
	json_t *given = json_object();
	assert_int_equal(kd_params_parse_argument("model", given, &err), -EINVAL);
	assert_int_equal(kd_params_parse_argument("=3", given, &err), -EINVAL);
	assert_int_equal(kd_params_parse_argument("a=\xff", given, &err), -EILSEQ);
	assert_int_equal(kd_params_parse_argument("a=1", given, &err), 0);
	assert_int_equal(kd_params_parse_argument("a=2", given, &err), -EINVAL);
	assert_non_null(strstr(err.text, "parameter a is given twice"));
	json_decref(given);
}

static void
arguments_are_taken_by_their_types(void **state)
{
	(void)state;
	static const char *const arguments[] = {"model=M.pmx", "ik=false", "bones=core",
		"list=[\"a\", \"b\"]", "n=-3", "x=1.5", "table={ a = 1 }", "eq=a=b",
		"empty=", "two=1\nthree=3", "text=\"true\"", "day=1979-05-27", NULL};
	json_t *given = json_object();
	for (size_t i = 0; arguments[i] != NULL; i++)
		assert_int_equal(kd_params_parse_argument(arguments[i], given, NULL), 0);
	char *text = json_dumps(given, JSON_COMPACT);
	assert_string_equal(text,
		"{\"model\":\"M.pmx\",\"ik\":false,\"bones\":\"core\",\"list\":[\"a\","
		"\"b\"],"
		"\"n\":-3,\"x\":1.5,\"table\":{\"a\":1},\"eq\":\"a=b\",\"empty\":\"\","
		"\"two\":\"1\\nthree=3\",\"text\":\"true\",\"day\":\"1979-05-27\"}");
	free(text);
	json_decref(given);
}

/* From the command line no place is put before the sentence; lists and paths are filled.
 */
static void
parameters_are_filled_in_or_refused(void **state)
{
	(void)state;
	struct kd_catalog *catalog = good();
	struct kd_err err = {0, ""};
	json_t *full = NULL, *given = json_pack("{s:s, s:s}", "modle", "m", "ik", "x");
	struct kd_params_input input = {.kernel = kd_catalog_find(catalog, "vmd-fk"),
		.given = given,
		.base = "/b"};
	assert_int_equal(kd_params_check(&input, &full, &err), -EINVAL);
	assert_string_equal(err.text, "expected a parameter of kernel \"vmd-fk\", found "
				      "\"modle\"; did you mean \"model\"?");
	json_object_del(given, "modle");
	json_object_set_new(given, "model", json_string("./d//m.pmx"));
	assert_int_equal(kd_params_check(&input, &full, &err), -EINVAL);
	assert_string_equal(
		err.text, "parameter ik: expected true or false, found \"x\"");
	assert_null(full);
	json_object_del(given, "ik");
	assert_int_equal(kd_params_check(&input, &full, &err), 0);
	char *text = json_dumps(full, JSON_COMPACT);
	assert_string_equal(text,
		"{\"model\":\"/b/d/"
		"m.pmx\",\"bones\":[\"all\"],\"ik\":true,\"append\":true,"
		"\"morphs\":true,\"preview\":false,\"strict\":false,\"encoding\":"
		"\"cp932\"}");
	free(text);
	json_decref(full);
	json_decref(given);
	kd_catalog_free(catalog);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plugins_that_do_not_answer_well_are_refused),
		cmocka_unit_test(a_plugin_that_hangs_is_given_up),
		cmocka_unit_test(a_folder_or_a_worker_that_is_missing_is_said),
		cmocka_unit_test(for_one_kernel_its_own_plugin_alone_is_asked),
		cmocka_unit_test(a_kernel_is_described),
		cmocka_unit_test(arguments_that_do_not_fit_are_refused),
		cmocka_unit_test(arguments_are_taken_by_their_types),
		cmocka_unit_test(parameters_are_filled_in_or_refused),
	};
	return cmocka_run_group_tests_name(
		"rules/catalog", tests, fake_set_up, fake_tear_down);
}
