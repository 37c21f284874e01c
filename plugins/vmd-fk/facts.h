/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * facts.h - the arrays of an output that need no evaluation: frame numbers, names,
 * counts, IK switches and the camera.
 */
#ifndef FK_FACTS_H
#define FK_FACTS_H

#include "plugins/vmd-fk/state.h"

/* 0 or a negative errno with *err. */
int fk_facts_write(struct fmt_npz *npz, const struct fk_state *state,
	const struct fk_motion *motion, const char *vmd_file, struct fmt_err *err);

#endif
