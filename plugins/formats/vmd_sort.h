/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vmd_sort.h - keys by frame.  Of keys at one frame the last in the file counts.  For
 * vmd.c and vmd_tracks.c only.
 */
#ifndef FMT_VMD_SORT_H
#define FMT_VMD_SORT_H

#include "plugins/formats/vmd.h"

/* Sorts a track and drops what does not count; *dropped counts that too.  0 or -ENOMEM.
 */
int fmt_vmd_sort_bone(struct fmt_vmd_track *track, uint32_t *dropped);
int fmt_vmd_sort_morph(struct fmt_vmd_track *track, uint32_t *dropped);

/* Sorts count items of size bytes by the uint32_t frame that they begin with; items of
 * one frame keep their order.  0 or -ENOMEM. */
int fmt_vmd_sort(void *items, uint32_t count, size_t size);

#endif
