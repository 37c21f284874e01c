/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * facts.h - the arrays of an output that need no evaluation: frame numbers, names,
 * counts, IK switches and the camera.
 */
#ifndef FK_FACTS_H
#define FK_FACTS_H

#include "plugins/vmd-fk/state.h"

struct fk_facts {
	const struct kiln_host *host;
	struct fmt_npz *npz;
	const struct fk_state *state;
	const struct fk_motion *motion;
	const char *vmd_file;
	struct fmt_err *err;
};

/* 0, -ECANCELED when the host asked to stop, or another negative errno with *facts->err. */
int fk_facts_write(const struct fk_facts *facts);

#endif
