/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Poses.  Chains of bones are stated again with matrices in double precision, parents by
 * recursion; append is held against what must be true of any skeleton, drawn at random
 * with parents behind their children and in any order.
 */
#include "kernels/caps.h"
#include "tests/kernels/check_pose.h"
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
				ck_worst(&worst_at, check_pose_distance(at, got));
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

/* Append and chains, in any order. */
static void
draw_all(struct ck_subject *s)
{
	ck_subject_draw(s, 8 + ck_random(CK_BONES - 8));
	for (uint32_t i = 0; i < s->skeleton.bone_count; i++)
		s->hierarchy[i] = i;
	for (uint32_t i = 8; i < s->skeleton.bone_count; i++)
		s->parent[i] = (int32_t)ck_random(i);
	ck_subject_chain(s, 0, 0);
	ck_subject_chain(s, 1, 4);
	ck_subject_append(s);
	ck_subject_shuffle(s->order, s->skeleton.bone_count);
}

/* How far a bone's world is from its parent's times its local rotation. */
static double
disagreement(const struct ck_subject *s, uint32_t bone, size_t frame)
{
	double parent[4] = {0, 0, 0, 1}, local[4], world[4], q[4];
	if (s->parent[bone] >= 0)
		ck_subject_take(s->world, 4, (uint32_t)s->parent[bone], frame, parent);
	ck_subject_take(s->local, 4, bone, frame, local);
	ck_subject_take(s->world, 4, bone, frame, world);
	multiply(parent, local, q);
	return apart(q, world);
}

/* Frames one by one, over the results of all at once: whether positions stay. */
static int
same_one_by_one(kern_pose_fn *fn, const struct ck_subject *s)
{
	int same = 1;
	size_t planes = (size_t)s->skeleton.bone_count * 3;
	float *whole = malloc(planes * CK_STRIDE * sizeof *whole);
	memcpy(whole, s->position, planes * CK_STRIDE * sizeof *whole);
	struct kern_pose part = s->pose;
	part.frame_count = 1;
	for (size_t f = 0; f < CK_FRAMES; f++) {
		part.rotate = s->rotate + f;
		part.move = s->move + f;
		part.ik_enabled = s->enabled + f;
		part.position = s->position + f;
		part.world_rotate = s->world + f;
		part.local_rotate = s->local + f;
		fn(&part, NULL);
	}
	for (size_t p = 0; p < planes; p++)
		same = same && memcmp(whole + p * CK_STRIDE, s->position + p * CK_STRIDE,
				       CK_FRAMES * sizeof *whole) == 0;
	free(whole);
	return same;
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
		draw_all(&s);
		fn(&s.pose, NULL);
		for (uint32_t i = 0; i < s.skeleton.bone_count; i++)
			for (size_t f = 0; f < CK_FRAMES; f++)
				ck_worst(&worst, disagreement(&s, i, f));
		same = same_one_by_one(fn, &s) && same;
		same = ck_subject_release(&s) && same;
	}
	snprintf(text, sizeof text, "pose %s: world is parent's world times local", name);
	ck_judge(text, worst, 1e-5);
	snprintf(
		text, sizeof text, "pose %s: frames one by one give the same bits", name);
	ck_true(text, same);
}

/* How far a bone's local rotation is from its own times another bone's, or times the
 * inverse of that. */
static double
append_error(const struct ck_subject *s, uint32_t bone, const double appended[4],
	size_t frame, int inverse)
{
	double own[4], got[4], q[4];
	memcpy(q, appended, sizeof q);
	q[3] = inverse ? -q[3] : q[3];
	ck_subject_take(s->rotate, 4, bone, frame, own);
	ck_subject_take(s->local, 4, bone, frame, got);
	multiply(own, q, q);
	return apart(q, got);
}

/* How far bone 2 is from where its own move and the appended one take it; tenths, for they
 * are judged with the rotations. */
static double
append_move_error(const struct ck_subject *s, const double appended[3], size_t frame)
{
	double own[3], got[3], wanted[3];
	ck_subject_take(s->move, 3, 2, frame, own);
	ck_subject_take(s->position, 3, 2, frame, got);
	for (int c = 0; c < 3; c++)
		wanted[c] = appended[c] + own[c] + s->rest[2][c];
	return 0.1 * check_pose_distance(wanted, got);
}

/* Bone 2 takes all of bone 1's own, and bone 3 all that bone 2 then has. */
static void
append_whole(const struct ck_subject *s, size_t f, double *worst)
{
	double q[4], move[3];
	ck_subject_take(s->rotate, 4, 1, f, q);
	ck_worst(worst, append_error(s, 2, q, f, 0));
	ck_subject_take(s->local, 4, 2, f, q);
	ck_worst(worst, append_error(s, 3, q, f, 0));
	ck_subject_take(s->move, 3, 1, f, move);
	ck_worst(worst, append_move_error(s, move, f));
}

/* Bone 2 takes the inverse, bone 3 nothing. */
static void
append_inverse(const struct ck_subject *s, size_t f, double *worst)
{
	const double none[4] = {0, 0, 0, 1};
	double q[4];
	ck_subject_take(s->rotate, 4, 1, f, q);
	ck_worst(worst, append_error(s, 2, q, f, 1));
	ck_worst(worst, append_error(s, 3, none, f, 0));
}

/* Bone 2 takes bone 1's rotation in model space and its way from its rest. */
static void
append_local(const struct ck_subject *s, size_t f, double *worst)
{
	double q[4], way[3];
	ck_subject_take(s->world, 4, 1, f, q);
	ck_worst(worst, append_error(s, 2, q, f, 0));
	ck_subject_take(s->position, 3, 1, f, way);
	for (int c = 0; c < 3; c++)
		way[c] -= s->rest[1][c];
	ck_worst(worst, append_move_error(s, way, f));
}

/* Bone 2 appends from bone 1, bone 3 from bone 2: rules with a known answer. */
static void
judge_append(kern_pose_fn *fn, const char *name)
{
	struct ck_subject s;
	double worst = 0;
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
	for (size_t f = 0; f < CK_FRAMES; f++)
		append_whole(&s, f, &worst);
	s.ratio[2] = -1.0f;
	s.ratio[3] = 0.0f;
	fn(&s.pose, NULL);
	for (size_t f = 0; f < CK_FRAMES; f++)
		append_inverse(&s, f, &worst);
	s.flags[2] |= KERN_POSE_APPEND_LOCAL;
	s.ratio[2] = 1.0f;
	fn(&s.pose, NULL);
	for (size_t f = 0; f < CK_FRAMES; f++)
		append_local(&s, f, &worst);
	snprintf(text, sizeof text, "pose %s: append, saved, inverse, none, local", name);
	ck_judge(text, ck_subject_release(&s) ? worst : INFINITY, 2e-6);
}

static void
judge(kern_pose_fn *fn, const char *name)
{
	judge_hierarchy(fn, name);
	judge_agreement(fn, name);
	judge_append(fn, name);
	check_pose_ik(fn, name);
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
		check_pose_bits(ck_through_pose, name);
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
		check_pose_bits(fn, ck_caps[i].name);
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
