/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/pano-views/hold.h"

#include "plugins/pano-views/files.h"

#include <stdlib.h>

static void
let_go(struct pv_hold *hold)
{
	if (hold->gpu != NULL)
		pv_gpu_let_go(hold->gpu, hold->memory);
	hold->gpu = NULL;
}

void *
pv_hold_room(struct pv_hold *hold, struct pv_gpu *gpu, size_t wanted)
{
	if (hold->room >= wanted)
		return hold->memory;
	let_go(hold);
	if (pv_files_room(&hold->memory, &hold->room, wanted) != NULL && gpu != NULL &&
		pv_gpu_hold(gpu, hold->memory, hold->room))
		hold->gpu = gpu;
	return hold->memory;
}

void
pv_hold_free(struct pv_hold *hold)
{
	let_go(hold);
	free(hold->memory);
	hold->memory = NULL;
	hold->room = 0;
}
