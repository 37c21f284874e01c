/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * batch_run.h - a batch from its manifest to its result.
 */
#ifndef KD_BATCH_RUN_H
#define KD_BATCH_RUN_H

#include "daemon/worker/batch.h"

/*
 * Runs the manifest open at fd to its result; *batch holds what finishing will need and
 * is cleared by the caller (kd_batch_run_clear).  Negative only when the client is gone or broke the protocol;
 * everything else is told in the result.
 */
int kd_batch_run(int fd, struct kd_link *link, struct kd_handle *handle,
	struct kd_batch *batch, struct kd_result *result);

/* Lets go of all that the batch holds; once more does nothing. */
void kd_batch_run_clear(struct kd_batch *batch);

#endif
