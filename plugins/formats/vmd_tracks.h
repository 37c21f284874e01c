/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vmd_tracks.h - from the keys of a VMD section, in whatever order they were written, to
 * tracks.  For vmd.c only.
 */
#ifndef FMT_VMD_TRACKS_H
#define FMT_VMD_TRACKS_H

#include "plugins/formats/bytes.h"
#include "plugins/formats/vmd.h"
#include "plugins/formats/vmd_key.h"

enum { FMT_VMD_MORPH_SIZE = 23 }; /* bytes a key in the file */

/* The next count records of size bytes, all there, each beginning with a 15-byte name. */
struct fmt_vmd_records {
	struct fmt_bytes *bytes;
	uint32_t count;
	size_t size;
};

struct fmt_vmd_tracks {
	struct fmt_vmd_track *tracks; /* in order of first appearance, without `name` */
	uint32_t count;
	uint32_t duplicates; /* keys dropped */
	/* What they have parts of, to be freed after them: keys, frames, curves. */
	void *memory[3];
};
enum { FMT_VMD_TRACKS_KEYS, FMT_VMD_TRACKS_FRAMES, FMT_VMD_TRACKS_CURVES };

/* Groups, decodes and sorts in one walk over the records; size says whether these are
 * bones or morphs.  0 or a negative errno with *err and *tracks untouched. */
int fmt_vmd_tracks_read(const struct fmt_vmd_records *records,
	struct fmt_vmd_tracks *tracks, struct fmt_err *err);

/* For tracks with a key at every frame: *frames are 0 .. frame_count - 1, and so many
 * curves, all zero, are made; both belong to *tracks.  0 or -ENOMEM. */
int fmt_vmd_tracks_ramp(struct fmt_vmd_tracks *tracks, uint32_t frame_count,
	uint32_t curve_count, uint32_t **frames);
void fmt_vmd_tracks_free(struct fmt_vmd_tracks *tracks);

#endif
