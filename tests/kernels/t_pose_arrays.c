/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Forward kinematics on plain arrays, against the same in double precision written
 * straight from the definition; parents in any order, runs of any length, any filter.
 */
#include "kernels/caps.h"
#include "kernels/pose_arrays.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { BONES = 37, MOST_FRAMES = 131 };

static struct {
	float offset[BONES][3], quaternions[MOST_FRAMES][BONES][4];
	float translations[MOST_FRAMES][BONES][3];
	int32_t parent[BONES];
	float positions[MOST_FRAMES][BONES][3], world[MOST_FRAMES][BONES][4];
} data;

static float
number(void)
{
	return (float)rand() / (float)RAND_MAX * 2 - 1;
}

/* A tree whose numbers are shuffled, so that many parents come after their children. */
static void
fill(void)
{
	uint32_t number_of[BONES];
	srand(7);
	for (uint32_t i = 0; i < BONES; i++)
		number_of[i] = i;
	for (uint32_t i = BONES - 1; i > 0; i--) {
		uint32_t j = (uint32_t)rand() % (i + 1), kept = number_of[i];
		number_of[i] = number_of[j];
		number_of[j] = kept;
	}
	for (uint32_t i = 0; i < BONES; i++) {
		data.parent[number_of[i]] =
			i < 2 ? -1 : (int32_t)number_of[(uint32_t)rand() % i];
		for (int c = 0; c < 3; c++)
			data.offset[i][c] = 5 * number();
	}
	for (int f = 0; f < MOST_FRAMES; f++) {
		for (int b = 0; b < BONES; b++) {
			float *q = data.quaternions[f][b], length = 0;
			for (int c = 0; c < 4; c++) {
				q[c] = number();
				length += q[c] * q[c];
			}
			for (int c = 0; c < 4; c++)
				q[c] /= sqrtf(length);
			for (int c = 0; c < 3; c++)
				data.translations[f][b][c] = number();
		}
	}
}

struct pose {
	double q[4], p[3];
};

static void
turn(const double q[4], const double v[3], double out[3])
{
	double t[3];
	for (int c = 0; c < 3; c++) {
		int d = (c + 1) % 3, e = (c + 2) % 3;
		t[c] = 2 * (q[d] * v[e] - q[e] * v[d]);
	}
	for (int c = 0; c < 3; c++) {
		int d = (c + 1) % 3, e = (c + 2) % 3;
		out[c] = v[c] + q[3] * t[c] + q[d] * t[e] - q[e] * t[d];
	}
}

static struct pose
expected(int f, int b, int moved)
{
	struct pose parent = {.q = {0, 0, 0, 1}}, pose;
	if (data.parent[b] >= 0)
		parent = expected(f, data.parent[b], moved);
	double v[3], q[4];
	for (int c = 0; c < 3; c++)
		v[c] = (double)data.offset[b][c] +
		       (moved ? (double)data.translations[f][b][c] : 0);
	turn(parent.q, v, pose.p);
	for (int c = 0; c < 3; c++)
		pose.p[c] += parent.p[c];
	for (int c = 0; c < 4; c++)
		q[c] = data.quaternions[f][b][c];
	const double *a = parent.q;
	pose.q[0] = a[3] * q[0] + a[0] * q[3] + a[1] * q[2] - a[2] * q[1];
	pose.q[1] = a[3] * q[1] - a[0] * q[2] + a[1] * q[3] + a[2] * q[0];
	pose.q[2] = a[3] * q[2] + a[0] * q[1] - a[1] * q[0] + a[2] * q[3];
	pose.q[3] = a[3] * q[3] - a[0] * q[0] - a[1] * q[1] - a[2] * q[2];
	return pose;
}

static int
run(struct kern_pose_arrays a)
{
	a.scratch = malloc(kern_pose_arrays_scratch(&a));
	assert_non_null(a.scratch);
	int rc = kern_pose_arrays(&a);
	free(a.scratch);
	return rc;
}

static struct kern_pose_arrays
arrays(uint32_t frames)
{
	return (struct kern_pose_arrays){
		.pose = kern_pose_pick(0),
		.bone_count = BONES,
		.frame_count = frames,
		.offset = (const float(*)[3])data.offset,
		.parent = data.parent,
		.quaternions = &data.quaternions[0][0][0],
		.positions = &data.positions[0][0],
		.world_quaternions = &data.world[0][0],
	};
}

static void
agrees(int f, int b, const float p[3], const float q[4], int moved)
{
	struct pose pose = expected(f, b, moved);
	double dot = 0;
	for (int c = 0; c < 3; c++)
		assert_true(fabs(pose.p[c] - p[c]) <= 1e-4);
	for (int c = 0; c < 4; c++)
		dot += pose.q[c] * q[c];
	assert_true(fabs(fabs(dot) - 1) <= 1e-5);
}

static void
circles_and_strangers_are_refused(void **state)
{
	(void)state;
	fill();
	struct kern_pose_arrays a = arrays(1);
	int32_t kept = data.parent[5];
	static const uint32_t beyond[] = {0, BONES};
	data.parent[5] = BONES;
	assert_int_equal(run(a), -EINVAL);
	data.parent[5] = -2;
	assert_int_equal(run(a), -EINVAL);
	data.parent[5] = 5;
	assert_int_equal(run(a), -EINVAL);
	data.parent[5] = kept;
	a.filter = beyond;
	a.filter_count = 2;
	assert_int_equal(run(a), -EINVAL);
}

static void
runs_of_any_length_agree_with_double_precision(void **state)
{
	(void)state;
	static const uint32_t lengths[] = {1, 2, 63, 64, 65, 128, MOST_FRAMES};
	fill();
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		struct kern_pose_arrays a = arrays(lengths[i]);
		a.translations = i % 2 == 0 ? &data.translations[0][0][0] : NULL;
		assert_int_equal(run(a), 0);
		for (uint32_t f = 0; f < lengths[i]; f++)
			for (int b = 0; b < BONES; b++)
				agrees((int)f, b, data.positions[f][b], data.world[f][b],
					i % 2 == 0);
	}
}

static void
a_filter_chooses_and_orders(void **state)
{
	(void)state;
	static const uint32_t wanted[] = {30, 2, 30};
	static float positions[MOST_FRAMES][3][3], world[MOST_FRAMES][3][4];
	fill();
	struct kern_pose_arrays a = arrays(MOST_FRAMES);
	a.filter = wanted;
	a.filter_count = 3;
	a.positions = &positions[0][0];
	a.world_quaternions = &world[0][0];
	assert_int_equal(run(a), 0);
	for (int f = 0; f < MOST_FRAMES; f++)
		for (int i = 0; i < 3; i++)
			agrees(f, (int)wanted[i], positions[f][i], world[f][i], 0);
}

static void
nothing_wanted_is_nothing_written(void **state)
{
	(void)state;
	fill();
	struct kern_pose_arrays a = arrays(3);
	a.world_quaternions = NULL;
	data.world[2][9][0] = 42;
	assert_int_equal(run(a), 0);
	assert_true(data.world[2][9][0] == 42);
	a = arrays(0);
	data.positions[0][0][0] = 42;
	assert_int_equal(run(a), 0);
	assert_true(data.positions[0][0][0] == 42);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(circles_and_strangers_are_refused),
		cmocka_unit_test(runs_of_any_length_agree_with_double_precision),
		cmocka_unit_test(a_filter_chooses_and_orders),
		cmocka_unit_test(nothing_wanted_is_nothing_written),
	};
	return cmocka_run_group_tests_name("kernels/pose_arrays", tests, NULL, NULL);
}
