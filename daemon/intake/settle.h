/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * settle.h - candidates that wait until nothing about them has changed for the rule's
 * quiet time.  Change is what we observe (inode, size, ctime, the same of everything in
 * a folder), never what mtime claims.
 */
#ifndef KD_SETTLE_H
#define KD_SETTLE_H

#include "daemon/queue/unit.h"

#include <ev.h>
#include <stdint.h>

/* What one look at a candidate saw. */
struct kd_look {
	struct kd_identity identity;
	uint64_t freshness; /* changes with every change, ctimes among them */
	uint64_t files;	    /* that it holds; 1 for a file */
};

struct kd_settle;

/* So many entries are looked at in one turn of the loop; then others have theirs. */
enum { KD_SETTLE_AT_ONCE = 512 };

/* How far one look may go. */
struct kd_settle_reach {
	int entries; /* that may still be looked at in this turn; the look takes off its own */
	double since; /* what was read of a folder at this time or later is new enough */
};
enum { KD_SETTLE_MORE = 1 };

struct kd_settle_handler {
	/* Looks at path: 0 and *look; KD_SETTLE_MORE: the entries were too few for it, it goes
	 * on when it is asked for the same path again; -ENOENT: it is gone (or, a folder,
	 * still empty); other errors: it is reported as it is, with an all-zero look. */
	int (*look)(void *context, const char *path, struct kd_settle_reach *reach,
		struct kd_look *look);
	/* Quiet for long enough; the candidate is forgotten afterwards. */
	void (*settled)(void *context, const char *path, const struct kd_look *look);
	/* The number of candidates became another. */
	void (*counted)(void *context);
	void *context;
	int cheap; /* a look costs little (one file): then every touch looks at once */
	int lazy;  /* a look costs much: a new candidate is not looked at before its quiet
		      time is over for the first time */
};

struct kd_settle *kd_settle_new(
	struct ev_loop *loop, double quiet, const struct kd_settle_handler *handler);
void kd_settle_free(struct kd_settle *settle);

/* Something is or may be there: it becomes a candidate when it is none.  0 or -ENOMEM. */
int kd_settle_note(struct kd_settle *settle, const char *path);
/* Something happened to it just now: its quiet time starts anew.  0 or -ENOMEM. */
int kd_settle_touch(struct kd_settle *settle, const char *path);

/* It is whole: settled with the next turns of the loop, if it is there, without any quiet
 * time.  0 or -ENOMEM. */
int kd_settle_take(struct kd_settle *settle, const char *path);

/* It is not to be waited for any more. */
void kd_settle_drop(struct kd_settle *settle, const char *path);

uint64_t kd_settle_count(const struct kd_settle *settle);
int kd_settle_has(const struct kd_settle *settle, const char *path);

#endif
