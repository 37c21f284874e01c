/* SPDX-License-Identifier: BSD-2-Clause */
/* Goal: whatever a plugin says of itself, the gate reads no further than it reaches, and
 * says what is wrong, what was expected and what mends it. */
#include "daemon/worker/gate_check.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* One plugin of one kernel of two parameters, fit to be spoilt. */
static struct kiln_param params[2];
static const struct kiln_param *param_list[3];
static struct kiln_kernel kernel, other;
static const struct kiln_kernel *kernel_list[3];
static struct kiln_plugin plugin;
static const char *const choices[] = {"all", "core", NULL};

static int
open_nothing(const struct kiln_host *host, const struct kiln_params *given, void **state)
{
	(void)host;
	(void)given;
	(void)state;
	return 0;
}

static int
process_nothing(const struct kiln_host *host, void *state, const struct kiln_batch *batch)
{
	(void)host;
	(void)state;
	(void)batch;
	return 0;
}

static void
close_nothing(const struct kiln_host *host, void *state)
{
	(void)host;
	(void)state;
}

static int
set_up(void **state)
{
	(void)state;
	params[0] = (struct kiln_param){.size = sizeof params[0],
		.type = KILN_STRING,
		.name = "bones",
		.default_text = "\"all\"",
		.choices = choices,
		.help = "Which bones."};
	params[1] = (struct kiln_param){.size = sizeof params[1],
		.type = KILN_INTEGER,
		.name = "rate",
		.default_text = "30",
		.minimum = 1,
		.maximum = 240,
		.unit = "frames",
		.help = "How many."};
	param_list[0] = &params[0];
	param_list[1] = &params[1];
	kernel = (struct kiln_kernel){.size = sizeof kernel,
		.accepts = KILN_FILE,
		.makes = KILN_MAKES_FILE,
		.name = "vmd-fk",
		.summary = "Evaluates motions.",
		.params = param_list,
		.open = open_nothing,
		.process = process_nothing,
		.close = close_nothing};
	other = kernel;
	other.name = "other";
	kernel_list[0] = &kernel;
	kernel_list[1] = &other;
	plugin = (struct kiln_plugin){.magic = KILN_MAGIC,
		.abi_major = KILN_ABI_MAJOR,
		.abi_minor = KILN_ABI_MINOR,
		.size = sizeof plugin,
		.name = "plugin",
		.version = "1.0",
		.kernels = kernel_list};
	return 0;
}

static void
expect(const char *reason)
{
	struct kd_err err = {0};
	int rc = kd_gate_check(&plugin, &err);
	if (reason == NULL) {
		if (rc < 0)
			print_error("%s\n", err.text);
		assert_int_equal(rc, 0);
		return;
	}
	if (rc == 0 || strstr(err.text, reason) == NULL)
		print_error("expected '%s', found '%s'\n", reason,
			rc == 0 ? "nothing wrong" : err.text);
	assert_true(rc < 0);
	assert_non_null(strstr(err.text, reason));
}

/* Spoils one field and expects that reason; everything is right again afterwards. */
#define SPOILT(field, value, reason)                                                     \
	do {                                                                             \
		set_up(NULL);                                                            \
		(field) = (value);                                                       \
		expect(reason);                                                          \
	} while (0)

static void
what_fits_comes_in(void **state)
{
	(void)state;
	expect(NULL);
	/* Structs of later versions are longer. */
	SPOILT(plugin.size, sizeof plugin + 64, NULL);
	SPOILT(kernel.size, sizeof kernel + 64, NULL);
	SPOILT(params[0].size, sizeof params[0] + 64, NULL);
	SPOILT(kernel.params, NULL, NULL);
	SPOILT(params[0].default_text, NULL, NULL);
	SPOILT(params[0].help, "Gl\xc3\xa4tten.", NULL);
}

static void
plugins_that_do_not_fit(void **state)
{
	(void)state;
	char longer[300];
	memset(longer, 'n', sizeof longer - 1);
	longer[sizeof longer - 1] = '\0';
	SPOILT(plugin.magic, 0x4e4c494b, "expected");
	SPOILT(plugin.magic, 0, "its magic number is 00000000, expected");
	SPOILT(plugin.abi_major, KILN_ABI_MAJOR + 1, "it was made for ABI");
	SPOILT(plugin.abi_minor, KILN_ABI_MINOR + 1, "build it against this kiln's");
	SPOILT(plugin.size, 8, "its descriptor is 8 bytes, expected at least");
	SPOILT(plugin.size, 0, "its descriptor is 0 bytes");
	SPOILT(plugin.name, NULL, "it has no name");
	SPOILT(plugin.name, "", "its name is ''; expected 1 to 256 bytes");
	SPOILT(plugin.name, longer, "its name is '(longer)'");
	SPOILT(plugin.name, "a\x1b[2J", "its name is 'a\\x1b[2J'");
	SPOILT(plugin.name, "\xff\xfe", "of UTF-8 without control");
	SPOILT(plugin.version, NULL, "it has no version");
	SPOILT(plugin.version, "1\n2", "its version is '1\\x0a2'");
	SPOILT(plugin.kernels, NULL, "it has no kernel");
	SPOILT(kernel_list[0], NULL, "it has no kernel");
}

static void
kernels_that_do_not_fit(void **state)
{
	(void)state;
	static const char *const names[] = {NULL, "", "../escape", "a/b", "a b", "Upper",
		"a\x1b", "a\n", "caf\xc3\xa9", "under_score"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		SPOILT(kernel.name, names[i],
			"kernel 0 has no name of 1 to 64 characters");
	SPOILT(other.name, "vmd-fk", "it has the kernel 'vmd-fk' twice");
	SPOILT(kernel.size, 16, "kernel 0 is 16 bytes, expected at least");
	SPOILT(other.size, 0, "kernel 1 is 0 bytes");
	SPOILT(kernel.summary, NULL, "does not say what it is for");
	SPOILT(kernel.summary, "two\nlines", "does not say what it is for");
	SPOILT(kernel.accepts, 0, "accepts 0, expected a set of enum kiln_unit_kind");
	SPOILT(kernel.accepts, 1u << 20, "accepts 0x100000");
	SPOILT(kernel.makes, 0, "makes 0, expected one of enum kiln_product");
	SPOILT(kernel.makes, 99, "makes 99");
	SPOILT(kernel.needs, 1u << 9, "needs 0x200, expected a set of enum kiln_needs");
	SPOILT(kernel.open, NULL, "lacks open, process or close");
	SPOILT(kernel.process, NULL, "lacks open, process or close");
	SPOILT(kernel.close, NULL, "lacks open, process or close");
}

static void
parameters_that_do_not_fit(void **state)
{
	(void)state;
	static const char *const names[] = {NULL, "", "a.b", "a/b", "A", "a\x1b", "\xff"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		SPOILT(params[0].name, names[i],
			"parameter 0 of kernel 'vmd-fk' has no name");
	SPOILT(params[1].name, "bones", "has the parameter 'bones' twice");
	SPOILT(params[1].size, 4, "parameter 1 of kernel 'vmd-fk' is 4 bytes");
	SPOILT(params[0].type, 0, "has type 0, expected one of enum kiln_type");
	SPOILT(params[0].type, 8, "has type 8");
	SPOILT(params[0].flags, 2, "has flags that this kiln does not know");
	SPOILT(params[0].help, NULL, "has no help");
	SPOILT(params[0].help, "bell\a", "has no help");
	SPOILT(params[0].unit, "\xff", "has a unit that is no clean word");
	SPOILT(params[0].default_text, "1\nvalue2 = 3", "has a default that is no line");
	SPOILT(params[0].minimum, 1, "has a range; expected one of integers");
	SPOILT(params[1].minimum, 241, "has a range that is none");
	SPOILT(params[1].minimum, NAN, "has a range that is none");
	SPOILT(params[1].maximum, INFINITY, "has a range that is none");
}

static void
choices_that_do_not_fit(void **state)
{
	(void)state;
	static const char *const none[] = {NULL}, *const twice[] = {"a", "b", "a", NULL},
				 *const empty[] = {"a", "", NULL},
				 *const torn[] = {"a", "\xc3", NULL};
	SPOILT(params[0].choices, none, "has an empty list of choices");
	SPOILT(params[0].choices, twice, "has a choice twice");
	SPOILT(params[0].choices, empty, "has a choice that is empty");
	SPOILT(params[0].choices, torn,
		"has a choice that is empty, too long or no clean");
	SPOILT(params[1].choices, choices, "has choices; expected those of strings");
}

/* A list without an end is followed so far and no further: behind it there is nothing that
 * may be read. */
static void
lists_without_end(void **state)
{
	(void)state;
	enum { MOST = 256 };
	static char names[MOST + 1][8];
	struct kiln_kernel *kernels = calloc(MOST + 1, sizeof *kernels);
	struct kiln_param *many = calloc(MOST + 1, sizeof *many);
	/* Just as long as may be looked at, so that a sanitizer sees one look more. */
	const void **list = malloc((MOST + 1) * sizeof *list);
	assert_true(kernels != NULL && many != NULL && list != NULL);
	for (int i = 0; i <= MOST; i++) {
		snprintf(names[i], sizeof names[i], "n%d", i);
		kernels[i] = kernel;
		kernels[i].name = names[i];
		list[i] = &kernels[i];
	}
	plugin.kernels = (const struct kiln_kernel *const *)list;
	expect("it has more than 256 kernels; end their list with NULL");
	set_up(NULL);
	for (int i = 0; i <= MOST; i++) {
		many[i] = params[1];
		many[i].name = names[i];
		list[i] = &many[i];
	}
	kernel.params = (const struct kiln_param *const *)list;
	expect("kernel 'vmd-fk' has more than 256 parameters");
	set_up(NULL);
	for (int i = 0; i <= MOST; i++)
		list[i] = names[i];
	params[0].choices = (const char *const *)list;
	expect("has more than 256 choices");
	free(list);
	free(many);
	free(kernels);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_fits_comes_in, set_up),
		cmocka_unit_test_setup(plugins_that_do_not_fit, set_up),
		cmocka_unit_test_setup(kernels_that_do_not_fit, set_up),
		cmocka_unit_test_setup(parameters_that_do_not_fit, set_up),
		cmocka_unit_test_setup(choices_that_do_not_fit, set_up),
		cmocka_unit_test_setup(lists_without_end, set_up),
	};
	return cmocka_run_group_tests_name("gate check", tests, NULL, NULL);
}
