/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * However much is dropped at once, one turn of the loop does a bounded part of it, counted
 * in entries and units; and no more is held in memory than there is room for.
 */
#include "daemon/base/file.h"
#include "daemon/intake/census.h"
#include "daemon/intake/look.h"
#include "plugins/kiln_plugin.h"
#include "tests/intake/drop.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { MOST = 6000 };

static char *none[] = {NULL};
static int times[MOST], settled; /* by the number that a unit is named */

static void
on_settled(void *context, const struct kd_unit *unit)
{
	(void)context;
	int number = atoi(unit->path);
	assert_in_range(number, 0, MOST - 1);
	times[number]++;
	settled++;
}

static int
set_up(void **state)
{
	memset(times, 0, sizeof times);
	settled = 0;
	if (drop_set_up(state) < 0)
		return -1;
	drop.handler.settled = on_settled;
	drop.rule.match = drop_any;
	drop.rule.ignore = none;
	drop.rule.settle = 0.05;
	drop.rule.backlog = 100000;
	return 0;
}

/* Files PATH/FROM to PATH/TO - 1 ("" the top), of which each is its number long. */
static void
put_files(const char *path, int from, int to)
{
	for (int i = from; i < to; i++) {
		char name[64];
		snprintf(name, sizeof name, "%s%d.png", path, i);
		assert_int_equal(kd_file_make_parents(drop.root, name, 0), 0);
		int fd = openat(drop.root, name, O_WRONLY | O_CREAT | O_EXCL, 0644);
		assert_true(fd >= 0);
		assert_int_equal(ftruncate(fd, i), 0);
		close(fd);
	}
}

static void
a_large_directory_is_looked_at_in_parts(void **state)
{
	(void)state;
	struct kd_look_walk *walk = kd_look_walk_new();
	const struct kd_look_wanted wanted = {.root = drop.root, .path = "shot"},
				    other = {.root = drop.root, .path = "other"};
	struct kd_look whole = {0}, parts = {0}, look;
	int entries = 10000, turns = 1;
	put_files("shot/", 0, 300);
	put_files("shot/deep/er/", 0, 300);
	put_files("other/", 0, 3);
	assert_int_equal(kd_look_directory(walk, &wanted, &entries, &whole), 0);
	assert_true(entries <= 10000 - 602);
	assert_int_equal(whole.files, 600);
	assert_int_equal(whole.identity.size, 2 * 299 * 300 / 2);
	for (entries = 100; kd_look_directory(walk, &wanted, &entries, &parts) != 0;
		turns++) {
		assert_int_equal(entries, 0);
		entries = 100;
	}
	assert_in_range(turns, 7, 8);
	assert_memory_equal(&whole, &parts, sizeof whole);
	/* Another one in between: the first begins anew. */
	entries = 100;
	assert_int_equal(
		kd_look_directory(walk, &wanted, &entries, &look), KD_SETTLE_MORE);
	entries = 100;
	assert_int_equal(kd_look_directory(walk, &other, &entries, &look), 0);
	assert_int_equal(look.files, 3);
	entries = 10000;
	memset(&look, 0, sizeof look);
	assert_int_equal(kd_look_directory(walk, &wanted, &entries, &look), 0);
	assert_memory_equal(&whole, &look, sizeof whole);
	kd_look_walk_free(walk);
}

static void
a_large_folder_of_families_is_read_in_parts(void **state)
{
	(void)state;
	static const uint32_t kinds[] = {KILN_SEQUENCE, KILN_BUNDLE};
	static const char *const families[] = {"/.png", "7"};
	put_files("", 0, 1000);
	for (int k = 0; k < 2; k++) {
		drop.rule.unit = kinds[k];
		drop.rule.sequence.first = drop.rule.sequence.last = -1;
		struct kd_census *census = kd_census_new(drop.loop, &drop.rule);
		struct kd_settle_reach reach = {
			.entries = 100, .since = ev_now(drop.loop)};
		struct kd_look look;
		int turns = 1, rc;
		for (; (rc = kd_census_take(census, drop.root, "", &reach)) ==
			KD_SETTLE_MORE;
			turns++) {
			assert_int_equal(reach.entries, 0);
			reach.entries = 100;
		}
		assert_int_equal(rc, 0);
		/* Bundles are read twice: their main files first. */
		assert_in_range(turns, k == 0 ? 10 : 20, k == 0 ? 12 : 22);
		assert_int_equal(kd_census_look(census, families[k], &look), 0);
		assert_int_equal(look.files, k == 0 ? 1000 : 1);
		/* It is read: that is asked for again at no cost, as long as it is new
		 * enough. */
		reach.entries = 1;
		assert_int_equal(kd_census_take(census, drop.root, "", &reach), 0);
		reach.since = ev_now(drop.loop) + 1;
		assert_int_equal(
			kd_census_take(census, drop.root, "", &reach), KD_SETTLE_MORE);
		kd_census_free(census);
	}
}

/* Turns until so many have settled, in none more than may be looked at. */
static void
turn_until(int count)
{
	while (settled < count) {
		int before = settled;
		ev_run(drop.loop, EVRUN_ONCE);
		assert_true(settled - before <= KD_SETTLE_AT_ONCE);
		assert_true(kd_intake_settling(drop.intake) <= drop.rule.backlog);
	}
}

static void
thousands_settle_by_turns(void **state)
{
	(void)state;
	put_files("", 0, MOST / 2);
	drop_begin();
	put_files("", MOST / 2, MOST);
	turn_until(MOST);
	for (int i = 0; i < MOST; i++)
		assert_int_equal(times[i], 1);
}

/* All at once, and taken in without any quiet time. */
static void
thousands_that_are_whole_settle_by_turns(void **state)
{
	(void)state;
	drop.rule.ready = KD_READY_RENAME;
	put_files("", 0, MOST);
	drop_begin();
	turn_until(MOST);
	for (int i = 0; i < MOST; i++)
		assert_int_equal(times[i], 1);
}

/* Takes a unit that is done with out of the drop folder. */
static void
take_away(int from, int to)
{
	char name[32];
	for (int i = from; i < to; i++) {
		snprintf(name, sizeof name, "%d.png", i);
		if (times[i] > 0)
			unlinkat(drop.root, name, 0);
	}
}

/* What there is no room for waits in the drop folder, whether a scan finds it or an event
 * tells of it, and is taken in when there is. */
static void
no_more_is_held_than_there_is_room_for(void **state)
{
	(void)state;
	const int scanned = 1000, dropped = 2000;
	drop.rule.backlog = 100;
	put_files("", 0, scanned);
	drop_begin();
	kd_intake_set_room(drop.intake, drop.rule.backlog);
	for (int round = 0; settled < dropped && round < 100; round++) {
		int before = settled;
		while (!kd_intake_is_full(drop.intake) && settled < dropped &&
			(!kd_intake_is_current(drop.intake) ||
				kd_intake_settling(drop.intake) > 0))
			ev_run(drop.loop, EVRUN_ONCE);
		if (round == 2)
			put_files("", scanned, dropped);
		/* Nothing is done with yet: there is no room. */
		while (kd_intake_settling(drop.intake) > 0) {
			ev_run(drop.loop, EVRUN_ONCE);
			assert_in_range(
				kd_intake_settling(drop.intake), 0, drop.rule.backlog);
		}
		assert_in_range(settled - before, 0, drop.rule.backlog);
		take_away(0, dropped);
		/* Less than half is not enough to begin again with. */
		if (kd_intake_is_full(drop.intake)) {
			kd_intake_set_room(drop.intake, drop.rule.backlog / 2 - 1);
			assert_true(kd_intake_is_full(drop.intake));
		}
		kd_intake_set_room(drop.intake, drop.rule.backlog);
		assert_false(kd_intake_is_full(drop.intake));
	}
	for (int i = 0; i < dropped; i++)
		assert_int_equal(times[i], 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_large_directory_is_looked_at_in_parts, set_up, drop_tear_down),
		cmocka_unit_test_setup_teardown(
			a_large_folder_of_families_is_read_in_parts, set_up,
			drop_tear_down),
		cmocka_unit_test_setup_teardown(
			thousands_settle_by_turns, set_up, drop_tear_down),
		cmocka_unit_test_setup_teardown(
			thousands_that_are_whole_settle_by_turns, set_up, drop_tear_down),
		cmocka_unit_test_setup_teardown(
			no_more_is_held_than_there_is_room_for, set_up, drop_tear_down),
	};
	return cmocka_run_group_tests_name("intake/bounds", tests, NULL, NULL);
}
