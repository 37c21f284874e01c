/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pose.h - the pose of an MMD model: from each bone's own rotation and move to where the
 * bones stand, over a run of frames.  Physics has no part in it.
 *
 * Source: the PMX 2.1 specification for order and append, and what is known of MMD's own
 * IK solver.  Axes are MMD's, left-handed with Y up; lengths are the model's.
 * Quaternions are x y z w, of unit length, and turn column vectors.
 *
 * One frame.  Every bone begins at rest with its own rotation and move (of the motion,
 * after fixed axis and morphs).  Then each bone of `order`, once:
 *   1. append (付与): of its source, the own rotation and move, or where the source has
 *      append itself what it saved; an IK link's IK rotation on top.  A local append
 *      takes the source's rotation in model space and its way from its rest position.
 *      Taken ratio times, and combined: saved = own * append, own + append.
 *   2. local = IK * saved (the IK rotation is the identity but for links), and
 *      world = parent's world * move to (rest - parent's rest + saved move) * local.
 *   3. an enabled IK bone has its chain solved at once: see ik.h.  All bones below a
 *      link that were placed before follow.
 * A bone that stands in the order before its parent (which the specification leaves
 * undefined) is placed from the parent's rest pose first and, with all below it, again
 * after the last: results always agree with the hierarchy.
 *
 * Planes, as in track.h: frame f of component c of bone b is [(b * 4 + c) * stride + f]
 * in rotations and [(b * 3 + c) * stride + f] in positions and moves.  Frames do not know
 * each other: any division into runs gives the same bits.
 *
 * Without a model.  Whoever has a hierarchy and rotations in plain arrays, frame by frame
 * (offsets, parents, quaternions [F,N,4], translations [F,N,3], a filter), finds the door
 * in pose_arrays.h: it lays them out in planes for any variant of this kernel and writes
 * positions and rotations back frame by frame.  tests/kernels/example_pose.c is a whole
 * program that uses it.
 *
 * Grade: EXACT but for which NaN stands where one does.  Variants compute every frame by
 * the same operations in the same order (lanes_quat.h), none contracted: thresholds of
 * the solver let a last digit jump, so nothing less would be a grade.  Against exact
 * arithmetic a chain of 64 bones within 30 units errs by about 1e-4.  NaN in, NaN out,
 * for the bones it reaches.
 */
#ifndef KERN_POSE_H
#define KERN_POSE_H

#include <stddef.h>
#include <stdint.h>

/* No chain takes more rounds than this, whatever the model says (MMD's own cap). */
#define KERN_POSE_LOOPS_MAX 256

enum kern_pose_flags {
	KERN_POSE_APPEND_ROTATE = 1,
	KERN_POSE_APPEND_MOVE = 2,
	KERN_POSE_APPEND_LOCAL = 4,
};

struct kern_pose_link {
	uint32_t bone;
	uint32_t limited;	      /* 0: minimum and maximum say nothing */
	float minimum[3], maximum[3]; /* radians, of the local rotation's Euler angles */
};

struct kern_pose_chain {
	uint32_t bone;	 /* where the target shall go */
	uint32_t target; /* the bone at the chain's end */
	uint32_t loops;
	float step; /* radians; the n-th link may turn n times as far at once */
	uint32_t first_link, link_count; /* in links; nearest the target first */
};

/* Borrowed and constant throughout.  Arrays have bone_count elements unless said
 * otherwise; every index is valid and the parents form no cycle. */
struct kern_pose_skeleton {
	uint32_t bone_count, order_count, chain_count;
	const float (*rest)[3]; /* model space */
	const int32_t *parent;	/* -1: none */
	/* The deform order, order_count bones, each once; whatever one of them depends on
	 * is there too. */
	const uint32_t *order;
	/* bone_count bones, each once, parents before children. */
	const uint32_t *hierarchy;
	const uint32_t *flags;	/* set of enum kern_pose_flags */
	const uint32_t *source; /* of the append, where flags has any */
	const float *ratio;	/* of the append */
	const int32_t *chain;	/* the chain that an IK bone solves; -1: none */
	const struct kern_pose_chain *chains; /* chain_count */
	const struct kern_pose_link *links;
};

struct kern_pose {
	const struct kern_pose_skeleton *skeleton;
	uint32_t frame_count;
	size_t stride;	     /* elements from one plane to the next, >= frame_count */
	const float *rotate; /* each bone's own, 4 planes a bone */
	const float *move;   /* each bone's own, 3 planes a bone */
	const uint8_t *ik_enabled; /* a plane a chain; NULL: all enabled */
	/* Results, of the bones in the order; others' planes and whatever lies between
	 * frame_count and stride stay as they are.  NULL: not wanted. */
	float *position;     /* model space, 3 planes a bone */
	float *world_rotate; /* 4 planes a bone */
	float *local_rotate; /* against the parent, with append and IK; w >= 0 */
	void *scratch;	     /* kern_pose_scratch() bytes, aligned for float */
};

/* See caps.h. */
typedef int kern_pose_fn(const struct kern_pose *a, void *queue);
kern_pose_fn kern_pose_c, kern_pose_avx2, kern_pose_avx512;
kern_pose_fn *kern_pose_pick(unsigned caps);
size_t kern_pose_scratch(const struct kern_pose *a);

#endif
