/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SIGKILL of the engine and of the keeper, each at ten moments and more.  Moments are
 * events, not times: the N-th message, the N-th name that appears in the output folder.
 * Afterwards every name in the output folder is whole, and the next run leaves each unit
 * published exactly once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include "daemon/publish/stage.h"
#include "tests/worker/client.h"
#include "tests/worker/scratch.h"

#include <cmocka.h>

#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const names[] = {
	"a.txt", "b.txt", "c.txt", "d.txt", "e.txt", "f.txt", NULL};
enum { UNITS = 6, PATIENCE = 60000 /* ms */ };

struct kill_at {
	int message; /* kill when this many messages were seen */
	int engine;  /* the engine, not the keeper */
	int happened;
	int orphan; /* pidfd of the engine of a killed keeper; -1: none */
};

static int
kill_hook(struct client *client, const struct kd_wire_message *message)
{
	struct kill_at *at = client->context;
	(void)message;
	if (client->seen != at->message)
		return 0;
	pid_t engine = client_engine(client);
	if (engine != 0 && !at->engine)
		at->orphan = (int)syscall(SYS_pidfd_open, engine, 0);
	pid_t victim = at->engine ? engine : client->keeper;
	if (victim > 0 && kill(victim, SIGKILL) == 0)
		at->happened = 1;
	return 0;
}

/* How many primaries there are; each has its sidecar. */
static int
count_outputs(void)
{
	DIR *dir = opendir(scratch_path("out"));
	const struct dirent *entry;
	int primaries = 0;
	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL) {
		char name[600];
		if (entry->d_name[0] == '.' || strstr(entry->d_name, ".kiln.json"))
			continue;
		snprintf(name, sizeof name, "out/%s.kiln.json", entry->d_name);
		json_t *sidecar = json_load_file(scratch_path(name), 0, NULL);
		if (sidecar == NULL)
			fail_msg("'%s' is there without its sidecar", entry->d_name);
		json_decref(sidecar);
		primaries++;
	}
	closedir(dir);
	return primaries;
}

static void
prepare(struct kd_manifest *manifest, const char *plugin, const char *kernel)
{
	scratch_set_up(NULL);
	for (int i = 0; i < UNITS; i++) {
		char name[20], text[20];
		snprintf(name, sizeof name, "in/%s", names[i]);
		snprintf(text, sizeof text, "content %d", i);
		scratch_write(name, text);
	}
	client_manifest(manifest, plugin, kernel, names);
}

/* The next attempt, undisturbed. */
static void
expect_recovery(const struct kd_manifest *manifest)
{
	struct client client = {0};
	struct kd_result result;
	count_outputs();
	client_start(&client);
	assert_int_equal(client_run(&client, manifest, &result), 0);
	for (uint32_t i = 0; i < UNITS; i++)
		client_expect_published(&result, i);
	kd_manifest_result_clear(&result);
	assert_int_equal(client_stop(&client), 0);
	assert_int_equal(count_outputs(), UNITS);
	assert_int_equal(scratch_count("out/" KD_STAGE_FOLDER), 0);
}

static int
kill_once(const char *kernel, struct kill_at *at)
{
	struct kd_manifest manifest;
	struct kd_result result;
	prepare(&manifest, "hostile", kernel);
	struct client client = {.hook = kill_hook, .context = at};
	client_start(&client);
	int rc = client_run(&client, &manifest, &result);
	if (rc == 0)
		kd_manifest_result_clear(&result);
	client_stop(&client);
	if (at->orphan >= 0) {
		/* An engine dies with its keeper. */
		struct pollfd ended = {.fd = at->orphan, .events = POLLIN};
		assert_int_equal(poll(&ended, 1, PATIENCE), 1);
		close(at->orphan);
	}
	expect_recovery(&manifest);
	kd_manifest_clear(&manifest);
	scratch_tear_down(NULL);
	return at->happened;
}

/* Kills at message `first` and every `step` behind it, until there are no more. */
static void
sweep(int engine, int first, int step)
{
	int kills = 0, misses = 0;
	for (int message = first; kills < 12 && misses < 5; message += step) {
		struct kill_at at = {.message = message, .engine = engine, .orphan = -1};
		int killed = kill_once("steps", &at);
		kills += killed;
		misses += !killed;
	}
	print_message("# %d kills\n", kills);
	assert_true(kills >= 10);
}

static void
a_keeper_killed_between_messages_loses_nothing(void **state)
{
	(void)state;
	sweep(0, 1, 2);
}

static void
an_engine_killed_between_messages_loses_nothing(void **state)
{
	(void)state;
	/* Before the last HASHED there is none. */
	sweep(1, UNITS + 1, 2);
}

/* Publishing says nothing on the link: a second process watches names appear. */
static pid_t
start_watcher(pid_t keeper, int wanted)
{
	int fd = inotify_init1(IN_CLOEXEC);
	assert_true(inotify_add_watch(fd, scratch_path("out"), IN_MOVED_TO) >= 0);
	pid_t watcher = fork();
	assert_true(watcher >= 0);
	if (watcher != 0) {
		close(fd);
		return watcher;
	}
	char events[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	for (int seen = 0; seen < wanted;) {
		ssize_t got = read(fd, events, sizeof events);
		if (got <= 0)
			_exit(1);
		for (char *at = events; at < events + got; seen++)
			at += sizeof(struct inotify_event) +
			      ((struct inotify_event *)(void *)at)->len;
	}
	kill(keeper, SIGKILL);
	_exit(0);
}

static void
a_keeper_killed_while_it_publishes_loses_nothing(void **state)
{
	(void)state;
	int kills = 0;
	for (int wanted = 1; wanted <= 2 * UNITS; wanted++) {
		struct kd_manifest manifest;
		struct kd_result result;
		struct client client = {0};
		int status;
		prepare(&manifest, "copy", "copy");
		client_start(&client);
		pid_t watcher = start_watcher(client.keeper, wanted);
		if (client_run(&client, &manifest, &result) == 0)
			kd_manifest_result_clear(&result);
		/* The keeper is not reaped before: its pid cannot be anybody else's. */
		assert_int_equal(waitpid(watcher, &status, 0), watcher);
		assert_int_equal(status, 0);
		kills += WIFSIGNALED(client_stop(&client)) ? 1 : 0;
		expect_recovery(&manifest);
		kd_manifest_clear(&manifest);
		scratch_tear_down(NULL);
	}
	print_message("# %d of %d keepers were killed\n", kills, 2 * UNITS);
	assert_true(kills >= 10);
}

static void
a_sidecar_without_its_primary_is_redone(void **state)
{
	(void)state;
	struct kd_manifest manifest;
	prepare(&manifest, "copy", "copy");
	expect_recovery(&manifest);
	/* As if it had died between the two renames. */
	assert_int_equal(unlink(scratch_path("out/c.txt")), 0);
	expect_recovery(&manifest);
	kd_manifest_clear(&manifest);
	scratch_tear_down(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_keeper_killed_between_messages_loses_nothing),
		cmocka_unit_test(an_engine_killed_between_messages_loses_nothing),
		cmocka_unit_test(a_keeper_killed_while_it_publishes_loses_nothing),
		cmocka_unit_test(a_sidecar_without_its_primary_is_redone),
	};
	return cmocka_run_group_tests_name("worker/kill", tests, NULL, NULL);
}
