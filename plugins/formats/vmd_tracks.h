/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vmd_tracks.h - from the keys of a VMD section, in whatever order they were written, to
 * tracks.  For vmd.c only.
 */
#ifndef FMT_VMD_TRACKS_H
#define FMT_VMD_TRACKS_H

#include "plugins/formats/vmd.h"

enum { FMT_VMD_BONE_SIZE = 111, FMT_VMD_MORPH_SIZE = 23 }; /* bytes a key in the file */

/* count whole records of size bytes, each beginning with a 15-byte name. */
struct fmt_vmd_records {
	const uint8_t *at;
	uint32_t count;
	size_t size;
	size_t offset; /* of the first, in the file, for messages */
};

struct fmt_vmd_tracks {
	struct fmt_vmd_track *tracks; /* in order of first appearance, without `name` */
	uint32_t count;
	uint32_t duplicates; /* keys dropped */
};

/* Groups, decodes and sorts; size says whether these are bones or morphs.  0 or a
 * negative errno with *err and *tracks untouched. */
int fmt_vmd_tracks_read(const struct fmt_vmd_records *records,
	struct fmt_vmd_tracks *tracks, struct fmt_err *err);
void fmt_vmd_tracks_free(struct fmt_vmd_track *tracks, uint32_t count);

/* Sorts count items of size bytes by the uint32_t frame that they begin with; items of
 * one frame keep their order.  0 or -ENOMEM. */
int fmt_vmd_tracks_sort(void *items, uint32_t count, size_t size);

#endif
