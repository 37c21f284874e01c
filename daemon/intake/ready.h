/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ready.h - how the drops of a rule say that they are whole (its key `ready`): what to do
 * when something is seen of one, and whether one that has been quiet may be taken.
 */
#ifndef KD_READY_H
#define KD_READY_H

#include "daemon/intake/filter.h"
#include "daemon/intake/settle.h"

enum kd_ready_seen {
	KD_SEEN_SCAN,	 /* it was there when the drop folder was scanned */
	KD_SEEN_NEW,	 /* it was in a folder that has just been made */
	KD_SEEN_EVENT,	 /* something happened to it, or in it */
	KD_SEEN_ARRIVAL, /* it, or something in it, came by a rename */
};

enum kd_ready_act {
	KD_ACT_NOTHING, /* it waits for a word that has not come */
	KD_ACT_NOTE,	/* it settles, from now on if it did not yet */
	KD_ACT_TOUCH,	/* it settles, its quiet time starts anew */
	KD_ACT_TAKE,	/* it is whole */
};

/* path is what was seen, verdict what the filter made of it (with a unit); both beneath
 * root. */
enum kd_ready_act kd_ready_act(const struct kd_rule *rule, int root, const char *path,
	const struct kd_filter_verdict *verdict, enum kd_ready_seen seen);

/* Whether a unit that has settled is whole; if not, it waits for another event. */
int kd_ready_is_whole(const struct kd_rule *rule, int root, const char *unit,
	const struct kd_look *look);

#endif
