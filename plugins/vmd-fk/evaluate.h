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
	 * hold the last run's results, and so do world_rotate, which is NULL where
	 * it was not asked for, and weights. */
	float *rotate, *move, *weights, *position, *local_rotate, *world_rotate;
	uint8_t *ik_enabled;
	void *scratch;
};

/* How many bytes one frame of a run takes in planes; world: with world_rotate. */
size_t fk_evaluator_frame_bytes(const struct fk_skeleton *skeleton, int world);

/* 0 or -ENOMEM. */
int fk_evaluator_init(struct fk_evaluator *evaluator, const struct fk_skeleton *skeleton,
	uint32_t chunk, int world);
void fk_evaluator_free(struct fk_evaluator *evaluator);

/* Evaluates those frames, ascending, count <= chunk.  0 or a negative errno. */
int fk_evaluator_run(struct fk_evaluator *evaluator, const struct fk_motion *motion,
	const uint32_t *frames, uint32_t count);

#endif
