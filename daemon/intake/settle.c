/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Invariant: each list is in order of due times, because every touch puts its candidate
 * at the end with the same delay; so one timer for the heads is enough.
 */
#include "daemon/intake/settle.h"

#include <errno.h>
#include <limits.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

/* A look is not worth a turn of the loop of its own: what is due within this many seconds
 * is looked at together, and asked about in one transaction of the ledger. */
static const double GRAIN = 0.02;

struct candidate {
	struct candidate *next, *previous;
	struct list *list; /* that holds it */
	double due;
	int looked; /* look holds what the last look saw */
	struct kd_look look;
	char path[];
};

struct list {
	struct candidate *first, *last;
};

struct kd_settle {
	struct ev_loop *loop;
	ev_timer timer;
	double quiet;
	struct kd_settle_handler handler;
	void *by_path;		    /* tsearch(3) */
	struct list waiting, whole; /* whole: settled with their first look */
	uint64_t count;
	unsigned turn; /* of the loop, in which ... */
	int entries,
		more; /* ... so many may still be looked at; more wait for the next */
};

static int
compare(const void *a, const void *b)
{
	return strcmp(
		((const struct candidate *)a)->path, ((const struct candidate *)b)->path);
}

static void
unlink_candidate(struct candidate *c)
{
	*(c->previous == NULL ? &c->list->first : &c->previous->next) = c->next;
	*(c->next == NULL ? &c->list->last : &c->next->previous) = c->previous;
}

static void
append_candidate(struct kd_settle *settle, struct list *list, struct candidate *c)
{
	c->list = list;
	c->due = ev_now(settle->loop) + (list == &settle->whole ? 0 : settle->quiet);
	c->next = NULL;
	c->previous = list->last;
	*(list->last == NULL ? &list->first : &list->last->next) = c;
	list->last = c;
}

static void
arm(struct kd_settle *settle)
{
	ev_timer_stop(settle->loop, &settle->timer);
	if (settle->count == 0)
		return;
	int at_once = settle->more || settle->whole.first != NULL;
	double wait = at_once ? 0 : settle->waiting.first->due - ev_now(settle->loop);
	ev_timer_set(&settle->timer, at_once || wait > GRAIN ? wait : GRAIN, 0.);
	ev_timer_start(settle->loop, &settle->timer);
}

static void
forget(struct kd_settle *settle, struct candidate *c)
{
	unlink_candidate(c);
	tdelete(c, &settle->by_path, compare);
	settle->count--;
	free(c);
}

/* What this turn leaves of its entries. */
static int
entries_left(struct kd_settle *settle)
{
	unsigned turn = ev_iteration(settle->loop);
	if (settle->turn != turn) {
		settle->turn = turn;
		settle->entries = KD_SETTLE_AT_ONCE;
	}
	return settle->entries;
}

/* As the handler's. */
static int
look_at(struct kd_settle *settle, const char *path, double since, struct kd_look *look)
{
	struct kd_settle_reach reach = {entries_left(settle), since};
	*look = (struct kd_look){0};
	if (reach.entries <= 0)
		return KD_SETTLE_MORE;
	int rc = settle->handler.look(settle->handler.context, path, &reach, look);
	settle->entries = reach.entries;
	if (rc < 0)
		*look = (struct kd_look){0};
	return rc;
}

/* A candidate whose quiet time is over is looked at: unchanged since the last look it
 * has settled; otherwise it waits once more. */
static void
look_again(struct kd_settle *settle, struct candidate *c)
{
	struct kd_look look;
	int rc = look_at(settle, c->path, c->due, &look);
	if (rc == KD_SETTLE_MORE) {
		settle->more = 1;
		return;
	}
	if (rc == -ENOENT) {
		forget(settle, c);
		return;
	}
	if (c->list == &settle->whole ||
		(c->looked && memcmp(&c->look, &look, sizeof look) == 0)) {
		settle->handler.settled(settle->handler.context, c->path, &look);
		forget(settle, c);
		return;
	}
	c->look = look;
	c->looked = 1;
	unlink_candidate(c);
	append_candidate(settle, &settle->waiting, c);
}

/* The next candidate that is to be looked at now. */
static struct candidate *
next_due(const struct kd_settle *settle)
{
	if (settle->whole.first != NULL)
		return settle->whole.first;
	struct candidate *c = settle->waiting.first;
	return c != NULL && c->due <= ev_now(settle->loop) ? c : NULL;
}

static void
due(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)events;
	struct kd_settle *settle = timer->data;
	struct candidate *c;
	settle->more = 0;
	while (!settle->more && (c = next_due(settle)) != NULL)
		look_again(settle, c);
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
	while (settle->whole.first != NULL)
		forget(settle, settle->whole.first);
	while (settle->waiting.first != NULL)
		forget(settle, settle->waiting.first);
	free(settle);
}

static struct candidate *
find(const struct kd_settle *settle, const char *path)
{
	/* The key's path lies where a candidate's does. */
	union {
		struct candidate candidate;
		char bytes[sizeof(struct candidate) + PATH_MAX];
	} key;
	size_t length = strlen(path) + 1;
	if (length > PATH_MAX)
		return NULL;
	memcpy(key.candidate.path, path, length);
	struct candidate **found =
		tfind(&key.candidate, (void *const *)&settle->by_path, compare);
	return found == NULL ? NULL : *found;
}

static struct candidate *
new_candidate(struct kd_settle *settle, const char *path)
{
	size_t length = strlen(path) + 1;
	struct candidate *c = calloc(1, sizeof *c + length);
	if (c == NULL)
		return NULL;
	memcpy(c->path, path, length);
	if (tsearch(c, &settle->by_path, compare) == NULL) {
		free(c);
		return NULL;
	}
	settle->count++;
	return c;
}

/* One more is there, behind the others of its list. */
static void
welcome(struct kd_settle *settle, struct list *list, struct candidate *c)
{
	append_candidate(settle, list, c);
	if (list->first == c)
		arm(settle);
	if (settle->count == 1)
		settle->handler.counted(settle->handler.context);
}

/* A new candidate, unless nothing is there.  The first look is now: what is quiet from
 * here on settles after one wait.  Where the turn's entries do not reach, after two. */
static int
begin(struct kd_settle *settle, const char *path)
{
	struct kd_look look = {0};
	int rc = settle->handler.lazy
			 ? -EAGAIN
			 : look_at(settle, path, ev_now(settle->loop), &look);
	if (rc == -ENOENT)
		return 0;
	struct candidate *c = new_candidate(settle, path);
	if (c == NULL)
		return -ENOMEM;
	c->look = look;
	c->looked = rc == 0;
	welcome(settle, &settle->waiting, c);
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
		    look_at(settle, path, ev_now(settle->loop), &c->look) == 0;
	unlink_candidate(c);
	append_candidate(settle, &settle->waiting, c);
	arm(settle);
	return 0;
}

int
kd_settle_take(struct kd_settle *settle, const char *path)
{
	struct candidate *c = find(settle, path);
	if (c != NULL && c->list == &settle->whole)
		return 0;
	if (c != NULL)
		unlink_candidate(c);
	else
		c = new_candidate(settle, path);
	if (c == NULL)
		return -ENOMEM;
	welcome(settle, &settle->whole, c);
	return 0;
}

void
kd_settle_drop(struct kd_settle *settle, const char *path)
{
	struct candidate *c = find(settle, path);
	if (c == NULL)
		return;
	forget(settle, c);
	arm(settle);
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
