/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vmd_baked.h - motions that were baked: every bone has a key at every frame, frame by
 * frame, the bones always in the same order.  Where a key stands in the file then follows
 * from its bone and frame, and there is no need to keep it: such motions are large, and
 * fresh memory for their keys costs more than reading them twice.
 */
#ifndef FMT_VMD_BAKED_H
#define FMT_VMD_BAKED_H

#include "plugins/formats/vmd_tracks.h"

/* What one thread reads through: a frame's keys fit, or the motion does not count as
 * baked. */
#define FMT_VMD_BAKED_BUFFER ((size_t)128 << 10)

/* For vmd.c.  Looks at all records, of a file; they stay to be taken.  1 where they are
 * such a motion: *tracks has its tracks, without planes, and *baked says where keys are.  0
 * where they are not, a number is not finite, or the file cannot be read: who reads them one
 * by one will find out.  -ENOMEM. */
int fmt_vmd_baked_find(const struct fmt_vmd_records *records, const struct fmt_team *team,
	struct fmt_vmd_tracks *tracks, struct fmt_vmd_baked *baked);

/* Keys first .. first + count - 1 of the tracks of a motion whose keys stayed in the file.
 * Plane c of track i begins at planes[(7 * places[i] + c) * stride], c as in
 * fmt_vmd_track: move, then rotate.  Tracks with a negative place are not wanted. */
struct fmt_vmd_stretch {
	uint32_t first, count;
	const int32_t *places;
	float *planes;
	size_t stride; /* >= count */
	void *buffer;  /* of FMT_VMD_BAKED_BUFFER bytes */
};

/* fd as fmt_vmd_read_file() had it; its offset is not used.  0, or with *err what pread(2)
 * said, or -EAGAIN where the file is shorter by now or holds a number that is not finite.  Of
 * a file that was written to since it was looked at, the other numbers are whatever stands
 * there.  [any thread] */
int fmt_vmd_baked_read(int fd, const struct fmt_vmd *motion,
	const struct fmt_vmd_stretch *stretch, struct fmt_err *err);

#endif
