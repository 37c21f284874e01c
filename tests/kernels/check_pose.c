/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Poses.  Chains of bones are stated again with matrices in double precision, parents by
 * recursion; append and IK are held against what must be true of any skeleton, drawn at
 * random with parents behind their children and in any order.
 */
#include "kernels/caps.h"
#include "kernels/pose.h"
#include "tests/kernels/ck.h"
#include "tests/kernels/subject.h"
#include "tests/kernels/through.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* v := q v q*, by the matrix. */
static void
turn(const double q[4], const double v[3], double to[3])
{
	double x = q[0], y = q[1], z = q[2], w = q[3];
	double m[3][3] = {
		{1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)},
		{2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)},
		{2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)}};
	for (int r = 0; r < 3; r++)
		to[r] = m[r][0] * v[0] + m[r][1] * v[1] + m[r][2] * v[2];
}

static void
multiply(const double p[4], const double q[4], double to[4])
{
	double result[4] = {p[3] * q[0] + p[0] * q[3] + p[1] * q[2] - p[2] * q[1],
		p[3] * q[1] + p[1] * q[3] + p[2] * q[0] - p[0] * q[2],
		p[3] * q[2] + p[2] * q[3] + p[0] * q[1] - p[1] * q[0],
		p[3] * q[3] - p[0] * q[0] - p[1] * q[1] - p[2] * q[2]};
	memcpy(to, result, sizeof result);
}

/* Without append and IK: where a bone is, from its ancestors. */
static void
restate(const struct ck_subject *s, uint32_t bone, size_t frame, double at[3],
	double q[4])
{
	double own[4], move[3], offset[3], turned[3], base[3] = {0},
						      parent_q[4] = {0, 0, 0, 1};
	const float zero[3] = {0}, *parent_rest = zero;
	ck_subject_take(s->rotate, 4, bone, frame, own);
	ck_subject_take(s->move, 3, bone, frame, move);
	if (s->parent[bone] >= 0) {
		restate(s, (uint32_t)s->parent[bone], frame, base, parent_q);
		parent_rest = s->rest[s->parent[bone]];
	}
	for (int c = 0; c < 3; c++)
		offset[c] = (double)s->rest[bone][c] - parent_rest[c] + move[c];
	turn(parent_q, offset, turned);
	for (int c = 0; c < 3; c++)
		at[c] = base[c] + turned[c];
	multiply(parent_q, own, q);
}

/* The angle's half between two unit quaternions, about. */
static double
apart(const double p[4], const double q[4])
{
	double near = 0, far = 0;
	for (int c = 0; c < 4; c++) {
		near += (p[c] - q[c]) * (p[c] - q[c]);
		far += (p[c] + q[c]) * (p[c] + q[c]);
	}
	return sqrt(fmin(near, far));
}

static double
distance(const double a[3], const double b[3])
{
	return sqrt((a[0] - b[0]) * (a[0] - b[0]) + (a[1] - b[1]) * (a[1] - b[1]) +
		    (a[2] - b[2]) * (a[2] - b[2]));
}

static void
judge_hierarchy(kern_pose_fn *fn, const char *name)
{
	double worst_at = 0, worst_q = 0, worst_local = 0;
	int intact = 1, above = 1;
	char text[80];
	for (int round = 0; round < 60; round++) {
		struct ck_subject s;
		ck_subject_draw(&s, 1 + ck_random(CK_BONES));
		if (ck_random(2) == 0)
			ck_subject_shuffle(s.order, s.skeleton.bone_count);
		fn(&s.pose, NULL);
		for (uint32_t i = 0; i < s.skeleton.bone_count; i++) {
			for (size_t f = 0; f < CK_FRAMES; f++) {
				double at[3], q[4], own[4], got[4];
				restate(&s, i, f, at, q);
				ck_subject_take(s.position, 3, i, f, got);
				ck_worst(&worst_at, distance(at, got));
				ck_subject_take(s.world, 4, i, f, got);
				ck_worst(&worst_q, apart(q, got));
				ck_subject_take(s.rotate, 4, i, f, own);
				ck_subject_take(s.local, 4, i, f, got);
				ck_worst(&worst_local, apart(own, got));
				above = above && got[3] >= 0;
			}
		}
		intact = ck_subject_release(&s) && intact;
	}
	snprintf(text, sizeof text, "pose %s: positions down the hierarchy", name);
	ck_judge(text, worst_at, 1e-4);
	snprintf(text, sizeof text, "pose %s: rotations in model space", name);
	ck_judge(text, worst_q, 1e-5);
	snprintf(text, sizeof text, "pose %s: local rotations are the own ones", name);
	ck_judge(text, worst_local, 1e-6);
	snprintf(text, sizeof text, "pose %s: local rotations have w >= 0", name);
	ck_true(text, above);
	snprintf(text, sizeof text, "pose %s: writes its frames only", name);
	ck_true(text, intact);
}

/* World is parent's world times local, whatever append and IK did, in any order. */
static void
judge_agreement(kern_pose_fn *fn, const char *name)
{
	double worst = 0;
	int same = 1;
	char text[80];
	for (int round = 0; round < 60; round++) {
		struct ck_subject s;
		ck_subject_draw(&s, 8 + ck_random(CK_BONES - 8));
		for (uint32_t i = 0; i < s.skeleton.bone_count; i++)
			s.hierarchy[i] = i;
		for (uint32_t i = 8; i < s.skeleton.bone_count; i++)
			s.parent[i] = (int32_t)ck_random(i);
		ck_subject_chain(&s, 0, 0);
		ck_subject_chain(&s, 1, 4);
		ck_subject_append(&s);
		ck_subject_shuffle(s.order, s.skeleton.bone_count);
		fn(&s.pose, NULL);
		for (uint32_t i = 0; i < s.skeleton.bone_count; i++) {
			for (size_t f = 0; f < CK_FRAMES; f++) {
				double parent[4] = {0, 0, 0, 1}, local[4], world[4], q[4];
				if (s.parent[i] >= 0)
					ck_subject_take(s.world, 4, (uint32_t)s.parent[i],
						f, parent);
				ck_subject_take(s.local, 4, i, f, local);
				ck_subject_take(s.world, 4, i, f, world);
				multiply(parent, local, q);
				ck_worst(&worst, apart(q, world));
			}
		}
		/* Frames one by one, over the results of all at once. */
		size_t planes = (size_t)s.skeleton.bone_count * 3;
		float *whole = malloc(planes * CK_STRIDE * sizeof *whole);
		memcpy(whole, s.position, planes * CK_STRIDE * sizeof *whole);
		struct kern_pose part = s.pose;
		part.frame_count = 1;
		for (size_t f = 0; f < CK_FRAMES; f++) {
			part.rotate = s.rotate + f;
			part.move = s.move + f;
			part.ik_enabled = s.enabled + f;
			part.position = s.position + f;
			part.world_rotate = s.world + f;
			part.local_rotate = s.local + f;
			fn(&part, NULL);
		}
		for (size_t p = 0; p < planes; p++)
			same = same &&
			       memcmp(whole + p * CK_STRIDE, s.position + p * CK_STRIDE,
				       CK_FRAMES * sizeof *whole) == 0;
		free(whole);
		same = ck_subject_release(&s) && same;
	}
	snprintf(text, sizeof text, "pose %s: world is parent's world times local", name);
	ck_judge(text, worst, 1e-5);
	snprintf(
		text, sizeof text, "pose %s: frames one by one give the same bits", name);
	ck_true(text, same);
}

/* Bone 2 appends from bone 1, bone 3 from bone 2: rules with a known answer. */
static void
judge_append(kern_pose_fn *fn, const char *name)
{
	struct ck_subject s;
	double worst = 0, a[4], b[4], got[4], p[3], q[3];
	char text[80];
	ck_subject_draw(&s, 4);
	for (int i = 0; i < 4; i++)
		s.parent[i] = i == 1 ? 0 : -1;
	for (uint32_t i = 0; i < 4; i++)
		s.hierarchy[i] = i;
	s.flags[2] = s.flags[3] = KERN_POSE_APPEND_ROTATE | KERN_POSE_APPEND_MOVE;
	s.source[2] = 1;
	s.source[3] = 2;
	s.ratio[2] = s.ratio[3] = 1.0f;
	fn(&s.pose, NULL);
	for (size_t f = 0; f < CK_FRAMES; f++) {
		/* own * source's, and the next takes all of that. */
		for (uint32_t bone = 2; bone < 4; bone++) {
			ck_subject_take(s.rotate, 4, bone, f, a);
			ck_subject_take(
				bone == 2 ? s.rotate : s.local, 4, bone - 1, f, b);
			multiply(a, b, a);
			ck_subject_take(s.local, 4, bone, f, got);
			ck_worst(&worst, apart(a, got));
		}
		ck_subject_take(s.move, 3, 1, f, p);
		ck_subject_take(s.move, 3, 2, f, q);
		ck_subject_take(s.position, 3, 2, f, got);
		for (int c = 0; c < 3; c++)
			p[c] += q[c] + s.rest[2][c];
		ck_worst(&worst, 0.1 * distance(p, got));
	}
	s.ratio[2] = -1.0f;
	s.ratio[3] = 0.0f;
	fn(&s.pose, NULL);
	for (size_t f = 0; f < CK_FRAMES; f++) {
		ck_subject_take(s.rotate, 4, 2, f, a);
		ck_subject_take(s.rotate, 4, 1, f, b);
		b[3] = -b[3];
		multiply(a, b, a);
		ck_subject_take(s.local, 4, 2, f, got);
		ck_worst(&worst, apart(a, got));
		ck_subject_take(s.rotate, 4, 3, f, a);
		ck_subject_take(s.local, 4, 3, f, got);
		ck_worst(&worst, apart(a, got));
	}
	s.flags[2] |= KERN_POSE_APPEND_LOCAL;
	s.ratio[2] = 1.0f;
	fn(&s.pose, NULL);
	for (size_t f = 0; f < CK_FRAMES; f++) {
		ck_subject_take(s.rotate, 4, 2, f, a);
		ck_subject_take(s.world, 4, 1, f, b);
		multiply(a, b, a);
		ck_subject_take(s.local, 4, 2, f, got);
		ck_worst(&worst, apart(a, got));
		ck_subject_take(s.position, 3, 1, f, p);
		ck_subject_take(s.move, 3, 2, f, q);
		ck_subject_take(s.position, 3, 2, f, got);
		for (int c = 0; c < 3; c++)
			p[c] += q[c] + s.rest[2][c] - s.rest[1][c];
		ck_worst(&worst, 0.1 * distance(p, got));
	}
	snprintf(text, sizeof text, "pose %s: append, saved, inverse, none, local", name);
	ck_judge(text, ck_subject_release(&s) ? worst : INFINITY, 2e-6);
}

/* A leg of 5 + 5 units; the goal is within its reach, or not.  The solver creeps where
 * the leg is nearly straight, so "reached" is a wide word. */
static void
judge_ik(kern_pose_fn *fn, const char *name)
{
	struct ck_subject s;
	double reached = 0, off = 0, beyond = 0, pointing = 0, p[4], q[4], goal[3];
	char text[80];
	const float leg[4][3] = {{0, 10, 0}, {0, 5, -0.2f}, {0, 0, 0}, {0, 0, 0}};
	ck_subject_draw(&s, 4);
	memcpy(s.rest, leg, sizeof leg);
	for (uint32_t i = 0; i < 4; i++)
		s.hierarchy[i] = i;
	ck_subject_chain(&s, 0, 0);
	for (size_t f = 0; f < CK_FRAMES; f++) {
		for (size_t plane = 0; plane < 12; plane++)
			s.move[plane * CK_STRIDE + f] = 0;
		for (size_t i = 0; i < 4; i++)
			for (size_t c = 0; c < 4; c++)
				s.rotate[(i * 4 + c) * CK_STRIDE + f] = c == 3;
		s.move[9 * CK_STRIDE + f] = (float)ck_uniform(-3, 3);
		s.move[10 * CK_STRIDE + f] = (float)ck_uniform(1, 4);
		s.move[11 * CK_STRIDE + f] = (float)ck_uniform(-3, 3);
		s.enabled[f] = f % 3 != 0;
	}
	for (int limited = 0; limited < 2; limited++) {
		s.links[0].limited = (uint32_t)limited;
		s.links[0].minimum[0] = -3.0f;
		s.links[0].maximum[0] = -0.01f;
		fn(&s.pose, NULL);
		for (size_t f = 0; f < CK_FRAMES; f++) {
			ck_subject_take(s.position, 3, 2, f, p);
			ck_subject_take(s.position, 3, 3, f, goal);
			if (!s.enabled[f]) {
				ck_worst(&off, distance(p, (double[3]){0, 0, 0}));
				continue;
			}
			ck_worst(&reached, distance(p, goal));
			ck_subject_take(s.local, 4, 1, f, q);
			if (limited) {
				double angle = 2 * atan2(q[0], q[3]);
				ck_worst(&beyond, fabs(q[1]) + fabs(q[2]));
				ck_worst(&beyond, angle + 0.01);
				ck_worst(&beyond, -3.0 - angle);
			}
		}
	}
	snprintf(text, sizeof text, "pose %s: a leg reaches what it can", name);
	ck_judge(text, reached, 2e-2);
	snprintf(text, sizeof text, "pose %s: IK that is off does nothing", name);
	ck_judge(text, off, 1e-6);
	snprintf(text, sizeof text, "pose %s: a knee keeps its limits", name);
	ck_judge(text, beyond, 1e-5);
	s.links[0].limited = 0;
	for (size_t f = 0; f < CK_FRAMES; f++) {
		s.move[10 * CK_STRIDE + f] = -15.0f;
		s.enabled[f] = 1;
	}
	fn(&s.pose, NULL);
	for (size_t f = 0; f < CK_FRAMES; f++) {
		/* Stretched, the foot lies on the line from hip to goal. */
		ck_subject_take(s.position, 3, 2, f, p);
		ck_subject_take(s.position, 3, 3, f, goal);
		double far = distance(goal, (double[3]){0, 10, 0});
		double near = distance(p, (double[3]){0, 10, 0});
		ck_worst(&pointing, fabs(near + distance(p, goal) - far));
	}
	snprintf(
		text, sizeof text, "pose %s: a leg points at what it cannot reach", name);
	ck_judge(text, ck_subject_release(&s) ? pointing : INFINITY, 2e-2);
}

/* The angle by which a bone's local rotation turns. */
static double
turned(const struct ck_subject *s, uint32_t bone)
{
	double q[4];
	ck_subject_take(s->local, 4, bone, 0, q);
	return 2 * atan2(sqrt(q[0] * q[0] + q[1] * q[1] + q[2] * q[2]), q[3]);
}

/* How far one round goes, and what limits do to a knee that nothing turns. */
static void
judge_ik_steps(kern_pose_fn *fn, const char *name)
{
	struct ck_subject s;
	double steps = 0, limits = 0;
	char text[80];
	const float leg[4][3] = {{0, 10, 0}, {0, 5, -0.2f}, {0, 0, 0}, {3, 4, 3}};
	ck_subject_draw(&s, 4);
	memcpy(s.rest, leg, sizeof leg);
	for (uint32_t i = 0; i < 4; i++)
		s.hierarchy[i] = i;
	ck_subject_chain(&s, 0, 0);
	for (size_t plane = 0; plane < 16; plane++)
		s.rotate[plane * CK_STRIDE] = plane % 4 == 3;
	for (size_t plane = 0; plane < 12; plane++)
		s.move[plane * CK_STRIDE] = 0;
	s.pose.frame_count = 1;
	s.chains[0].loops = 1;
	s.chains[0].step = 0.05f;
	fn(&s.pose, NULL);
	ck_worst(&steps, fabs(turned(&s, 1) - 0.05));
	ck_worst(&steps, fabs(turned(&s, 0) - 0.10));

	s.chains[0].step = 0;
	fn(&s.pose, NULL);
	ck_worst(&steps, turned(&s, 0) + turned(&s, 1));
	s.links[0].limited = 1;
	s.links[0].minimum[0] = -3.0f;
	s.links[0].maximum[0] = -0.1f;
	/* One round has no first half: the angle is cut off at its limit. */
	fn(&s.pose, NULL);
	ck_worst(&limits, fabs(turned(&s, 1) - 0.1));
	/* Two have: it is reflected there, if that is within the other limit. */
	s.chains[0].loops = 2;
	fn(&s.pose, NULL);
	ck_worst(&limits, fabs(turned(&s, 1) - 0.2));
	s.links[0].minimum[0] = -0.15f;
	fn(&s.pose, NULL);
	ck_worst(&limits, fabs(turned(&s, 1) - 0.1));
	s.links[0].minimum[0] = 0.1f;
	s.links[0].maximum[0] = 3.0f;
	fn(&s.pose, NULL);
	ck_worst(&limits, fabs(turned(&s, 1) - 0.2));
	/* A hinge takes the whole step about its axis in the first half, and afterwards
	 * the part of it (about 7 tenths here) that lies about its axis. */
	s.links[0].minimum[0] = -3.0f;
	s.chains[0].step = 0.05f;
	fn(&s.pose, NULL);
	ck_worst(&limits, turned(&s, 1) > 0.08 && turned(&s, 1) < 0.095 ? 0 : 1);
	s.chains[0].step = 0;
	/* A link whose six limits are 0 is locked, not brought back. */
	s.links[0].minimum[0] = s.links[0].maximum[0] = 0;
	s.rotate[4 * CK_STRIDE] = (float)sin(0.25);
	s.rotate[7 * CK_STRIDE] = (float)cos(0.25);
	fn(&s.pose, NULL);
	ck_worst(&limits, fabs(turned(&s, 1) - 0.5));
	snprintf(text, sizeof text, "pose %s: a step's limit grows with the link", name);
	ck_judge(text, steps, 1e-6);
	snprintf(text, sizeof text, "pose %s: limits reflect, cut off, lock", name);
	int intact = ck_release(s.rotate) & ck_release(s.move) & ck_release(s.position) &
		     ck_release(s.world) & ck_release(s.local);
	free(s.pose.scratch);
	ck_judge(text, intact ? limits : INFINITY, 1e-6);
}

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
static void
judge_bits(kern_pose_fn *fn, const char *name)
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

static void
judge(kern_pose_fn *fn, const char *name)
{
	judge_hierarchy(fn, name);
	judge_agreement(fn, name);
	judge_append(fn, name);
	judge_ik(fn, name);
	judge_ik_steps(fn, name);
}

/* CUDA, and its imitation by the same lines. */
static void
check_through(void)
{
	for (int i = 0; i < CK_THROUGH_DEVICES; i++) {
		const char *name = ck_through_devices[i].name;
		char why[256], text[300];
		if (ck_through_use(ck_through_devices[i].device, why, sizeof why) < 0) {
			snprintf(text, sizeof text, "%s: %s", name, why);
			ck_skip("pose", text);
			continue;
		}
		judge(ck_through_pose, name);
		judge_bits(ck_through_pose, name);
	}
}

void
check_pose(void)
{
	judge(kern_pose_c, "c");
	for (int i = 0; i < CK_CAPS; i++) {
		kern_pose_fn *fn = kern_pose_pick(ck_caps[i].bit);
		if (fn == kern_pose_c)
			continue;
		if (!(kern_caps_machine() & ck_caps[i].bit)) {
			ck_skip("pose", ck_caps[i].name);
			continue;
		}
		judge(fn, ck_caps[i].name);
		judge_bits(fn, ck_caps[i].name);
	}
	check_through();
}

/* As many as vmd-fk takes at a time. */
#define BENCH_FRAMES 64

void
bench_pose(void)
{
	struct ck_subject s;
	ck_subject_draw(&s, CK_BONES);
	for (uint32_t i = 0; i < CK_BONES; i++)
		s.hierarchy[i] = i;
	for (uint32_t i = 0; i < CK_BONES; i++)
		s.parent[i] = (int32_t)i - 1;
	s.pose.frame_count = BENCH_FRAMES;
	for (int with_ik = 0; with_ik < 2; with_ik++) {
		kern_pose_fn *last = NULL;
		if (with_ik) {
			ck_subject_chain(&s, 0, 0);
			ck_subject_chain(&s, 1, 4);
		}
		for (int i = -1; i < CK_CAPS; i++) {
			kern_pose_fn *fn =
				i < 0 ? kern_pose_c : kern_pose_pick(ck_caps[i].bit);
			if (fn == last ||
				(i >= 0 && !(kern_caps_machine() & ck_caps[i].bit)))
				continue;
			last = fn;
			uint64_t frames = 0;
			double begin = ck_now(), seconds;
			do {
				fn(&s.pose, NULL);
				frames += BENCH_FRAMES;
				seconds = ck_now() - begin;
			} while (seconds < 0.5);
			printf("pose %-6s %-12s %8.2f ns per frame and bone\n",
				i < 0 ? "c" : ck_caps[i].name,
				with_ik ? "2 chains" : "no IK",
				seconds * 1e9 / (double)(frames * CK_BONES));
		}
	}
	ck_subject_release(&s);
}
