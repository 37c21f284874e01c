/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * team.h - threads that do the parts of one piece of work together, and wait between
 * pieces.  The caller's own thread is one of them.
 */
#ifndef FK_TEAM_H
#define FK_TEAM_H

#include <stdint.h>

struct fk_team;

/* Does part `part`; worker 0..threads-1 says which thread does, for what each has of its
 * own.  0 or a negative errno. */
typedef int fk_team_part_fn(void *context, uint32_t part, uint32_t worker);

/* threads >= 1, the caller's among them.  0 with *team, or a negative errno; a system
 * that grants fewer threads has a smaller team. */
int fk_team_new(uint32_t threads, struct fk_team **team);
void fk_team_free(struct fk_team *team);

/* How many there are, the caller's among them. */
uint32_t fk_team_threads(const struct fk_team *team);

/* Has all parts done; returns when all are.  0, or what one of them that
 * failed returned (then others may not have been begun).  One thread at a time. */
int fk_team_run(struct fk_team *team, fk_team_part_fn *fn, void *context, uint32_t parts);

#endif
