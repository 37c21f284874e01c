/* SPDX-License-Identifier: BSD-2-Clause */
/* IK: a leg with a knee, and what must be true of it. */
#include "tests/kernels/check_pose.h"
#include "tests/kernels/ck.h"
#include "tests/kernels/subject.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Hip, knee, foot and goal, 5 and 5 units apart, at rest in all frames. */
static void
draw_leg(struct ck_subject *s, const float goal[3])
{
	const float leg[3][3] = {{0, 10, 0}, {0, 5, -0.2f}, {0, 0, 0}};
	ck_subject_draw(s, 4);
	memcpy(s->rest, leg, sizeof leg);
	memcpy(s->rest[3], goal, sizeof s->rest[3]);
	for (uint32_t i = 0; i < 4; i++)
		s->hierarchy[i] = i;
	ck_subject_chain(s, 0, 0);
	for (size_t f = 0; f < CK_FRAMES; f++) {
		for (size_t plane = 0; plane < 16; plane++)
			s->rotate[plane * CK_STRIDE + f] = plane % 4 == 3;
		for (size_t plane = 0; plane < 12; plane++)
			s->move[plane * CK_STRIDE + f] = 0;
	}
}

struct reach {
	double reached, off, beyond, pointing;
};

/* To a goal within reach; where IK is on, and nowhere else. */
static void
reach(kern_pose_fn *fn, struct ck_subject *s, int limited, struct reach *worst)
{
	double p[4], q[4], goal[3];
	s->links[0].limited = (uint32_t)limited;
	s->links[0].minimum[0] = -3.0f;
	s->links[0].maximum[0] = -0.01f;
	fn(&s->pose, NULL);
	for (size_t f = 0; f < CK_FRAMES; f++) {
		ck_subject_take(s->position, 3, 2, f, p);
		ck_subject_take(s->position, 3, 3, f, goal);
		if (!s->enabled[f]) {
			ck_worst(&worst->off,
				check_pose_distance(p, (double[3]){0, 0, 0}));
			continue;
		}
		ck_worst(&worst->reached, check_pose_distance(p, goal));
		ck_subject_take(s->local, 4, 1, f, q);
		if (limited) {
			double angle = 2 * atan2(q[0], q[3]);
			ck_worst(&worst->beyond, fabs(q[1]) + fabs(q[2]));
			ck_worst(&worst->beyond, angle + 0.01);
			ck_worst(&worst->beyond, -3.0 - angle);
		}
	}
}

/* Stretched, the foot lies on the line from hip to goal. */
static void
stretch(kern_pose_fn *fn, struct ck_subject *s, struct reach *worst)
{
	const double hip[3] = {0, 10, 0};
	double p[3], goal[3];
	s->links[0].limited = 0;
	for (size_t f = 0; f < CK_FRAMES; f++) {
		s->move[10 * CK_STRIDE + f] = -15.0f;
		s->enabled[f] = 1;
	}
	fn(&s->pose, NULL);
	for (size_t f = 0; f < CK_FRAMES; f++) {
		ck_subject_take(s->position, 3, 2, f, p);
		ck_subject_take(s->position, 3, 3, f, goal);
		ck_worst(&worst->pointing,
			fabs(check_pose_distance(p, hip) + check_pose_distance(p, goal) -
				check_pose_distance(goal, hip)));
	}
}

/* The goal is within the leg's reach, or not.  The solver creeps where the leg is nearly
 * straight, so "reached" is a wide word. */
static void
judge_reach(kern_pose_fn *fn, const char *name)
{
	struct ck_subject s;
	struct reach worst = {0};
	char text[80];
	draw_leg(&s, (const float[3]){0, 0, 0});
	for (size_t f = 0; f < CK_FRAMES; f++) {
		s.move[9 * CK_STRIDE + f] = (float)ck_uniform(-3, 3);
		s.move[10 * CK_STRIDE + f] = (float)ck_uniform(1, 4);
		s.move[11 * CK_STRIDE + f] = (float)ck_uniform(-3, 3);
		s.enabled[f] = f % 3 != 0;
	}
	reach(fn, &s, 0, &worst);
	reach(fn, &s, 1, &worst);
	snprintf(text, sizeof text, "pose %s: a leg reaches what it can", name);
	ck_judge(text, worst.reached, 2e-2);
	snprintf(text, sizeof text, "pose %s: IK that is off does nothing", name);
	ck_judge(text, worst.off, 1e-6);
	snprintf(text, sizeof text, "pose %s: a knee keeps its limits", name);
	ck_judge(text, worst.beyond, 1e-5);
	stretch(fn, &s, &worst);
	snprintf(
		text, sizeof text, "pose %s: a leg points at what it cannot reach", name);
	ck_judge(text, ck_subject_release(&s) ? worst.pointing : INFINITY, 2e-2);
}

/* The angle by which a bone's local rotation turns in the first frame, after the pose. */
static double
turned(kern_pose_fn *fn, struct ck_subject *s, uint32_t bone)
{
	double q[4];
	fn(&s->pose, NULL);
	ck_subject_take(s->local, 4, bone, 0, q);
	return 2 * atan2(sqrt(q[0] * q[0] + q[1] * q[1] + q[2] * q[2]), q[3]);
}

/* How far one round goes. */
static double
judge_steps(kern_pose_fn *fn, struct ck_subject *s)
{
	double worst = 0;
	s->chains[0].loops = 1;
	s->chains[0].step = 0.05f;
	ck_worst(&worst, fabs(turned(fn, s, 1) - 0.05));
	ck_worst(&worst, fabs(turned(fn, s, 0) - 0.10));
	s->chains[0].step = 0;
	ck_worst(&worst, turned(fn, s, 0) + turned(fn, s, 1));
	return worst;
}

/* What limits do to a knee that nothing turns. */
static double
judge_limits(kern_pose_fn *fn, struct ck_subject *s)
{
	struct kern_pose_link *knee = &s->links[0];
	double worst = 0;
	knee->limited = 1;
	knee->minimum[0] = -3.0f;
	knee->maximum[0] = -0.1f;
	/* One round has no first half: the angle is cut off at its limit. */
	ck_worst(&worst, fabs(turned(fn, s, 1) - 0.1));
	/* Two have: it is reflected there, if that is within the other limit. */
	s->chains[0].loops = 2;
	ck_worst(&worst, fabs(turned(fn, s, 1) - 0.2));
	knee->minimum[0] = -0.15f;
	ck_worst(&worst, fabs(turned(fn, s, 1) - 0.1));
	knee->minimum[0] = 0.1f;
	knee->maximum[0] = 3.0f;
	ck_worst(&worst, fabs(turned(fn, s, 1) - 0.2));
	/* A hinge takes the whole step about its axis in the first half, and afterwards
	 * the part of it (about 7 tenths here) that lies about its axis. */
	knee->minimum[0] = -3.0f;
	s->chains[0].step = 0.05f;
	double hinge = turned(fn, s, 1);
	ck_worst(&worst, hinge > 0.08 && hinge < 0.095 ? 0 : 1);
	s->chains[0].step = 0;
	/* A link whose six limits are 0 is locked, not brought back. */
	knee->minimum[0] = knee->maximum[0] = 0;
	s->rotate[4 * CK_STRIDE] = (float)sin(0.25);
	s->rotate[7 * CK_STRIDE] = (float)cos(0.25);
	ck_worst(&worst, fabs(turned(fn, s, 1) - 0.5));
	return worst;
}

/* One frame; of the others the results stay untouched. */
static void
judge_rounds(kern_pose_fn *fn, const char *name)
{
	struct ck_subject s;
	char text[80];
	draw_leg(&s, (const float[3]){3, 4, 3});
	s.pose.frame_count = 1;
	snprintf(text, sizeof text, "pose %s: a step's limit grows with the link", name);
	ck_judge(text, judge_steps(fn, &s), 1e-6);
	double limits = judge_limits(fn, &s);
	int intact = ck_release(s.rotate) & ck_release(s.move) & ck_release(s.position) &
		     ck_release(s.world) & ck_release(s.local);
	free(s.pose.scratch);
	snprintf(text, sizeof text, "pose %s: limits reflect, cut off, lock", name);
	ck_judge(text, intact ? limits : INFINITY, 1e-6);
}

void
check_pose_ik(kern_pose_fn *fn, const char *name)
{
	judge_reach(fn, name);
	judge_rounds(fn, name);
}
