/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * link.h - the keeper's end of the link to its client, while a batch runs.  Without a
 * client (kiln-worker --manifest) everything told is dropped, but for the log.
 */
#ifndef KD_LINK_H
#define KD_LINK_H

#include "daemon/base/wire.h"
#include "daemon/worker/aside.h"

#include <jansson.h>

struct kd_link {
	struct kd_wire *wire; /* NULL: no client */
	int cancelled;	      /* CANCEL came since this was last cleared */
	/* What to do with a VERDICT's body; a negative return ends the link. */
	int (*verdict)(void *context, const json_t *body);
	void *context;
	const struct kd_aside *aside; /* waited for, too; NULL: nothing is done aside */
};

/* Queues a message and sends what can be sent at once; takes body; fd -1: none. */
int kd_link_tell(struct kd_link *link, uint16_t type, json_t *body, int fd);
void kd_link_log(struct kd_link *link, int level, const char *text);

/* Sends all that is queued. */
int kd_link_flush(struct kd_link *link);

/* Waits until the client or `other` (may be NULL) says something or a job done aside has
 * ended, at most `timeout` ms (-1: for ever), and takes what the client said: VERDICT and
 * CANCEL.  `other` is not read. 1: there is news of any, 0: the time is up; negative: the client is gone or
 * broke the protocol. */
int kd_link_wait(struct kd_link *link, struct kd_wire *other, int timeout);

#endif
