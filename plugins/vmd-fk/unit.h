/* SPDX-License-Identifier: BSD-2-Clause */
/* unit.h - one dropped VMD or VPD, from its bytes to its verdict. */
#ifndef FK_UNIT_H
#define FK_UNIT_H

#include "plugins/vmd-fk/state.h"

/* Calls host->done() for the unit, whatever becomes of it.  0, or what done() answered.
 */
int fk_unit_process(const struct kiln_host *host, struct fk_state *state,
	const struct kiln_batch *batch, uint32_t number);

#endif
