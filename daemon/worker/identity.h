/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * identity.h - what the units of a batch are, by their content, and whether they are to run
 * then: hashed, shown to the client for its verdict, compared with what an earlier attempt
 * published.
 *
 * Small batches are done so before the engine begins.  In a large one the engine begins at
 * once and the hashing is done aside: its work counts only once the verdict is to run and
 * the unit still is what was hashed, byte for byte as by ctime; else it is dropped.  A unit
 * is claimed when its verdict is known, in both cases.
 */
#ifndef KD_IDENTITY_H
#define KD_IDENTITY_H

#include "daemon/worker/broker.h"

/* From so many bytes on, of all units together, the engine does not wait: below it waits
 * for less than starting a thread and throwing work away may cost. */
#define KD_IDENTITY_AHEAD (UINT64_C(8) << 20)

/* From here on the manifest's revision tells the content of path parameters too: so do
 * sidecars and the ledger, and what was made with another model is not the same.  opened:
 * as the engine has them, whatever became of them since.  0 or -ENOMEM. */
int kd_identity_revise(struct kd_batch *batch, struct kd_handle *handle, int opened);

/* Finds out how many units are to run, as far as that can be said before the engine begins:
 * how many, or a negative errno when the client is gone.  Units of archives never run
 * ahead. */
int kd_identity_begin(const struct kd_broker *broker);

/* Lets the hashing begin that is done aside, if any.  To be called once the engine was
 * started: forking with threads about is nobody's joy. */
void kd_identity_start(const struct kd_broker *broker);

/* Takes what was done aside since, without waiting.  Negative: the client is gone. */
int kd_identity_step(const struct kd_broker *broker);

/* Waits until the unit was hashed.  Negative: the client is gone. */
int kd_identity_await(const struct kd_broker *broker, const struct kd_batch_unit *unit);

/* Waits until all is known of all units, or the client cancels. Negative: it is gone. */
int kd_identity_end(const struct kd_broker *broker);

/* A VERDICT's body; context: the broker. */
int kd_identity_verdict(void *context, const json_t *body);

/* Stops what is done aside and frees it. */
void kd_identity_clear(struct kd_batch *batch);

#endif
