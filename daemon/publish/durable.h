/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * durable.h - the last step of publishing: what has its name is made to survive a power
 * cut, or is held.
 */
#ifndef KD_DURABLE_H
#define KD_DURABLE_H

#include "daemon/publish/folder.h"
#include "daemon/publish/publish_unit.h"
#include "daemon/publish/stage.h"

/* fsyncs the folders that were touched.  Where that fails, what the units have published
 * there is exchanged for new files (restage.h) and it is tried again, a few times; a unit
 * for which that is in vain becomes HELD, and is remembered in the stage as doubted.  Of
 * units that were found published (ALREADY) the doubted ones are exchanged first. */
void kd_durable_units(const struct kd_stage *stage, struct kd_folders *folders,
	struct kd_publish_unit *const *units, size_t count);

#endif
