/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kiln_hold.h - why a rule starts no batches for now, in words; the queue (queue/queue.h)
 * only knows that it does not.  Pauses are in the ledger; the other reasons are found out
 * anew by every life of kilnd.
 */
#ifndef KD_KILN_HOLD_H
#define KD_KILN_HOLD_H

#include "daemon/base/err.h"
#include "daemon/rules/rule.h"

struct kd_kiln;

/* What the ledger has as paused; before the ledger begins. */
int kd_kiln_load_pauses(struct kd_kiln *kiln, struct kd_err *err);
/* A configuration has taken force: what an older one was refused for is forgotten, and
 * outputs with a low_water are looked at before anything more starts. */
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

/* kiln_space.c: has the outputs of rules with a low_water looked at, soon and off the
 * loop, which a file system that does not answer would hold. */
void kd_kiln_look_for_space(struct kd_kiln *kiln);
/* Whether a rule is held only because nobody has looked yet. */
int kd_kiln_is_looking(const struct kd_kiln *kiln);
void kd_kiln_free_space(struct kd_kiln *kiln);
/* free < 0: it could not be found out. */
void kd_kiln_note_space(struct kd_kiln *kiln, const char *rule, int64_t bytes);

#endif
