/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * broker.h - what an engine asks its keeper for.
 */
#ifndef KD_BROKER_H
#define KD_BROKER_H

#include "daemon/worker/batch.h"

/*
 * Serves one message of the engine's: descriptors, verdicts, facts.  OPENED, PROCESSED
 * and LOADED are not for here (-EPROTO).  0; -EPROTO with a sentence when the engine
 * broke the rules: it is not to be trusted any further.
 */
struct kd_broker {
	struct kd_batch *batch;
	struct kd_handle *handle;
	struct kd_link *link;
};
int kd_broker_serve(const struct kd_broker *broker, const struct kd_wire_message *message,
	struct kd_err *err);

#endif
