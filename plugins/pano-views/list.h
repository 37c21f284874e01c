/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * list.h - which of a unit's inputs are frames, and which are masks of them: a PNG whose
 * name ends in _mask.png is a mask and never a frame.  DIR/NAME.jpg has its mask at
 * DIR/NAME_mask.png or else at DIR/masks/NAME_mask.png.
 */
#ifndef PV_LIST_H
#define PV_LIST_H

#include "plugins/pano-views/frame.h"

struct pv_list {
	struct pv_frame *frames; /* by stem */
	uint32_t frame_count;
	const char **orphans; /* masks that no frame asked for */
	uint32_t orphan_count;
};

/* Names are borrowed from the unit.  masks: 0: frames get none.  0, or -EBADMSG or -ENOMEM
 * with *err; to be freed in any case. */
int pv_list_make(struct pv_list *list, const struct kiln_unit *unit, int masks,
	struct fmt_err *err);
void pv_list_free(struct pv_list *list);

#endif
