/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * evaluate.h - runs of frames through the primitives: tracks, morphs, poses.  The planes
 * it works in are allocated once and serve every motion.
 */
#ifndef FK_EVALUATE_H
#define FK_EVALUATE_H

#include "plugins/vmd-fk/motion.h"
#include "plugins/vmd-fk/skeleton.h"

struct fk_evaluator {
	const struct fk_skeleton *skeleton; /* borrowed */
	kern_track_fn *track;
	kern_track_weights_fn *weight;
	kern_morph_fn *morph;
	kern_pose_fn *pose;
	uint32_t chunk; /* the most frames of one run */
	/* Planes of `chunk` frames, as kernels/pose.h says; local_rotate and position
	 * hold the last run's results. */
	float *rotate, *move, *weights, *position, *local_rotate;
	uint8_t *ik_enabled;
	void *scratch;
};

/* How many bytes one frame of a run takes in planes. */
size_t fk_evaluator_frame_bytes(const struct fk_skeleton *skeleton);

/* 0 or -ENOMEM. */
int fk_evaluator_init(struct fk_evaluator *evaluator, const struct fk_skeleton *skeleton,
	uint32_t chunk);
void fk_evaluator_free(struct fk_evaluator *evaluator);

/* Evaluates frames first .. first + count - 1, count <= chunk.  0 or a negative errno. */
int fk_evaluator_run(struct fk_evaluator *evaluator, const struct fk_motion *motion,
	uint32_t first, uint32_t count);

#endif
