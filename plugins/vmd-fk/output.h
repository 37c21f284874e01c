/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * output.h - a motion evaluated and written as .npz: what arrays.h lists, frame_numbers
 * i32 [F], vmd_file, total_frames, bone_count, frame_rate, bone_names, frame_range, and
 * where asked for or there morph_names, ik_enabled, ik_names and the camera's; see
 * vmd-fk(7).  A motion for the camera alone has none of a body's arrays.
 *
 * An archive holds its arrays one after the other, while an evaluation yields them side
 * by side.  So the first is written as it comes, and those after it are kept meanwhile,
 * as many as a quarter of the budget can hold; for the rest all is evaluated once more:
 * memory follows the budget, never the length of a motion.
 *
 * Frames go by chunks, and these by parts.  The thread that evaluates a part writes its
 * rows, too, while the part's planes are near; what goes into the file goes in order, and
 * with several threads one of them writes a chunk's rows while the next is evaluated.
 */
#ifndef FK_OUTPUT_H
#define FK_OUTPUT_H

#include "plugins/vmd-fk/unit.h"

struct fk_output {
	int fd;		      /* an empty file; stays the caller's */
	const char *vmd_file; /* what the array of that name says */
};

/* 0, -ECANCELED when the host asked to stop, or another negative errno with *err. */
int fk_output_write(const struct fk_job *job, const struct fk_motion *motion,
	const struct fk_output *output, struct fmt_err *err);

#endif
