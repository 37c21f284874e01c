/* SPDX-License-Identifier: BSD-2-Clause */
/* unit.h - one dropped thing: its frames are split on as many threads as are granted. */
#ifndef PV_UNIT_H
#define PV_UNIT_H

#include "plugins/pano-views/state.h"

/* Gives the unit its verdict; what that returned.  A frame that cannot be read is told of
 * in a warning, and the others go on; the unit fails when none of them is left. */
int pv_unit_process(const struct kiln_host *host, const struct pv_state *state,
	const struct kiln_batch *batch, uint32_t number);

#endif
