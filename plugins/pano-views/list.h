/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * list.h - which of a unit's inputs are frames, and which are masks of them: a picture
 * whose name ends in _mask.png, or that lies in a folder called masks, is a mask and never
 * a frame.  A mask and its frame have one name but for folders called masks or images, and
 * but for what a mask has at its end: NAME.jpg is masked by NAME.jpg.png or, where that is
 * not there, by NAME.png, or by either with _mask before the .png.
 */
#ifndef PV_LIST_H
#define PV_LIST_H

#include "plugins/pano-views/frame.h"

struct pv_list {
	struct pv_frame *frames; /* by stem */
	uint32_t frame_count;
	const char **orphans; /* masks that no frame took */
	uint32_t orphan_count;
};

/* Names are borrowed from the unit.  masks: 0: frames get none.  0, or -EBADMSG or -ENOMEM
 * with *err; to be freed in any case. */
int pv_list_make(struct pv_list *list, const struct kiln_unit *unit, int masks,
	struct fmt_err *err);
void pv_list_free(struct pv_list *list);

#endif
