/* SPDX-License-Identifier: BSD-2-Clause */
/* unit.h - one dropped VMD or VPD, from its bytes to its verdict. */
#ifndef FK_UNIT_H
#define FK_UNIT_H

#include "plugins/vmd-fk/state.h"

/* One unit, and who works on it. */
struct fk_job {
	const struct kiln_host *host;
	const struct fk_state *state;
	const struct kiln_batch *batch;
	uint32_t unit;	 /* of the batch */
	uint32_t worker; /* of the crew: the caller */
	int together;	 /* all of the crew help */
};

/* Calls host->done() for the unit, whatever becomes of it.  0, or what done() answered.
 * Not together, different workers may each have a unit of their own. */
int fk_unit_process(const struct fk_job *job);

#endif
