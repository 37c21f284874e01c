/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kiln_tell.h - what happens, told to those kilnctls that watch.
 */
#ifndef KD_KILN_TELL_H
#define KD_KILN_TELL_H

#include "daemon/kiln_parts.h"

/* reason and output may be NULL */
void kd_kiln_tell_unit(struct kd_kiln *kiln, const struct kd_unit *unit,
	const char *reason, const char *output);
void kd_kiln_tell_progress(struct kd_kiln *kiln, const struct kd_unit *unit);

#endif
