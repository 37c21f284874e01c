/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drops.h - the drops of one rule that settle, whatever its units are: files, directories
 * or families of files; no more of them than there is room for.
 */
#ifndef KD_DROPS_H
#define KD_DROPS_H

#include "daemon/intake/filter.h"
#include "daemon/intake/ready.h"
#include "daemon/intake/root.h"
#include "daemon/intake/settle.h"

struct kd_drops;

struct kd_drops_handler {
	/* One has settled; unit is borrowed and has no id yet. */
	void (*settled)(void *context, const struct kd_unit *unit);
	/* Their number became another, or there has been a look. */
	void (*counted)(void *context);
	/* There is no room for more: what is not seen any more is to be found later. */
	void (*filled)(void *context);
	void *context;
};

/* Borrows rule and root, the drop folder, which is opened for each look and left open.
 * There is room without end at first.  NULL when memory is out. */
struct kd_drops *kd_drops_new(struct ev_loop *loop, const struct kd_rule *rule,
	struct kd_root *root, const struct kd_drops_handler *handler);
void kd_drops_free(struct kd_drops *drops);

/* A path of which the filter says that it is a unit, or of one.  0 or -ENOMEM. */
int kd_drops_see(struct kd_drops *drops, const char *path,
	const struct kd_filter_verdict *verdict, enum kd_ready_seen seen);
/* Looks at a unit again, whatever room there is.  0 or -ENOMEM. */
int kd_drops_touch(struct kd_drops *drops, const char *unit);
/* Leaves off a look that is under way, and holds nothing open. */
void kd_drops_stop(struct kd_drops *drops);

/* Room for so many more than there are; each that comes takes some.  Once there was none,
 * less than half of the rule's backlog is none. */
void kd_drops_set_room(struct kd_drops *drops, uint64_t room);
int kd_drops_is_full(const struct kd_drops *drops);
/* Whether something was seen that there was no room for, since this was last forgotten. */
int kd_drops_has_missed(const struct kd_drops *drops);
void kd_drops_forget_missed(struct kd_drops *drops);

uint64_t kd_drops_count(const struct kd_drops *drops);
int kd_drops_has(const struct kd_drops *drops, const char *path);
/* Whether a family has been quiet, and is waited for because frames are missing. */
int kd_drops_waits(const struct kd_drops *drops, const char *path);
/* How many are; they are not of kd_drops_count(). */
uint64_t kd_drops_waiting(const struct kd_drops *drops);

#endif
