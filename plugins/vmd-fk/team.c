/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whoever is free takes the next part, so that a thread that was held up holds up nobody.
 * Invariant: below the lock, `piece` counts the pieces begun, and busy the helpers that
 * have not yet ended theirs.
 */
#include "plugins/vmd-fk/team.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

/* What a thread's own frames need, many times over: stacks count against the memory that
 * an engine may have. */
#define STACK_SIZE ((size_t)1 << 20)

struct helper {
	struct fk_team *team;
	pthread_t thread;
	uint32_t worker;
};

struct fk_team {
	pthread_mutex_t lock;
	pthread_cond_t begun, over;
	fk_team_part_fn *fn;
	void *context;
	uint32_t parts, busy;
	atomic_uint next; /* part that nobody has taken yet */
	uint64_t piece;
	int rc, leaving;
	uint32_t helper_count;
	struct helper helpers[];
};

static int
do_parts(struct fk_team *team, uint32_t worker)
{
	uint32_t part;
	int rc = 0;
	while (rc == 0 && (part = atomic_fetch_add(&team->next, 1)) < team->parts)
		rc = team->fn(team->context, part, worker);
	return rc;
}

static void *
help(void *argument)
{
	struct helper *helper = argument;
	struct fk_team *team = helper->team;
	uint64_t done = 0;
	pthread_mutex_lock(&team->lock);
	for (;;) {
		while (team->piece == done && !team->leaving)
			pthread_cond_wait(&team->begun, &team->lock);
		if (team->leaving)
			break;
		done = team->piece;
		pthread_mutex_unlock(&team->lock);
		int rc = do_parts(team, helper->worker);
		pthread_mutex_lock(&team->lock);
		if (rc < 0)
			team->rc = rc;
		if (--team->busy == 0)
			pthread_cond_signal(&team->over);
	}
	pthread_mutex_unlock(&team->lock);
	return NULL;
}

int
fk_team_new(uint32_t threads, struct fk_team **made)
{
	struct fk_team *team =
		calloc(1, sizeof *team + (threads - 1) * sizeof team->helpers[0]);
	if (team == NULL)
		return -ENOMEM;
	pthread_attr_t attributes;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	pthread_mutex_init(&team->lock, NULL);
	pthread_cond_init(&team->begun, NULL);
	pthread_cond_init(&team->over, NULL);
	while (team->helper_count < threads - 1) {
		struct helper *helper = &team->helpers[team->helper_count];
		helper->team = team;
		helper->worker = team->helper_count + 1;
		if (pthread_create(&helper->thread, &attributes, help, helper) != 0)
			break;
		team->helper_count++;
	}
	pthread_attr_destroy(&attributes);
	*made = team;
	return 0;
}

void
fk_team_free(struct fk_team *team)
{
	if (team == NULL)
		return;
	pthread_mutex_lock(&team->lock);
	team->leaving = 1;
	pthread_cond_broadcast(&team->begun);
	pthread_mutex_unlock(&team->lock);
	for (uint32_t i = 0; i < team->helper_count; i++)
		pthread_join(team->helpers[i].thread, NULL);
	pthread_cond_destroy(&team->over);
	pthread_cond_destroy(&team->begun);
	pthread_mutex_destroy(&team->lock);
	free(team);
}

uint32_t
fk_team_threads(const struct fk_team *team)
{
	return team->helper_count + 1;
}

int
fk_team_run(struct fk_team *team, fk_team_part_fn *fn, void *context, uint32_t parts)
{
	/* Nobody else looks at these while no piece is under way. */
	team->fn = fn;
	team->context = context;
	team->parts = parts;
	team->rc = 0;
	atomic_store(&team->next, 0);
	if (parts == 1 || team->helper_count == 0)
		return do_parts(team, 0);
	pthread_mutex_lock(&team->lock);
	team->busy = team->helper_count;
	team->piece++;
	pthread_cond_broadcast(&team->begun);
	pthread_mutex_unlock(&team->lock);
	int rc = do_parts(team, 0);
	pthread_mutex_lock(&team->lock);
	while (team->busy > 0)
		pthread_cond_wait(&team->over, &team->lock);
	if (rc == 0)
		rc = team->rc;
	pthread_mutex_unlock(&team->lock);
	return rc;
}
