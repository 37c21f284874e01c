/* SPDX-License-Identifier: BSD-2-Clause */
/* Plugins that crash, hang, lie and spy: each costs its own units and says why. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include "config.h"
#include "daemon/worker/protocol.h"
#include "tests/worker/client.h"
#include "tests/worker/scratch.h"

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int
set_up(void **state)
{
	scratch_set_up(state);
	scratch_write("in/a.txt", "first");
	scratch_write("in/b.txt", "second");
	scratch_write("in/c.txt", "third");
	return 0;
}

#define HOSTILE_TEST(name)                                                               \
	cmocka_unit_test_setup_teardown(name, set_up, scratch_tear_down)

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
lies_cost_only_those_behind_them(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
		struct kd_manifest manifest;
		struct kd_result result;
		client_manifest(&manifest, "hostile", lies[i].kernel, three);
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
	assert_false(scratch_exists("escaped"));
	assert_false(scratch_exists("out/.kiln-stage/escaped"));
}

static void
poison_costs_only_those_behind_it(void **state)
{
	(void)state;
	static const char *const names[] = {"a.txt", "poison.txt", "c.txt", NULL};
	struct kd_manifest manifest;
	struct kd_result result;
	scratch_write("in/poison.txt", "x");
	client_manifest(&manifest, "hostile", "crash-on-name", names);
	client_once(&manifest, &result);
	client_expect_published(&result, 0);
	client_expect(&result, 1, KD_UNIT_CRASHED, "SIGSEGV");
	client_expect(&result, 2, KD_UNIT_CRASHED, "SIGSEGV");
	kd_manifest_result_clear(&result);
}

static void
a_hang_meets_the_wall(void **state)
{
	(void)state;
	struct kd_manifest manifest;
	client_manifest(&manifest, "hostile", "hang", three);
	manifest.wall_limit = 0.5;
	client_expect_once(&manifest, 0, KD_UNIT_CRASHED,
		"the engine ran past its wall limit of 0.5 s (plugin 'hostile' 6.6.6)");
}

static int
cancel_on_progress(struct client *client, const struct kd_wire_message *message)
{
	if (message->type == KD_MSG_UNIT_PROGRESS)
		client_cancel(client);
	return 0;
}

static void
a_hang_that_ignores_cancel_is_killed(void **state)
{
	(void)state;
	struct client_batch batch = {.client = {.hook = cancel_on_progress}};
	client_manifest(&batch.manifest, "hostile", "hang", three);
	client_batch_run(&batch);
	client_expect(&batch.result, 0, KD_UNIT_CANCELLED,
		"cancelled; the engine did not stop within 5 s");
	client_batch_end(&batch);
}

static void
the_keeper_survives_and_serves_on(void **state)
{
	(void)state;
	struct kd_manifest manifest;
	struct kd_result result;
	struct client client = {0};
	client_start(&client);
	client_manifest(&manifest, "hostile", "segfault", three);
	assert_int_equal(client_run(&client, &manifest, &result), 0);
	client_expect(&result, 1, KD_UNIT_CRASHED, "SIGSEGV");
	kd_manifest_result_clear(&result);
	kd_manifest_clear(&manifest);
	client_manifest(&manifest, "copy", "copy", three);
	assert_int_equal(client_run(&client, &manifest, &result), 0);
	for (uint32_t i = 1; i < 3; i++)
		client_expect_published(&result, i);
	kd_manifest_result_clear(&result);
	kd_manifest_clear(&manifest);
	assert_int_equal(client_stop(&client), 0);
}

static void
failures_of_the_whole_are_said_of_each(void **state)
{
	(void)state;
	struct kd_manifest manifest;
	struct kd_result result;
	client_manifest(&manifest, "hostile", "whole-fails", three);
	client_once(&manifest, &result);
	client_expect_published(&result, 0);
	client_expect(&result, 1, KD_UNIT_TRANSIENT,
		"the oven is cold: expected 900 degrees, found 20");
	kd_manifest_result_clear(&result);
	client_manifest(&manifest, "hostile", "open-fails", three);
	client_once(&manifest, &result);
	client_expect(&result, 1, KD_UNIT_TRANSIENT, "the door is stuck");
	assert_string_equal(result.failure, "the door is stuck");
	kd_manifest_result_clear(&result);
}

/* What a unit by that kernel says of what it tried: all of these, which were denied. */
static void
expect_denied(
	struct kd_manifest *manifest, const char *const *denied, struct kd_result *result)
{
	client_once(manifest, result);
	print_message("# %s\n", result->units[0].reason);
	for (; *denied != NULL; denied++)
		client_expect(result, 0, KD_UNIT_BAD, *denied);
}

/* As that, and nothing else was let through. */
static void
expect_all_denied(const char *kernel, const char *const *names, const char *const *denied)
{
	struct kd_manifest manifest;
	struct kd_result result;
	client_manifest(&manifest, "hostile", kernel, names);
	expect_denied(&manifest, denied, &result);
	assert_null(strstr(result.units[0].reason, "SUCCEEDED"));
	kd_manifest_result_clear(&result);
}

#define FOR_NO_SPY                                                                       \
	"open /etc/passwd: Permission denied", "list /: Permission denied",              \
		"write /tmp: Permission denied", "socket: Operation not permitted",      \
		"fork: Operation not permitted", "exec: Operation not permitted",        \
		"kill the keeper: Operation not permitted",                              \
		"ptrace: Operation not permitted", "unlink: Operation not permitted"

static void
a_spy_sees_nothing(void **state)
{
	(void)state;
	static const char *const denied[] = {FOR_NO_SPY,
		"reopen the link: Permission denied",
#ifndef KILN_SANITIZED
		"executable memory: Operation not permitted",
#endif
		NULL};
	expect_all_denied("spy", one, denied);
}

/* The grant for a GPU is wider by NVIDIA's nodes, by libraries and by mapped code alone. */
static void
a_spy_with_a_gpu_sees_little(void **state)
{
	(void)state;
	static const char *const denied[] = {FOR_NO_SPY, NULL};
	struct kd_manifest manifest;
	struct kd_result result;
	client_manifest(&manifest, "hostile", "spy", one);
	free(manifest.device);
	manifest.device = strdup("cuda:0");
	expect_denied(&manifest, denied, &result);
	assert_non_null(strstr(result.units[0].reason, "executable memory: SUCCEEDED"));
	kd_manifest_result_clear(&result);
}

static void
a_burglar_gets_nothing(void **state)
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
	snprintf(name, sizeof name, "%s", scratch_folder);
	for (char *c = name; *c != '\0'; c++)
		*c = *c == '/' ? '+' : *c;
	char file[320];
	snprintf(file, sizeof file, "in/%s", name);
	scratch_write(file, "map");
	scratch_write("in/other.txt", "theirs");
	assert_int_equal(mkdir(scratch_path("state"), 0755), 0);
	scratch_write("state/ledger.db", "ours");
	expect_all_denied("burglar", names, denied);
	char *theirs = scratch_read("in/other.txt");
	assert_string_equal(theirs, "theirs");
	free(theirs);
}

static void
a_stalker_reaches_nobody(void **state)
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
	expect_all_denied("stalker", one, denied);
}

/* What it tried is told: by name where it lived on, and where it died. */
static void
what_was_denied_is_named(void **state)
{
	(void)state;
#ifdef KILN_SANITIZED
	print_message("# SKIP a sanitizer handles signals itself\n");
	skip();
#else
	struct kd_manifest manifest;
	struct kd_result result;
	struct client client = {0};
	client_manifest(&manifest, "hostile", "stalker", one);
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
	client_manifest(&manifest, "hostile", "trespass", three);
	assert_int_equal(client_run(&client, &manifest, &result), 0);
	client_expect(&result, 1, KD_UNIT_CRASHED,
		"was killed by SIGSEGV (plugin 'hostile' 6.6.6), which tried what no "
		"engine may (ptrace, unshare),");
	kd_manifest_result_clear(&result);
	kd_manifest_clear(&manifest);
	client_manifest(&manifest, "hostile", "stubborn", three);
	assert_int_equal(client_run(&client, &manifest, &result), 0);
	client_expect(&result, 1, KD_UNIT_CRASHED,
		"was killed by SIGSYS, for a system call that no engine may make");
	kd_manifest_result_clear(&result);
	kd_manifest_clear(&manifest);
	assert_int_equal(client_stop(&client), 0);
#endif
}

static void
memory_cannot_be_shared(void **state)
{
	(void)state;
#ifdef KILN_SANITIZED
	print_message("# SKIP a sanitizer shares memory with itself\n");
	skip();
#else
	static const char *const denied[] = {"shared memory: Operation not permitted",
		"memfd: Operation not permitted", "System V: Operation not permitted",
		NULL};
	expect_all_denied("sharer", one, denied);
#endif
}

static void
descriptors_are_limited(void **state)
{
	(void)state;
	struct kd_manifest manifest;
	struct kd_result result;
	client_manifest(&manifest, "hostile", "hoarder", one);
	client_once(&manifest, &result);
	print_message("# %s\n", result.units[0].reason);
	/* Whichever way it was told: the keeper has lived to say so. */
	assert_int_not_equal(result.units[0].status, KD_UNIT_PUBLISHED);
	kd_manifest_result_clear(&result);
}

static void
floods_are_stopped(void **state)
{
	(void)state;
	static const char *const kernels[] = {"flood-outputs", "flood-scratch"};
	for (size_t i = 0; i < 2; i++) {
		struct kd_manifest manifest;
		client_manifest(&manifest, "hostile", kernels[i], one);
		manifest.output_limit = 8 << 20;
		manifest.wall_limit = 60;
		client_expect_once(&manifest, 0, KD_UNIT_CRASHED,
			"the engine wrote more than its output limit of 8388608 bytes");
	}
}

static void
memory_is_limited(void **state)
{
	(void)state;
#ifdef KILN_SANITIZED
	print_message("# SKIP a sanitizer's shadow memory cannot be limited\n");
	skip();
#else
	struct kd_manifest manifest;
	client_manifest(&manifest, "hostile", "greedy", one);
	manifest.memory_limit = 256 << 20;
	client_expect_once(&manifest, 0, KD_UNIT_TRANSIENT, "out of memory after 2");
#endif
}

static void
output_is_limited(void **state)
{
	(void)state;
	struct kd_manifest manifest;
	client_manifest(&manifest, "hostile", "big", one);
	manifest.output_limit = 100000;
	client_expect_once(
		&manifest, 0, KD_UNIT_BAD, "cannot write its output: File too large");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		HOSTILE_TEST(lies_cost_only_those_behind_them),
		HOSTILE_TEST(poison_costs_only_those_behind_it),
		HOSTILE_TEST(a_hang_meets_the_wall),
		HOSTILE_TEST(a_hang_that_ignores_cancel_is_killed),
		HOSTILE_TEST(the_keeper_survives_and_serves_on),
		HOSTILE_TEST(failures_of_the_whole_are_said_of_each),
		HOSTILE_TEST(a_spy_sees_nothing),
		HOSTILE_TEST(a_spy_with_a_gpu_sees_little),
		HOSTILE_TEST(a_burglar_gets_nothing),
		HOSTILE_TEST(a_stalker_reaches_nobody),
		HOSTILE_TEST(what_was_denied_is_named),
		HOSTILE_TEST(memory_cannot_be_shared),
		HOSTILE_TEST(descriptors_are_limited),
		HOSTILE_TEST(floods_are_stopped),
		HOSTILE_TEST(memory_is_limited),
		HOSTILE_TEST(output_is_limited),
	};
	return cmocka_run_group_tests_name("worker/hostile", tests, NULL, NULL);
}
