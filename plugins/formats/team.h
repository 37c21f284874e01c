/* SPDX-License-Identifier: BSD-2-Clause */
/* team.h - threads that a caller lends to a reader or writer. */
#ifndef FMT_TEAM_H
#define FMT_TEAM_H

#include <stdint.h>

/* Threads that do parts of a piece of work together: run() has fn do all of 0..parts-1,
 * with worker in 0..threads-1 for what each thread has of its own, and returns when that is
 * done: 0, or what one of them returned that failed (then others may not have been begun). */
struct fmt_team {
	int (*run)(void *team, int (*fn)(void *context, uint32_t part, uint32_t worker),
		void *context, uint32_t parts);
	void *team;
	uint32_t threads;
};

#endif
