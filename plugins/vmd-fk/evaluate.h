/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * evaluate.h - runs of frames through the primitives: tracks, morphs, poses.  An evaluator
 * is constant and serves all threads; each of them has planes of its own to work in, which
 * are allocated once and serve every motion.
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
	const char *variant; /* the name of what serves; NULL until it was chosen */
	int world;	     /* model-space rotations are wanted */
};

/* One thread's: planes of `room` frames, as kernels/pose.h says.  local_rotate and
 * position hold the last run's results, and so do world_rotate, which is NULL where the
 * evaluator wants none, and weights. */
struct fk_planes {
	uint32_t room;
	float *rotate, *move, *weights, *position, *local_rotate, *world_rotate;
	uint8_t *ik_enabled;
	void *scratch;
	/* For motions whose keys stayed in the file, made with the first of them: 7 planes of
	 * keys a bone, and what the file is read through. */
	float *keys;
	void *buffer;
	double fetching; /* seconds, since somebody set them to 0 */
};

/* How many frames a thread takes at a time: their planes should stay in its cache. */
#define FK_PLANES_ROOM 64

/* The plain C. */
void fk_evaluator_init(
	struct fk_evaluator *evaluator, const struct fk_skeleton *skeleton, int world);

/* How many bytes one frame takes in planes. */
size_t fk_planes_frame_bytes(const struct fk_evaluator *evaluator);

/* 0 or -ENOMEM. */
int fk_planes_init(
	struct fk_planes *planes, const struct fk_evaluator *evaluator, uint32_t room);
/* Planes of zeros are fine. */
void fk_planes_free(struct fk_planes *planes);

/* Some frames of a motion, ascending. */
struct fk_piece {
	const struct fk_motion *motion;
	const uint32_t *frames;
	uint32_t count; /* at most the planes' room */
};

/* Evaluates them into the planes.  0 or a negative errno, -EAGAIN where the keys stayed in
 * a file that was changed since.  [any thread] */
int fk_evaluator_run(const struct fk_evaluator *evaluator, const struct fk_piece *piece,
	struct fk_planes *planes);

/* Fills in only which IK is on in those frames.  [any thread] */
void fk_evaluator_fill_ik(const struct fk_evaluator *evaluator,
	const struct fk_piece *piece, struct fk_planes *planes);

#endif
