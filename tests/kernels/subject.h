/* SPDX-License-Identifier: BSD-2-Clause */
/* subject.h - random skeletons with planes of random motion, for check_pose.c. */
#ifndef CK_SUBJECT_H
#define CK_SUBJECT_H

#include "kernels/pose.h"

#define CK_BONES  40
#define CK_FRAMES 77
#define CK_STRIDE 81

/* A skeleton with everything in it, and planes for it. */
struct ck_subject {
	float rest[CK_BONES][3], ratio[CK_BONES];
	int32_t parent[CK_BONES], chain_of[CK_BONES];
	uint32_t order[CK_BONES], hierarchy[CK_BONES], flags[CK_BONES], source[CK_BONES];
	struct kern_pose_chain chains[2];
	struct kern_pose_link links[4];
	struct kern_pose_skeleton skeleton;
	struct kern_pose pose;
	float *rotate, *move, *position, *world, *local;
	uint8_t enabled[2 * CK_STRIDE];
};

/* Draws a skeleton of so many bones, without append and IK, and a motion for it; parents
 * may stand behind their children.  ck_subject_release() frees it and says whether all
 * guards, and whatever lies behind the last frame, are as they were. */
void ck_subject_draw(struct ck_subject *s, uint32_t bones);
int ck_subject_release(struct ck_subject *s);

void ck_subject_shuffle(uint32_t *list, uint32_t count);
/* Gives about every fourth bone an append of any kind. */
void ck_subject_append(struct ck_subject *s);
/* Makes four bones from `base` on a leg of two links, its target and its goal. */
void ck_subject_chain(struct ck_subject *s, uint32_t number, uint32_t base);

/* The components of one bone in one frame. */
void ck_subject_take(
	const float *planes, size_t components, uint32_t bone, size_t frame, double *to);

#endif
