/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What says that a drop is whole, other than quiet: a marker, a number of files, a rename.
 * Then it is taken at once; without it, it is not.
 */
#include "daemon/intake/filter.h"
#include "plugins/kiln_plugin.h"
#include "tests/intake/drop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void
markers_are_no_drops(void **state)
{
	(void)state;
	drop.rule.ready = KD_READY_MARKER;
	drop.rule.marker = (char *)".done";
	struct kd_filter_verdict v = kd_filter_entry(&drop.rule, "a/b.vmd.done", 0);
	assert_int_equal(v.unit, 7);
	assert_int_equal(v.marker, 1);
	assert_int_equal(kd_filter_entry(&drop.rule, "a/b.vmd", 0).marker, 0);
	assert_int_equal(kd_filter_entry(&drop.rule, "b.txt.done", 0).unit, 0);
	assert_int_equal(kd_filter_entry(&drop.rule, ".done", 0).unit, 0);
	drop.rule.match = drop_any;
	assert_int_equal(kd_filter_entry(&drop.rule, "b.part.done", 0).unit, 0);
	drop.rule.unit = KILN_DIRECTORY;
	assert_int_equal(kd_filter_entry(&drop.rule, "shot/.done", 0).marker, 1);
	assert_int_equal(kd_filter_entry(&drop.rule, "shot/sub/.done", 0).marker, 0);
}

static void
a_marked_file_is_taken_at_once(void **state)
{
	(void)state;
	drop.rule.ready = KD_READY_MARKER;
	drop.rule.marker = (char *)".done";
	drop.rule.settle = 3600;
	drop_put("before.vmd", "1");
	drop_put("before.vmd.done", "");
	drop_put("early.vmd.done", "");
	drop_begin();
	drop_wait_for(1, 5);
	assert_true(drop_times_seen("before.vmd") >= 1);
	drop_put("a.vmd", "22");
	drop_wait_for(2, 0.05);
	assert_int_equal(drop.seen_count, 1);
	assert_int_equal(kd_intake_settling(drop.intake), 0);
	/* Made and closed: told twice, which the ledger does not mind. */
	drop_put("a.vmd.done", "");
	drop_wait_for(2, 5);
	assert_true(drop_times_seen("a.vmd") >= 1);
	/* Its marker was there already: only quiet can tell when it is whole. */
	drop_put("early.vmd", "x");
	drop_wait_for(3, 0.05);
	assert_int_equal(drop.seen_count, 2);
	assert_int_equal(kd_intake_settling(drop.intake), 1);
}

static void
a_marked_directory_is_taken_at_once(void **state)
{
	(void)state;
	drop.rule.unit = KILN_DIRECTORY;
	drop.rule.match = drop_any;
	drop.rule.ready = KD_READY_MARKER;
	drop.rule.marker = (char *)"READY";
	drop.rule.settle = 3600;
	drop_put("only/READY", "");
	drop_put("old/1.png", "1");
	drop_put("old/sub/2.png", "2");
	drop_put("old/READY", "");
	drop_begin();
	drop_wait_for(1, 5);
	assert_true(drop_times_seen("old") >= 1);
	drop_put("shot/1.png", "1");
	drop_put("shot/sub/READY", "");
	drop_wait_for(2, 0.05);
	assert_int_equal(drop.seen_count, 1);
	drop_put("shot/READY", "ready");
	drop_wait_for(2, 5);
	assert_true(drop_times_seen("shot") >= 1);
	assert_int_equal(drop_times_seen("only"), 0);
	/* The marker is none of its bytes. */
	assert_int_equal(drop.seen[1].size, 1);
}

static void
a_marker_taken_back_holds_the_drop(void **state)
{
	(void)state;
	drop.rule.ready = KD_READY_MARKER;
	drop.rule.marker = (char *)".done";
	drop_put("a.vmd.done", "");
	drop_begin();
	drop_wait_for_scan();
	drop_put("a.vmd", "1");
	drop_wait_for(1, 0.02);
	assert_int_equal(unlinkat(drop.root, "a.vmd.done", 0), 0);
	drop_put("b.vmd", "1");
	drop_put("b.vmd.done", "1");
	drop_wait_for(2, 0.5);
	assert_int_equal(drop_times_seen("a.vmd"), 0);
	assert_true(drop_times_seen("b.vmd") >= 1);
	assert_int_equal(kd_intake_settling(drop.intake), 0);
}

static void
a_directory_is_counted(void **state)
{
	(void)state;
	drop.rule.unit = KILN_DIRECTORY;
	drop.rule.match = drop_any;
	drop.rule.ready = KD_READY_COUNT;
	drop.rule.count = 3;
	drop_put("shot/1.png", "1");
	drop_put("shot/2.png", "2");
	drop_begin();
	drop_wait_for(1, 0.4);
	assert_int_equal(drop.seen_count, 0);
	assert_int_equal(kd_intake_settling(drop.intake), 0);
	drop_put("shot/deep/3.png", "3");
	drop_wait_for(1, 5);
	assert_int_equal(drop_times_seen("shot"), 1);
	/* One too many is for the worker to refuse. */
	drop_put("more/1", "1");
	drop_put("more/2", "2");
	drop_put("more/3", "3");
	drop_put("more/4", "4");
	drop_wait_for(2, 5);
	assert_int_equal(drop_times_seen("more"), 1);
}

static void
what_is_renamed_is_taken_at_once(void **state)
{
	(void)state;
	drop.rule.ready = KD_READY_RENAME;
	drop.rule.settle = 3600;
	drop_put("before.vmd", "1");
	drop_begin();
	drop_wait_for(1, 5);
	assert_int_equal(drop_times_seen("before.vmd"), 1);
	drop_put("a.vmd", "written in place");
	drop_put("b.tmp", "x");
	assert_int_equal(renameat(drop.root, "b.tmp", drop.root, "b.vmd"), 0);
	drop_wait_for(2, 5);
	assert_int_equal(drop_times_seen("b.vmd"), 1);
	assert_int_equal(drop_times_seen("a.vmd"), 0);
	assert_int_equal(kd_intake_settling(drop.intake), 0);
	/* In a folder that is made here it may have come before our watch: it settles. */
	drop_put("sub/c.vmd", "x");
	drop_wait_for(3, 0.1);
	assert_int_equal(drop.seen_count, 2);
	assert_int_equal(kd_intake_settling(drop.intake), 1);
	kd_intake_rescan(drop.intake);
	drop_wait_for(4, 5);
	assert_int_equal(drop_times_seen("a.vmd"), 1);
	assert_int_equal(drop_times_seen("sub/c.vmd"), 1);
}

static void
a_renamed_directory_is_taken_at_once(void **state)
{
	(void)state;
	drop.rule.unit = KILN_DIRECTORY;
	drop.rule.match = drop_any;
	drop.rule.ready = KD_READY_RENAME;
	drop.rule.settle = 3600;
	drop_put(".kiln-aside/shot/1.png", "1");
	drop_put(".kiln-aside/frame.png", "2");
	drop_begin();
	drop_wait_for_scan();
	assert_int_equal(mkdirat(drop.root, "made", 0755), 0);
	assert_int_equal(
		renameat(drop.root, ".kiln-aside/frame.png", drop.root, "made/1.png"), 0);
	assert_int_equal(renameat(drop.root, ".kiln-aside/shot", drop.root, "shot"), 0);
	drop_wait_for(1, 5);
	assert_int_equal(drop_times_seen("shot"), 1);
	assert_int_equal(drop_times_seen("made"), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		DROP_TEST(markers_are_no_drops),
		DROP_TEST(a_marked_file_is_taken_at_once),
		DROP_TEST(a_marked_directory_is_taken_at_once),
		DROP_TEST(a_marker_taken_back_holds_the_drop),
		DROP_TEST(a_directory_is_counted),
		DROP_TEST(what_is_renamed_is_taken_at_once),
		DROP_TEST(a_renamed_directory_is_taken_at_once),
	};
	return cmocka_run_group_tests_name("intake/ready", tests, NULL, NULL);
}
