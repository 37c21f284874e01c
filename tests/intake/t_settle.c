/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A drop folder for real: what arrives settles once, however it arrives; what goes on
 * being written does not.
 */
#include "daemon/intake/filter.h"
#include "plugins/kiln_plugin.h"
#include "tests/intake/drop.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void
names_that_are_no_units(void **state)
{
	(void)state;
	char **vmd = drop.rule.match;
	struct kd_filter_verdict v = kd_filter_entry(&drop.rule, "a/b.vmd", 0);
	assert_int_equal(v.unit, 7);
	assert_int_equal(kd_filter_entry(&drop.rule, "b.vmd.part", 0).unit, 0);
	assert_int_equal(kd_filter_entry(&drop.rule, "b.txt", 0).unit, 0);
	drop.rule.match = drop_any;
	assert_int_equal(kd_filter_entry(&drop.rule, "b.npz.kiln.json", 0).unit, 0);
	assert_int_equal(kd_filter_entry(&drop.rule, ".kiln-stage", 1).descend, 0);
	assert_int_equal(kd_filter_entry(&drop.rule, "sub", 1).descend, 1);
	drop.rule.recursive = 0;
	assert_int_equal(kd_filter_entry(&drop.rule, "sub", 1).descend, 0);
	/* A folder where the pattern asks for a file is a unit, for the worker to
	 * refuse. */
	drop.rule.match = vmd;
	assert_int_equal(kd_filter_entry(&drop.rule, "trap.vmd", 1).unit, 8);
	drop.rule.unit = KILN_DIRECTORY;
	drop.rule.match = drop_any;
	v = kd_filter_entry(&drop.rule, "shot/deep/frame.png", 0);
	assert_int_equal(v.unit, 4);
	assert_int_equal(kd_filter_entry(&drop.rule, "loose.png", 0).unit, 0);
}

static void
what_was_there_before_is_found(void **state)
{
	(void)state;
	drop_put("a.vmd", "1");
	drop_put("deep/er/b.vmd", "22");
	drop_put("c.txt", "3");
	drop_begin();
	drop_wait_for(2, 5);
	assert_int_equal(drop.seen_count, 2);
	assert_int_equal(drop_times_seen("a.vmd"), 1);
	assert_int_equal(drop_times_seen("deep/er/b.vmd"), 1);
	assert_true(kd_intake_is_current(drop.intake));
}

static void
trees_made_in_one_go_are_not_missed(void **state)
{
	(void)state;
	drop_begin();
	drop_wait_for_scan();
	char path[64];
	for (int i = 0; i < 300; i++) {
		snprintf(path, sizeof path, "t%d/a/b/c/x.vmd", i);
		drop_put(path, "x");
	}
	drop_wait_for(300, 10);
	assert_int_equal(drop.seen_count, 300);
	for (int i = 0; i < drop.seen_count; i++)
		assert_int_equal(drop.seen[i].count, 1);
}

static void
a_tree_moved_in_is_found(void **state)
{
	(void)state;
	drop_put(".hidden.part/x/y.vmd", "abc");
	drop_begin();
	drop_wait_for_scan();
	assert_int_equal(renameat(drop.root, ".hidden.part", drop.root, "shown"), 0);
	drop_wait_for(1, 5);
	assert_int_equal(drop_times_seen("shown/x/y.vmd"), 1);
}

/* Goes on writing every 50 ms, more often than the quiet time. */
struct writer {
	ev_timer timer;
	int fd, left;
};

static void
write_more(struct ev_loop *l, ev_timer *timer, int events)
{
	(void)events;
	struct writer *writer = (struct writer *)timer;
	assert_int_equal(write(writer->fd, "more", 4), 4);
	assert_int_equal(drop.seen_count, 0);
	if (--writer->left == 0) {
		close(writer->fd);
		ev_timer_stop(l, timer);
	}
}

static void
what_is_still_written_waits(void **state)
{
	(void)state;
	struct writer writer = {.left = 12};
	drop_begin();
	writer.fd = openat(drop.root, "slow.vmd", O_WRONLY | O_CREAT, 0644);
	ev_timer_init(&writer.timer, write_more, 0.05, 0.05);
	ev_timer_start(drop.loop, &writer.timer);
	drop_wait_for(1, 5);
	assert_int_equal(writer.left, 0);
	assert_int_equal(drop_times_seen("slow.vmd"), 1);
	assert_int_equal(drop.seen[0].size, 48);
}

static void
a_folder_settles_as_a_whole(void **state)
{
	(void)state;
	drop.rule.unit = KILN_DIRECTORY;
	drop.rule.match = drop_any;
	assert_int_equal(mkdirat(drop.root, "empty", 0755), 0);
	drop_put("shot/1.png", "1");
	drop_begin();
	drop_wait_for_scan();
	/* A machine that was away for longer than the quiet time has rightly seen it so. */
	int early = drop_times_seen("shot");
	drop_put("shot/sub/2.png", "22");
	while (drop_times_seen("shot") == early)
		ev_run(drop.loop, EVRUN_ONCE);
	assert_int_equal(drop.seen[0].size, 3);
	assert_int_equal(drop_times_seen("shot"), early + 1);
	assert_int_equal(drop_times_seen("empty"), 0);
}

static void
names_that_vanish_are_forgotten(void **state)
{
	(void)state;
	drop_begin();
	drop_wait_for_scan();
	drop_put("gone.vmd", "x");
	kd_inotify_drain(drop.inotify);
	assert_int_equal(kd_intake_settling(drop.intake), 1);
	assert_int_equal(unlinkat(drop.root, "gone.vmd", 0), 0);
	drop_put("stays.vmd", "x");
	drop_wait_for(1, 5);
	assert_int_equal(drop_times_seen("stays.vmd"), 1);
	assert_int_equal(drop_times_seen("gone.vmd"), 0);
	assert_int_equal(kd_intake_settling(drop.intake), 0);
}

static void
draining_is_a_barrier(void **state)
{
	(void)state;
	drop_begin();
	drop_wait_for_scan();
	char path[64];
	for (int i = 0; i < 500; i++) {
		snprintf(path, sizeof path, "%d.vmd", i);
		drop_put(path, "x");
	}
	kd_inotify_drain(drop.inotify);
	assert_int_equal(kd_intake_settling(drop.intake), 500);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		DROP_TEST(names_that_are_no_units),
		DROP_TEST(what_was_there_before_is_found),
		DROP_TEST(trees_made_in_one_go_are_not_missed),
		DROP_TEST(a_tree_moved_in_is_found),
		DROP_TEST(what_is_still_written_waits),
		DROP_TEST(a_folder_settles_as_a_whole),
		DROP_TEST(names_that_vanish_are_forgotten),
		DROP_TEST(draining_is_a_barrier),
	};
	return cmocka_run_group_tests_name("intake/settle", tests, NULL, NULL);
}
