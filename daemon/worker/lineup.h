/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lineup.h - the units of a batch that an engine is to process, in the order by which it
 * and its keeper number them from then on.
 */
#ifndef KD_LINEUP_H
#define KD_LINEUP_H

#include "daemon/worker/broker.h"

/* Lines up what is to run in batch->running: settles what the kernel does not take as bad,
 * and as held what no stage can be made for.  The engine is open. */
void kd_lineup_make(const struct kd_broker *broker);

/* The line as PROCESS carries it, {"units":[{"kind":n,"name":s,"stem":s,"inputs":[...]},
 * ...]} in a memfd, which the caller closes; or a negative errno. */
int kd_lineup_describe(const struct kd_batch *batch);

#endif
