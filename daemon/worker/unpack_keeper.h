/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unpack_keeper.h - the keeper's side of unpacking: an engine of its own for each archive,
 * which may create files beneath the batch's stage and nothing else.
 */
#ifndef KD_UNPACK_KEEPER_H
#define KD_UNPACK_KEEPER_H

#include "daemon/worker/batch.h"

/* Unpacks the archives among the units that are to run; each then is a directory for the
 * kernel, or is settled.  Negative when the client is gone. */
int kd_unpack_keeper_run(struct kd_batch *batch, struct kd_link *link);

#endif
