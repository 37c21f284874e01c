/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kiln_answer.h - what kilnctl is answered, and by which file; serve/control.h says what
 * may be asked.
 */
#ifndef KD_KILN_ANSWER_H
#define KD_KILN_ANSWER_H

#include "daemon/kiln_ask.h"

/* Hears what is asked, looks up in its table who answers that, and lets him; context is a
 * struct kd_kiln. */
extern const struct kd_control_handler kd_kiln_control_handler;

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

/* kiln_drop.c: ends those whose kilnctl has left; and all. */
void kd_kiln_end_drops(struct kd_kiln *kiln);
void kd_kiln_free_drops(struct kd_kiln *kiln);

/* kiln_status.c: one line of how things stand, for systemd; kiln is a struct kd_kiln. */
void kd_kiln_status_line(void *kiln, char *line, size_t size);

#endif
