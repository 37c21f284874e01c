/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * needed.h - which bones have to be evaluated for those that are asked for: their
 * parents, the sources of their appends, the IK chains that move them with IK bone,
 * target and links, and whatever these need in turn.  The pose of the rest is never
 * asked for by kernels/pose.h on the way, so leaving it out changes no bit.
 */
#ifndef FK_NEEDED_H
#define FK_NEEDED_H

#include "plugins/vmd-fk/skeleton.h"

/* bones: count numbers of bones, -1 for none; needed: one byte a bone of the model, set
 * to 1 or 0.  0 or -ENOMEM. */
int fk_needed_mark(const struct fmt_model *model, const struct fk_switches *switches,
	const int32_t *bones, uint32_t count, uint8_t *needed);

#endif
