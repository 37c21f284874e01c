/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kiln_wait.h - kilnctls that wait: for events (watch), for quiet (sync), for a reload.
 */
#ifndef KD_KILN_WAIT_H
#define KD_KILN_WAIT_H

#include "daemon/kiln_parts.h"

void kd_kiln_begin_waiters(struct kd_kiln *kiln);
void kd_kiln_free_waiters(struct kd_kiln *kiln);

/* The request stays unanswered until what it waits for comes.  rule: of which it wants
 * events, copied; NULL: of all.  Refuses it when memory is out. */
void kd_kiln_wait(struct kd_kiln *kiln, struct kd_control_request *request,
	enum kd_kiln_wait what, const char *rule);
/* Until all that was dropped before is known; idle: and until nothing is left to do. */
void kd_kiln_wait_seen(
	struct kd_kiln *kiln, struct kd_control_request *request, int idle);
/* Its client has left. */
void kd_kiln_end_wait(struct kd_kiln *kiln, const struct kd_control_request *request);

/* Answers those that waited for quiet, where it is; and for a reload, which went well when
 * error is NULL. */
void kd_kiln_answer_waiters(struct kd_kiln *kiln);
void kd_kiln_answer_reload(struct kd_kiln *kiln, const char *error);

#endif
