/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kiln_answer.h - what the files that answer kilnctl share; serve/control.h says what is
 * asked and answered.
 */
#ifndef KD_KILN_ANSWER_H
#define KD_KILN_ANSWER_H

#include "daemon/kiln_parts.h"

/* Answers now or later; arguments are borrowed for the call. */
typedef void kd_kiln_answer_fn(struct kd_kiln *kiln, struct kd_control_request *request,
	const json_t *arguments);
kd_kiln_answer_fn kd_kiln_answer_status;  /* kiln_status.c */
kd_kiln_answer_fn kd_kiln_answer_explain; /* kiln_explain.c */
kd_kiln_answer_fn kd_kiln_answer_drop;	  /* kiln_drop.c */
/* kiln_order.c */
kd_kiln_answer_fn kd_kiln_answer_pause, kd_kiln_answer_resume, kd_kiln_answer_prune,
	kd_kiln_answer_backup;
/* kiln_amend.c */
kd_kiln_answer_fn kd_kiln_answer_cancel, kd_kiln_answer_retry;

/* kiln_ask.c */

/* A question that is answered later: the first member of whatever waits for the answer.
 * When its client leaves before, the request is gone and this says so. */
struct kd_kiln_ask {
	struct kd_control_request *request; /* NULL: the client left */
};
void kd_kiln_ask_begin(struct kd_kiln_ask *ask, struct kd_control_request *request);
/* To be called once, before it is answered or freed.  The request, or NULL. */
struct kd_control_request *kd_kiln_ask_end(struct kd_kiln_ask *ask);
void kd_kiln_ask_gone(struct kd_control_request *request);

/* What people may.  rule NULL: may drop into none in particular. */
int kd_kiln_may_command(const struct kd_kiln *kiln, const struct kd_control_peer *peer);
int kd_kiln_may_drop(const struct kd_kiln *kiln, const struct kd_control_peer *peer,
	const struct kd_rule *rule);
/* "root", or "user 1000"; into buffer, which it returns. */
const char *kd_kiln_who(const struct kd_control_peer *peer, char buffer[32]);

/* The unit that {"unit":n} or {"path":s} names.  The ledger knows a unit by its path below
 * the drop folder; people know it by where they put it.  *path is the caller's to free
 * and what wanted->path lies in.  -EINVAL when it names none. */
int kd_kiln_wanted_unit(const struct kd_kiln *kiln, const json_t *arguments,
	struct kd_ledger_query *wanted, char **path);
/* path below a rule's drop folder, or NULL. */
const char *kd_kiln_below(const struct kd_rule *rule, const char *path);

json_t *kd_kiln_name_json(const char *name); /* escaped */

#endif
