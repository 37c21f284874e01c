/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * evaluate.h - runs of frames through the primitives: tracks, morphs, poses.  The planes
 * it works in are allocated once and serve every motion.
 */
#ifndef FK_EVALUATE_H
#define FK_EVALUATE_H

#include "plugins/vmd-fk/motion.h"
#include "plugins/vmd-fk/skeleton.h"
#include "plugins/vmd-fk/team.h"

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
	struct fk_team *team;
	uint32_t threads;
	char *scratch; /* of each thread, scratch_bytes */
	size_t scratch_bytes;
};

/* What an evaluator is for. */
struct fk_evaluator_options {
	uint32_t chunk;	  /* the most frames of one run */
	uint32_t threads; /* that evaluate them together, >= 1 */
	int world;	  /* with world_rotate */
};

/* Frames that one thread takes at a time: their planes should stay in its cache. */
#define FK_EVALUATOR_PART 64

/* How many bytes one frame of a run takes in planes; world: with world_rotate. */
size_t fk_evaluator_frame_bytes(const struct fk_skeleton *skeleton, int world);

/* 0 or -ENOMEM. */
int fk_evaluator_init(struct fk_evaluator *evaluator, const struct fk_skeleton *skeleton,
	const struct fk_evaluator_options *options);
void fk_evaluator_free(struct fk_evaluator *evaluator);

/* Evaluates those frames, ascending, count <= chunk.  0 or a negative errno. */
int fk_evaluator_run(struct fk_evaluator *evaluator, const struct fk_motion *motion,
	const uint32_t *frames, uint32_t count);

#endif
