/* SPDX-License-Identifier: BSD-2-Clause */
/* ik_link.h - what a chain and its links say by themselves, whatever the frame: for ik.c
 * and ik_lanes.h. */
#ifndef KERN_IK_LINK_H
#define KERN_IK_LINK_H

#include "kernels/pose.h"
#include "kernels/quat.h"

/* Squared: a distance of 1e-4 units, and about 1e-4 radians. */
#define KERN_IK_NEAR 1e-8f
/* The middle Euler angle stays this far (88 degrees) from where the others would merge. */
#define KERN_IK_MIDDLE_MAX 1.53588974f

enum kern_ik_freedom {
	KERN_IK_LOCKED = -1,
	KERN_IK_ABOUT_X,
	KERN_IK_ABOUT_Y,
	KERN_IK_ABOUT_Z,
	KERN_IK_FREE,
};

/* A rotation as a product of turns about three axes: first * middle * last. */
struct kern_ik_order {
	int first, middle, last;
};

/* The unit vector along axis 0, 1 or 2. */
KERN_BOTH struct kern_vec
kern_ik_unit(int axis)
{
	return (struct kern_vec){axis == 0 ? 1.0f : 0.0f, axis == 1 ? 1.0f : 0.0f,
		axis == 2 ? 1.0f : 0.0f};
}

KERN_BOTH enum kern_ik_freedom
kern_ik_link_freedom(const struct kern_pose_link *link)
{
	int free_count = 0, free_axis = KERN_IK_LOCKED;
	if (!link->limited)
		return KERN_IK_FREE;
	for (int axis = 0; axis < 3; axis++) {
		if (link->minimum[axis] != 0.0f || link->maximum[axis] != 0.0f) {
			free_axis = axis;
			free_count++;
		}
	}
	return free_count > 1 ? KERN_IK_FREE : (enum kern_ik_freedom)free_axis;
}

/* An axis that stays within a quarter turn goes into the middle. */
KERN_BOTH struct kern_ik_order
kern_ik_link_order(const struct kern_pose_link *link)
{
	if (link->minimum[0] > -KERN_TRIG_QUARTER && link->maximum[0] < KERN_TRIG_QUARTER)
		return (struct kern_ik_order){1, 0, 2};
	if (link->minimum[1] > -KERN_TRIG_QUARTER && link->maximum[1] < KERN_TRIG_QUARTER)
		return (struct kern_ik_order){2, 1, 0};
	return (struct kern_ik_order){0, 2, 1};
}

/* Half the greatest angle by which a link turns at once; from half a turn on, nothing is
 * cut off. */
KERN_BOTH struct kern_trig_sincos
kern_ik_link_step(const struct kern_pose_chain *chain, uint32_t place)
{
	float most = chain->step * (float)(place + 1);
	if (most >= KERN_TRIG_PI)
		return (struct kern_trig_sincos){2.0f, 0.0f};
	return kern_trig_sincos(0.5f * most);
}

KERN_BOTH uint32_t
kern_ik_link_loops(const struct kern_pose_chain *chain)
{
	return chain->loops < KERN_POSE_LOOPS_MAX ? chain->loops : KERN_POSE_LOOPS_MAX;
}

#endif
