/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files that make a unit together, numbered or by their stem: whose is whose, when they are
 * complete, and what one that comes late does.
 */
#include "plugins/kiln_plugin.h"
#include "tests/intake/drop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void
sequence_rule(int64_t first, int64_t last, enum kd_gaps gaps)
{
	static char *frames[] = {(char *)"*.png", NULL};
	drop.rule.unit = KILN_SEQUENCE;
	drop.rule.match = frames;
	drop.rule.sequence.first = first;
	drop.rule.sequence.last = last;
	drop.rule.sequence.gaps = gaps;
	drop.rule.sequence.wait = 0.4;
}

static void
put_frames(const char *format, int from, int to)
{
	char path[256];
	for (int i = from; i <= to; i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(path, sizeof path, format, i);
#pragma GCC diagnostic pop
		drop_put(path, "frame");
	}
}

static void
a_sequence_is_taken_with_its_last_frame(void **state)
{
	(void)state;
	sequence_rule(1, 10, KD_GAPS_REFUSE);
	put_frames("old/f_%04d.png", 1, 10);
	put_frames("new/f_%04d.png", 0, 9);
	drop_put("new/notes.png", "no number");
	drop_begin();
	drop_wait_for(1, 5);
	assert_int_equal(drop_times_seen("old/f_%04d.png"), 1);
	assert_int_equal(drop.seen[0].size, 50);
	drop_wait_for(2, 0.3);
	assert_int_equal(drop.seen_count, 1);
	assert_int_equal(kd_intake_settling(drop.intake), 0);
	/* Beyond the last, and before the first: not the sequence's. */
	put_frames("new/f_%04d.png", 10, 12);
	drop_wait_for(2, 5);
	assert_int_equal(drop_times_seen("new/f_%04d.png"), 1);
	assert_int_equal(drop.seen[1].size, 50);
}

static void
stems_and_paddings_are_sequences_of_their_own(void **state)
{
	(void)state;
	sequence_rule(-1, -1, KD_GAPS_REFUSE);
	put_frames("a_%d.png", 1, 12);
	put_frames("a_%02d.png", 1, 9);
	put_frames("b_%04d.png", 998, 1002);
	put_frames("%03d.png", 1, 3);
	put_frames("b_%04d.jpg", 1, 3);
	drop_put("b_12345678901234567890.png", "no number anybody counts by");
	drop_begin();
	drop_wait_for(4, 5);
	drop_wait_for(5, 0.3);
	assert_int_equal(drop.seen_count, 4);
	/* 10 to 12 are what both patterns make of these numbers. */
	assert_int_equal(drop_times_seen("a_%d.png"), 1);
	assert_int_equal(drop_times_seen("a_%02d.png"), 1);
	assert_int_equal(drop_times_seen("b_%04d.png"), 1);
	assert_int_equal(drop_times_seen("%03d.png"), 1);
	for (int i = 0; i < drop.seen_count; i++)
		if (strcmp(drop.seen[i].path, "b_%04d.png") == 0)
			assert_int_equal(drop.seen[i].size, 25);
		else if (drop.seen[i].path[0] == 'a')
			assert_int_equal(drop.seen[i].size, 60);
}

static void
a_late_frame_opens_its_sequence_again(void **state)
{
	(void)state;
	sequence_rule(1, -1, KD_GAPS_ALLOW);
	put_frames("f_%04d.png", 1, 3);
	drop_begin();
	drop_wait_for(1, 5);
	put_frames("f_%04d.png", 5, 5);
	drop_wait_for(2, 1);
	assert_int_equal(drop.seen_count, 1);
	assert_int_equal(drop.seen[0].count, 2);
	assert_int_equal(drop.seen[0].size, 20);
}

static void
a_gap_is_waited_for(void **state)
{
	(void)state;
	sequence_rule(1, 5, KD_GAPS_WAIT);
	put_frames("filled/f_%d.png", 1, 3);
	put_frames("filled/f_%d.png", 5, 5);
	put_frames("open/f_%d.png", 1, 3);
	put_frames("open/f_%d.png", 5, 5);
	drop_begin();
	drop_wait_for(1, 0.3);
	assert_int_equal(drop.seen_count, 0);
	put_frames("filled/f_%d.png", 4, 4);
	drop_wait_for(1, 5);
	assert_int_equal(drop_times_seen("filled/f_%d.png"), 1);
	assert_int_equal(drop.seen[0].size, 25);
	/* Handed on for the worker to refuse. */
	drop_wait_for(2, 5);
	assert_int_equal(drop_times_seen("open/f_%d.png"), 1);
	assert_int_equal(drop.seen[1].size, 20);
}

/* Those that wait are told of, for they are kept in mind; what one waits for gets through
 * where there is room for nothing else, and then it is not waited for any more. */
static void
what_is_waited_for_is_counted(void **state)
{
	(void)state;
	sequence_rule(1, 3, KD_GAPS_WAIT);
	drop.rule.sequence.wait = 3600;
	put_frames("a/f_%d.png", 1, 1);
	put_frames("a/f_%d.png", 3, 3);
	put_frames("b/f_%d.png", 1, 1);
	put_frames("b/f_%d.png", 3, 3);
	drop_begin();
	while (kd_intake_waiting(drop.intake) < 2)
		ev_run(drop.loop, EVRUN_ONCE);
	drop_wait_for_scan();
	kd_intake_set_room(drop.intake, 0);
	put_frames("c/f_%d.png", 1, 3);
	put_frames("a/f_%d.png", 2, 2);
	drop_wait_for(1, 5);
	assert_string_equal(drop.seen[0].path, "a/f_%d.png");
	assert_int_equal(kd_intake_waiting(drop.intake), 1);
	assert_int_equal(kd_intake_settling(drop.intake), 0);
	assert_true(kd_intake_is_waited_for(drop.intake, "b/f_1.png"));
}

static void
a_bundle_settles_with_its_companions(void **state)
{
	(void)state;
	static char *meshes[] = {(char *)"*.obj", NULL};
	drop.rule.unit = KILN_BUNDLE;
	drop.rule.match = meshes;
	drop_put("m/chair.obj", "12345");
	drop_put("m/chair.mtl", "123");
	drop_put("m/chair_diffuse.png", "12");
	drop_put("m/chair_big.obj", "1");
	drop_put("m/chair_big.mtl", "1");
	drop_put("m/chair.png.part", "ignored");
	drop_put("m/stray.png", "1234567");
	drop_begin();
	drop_wait_for(2, 5);
	assert_int_equal(drop_times_seen("m/chair.obj"), 1);
	assert_int_equal(drop_times_seen("m/chair_big.obj"), 1);
	for (int i = 0; i < 2; i++)
		assert_int_equal(drop.seen[i].size,
			strcmp(drop.seen[i].path, "m/chair.obj") == 0 ? 10 : 2);
	/* A texture that comes late makes it another. */
	drop_put("m/chair_normal_2k.png", "1234");
	drop_wait_for(3, 1);
	assert_int_equal(drop.seen_count, 2);
	assert_int_equal(drop_times_seen("m/chair.obj"), 2);
	assert_int_equal(drop_times_seen("m/chair_big.obj"), 1);
	assert_int_equal(kd_intake_settling(drop.intake), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		DROP_TEST(a_sequence_is_taken_with_its_last_frame),
		DROP_TEST(stems_and_paddings_are_sequences_of_their_own),
		DROP_TEST(a_late_frame_opens_its_sequence_again),
		DROP_TEST(a_gap_is_waited_for),
		DROP_TEST(what_is_waited_for_is_counted),
		DROP_TEST(a_bundle_settles_with_its_companions),
	};
	return cmocka_run_group_tests_name("intake/families", tests, NULL, NULL);
}
