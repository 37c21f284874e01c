/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pool_message.h - what keepers say, to whoever has their job.
 */
#ifndef KD_POOL_MESSAGE_H
#define KD_POOL_MESSAGE_H

#include "daemon/work/pool_keeper.h"

/* What a pool hears with. */
int kd_pool_message(struct kd_keeper *keeper, const struct kd_wire_message *message);

#endif
