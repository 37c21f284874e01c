/* SPDX-License-Identifier: BSD-2-Clause */
/* Variants of poses against the plain C: skeletons in any order with append and chains of
 * every kind, and numbers that are none. */
#include "tests/kernels/check_pose.h"
#include "tests/kernels/ck.h"
#include "tests/kernels/subject.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Whether all results have the same bits, but for which NaN stands where one does; the
 * planes' guards and tails are the subject's to watch. */
static int
same_bits(const float *got, const float *wanted, size_t planes)
{
	for (size_t i = 0; i < planes; i++) {
		for (size_t f = 0; f < CK_FRAMES; f++) {
			float a = got[i * CK_STRIDE + f], b = wanted[i * CK_STRIDE + f];
			if (memcmp(&a, &b, sizeof a) != 0 && !(isnan(a) && isnan(b)))
				return 0;
		}
	}
	return 1;
}

/* Limits of every kind: locked, hinges, two axes, three in each order, none. */
static void
draw_limits(struct kern_pose_link *link)
{
	uint32_t axes = ck_random(8), wide = ck_random(8);
	link->limited = ck_random(4) != 0;
	for (uint32_t axis = 0; axis < 3; axis++) {
		double most = wide & (1u << axis) ? 3.1 : 1.2;
		double low = ck_uniform(-most, most), high = ck_uniform(-most, most);
		int open = axes & (1u << axis) ? 1 : 0;
		link->minimum[axis] = open ? (float)fmin(low, high) : 0.0f;
		link->maximum[axis] = open ? (float)fmax(low, high) : 0.0f;
	}
}

/* Everything at once, now and then with what is not a number or far too large. */
static void
draw_hostile(struct ck_subject *s)
{
	ck_subject_draw(s, 8 + ck_random(CK_BONES - 8));
	for (uint32_t i = 0; i < s->skeleton.bone_count; i++)
		s->hierarchy[i] = i;
	for (uint32_t i = 8; i < s->skeleton.bone_count; i++)
		s->parent[i] = (int32_t)ck_random(i);
	uint32_t chains = ck_random(3);
	for (uint32_t i = 0; i < chains; i++) {
		ck_subject_chain(s, i, i * 4);
		/* A goal that hangs below its own leg, a target that does not. */
		if (ck_random(3) == 0)
			s->parent[i * 4 + 3] = (int32_t)(i * 4 + ck_random(3));
		if (ck_random(4) == 0)
			s->parent[i * 4 + 2] = -1;
	}
	for (uint32_t i = 0; i < 4; i++)
		draw_limits(&s->links[i]);
	for (uint32_t i = 0; i < 2; i++) {
		s->chains[i].loops = ck_random(30);
		s->chains[i].step = (float)ck_uniform(0, 4);
	}
	ck_subject_append(s);
	if (ck_random(2) == 0)
		ck_subject_shuffle(s->order, s->skeleton.bone_count);
	for (size_t i = 0; i < sizeof s->enabled; i++)
		s->enabled[i] = (uint8_t)(ck_random(3) * 100);
	if (ck_random(4) == 0)
		s->pose.ik_enabled = NULL;
	for (uint32_t i = ck_random(3) * 4; i > 0; i--) {
		static const float odd[] = {
			NAN, INFINITY, -INFINITY, 0.0f, -0.0f, 1e-42f, 3e38f};
		size_t frame = ck_random(CK_FRAMES);
		size_t plane = ck_random(s->skeleton.bone_count * 3);
		float *planes = ck_random(2) == 0 ? s->rotate : s->move;
		planes[plane * CK_STRIDE + frame] = odd[ck_random(7)];
	}
}

/* EXACT is the grade: see pose.h. */
void
check_pose_bits(kern_pose_fn *fn, const char *name)
{
	int same = 1, intact = 1;
	char text[80];
	for (int round = 0; round < 400; round++) {
		struct ck_subject s;
		draw_hostile(&s);
		size_t bones = s.skeleton.bone_count;
		s.pose.frame_count = 1 + ck_random(CK_FRAMES);
		float *all = malloc(bones * 11 * CK_STRIDE * sizeof *all);
		struct kern_pose wanted = s.pose;
		if (ck_random(3) == 0)
			s.pose.position = NULL;
		if (ck_random(3) == 0)
			s.pose.world_rotate = NULL;
		if (ck_random(3) == 0)
			s.pose.local_rotate = NULL;
		wanted.position = all;
		wanted.world_rotate = all + bones * 3 * CK_STRIDE;
		wanted.local_rotate = all + bones * 7 * CK_STRIDE;
		memcpy(wanted.position, s.position, bones * 3 * CK_STRIDE * sizeof *all);
		memcpy(wanted.world_rotate, s.world, bones * 4 * CK_STRIDE * sizeof *all);
		memcpy(wanted.local_rotate, s.local, bones * 4 * CK_STRIDE * sizeof *all);
		if (s.pose.position == NULL)
			wanted.position = NULL;
		if (s.pose.world_rotate == NULL)
			wanted.world_rotate = NULL;
		if (s.pose.local_rotate == NULL)
			wanted.local_rotate = NULL;
		kern_pose_c(&wanted, NULL);
		fn(&s.pose, NULL);
		same = same && same_bits(s.position, all, bones * 3) &&
		       same_bits(s.world, all + bones * 3 * CK_STRIDE, bones * 4) &&
		       same_bits(s.local, all + bones * 7 * CK_STRIDE, bones * 4);
		free(all);
		intact = ck_subject_release(&s) && intact;
	}
	snprintf(text, sizeof text, "pose %s: the bits of the plain C", name);
	ck_true(text, same);
	snprintf(text, sizeof text, "pose %s: writes no more than the plain C", name);
	ck_true(text, intact);
}
