/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kiln_hold.h - why a rule starts no batches for now, in words; the queue (queue/queue.h)
 * only knows that it does not.  Pauses are in the ledger; the other reasons are found out
 * anew by every life of kilnd.
 */
#ifndef KD_KILN_HOLD_H
#define KD_KILN_HOLD_H

#include "daemon/kiln_parts.h"

/* What the ledger has as paused; before the ledger begins. */
int kd_kiln_load_pauses(struct kd_kiln *kiln, struct kd_err *err);
/* A configuration has taken force: what an older one was refused for is forgotten, and
 * rules with a low_water start nothing more before their outputs have been looked at
 * (kiln_space.h). */
void kd_kiln_begin_holds(struct kd_kiln *kiln);
void kd_kiln_free_holds(struct kd_kiln *kiln);

/* rule NULL: everything.  Resuming lets go of a refused rule too. */
void kd_kiln_note_pause(
	struct kd_kiln *kiln, const char *rule, double since, const char *who);
void kd_kiln_note_resume(struct kd_kiln *kiln, const char *rule);

/* A kernel does not take the rule's parameters: the rule is held until the next
 * configuration or `kilnctl resume`, or until it is tried again after its longest backoff,
 * for what a path names may be put right.  Nothing happens when the rule is another by
 * now. */
void kd_kiln_refuse(struct kd_kiln *kiln, const struct kd_rule *rule, const char *reason);

/* A sentence into buffer, which it returns; NULL when nothing holds the rule. */
const char *kd_kiln_why_held(
	const struct kd_kiln *kiln, const char *rule, char *buffer, size_t size);

/* Whether a rule is held only because nobody has looked at its output yet. */
int kd_kiln_is_looking(const struct kd_kiln *kiln);
/* What its output's file system has left; bytes < 0: it could not be found out. */
void kd_kiln_note_space(struct kd_kiln *kiln, const char *rule, int64_t bytes);

#endif
