/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pose_plan.h - a skeleton as a program for pose_walk.h: what pose.h finds out anew for
 * every frame, although it depends on the skeleton alone, found out once.
 *
 * A plan is one block of memory whose parts are found by their distance in bytes from its
 * beginning, so that a copy of it, on a GPU too, is as good.  It keeps nothing of the
 * skeleton it was made from.
 */
#ifndef KERN_POSE_PLAN_H
#define KERN_POSE_PLAN_H

#include "kernels/pose.h"
#include "kernels/quat.h"

/* No place in the scratch planes. */
#define KERN_POSE_PLAN_NONE UINT32_MAX

enum kern_pose_plan_marks {
	KERN_POSE_PLAN_PLACED = 1,  /* while the plan is made: its turn has come */
	KERN_POSE_PLAN_MOVED = 2,   /* likewise: by the chain at hand */
	KERN_POSE_PLAN_EARLY = 4,   /* placed again after the last bone */
	KERN_POSE_PLAN_AWAITED = 8, /* read before its turn */
	KERN_POSE_PLAN_RAW = 16,    /* its local rotation is read after it was placed, so
				       it becomes a result only at the end */
};

struct kern_pose_plan_bone {
	float rest[3];
	float away[3];	/* from the parent's rest; of a root not used */
	int32_t parent; /* -1: none */
	uint32_t flags; /* set of enum kern_pose_flags */
	uint32_t source;
	float ratio;
	int32_t chain; /* that it solves in its turn; -1: none */
	/* The first of 7 scratch planes, saved rotation and move; NONE: these are the own
	 * ones, for nothing is appended. */
	uint32_t saved;
	/* The first of 5, IK rotation and whether it was solved; NONE: it is no link. */
	uint32_t ik;
	uint32_t marks;			     /* set of enum kern_pose_plan_marks */
	uint32_t first_follow, follow_count; /* placed anew when its chain is solved */
};

struct kern_pose_plan_link {
	struct kern_pose_link link;
	struct kern_trig_sincos most; /* kern_ik_link_step() */
};

struct kern_pose_plan_chain {
	uint32_t bone, target, loops;
	uint32_t first_link, link_count;
};

/* A list's place: bytes from the plan's beginning, and how many elements. */
struct kern_pose_plan_list {
	uint32_t at, count;
};

struct kern_pose_plan {
	uint32_t bytes; /* of all of it */
	uint32_t scratch_planes;
	struct kern_pose_plan_list bones;  /* struct kern_pose_plan_bone, by number */
	struct kern_pose_plan_list order;  /* uint32_t: bones in their turn */
	struct kern_pose_plan_list chains; /* struct kern_pose_plan_chain */
	struct kern_pose_plan_list links;  /* struct kern_pose_plan_link */
	struct kern_pose_plan_list await;  /* uint32_t: bones read before their turn */
	struct kern_pose_plan_list early;  /* uint32_t: bones placed again at the end */
	struct kern_pose_plan_list follow; /* uint32_t: bones that hang below links */
};

/* How many bytes suffice for the skeleton's plan; 0: more than a plan may have, 1 GiB. */
size_t kern_pose_plan_bytes(const struct kern_pose_skeleton *skeleton);

/* Makes the plan in that many bytes, aligned for uint32_t; plan->bytes of them count. */
void kern_pose_plan_make(
	const struct kern_pose_skeleton *skeleton, struct kern_pose_plan *plan);

/* The list's first element. */
KERN_BOTH const void *
kern_pose_plan_at(const struct kern_pose_plan *plan, struct kern_pose_plan_list list)
{
	return (const char *)plan + list.at;
}

#endif
