/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drop.h - a drop folder in scratch space, one for the test at hand, with a loop and a rule
 * over it, and what tests do to it all the time.  Everything that goes wrong here fails the
 * test.
 */
#ifndef TESTS_INTAKE_DROP_H
#define TESTS_INTAKE_DROP_H

#include "daemon/intake/intake.h"

/* The most units that one test lets settle. */
enum { DROP_UNITS = 400 };

extern struct drop {
	char folder[64];
	int root; /* that folder */
	struct ev_loop *loop;
	struct kd_inotify *inotify;
	struct kd_intake *intake; /* from drop_begin() on */
	/* Of files below the folder that match *.vmd, quiet for 0.1 s; a test changes it before
	 * it begins. */
	struct kd_rule rule;
	struct kd_intake_handler handler; /* records what settles below */
	struct {
		char path[256];
		int64_t size; /* of its last settling */
		int count;    /* how often it settled */
	} seen[DROP_UNITS];
	int seen_count, wanted;
} drop;

/* A rule's match: whatever its name is. */
extern char *drop_any[];

int drop_set_up(void **state);
int drop_tear_down(void **state);
#define DROP_TEST(name) cmocka_unit_test_setup_teardown(name, drop_set_up, drop_tear_down)

/* Takes the rule as it is and watches its folder. */
void drop_begin(void);
/* Runs until so many different units have settled, or for so long. */
void drop_wait_for(int count, double seconds);
/* Runs until all that was there has been seen, and is watched. */
void drop_wait_for_scan(void);

/* A file of that text, closed; folders above it are made. */
void drop_put(const char *path, const char *text);
/* How often that unit has settled. */
int drop_times_seen(const char *path);

#endif
