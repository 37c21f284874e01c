/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * disposal.h - what becomes of an input in the end, once the client says that its unit is
 * finished with: moved, deleted, quarantined or kept, as the rule says.  What is not what
 * was processed any more is left alone.
 */
#ifndef KD_DISPOSAL_H
#define KD_DISPOSAL_H

#include "daemon/worker/batch.h"

/* After the client's FINISH for unit i: moves, deletes, quarantines or keeps its input.
 * Safe to repeat.  0 or a negative errno; what could not be moved was put back. */
int kd_disposal_finish(struct kd_batch *batch, uint32_t i, struct kd_err *err);

/* What was finished becomes durable; until then it may come back.  A failure concerns all
 * since the last time. */
int kd_disposal_sync(struct kd_batch *batch, struct kd_err *err);

#endif
