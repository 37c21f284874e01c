/* SPDX-License-Identifier: BSD-2-Clause */
/* Plugins that crash, hang, lie and spy: each costs its own units and says why. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include "config.h"
#include "daemon/worker/protocol.h"
#include "tests/worker/client.h"

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct scratch scratch;

static int
set_up(void **state)
{
	(void)state;
	client_scratch_make(&scratch);
	client_write(&scratch, "in/a.txt", "first");
	client_write(&scratch, "in/b.txt", "second");
	client_write(&scratch, "in/c.txt", "third");
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	client_scratch_remove(&scratch);
	return 0;
}

static const char *const one[] = {"a.txt", NULL};
static const char *const three[] = {"a.txt", "b.txt", "c.txt", NULL};

struct lie {
	const char *kernel, *reason;
	int first_published; /* the first unit was done before the trouble began */
};

static const struct lie lies[] = {
	{"segfault",
		"the engine was killed by SIGSEGV (plugin 'hostile' 6.6.6) in this batch",
		1},
	{"lie-twice",
		"the engine broke the protocol: done() for unit 'a.txt', which was done "
		"already",
		1},
	{"lie-range", "done() for unit 3 of a batch of 3", 0},
	{"lie-class", "done() with class 9", 0},
	{"lie-empty", "unit 'a.txt' was done with no primary output", 0},
	{"lie-open", "unit 'a.txt' was done while its output 'a.out' was still open", 0},
	{"lie-escape", "output '../escaped' of unit 'a.txt' leaves its folder", 0},
	{"lie-absolute", "output '/tmp/escaped' of unit 'a.txt' leaves its folder", 0},
	{"lie-stem",
		"output 'other.out' of unit 'a.txt' does not begin with its stem 'a'", 0},
	{"lie-sidecar", "output 'a.out.kiln.json' has a sidecar's name", 0},
	{"no-verdict", "process() returned without a verdict on 2 of 3 units", 1},
	{"unknown-type", "the engine broke the protocol: a message of unknown type 99",
		0},
	{"garbage", "the engine broke the protocol: a malformed message", 0},
	{"deaf", "it asks on without reading the answers", 0},
	{"chatter", "it told its keeper more than 256 MiB to remember", 0},
	{"gift", "the engine broke the protocol: a malformed message", 0},
};

static void
test_lies(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
		struct kd_manifest manifest;
		struct kd_result result;
		client_manifest(&manifest, &scratch, "hostile", lies[i].kernel, three);
		free(manifest.rule);
		manifest.rule = strdup(lies[i].kernel);
		print_message("# %s\n", lies[i].kernel);
		client_once(&manifest, &result);
		uint32_t first = 0;
		if (lies[i].first_published)
			client_expect_published(&result, first++);
		for (; first < 3; first++)
			client_expect(&result, first, KD_UNIT_CRASHED, lies[i].reason);
		assert_non_null(result.failure);
		kd_manifest_result_clear(&result);
	}
	assert_false(client_exists(&scratch, "escaped"));
	assert_false(client_exists(&scratch, "out/.kiln-stage/escaped"));
}

static void
test_poison_costs_only_those_behind_it(void **state)
{
	(void)state;
	static const char *const names[] = {"a.txt", "poison.txt", "c.txt", NULL};
	struct kd_manifest manifest;
	struct kd_result result;
	client_write(&scratch, "in/poison.txt", "x");
	client_manifest(&manifest, &scratch, "hostile", "crash-on-name", names);
	client_once(&manifest, &result);
	client_expect_published(&result, 0);
	client_expect(&result, 1, KD_UNIT_CRASHED, "SIGSEGV");
	client_expect(&result, 2, KD_UNIT_CRASHED, "SIGSEGV");
	kd_manifest_result_clear(&result);
}

static void
test_a_hang_meets_the_wall(void **state)
{
	(void)state;
	struct kd_manifest manifest;
	struct kd_result result;
	client_manifest(&manifest, &scratch, "hostile", "hang", three);
	manifest.wall_limit = 0.5;
	client_once(&manifest, &result);
	client_expect(&result, 0, KD_UNIT_CRASHED,
		"the engine ran past its wall limit of 0.5 s (plugin 'hostile' 6.6.6)");
	kd_manifest_result_clear(&result);
}

static int
cancel_on_progress(struct client *client, const struct kd_wire_message *message)
{
	if (message->type == KD_MSG_UNIT_PROGRESS)
		client_cancel(client);
	return 0;
}

static void
test_a_hang_that_ignores_cancel(void **state)
{
	(void)state;
	struct kd_manifest manifest;
	struct kd_result result;
	struct client client = {.hook = cancel_on_progress};
	client_manifest(&manifest, &scratch, "hostile", "hang", three);
	client_start(&client);
	assert_int_equal(client_run(&client, &manifest, &result), 0);
	client_expect(&result, 0, KD_UNIT_CANCELLED,
		"cancelled; the engine did not stop within 5 s");
	kd_manifest_result_clear(&result);
	assert_int_equal(client_stop(&client), 0);
	kd_manifest_clear(&manifest);
}

static void
test_the_keeper_survives_and_serves_on(void **state)
{
	(void)state;
	struct kd_manifest manifest;
	struct kd_result result;
	struct client client = {0};
	client_start(&client);
	client_manifest(&manifest, &scratch, "hostile", "segfault", three);
	assert_int_equal(client_run(&client, &manifest, &result), 0);
	client_expect(&result, 1, KD_UNIT_CRASHED, "SIGSEGV");
	kd_manifest_result_clear(&result);
	kd_manifest_clear(&manifest);
	client_manifest(&manifest, &scratch, "copy", "copy", three);
	assert_int_equal(client_run(&client, &manifest, &result), 0);
	for (uint32_t i = 1; i < 3; i++)
		client_expect_published(&result, i);
	kd_manifest_result_clear(&result);
	kd_manifest_clear(&manifest);
	assert_int_equal(client_stop(&client), 0);
}

static void
test_failures_of_the_whole(void **state)
{
	(void)state;
	struct kd_manifest manifest;
	struct kd_result result;
	client_manifest(&manifest, &scratch, "hostile", "whole-fails", three);
	client_once(&manifest, &result);
	client_expect_published(&result, 0);
	client_expect(&result, 1, KD_UNIT_TRANSIENT,
		"the oven is cold: expected 900 degrees, found 20");
	kd_manifest_result_clear(&result);
	client_manifest(&manifest, &scratch, "hostile", "open-fails", three);
	client_once(&manifest, &result);
	client_expect(&result, 1, KD_UNIT_TRANSIENT, "the door is stuck");
	assert_string_equal(result.failure, "the door is stuck");
	kd_manifest_result_clear(&result);
}

static void
test_a_spy_sees_nothing(void **state)
{
	(void)state;
	static const char *const denied[] = {"open /etc/passwd: Permission denied",
		"reopen the link: Permission denied", "list /: Permission denied",
		"write /tmp: Permission denied", "socket: Operation not permitted",
		"fork: Operation not permitted", "exec: Operation not permitted",
		"kill the keeper: Operation not permitted",
		"ptrace: Operation not permitted", "unlink: Operation not permitted"};
	struct kd_manifest manifest;
	struct kd_result result;
	client_manifest(&manifest, &scratch, "hostile", "spy", one);
	client_once(&manifest, &result);
	print_message("# %s\n", result.units[0].reason);
	for (size_t i = 0; i < sizeof denied / sizeof *denied; i++)
		client_expect(&result, 0, KD_UNIT_BAD, denied[i]);
#ifndef KILN_SANITIZED
	client_expect(
		&result, 0, KD_UNIT_BAD, "executable memory: Operation not permitted");
#endif
	assert_null(strstr(result.units[0].reason, "SUCCEEDED"));
	kd_manifest_result_clear(&result);
}

/* The grant for a GPU is wider by NVIDIA's nodes, by libraries and by mapped code alone. */
static void
test_a_spy_with_a_gpu_sees_little(void **state)
{
	(void)state;
	static const char *const denied[] = {"open /etc/passwd: Permission denied",
		"list /: Permission denied", "write /tmp: Permission denied",
		"socket: Operation not permitted", "fork: Operation not permitted",
		"exec: Operation not permitted",
		"kill the keeper: Operation not permitted",
		"ptrace: Operation not permitted", "unlink: Operation not permitted"};
	struct kd_manifest manifest;
	struct kd_result result;
	client_manifest(&manifest, &scratch, "hostile", "spy", one);
	free(manifest.device);
	manifest.device = strdup("cuda:0");
	client_once(&manifest, &result);
	print_message("# %s\n", result.units[0].reason);
	for (size_t i = 0; i < sizeof denied / sizeof *denied; i++)
		client_expect(&result, 0, KD_UNIT_BAD, denied[i]);
	assert_non_null(strstr(result.units[0].reason, "executable memory: SUCCEEDED"));
	kd_manifest_result_clear(&result);
}

/* One unit by that kernel fails with a reason that holds all of these, and no success. */
static void
expect_denied(const char *kernel, const char *const *names, const char *const *denied)
{
	struct kd_manifest manifest;
	struct kd_result result;
	client_manifest(&manifest, &scratch, "hostile", kernel, names);
	client_once(&manifest, &result);
	print_message("# %s\n", result.units[0].reason);
	for (; *denied != NULL; denied++)
		client_expect(&result, 0, KD_UNIT_BAD, *denied);
	assert_null(strstr(result.units[0].reason, "SUCCEEDED"));
	kd_manifest_result_clear(&result);
}

static void
test_a_burglar_gets_nothing(void **state)
{
	(void)state;
	static const char *const denied[] = {"state/ledger.db: Permission denied",
		"in/other.txt: Permission denied", "out: Permission denied",
		"done: Permission denied", "failed: Permission denied",
		"control socket: Operation not permitted",
		"rename: Operation not permitted", "link: Operation not permitted",
		"symlink: Operation not permitted", "truncate: Operation not permitted",
		"chmod: Operation not permitted", NULL};
	char name[300];
	const char *const names[] = {name, NULL};
	snprintf(name, sizeof name, "%s", scratch.base);
	for (char *c = name; *c != '\0'; c++)
		*c = *c == '/' ? '+' : *c;
	char file[320];
	snprintf(file, sizeof file, "in/%s", name);
	client_write(&scratch, file, "map");
	client_write(&scratch, "in/other.txt", "theirs");
	assert_int_equal(mkdir(client_path(&scratch, "state"), 0755), 0);
	client_write(&scratch, "state/ledger.db", "ours");
	expect_denied("burglar", names, denied);
	char *theirs = client_read(&scratch, "in/other.txt");
	assert_string_equal(theirs, "theirs");
	free(theirs);
}

static void
test_a_stalker_reaches_nobody(void **state)
{
	(void)state;
	static const char *const denied[] = {"kill all: Operation not permitted",
		"kill kilnd: Operation not permitted", "queue: Operation not permitted",
		"tgkill: Operation not permitted", "pidfd: Operation not permitted",
		"attach: Operation not permitted",
		"read its memory: Operation not permitted", "environ: Permission denied",
		"mem: Permission denied", "init's maps: Permission denied",
		"inet: Operation not permitted", "netlink: Operation not permitted",
		"unshare: Operation not permitted", "bpf: Operation not permitted",
		"io_uring: Operation not permitted", "keyring: Operation not permitted",
		"setuid: Operation not permitted", "limits: Operation not permitted",
		NULL};
	expect_denied("stalker", one, denied);
}

/* What it tried is told: by name where it lived on, and where it died. */
static void
test_what_was_denied_is_named(void **state)
{
	(void)state;
#ifdef KILN_SANITIZED
	print_message("# SKIP a sanitizer handles signals itself\n");
	skip();
#else
	struct kd_manifest manifest;
	struct kd_result result;
	struct client client = {0};
	client_manifest(&manifest, &scratch, "hostile", "stalker", one);
	client_start(&client);
	assert_int_equal(client_run(&client, &manifest, &result), 0);
	kd_manifest_result_clear(&result);
	kd_manifest_clear(&manifest);
	const char *line = json_string_value(
		json_array_get(client.log, json_array_size(client.log) - 1));
	assert_non_null(line);
	print_message("# %s\n", line);
	static const char *const names[] = {"kernel 'stalker'", "was denied them: kill",
		"rt_sigqueueinfo", "pidfd_open", "ptrace", "process_vm_readv", "socket",
		"unshare", "bpf", "io_uring_setup", "keyctl", "setuid"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		assert_non_null(strstr(line, names[i]));
	client_manifest(&manifest, &scratch, "hostile", "trespass", three);
	assert_int_equal(client_run(&client, &manifest, &result), 0);
	client_expect(&result, 1, KD_UNIT_CRASHED,
		"was killed by SIGSEGV (plugin 'hostile' 6.6.6), which tried what no "
		"engine may (ptrace, unshare),");
	kd_manifest_result_clear(&result);
	kd_manifest_clear(&manifest);
	client_manifest(&manifest, &scratch, "hostile", "stubborn", three);
	assert_int_equal(client_run(&client, &manifest, &result), 0);
	client_expect(&result, 1, KD_UNIT_CRASHED,
		"was killed by SIGSYS, for a system call that no engine may make");
	kd_manifest_result_clear(&result);
	kd_manifest_clear(&manifest);
	assert_int_equal(client_stop(&client), 0);
#endif
}

static void
test_memory_cannot_be_shared(void **state)
{
	(void)state;
#ifdef KILN_SANITIZED
	print_message("# SKIP a sanitizer shares memory with itself\n");
	skip();
#else
	static const char *const denied[] = {"shared memory: Operation not permitted",
		"memfd: Operation not permitted", "System V: Operation not permitted",
		NULL};
	expect_denied("sharer", one, denied);
#endif
}

static void
test_descriptors_are_limited(void **state)
{
	(void)state;
	struct kd_manifest manifest;
	struct kd_result result;
	client_manifest(&manifest, &scratch, "hostile", "hoarder", one);
	client_once(&manifest, &result);
	print_message("# %s\n", result.units[0].reason);
	/* Whichever way it was told: the keeper has lived to say so. */
	assert_int_not_equal(result.units[0].status, KD_UNIT_PUBLISHED);
	kd_manifest_result_clear(&result);
}

static void
test_floods_are_stopped(void **state)
{
	(void)state;
	static const char *const kernels[] = {"flood-outputs", "flood-scratch"};
	for (size_t i = 0; i < 2; i++) {
		struct kd_manifest manifest;
		struct kd_result result;
		client_manifest(&manifest, &scratch, "hostile", kernels[i], one);
		manifest.output_limit = 8 << 20;
		manifest.wall_limit = 60;
		client_once(&manifest, &result);
		client_expect(&result, 0, KD_UNIT_CRASHED,
			"the engine wrote more than its output limit of 8388608 bytes");
		kd_manifest_result_clear(&result);
	}
}

static void
test_memory_is_limited(void **state)
{
	(void)state;
#ifdef KILN_SANITIZED
	print_message("# SKIP a sanitizer's shadow memory cannot be limited\n");
	skip();
#else
	struct kd_manifest manifest;
	struct kd_result result;
	client_manifest(&manifest, &scratch, "hostile", "greedy", one);
	manifest.memory_limit = 256 << 20;
	client_once(&manifest, &result);
	client_expect(&result, 0, KD_UNIT_TRANSIENT, "out of memory after 2");
	kd_manifest_result_clear(&result);
#endif
}

static void
test_output_is_limited(void **state)
{
	(void)state;
	struct kd_manifest manifest;
	struct kd_result result;
	client_manifest(&manifest, &scratch, "hostile", "big", one);
	manifest.output_limit = 100000;
	client_once(&manifest, &result);
	client_expect(&result, 0, KD_UNIT_BAD, "cannot write its output: File too large");
	kd_manifest_result_clear(&result);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_lies, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_poison_costs_only_those_behind_it, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_a_hang_meets_the_wall, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_a_hang_that_ignores_cancel, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_the_keeper_survives_and_serves_on, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_failures_of_the_whole, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_a_spy_sees_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_a_spy_with_a_gpu_sees_little, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_a_burglar_gets_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_a_stalker_reaches_nobody, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_what_was_denied_is_named, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_memory_cannot_be_shared, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_descriptors_are_limited, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_floods_are_stopped, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_memory_is_limited, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_output_is_limited, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
