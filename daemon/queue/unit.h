/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unit.h - one dropped thing on its way: what the ledger has a row for and what the
 * queue holds in memory while the unit is open.
 */
#ifndef KD_UNIT_H
#define KD_UNIT_H

#include "daemon/base/hash.h"
#include "daemon/queue/heap.h"
#include "daemon/worker/manifest.h"

#include <stdint.h>

/* The ledger stores these numbers: they never change their meaning. */
enum kd_state {
	KD_STATE_READY = 0,
	KD_STATE_RUNNING = 1,
	KD_STATE_DEFERRED = 2, /* waits for a retry */
	KD_STATE_PUBLISHED = 3,
	KD_STATE_SKIPPED = 4,	/* the same content was published before */
	KD_STATE_KEPT = 5,	/* collision = keep: an older output stands */
	KD_STATE_FAILED = 6,	/* given up; quarantined where the rule says so */
	KD_STATE_GONE = 7,	/* vanished or changed before it was done */
	KD_STATE_CANCELLED = 8, /* somebody did not want it any more; the input stays */
	KD_STATES = 9,
};

const char *kd_unit_state_name(enum kd_state state);
/* -1 for a word that names none. */
int kd_unit_state_parse(const char *name);
/* Whether nothing more is to be done but dispose of the inputs. */
int kd_unit_is_final(enum kd_state state);
/* Whether its inputs are disposed of: it is final, and they are not left as they lie. */
int kd_unit_is_disposed(enum kd_state state);

/* The quick key: the same file unchanged has the same one.  Nanoseconds since 1970. */
struct kd_identity {
	uint64_t ino;
	int64_t btime, size, mtime;
	uint64_t fingerprint; /* of names, sizes and times inside; 0 for a file */
};

/* How a unit ended whose input has not been disposed of. */
struct kd_unit_end {
	char sha256[KD_HASH_HEX]; /* of what was processed; "": it is not known */
	char reason[];
};

/* One block of memory each, for a hundred thousand of them may be open. */
struct kd_unit {
	int64_t id;
	const char *rule, *path; /* path is relative to the rule's watch */
	struct kd_identity identity;
	uint32_t kind;
	enum kd_state state;
	/* What is recorded: a final state whose input is not yet disposed of, which is
	 * all that is left to do, else READY. */
	enum kd_state recorded;
	struct kd_unit_end *end; /* with a final one; NULL: memory was out */
	uint32_t disposals;	 /* tries at that that came to nothing */
	unsigned restore : 1;	 /* tried again out of quarantine: fetched from there */
	/* It is what such a unit brought back, changed on the way: a new drop, unless that
	 * unit has published the same content. */
	unsigned returned : 1;
	unsigned cancel : 1; /* somebody asked to cancel it while it ran */
	unsigned astray : 1; /* a keeper may have died over it: it may lie in a claim */
	uint32_t attempts;
	/* It was there when a batch crashed: at most so many units, itself counted, may be
	 * in its next one.  0: nothing is held against it. */
	uint32_t company;
	double not_before;    /* Unix time of the retry while DEFERRED */
	double since;	      /* loop time at which it became ready */
	int64_t batch;	      /* while RUNNING */
	uint64_t done, total; /* progress while RUNNING */
	union {		      /* in whatever list or heap of the queue holds it */
		struct {
			struct kd_unit *next, *previous;
		};
		struct kd_heap_item due; /* while DEFERRED */
	};
	char text[]; /* rule and path */
};

/* Copies rule and path; NULL when memory is out. */
struct kd_unit *kd_unit_new(const char *rule, const char *path, uint32_t kind);
void kd_unit_free(struct kd_unit *unit);

/* It has ended in that state, but for its input; sha256 and reason may be NULL. */
void kd_unit_note_end(struct kd_unit *unit, enum kd_state state, const char *sha256,
	const char *reason);
/* It is open again, as if it had not ended. */
void kd_unit_forget_end(struct kd_unit *unit);

#endif
