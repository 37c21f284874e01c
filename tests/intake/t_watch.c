/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A drop folder that comes later, or goes and comes, is found; a watch that has died is
 * noticed and renewed, and one that dies again is done without.
 */
#include "tests/intake/drop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <cmocka.h>

static void
a_drop_folder_may_come_later(void **state)
{
	(void)state;
	char later[80];
	const char *why;
	snprintf(later, sizeof later, "%s/later", drop.folder);
	drop.rule.watch = later;
	drop_begin();
	assert_int_equal(kd_intake_state(drop.intake, &why), KD_INTAKE_WAITING);
	assert_string_equal(why, "No such file or directory");
	drop_put("later/a.vmd", "x");
	kd_intake_rescan(drop.intake);
	drop_wait_for(1, 5);
	assert_int_equal(kd_intake_state(drop.intake, &why), KD_INTAKE_WATCHING);
	assert_int_equal(drop_times_seen("a.vmd"), 1);
	/* Away again, and back with something else. */
	assert_int_equal(renameat(drop.root, "later", drop.root, "aside"), 0);
	drop_wait_for(2, 0.05);
	assert_int_equal(kd_intake_state(drop.intake, &why), KD_INTAKE_WAITING);
	drop_put("later/b.vmd", "x");
	kd_intake_rescan(drop.intake);
	drop_wait_for(2, 5);
	assert_int_equal(drop_times_seen("b.vmd"), 1);
}

/* The first of our inotify instances whose descriptor is not below fd; -1: there is none. */
static int
next_inotify(int fd)
{
	char path[64], target[64];
	for (; fd < 64; fd++) {
		snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
		ssize_t length = readlink(path, target, sizeof target - 1);
		if (length < 0)
			continue;
		target[length] = '\0';
		if (strcmp(target, "anon_inode:inotify") == 0)
			return fd;
	}
	return -1;
}

/* Takes away what the kernel has told of, so that nobody can know: how many bytes. */
static ssize_t
steal_events(void)
{
	char events[65536];
	ssize_t stolen = 0, length;
	for (int fd = next_inotify(3); fd >= 0; fd = next_inotify(fd + 1))
		while ((length = read(fd, events, sizeof events)) > 0)
			stolen += length;
	return stolen;
}

/* Takes all watches of our instance away, and what the kernel says of that. */
static void
kill_watches(void)
{
	char path[64], line[256];
	int killed = 0;
	for (int fd = next_inotify(3); fd >= 0; fd = next_inotify(fd + 1)) {
		snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
		FILE *info = fopen(path, "re");
		int wd;
		while (info != NULL && fgets(line, sizeof line, info) != NULL)
			if (sscanf(line, "inotify wd:%x", (unsigned *)&wd) == 1)
				killed += inotify_rm_watch(fd, wd) == 0;
		fclose(info);
	}
	steal_events();
	assert_true(killed > 0);
}

static void
turn(int times)
{
	for (int i = 0; i < times; i++)
		ev_run(drop.loop, EVRUN_NOWAIT);
}

static void
a_watch_that_died_is_renewed(void **state)
{
	(void)state;
	const char *why;
	drop_begin();
	drop_put("sub/a.vmd", "a");
	drop_wait_for(1, 10);
	drop_wait_for_scan();
	for (int i = 0; i < 3; i++) {
		assert_true(kd_intake_prove(drop.intake));
		turn(3);
	}
	assert_int_equal(kd_intake_lost(drop.intake), 0);
	kill_watches();
	/* No event tells of these. */
	drop_put("b.vmd", "b");
	drop_put("sub/c.vmd", "c");
	assert_true(kd_intake_prove(drop.intake));
	assert_int_equal(kd_intake_lost(drop.intake), 1);
	drop_wait_for(3, 10);
	assert_int_equal(drop_times_seen("b.vmd") + drop_times_seen("sub/c.vmd"), 2);
	assert_int_equal(kd_intake_state(drop.intake, &why), KD_INTAKE_WATCHING);
	/* It lives again, below as well. */
	drop_wait_for_scan();
	assert_true(kd_intake_prove(drop.intake));
	turn(3);
	assert_true(kd_intake_prove(drop.intake));
	drop_put("sub/d.vmd", "d");
	drop_wait_for(4, 10);
	assert_int_equal(drop_times_seen("sub/d.vmd"), 1);
	assert_int_equal(kd_intake_lost(drop.intake), 1);
}

/* The kernel still has it, and was heard to say nothing of what it was asked. */
static void
a_watch_that_is_mute_is_renewed(void **state)
{
	(void)state;
	drop_begin();
	drop_wait_for_scan();
	turn(3);
	assert_true(kd_intake_prove(drop.intake));
	assert_true(steal_events() > 0);
	drop_put("a.vmd", "a");
	assert_true(steal_events() > 0);
	assert_true(kd_intake_prove(drop.intake));
	assert_int_equal(kd_intake_lost(drop.intake), 1);
	drop_wait_for(1, 10);
	assert_int_equal(drop_times_seen("a.vmd"), 1);
}

static void
a_watch_that_dies_again_is_polled(void **state)
{
	(void)state;
	const char *why;
	drop_begin();
	drop_wait_for_scan();
	kill_watches();
	assert_true(kd_intake_prove(drop.intake));
	drop_wait_for_scan();
	kill_watches();
	assert_true(kd_intake_prove(drop.intake));
	drop_wait_for_scan();
	assert_int_equal(kd_intake_lost(drop.intake), 2);
	assert_int_equal(kd_intake_state(drop.intake, &why), KD_INTAKE_POLLING);
	assert_non_null(strstr(why, "events do not come"));
	/* What is polled has nothing to prove. */
	kill_watches();
	assert_true(kd_intake_prove(drop.intake));
	assert_int_equal(kd_intake_lost(drop.intake), 2);
}

/* Events that lie there unread are another's fault than the kernel's. */
static void
a_loop_that_does_not_read_is_told(void **state)
{
	(void)state;
	drop_begin();
	drop_wait_for_scan();
	turn(3);
	assert_true(kd_intake_prove(drop.intake));
	/* Once may be a loop that was held up. */
	assert_true(kd_intake_prove(drop.intake));
	assert_false(kd_intake_prove(drop.intake));
	turn(3);
	assert_true(kd_intake_prove(drop.intake));
	turn(3);
	assert_true(kd_intake_prove(drop.intake));
	assert_int_equal(kd_intake_lost(drop.intake), 0);
}

/* Two rules may watch one folder, or one the other's parent. */
static void
two_rules_prove_one_folder(void **state)
{
	(void)state;
	char below[80];
	drop_put("sub/a.vmd", "a");
	drop_begin();
	snprintf(below, sizeof below, "%s/sub", drop.folder);
	struct kd_rule other = drop.rule, third = drop.rule;
	other.watch = below;
	struct kd_intake *same =
		kd_intake_new(drop.loop, drop.inotify, &third, &drop.handler);
	struct kd_intake *inner =
		kd_intake_new(drop.loop, drop.inotify, &other, &drop.handler);
	while (!kd_intake_is_current(drop.intake) || !kd_intake_is_current(same) ||
		!kd_intake_is_current(inner))
		ev_run(drop.loop, EVRUN_ONCE);
	for (int i = 0; i < 4; i++) {
		assert_true(kd_intake_prove(drop.intake));
		assert_true(kd_intake_prove(same));
		assert_true(kd_intake_prove(inner));
		turn(3);
	}
	assert_int_equal(kd_intake_lost(drop.intake) + kd_intake_lost(same) +
				 kd_intake_lost(inner),
		0);
	kd_intake_free(same);
	kd_intake_free(inner);
	drop_put("sub/b.vmd", "b");
	drop_wait_for(3, 10);
	assert_int_equal(drop_times_seen("sub/b.vmd"), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		DROP_TEST(a_drop_folder_may_come_later),
		DROP_TEST(a_watch_that_died_is_renewed),
		DROP_TEST(a_watch_that_is_mute_is_renewed),
		DROP_TEST(a_watch_that_dies_again_is_polled),
		DROP_TEST(a_loop_that_does_not_read_is_told),
		DROP_TEST(two_rules_prove_one_folder),
	};
	return cmocka_run_group_tests_name("intake/watch", tests, NULL, NULL);
}
