/* SPDX-License-Identifier: BSD-2-Clause */
/* hold.h - memory that a GPU reaches by itself, where there is one. */
#ifndef PV_HOLD_H
#define PV_HOLD_H

#include "plugins/pano-views/gpu.h"

/* Zeros are an empty one. */
struct pv_hold {
	void *memory;
	size_t room;
	struct pv_gpu *gpu; /* that holds it; NULL: none does */
};

/* At least so many bytes, aligned to 64, whatever was in them; NULL: no memory.  Without a
 * GPU (NULL), or one that cannot hold it, it is memory as any other. */
void *pv_hold_room(struct pv_hold *hold, struct pv_gpu *gpu, size_t wanted);
void pv_hold_free(struct pv_hold *hold);

#endif
