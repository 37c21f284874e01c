/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kiln_ask.h - who asks, what he may, and what he means: for all that answers kilnctl.
 */
#ifndef KD_KILN_ASK_H
#define KD_KILN_ASK_H

#include "daemon/kiln_parts.h"

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
