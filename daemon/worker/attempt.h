/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * attempt.h - one run of an engine over the units of a batch that are to run.
 */
#ifndef KD_ATTEMPT_H
#define KD_ATTEMPT_H

#include "daemon/worker/broker.h"

/*
 * Takes the warm engine where it fits, else starts one, and has it process every unit
 * with stage KD_BATCH_TO_RUN, manifest.repeat times.  Afterwards each of them is DONE
 * (its outputs wait in the stage) or SETTLED.  An engine that died, hung or lied is gone
 * afterwards.  Negative only when the client is gone or broke the protocol.
 */
int kd_attempt_run(const struct kd_broker *broker);

#endif
