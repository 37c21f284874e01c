/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kiln_reload.h - a new configuration; asked for with kd_kiln_reload() (kiln.h).
 */
#ifndef KD_KILN_RELOAD_H
#define KD_KILN_RELOAD_H

#include "daemon/kiln_parts.h"

void kd_kiln_begin_reloads(struct kd_kiln *kiln);
/* Waits for one that is under way, which then comes to nothing. */
void kd_kiln_free_reload(struct kd_kiln *kiln);

#endif
