/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * custody.h - the inputs of a batch while it runs.  Those that the rule may move are
 * claimed while a kernel works on them; others are read where they lie.  Either way they
 * are compared before anything is published.  What becomes of them in the end is
 * disposal.h's.
 */
#ifndef KD_CUSTODY_H
#define KD_CUSTODY_H

#include "daemon/worker/batch.h"

/* Opens the units' root and says where each lies; finds what an earlier attempt had
 * claimed. */
int kd_custody_begin(struct kd_batch *batch, struct kd_err *err);

/* Before unit i is read: one that is tried again after it was quarantined is fetched from
 * there; where that is not to be done, reading it says what is amiss.  One that had ended
 * before is settled so, as far as it still is what had been processed. */
void kd_custody_prepare(struct kd_batch *batch, uint32_t i, struct kd_link *link);

/* Claims the units that are to run, or did.  One that changed since it was read is
 * settled. */
void kd_custody_claim(struct kd_batch *batch);

/* Puts back what is not finished with: it will be tried again, or is the dropper's. */
void kd_custody_put_back(struct kd_batch *batch);

/* Lets go of the units' root until it is needed again. */
void kd_custody_rest(struct kd_batch *batch);

#endif
