/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ask.h - one question to a running kilnd (serve/control.h), and its answer.
 */
#ifndef KD_CTL_ASK_H
#define KD_CTL_ASK_H

#include "daemon/base/wire.h"
#include "daemon/ctl/ctl.h"

#include <jansson.h>

struct kd_ctl_question {
	const char *command;
	json_t *arguments; /* stolen */
	/* For each event, borrowed.  NULL: events are not expected, and ignored. */
	void (*event)(void *context, const json_t *event);
	/* For each event that brings a descriptor, likewise: 1 when it takes it. */
	int (*handed)(void *context, const json_t *event, int fd);
	void *context;
};

/* Asks and waits for the end.  Returns an exit status; what went wrong has been said on
 * stderr.  *data (may be NULL) is the answer's data, set with KD_CTL_DONE only; the
 * caller decrefs it. */
int kd_ctl_ask(
	const struct kd_ctl *ctl, const struct kd_ctl_question *question, json_t **data);

/* The same in parts, for who has more to do than to wait: a wire on which the question is
 * asked (NULL: said why not, *status set), and its next message: 0 an event was passed
 * on, 1 the end, with *status. */
struct kd_wire *kd_ctl_ask_begin(
	const struct kd_ctl *ctl, const struct kd_ctl_question *question, int *status);
int kd_ctl_ask_next(struct kd_wire *wire, const struct kd_ctl_question *question,
	json_t **data, int *status);

/* Prints JSON to stdout, indented, and releases it. */
void kd_ctl_ask_print(json_t *json);

#endif
