/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Invariant: the list is in order of due times, because every touch puts its candidate
 * at the end with the same delay; so one timer for the head is enough.
 */
#include "daemon/intake/settle.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

struct candidate {
	struct candidate *next, *previous;
	double due;
	int looked; /* look holds what the last look saw */
	struct kd_look look;
	char path[];
};

struct kd_settle {
	struct ev_loop *loop;
	ev_timer timer;
	double quiet;
	struct kd_settle_handler handler;
	void *by_path; /* tsearch(3) */
	struct candidate *first, *last;
	uint64_t count;
};

static int
compare(const void *a, const void *b)
{
	return strcmp(
		((const struct candidate *)a)->path, ((const struct candidate *)b)->path);
}

static void
unlink_candidate(struct kd_settle *settle, struct candidate *c)
{
	*(c->previous == NULL ? &settle->first : &c->previous->next) = c->next;
	*(c->next == NULL ? &settle->last : &c->next->previous) = c->previous;
}

static void
append_candidate(struct kd_settle *settle, struct candidate *c)
{
	c->due = ev_now(settle->loop) + settle->quiet;
	c->next = NULL;
	c->previous = settle->last;
	*(settle->last == NULL ? &settle->first : &settle->last->next) = c;
	settle->last = c;
}

static void
arm(struct kd_settle *settle)
{
	ev_timer_stop(settle->loop, &settle->timer);
	if (settle->first == NULL)
		return;
	double wait = settle->first->due - ev_now(settle->loop);
	ev_timer_set(&settle->timer, wait > 0 ? wait : 0., 0.);
	ev_timer_start(settle->loop, &settle->timer);
}

static void
forget(struct kd_settle *settle, struct candidate *c)
{
	unlink_candidate(settle, c);
	tdelete(c, &settle->by_path, compare);
	settle->count--;
	free(c);
}

/* A candidate whose quiet time is over is looked at: unchanged since the last look it
 * has settled; otherwise it waits once more. */
static void
look_again(struct kd_settle *settle, struct candidate *c)
{
	struct kd_look look = {0};
	int rc = settle->handler.look(settle->handler.context, c->path, &look);
	if (rc == -ENOENT) {
		forget(settle, c);
		return;
	}
	if (rc < 0)
		look = (struct kd_look){0};
	if (c->looked && memcmp(&c->look, &look, sizeof look) == 0) {
		settle->handler.settled(settle->handler.context, c->path, &look);
		forget(settle, c);
		return;
	}
	c->look = look;
	c->looked = 1;
	unlink_candidate(settle, c);
	append_candidate(settle, c);
}

static void
due(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)events;
	enum { AT_ONCE = 256 }; /* then other events have their turn */
	struct kd_settle *settle = timer->data;
	double now = ev_now(loop);
	for (int i = 0; i < AT_ONCE && settle->first != NULL && settle->first->due <= now;
		i++)
		look_again(settle, settle->first);
	arm(settle);
	settle->handler.counted(settle->handler.context);
}

struct kd_settle *
kd_settle_new(struct ev_loop *loop, double quiet, const struct kd_settle_handler *handler)
{
	struct kd_settle *settle = calloc(1, sizeof *settle);
	if (settle == NULL)
		return NULL;
	settle->loop = loop;
	settle->quiet = quiet;
	settle->handler = *handler;
	ev_timer_init(&settle->timer, due, 0., 0.);
	settle->timer.data = settle;
	return settle;
}

void
kd_settle_free(struct kd_settle *settle)
{
	if (settle == NULL)
		return;
	ev_timer_stop(settle->loop, &settle->timer);
	while (settle->first != NULL)
		forget(settle, settle->first);
	free(settle);
}

static struct candidate *
find(const struct kd_settle *settle, const char *path)
{
	/* The key's path lies where a candidate's does. */
	size_t length = strlen(path) + 1;
	struct candidate *key = malloc(sizeof *key + length);
	if (key == NULL)
		return NULL;
	memcpy(key->path, path, length);
	struct candidate **found = tfind(key, (void *const *)&settle->by_path, compare);
	free(key);
	return found == NULL ? NULL : *found;
}

/* A new candidate, unless nothing is there.  The first look is now: what is quiet from
 * here on settles after one wait. */
static int
begin(struct kd_settle *settle, const char *path)
{
	size_t length = strlen(path) + 1;
	struct candidate *c = calloc(1, sizeof *c + length);
	if (c == NULL)
		return -ENOMEM;
	memcpy(c->path, path, length);
	int rc = settle->handler.lazy
			 ? -EAGAIN
			 : settle->handler.look(settle->handler.context, path, &c->look);
	if (rc == -ENOENT) {
		free(c);
		return 0;
	}
	c->looked = rc == 0;
	if (tsearch(c, &settle->by_path, compare) == NULL) {
		free(c);
		return -ENOMEM;
	}
	settle->count++;
	append_candidate(settle, c);
	if (settle->first == c)
		arm(settle);
	if (settle->count == 1)
		settle->handler.counted(settle->handler.context);
	return 0;
}

int
kd_settle_note(struct kd_settle *settle, const char *path)
{
	return find(settle, path) == NULL ? begin(settle, path) : 0;
}

int
kd_settle_touch(struct kd_settle *settle, const char *path)
{
	struct candidate *c = find(settle, path);
	if (c == NULL)
		return begin(settle, path);
	c->looked = settle->handler.cheap &&
		    settle->handler.look(settle->handler.context, path, &c->look) == 0;
	unlink_candidate(settle, c);
	append_candidate(settle, c);
	arm(settle);
	return 0;
}

void
kd_settle_take(struct kd_settle *settle, const char *path)
{
	struct kd_look look = {0};
	struct candidate *c = find(settle, path);
	if (c != NULL) {
		forget(settle, c);
		arm(settle);
	}
	int rc = settle->handler.look(settle->handler.context, path, &look);
	if (rc < 0)
		look = (struct kd_look){0};
	if (rc != -ENOENT)
		settle->handler.settled(settle->handler.context, path, &look);
	if (c != NULL)
		settle->handler.counted(settle->handler.context);
}

uint64_t
kd_settle_count(const struct kd_settle *settle)
{
	return settle->count;
}

int
kd_settle_has(const struct kd_settle *settle, const char *path)
{
	return find(settle, path) != NULL;
}
