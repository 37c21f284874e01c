/* SPDX-License-Identifier: BSD-2-Clause */
/* Poses of plain arrays through every variant against the plain C; what they mean is
 * t_pose_arrays' to judge. */
#include "kernels/caps.h"
#include "kernels/pose_arrays.h"
#include "tests/kernels/ck.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BONES  23
#define FRAMES 150

struct arrays {
	float offset[BONES][3], quaternions[FRAMES * BONES * 4];
	float translations[FRAMES * BONES * 3];
	int32_t parent[BONES];
	uint32_t filter[BONES];
};

static void
draw(struct arrays *s)
{
	for (uint32_t b = 0; b < BONES; b++) {
		s->parent[b] = b == 0 ? -1 : (int32_t)ck_random(b);
		s->filter[b] = ck_random(BONES);
		for (int c = 0; c < 3; c++)
			s->offset[b][c] = (float)ck_uniform(-10, 10);
	}
	for (uint32_t i = 0; i < FRAMES * BONES; i++) {
		ck_rotation(s->quaternions + (size_t)i * 4);
		for (size_t c = 0; c < 3; c++)
			s->translations[i * 3 + c] = (float)ck_uniform(-2, 2);
	}
}

/* Room for all results, which begin as poison: positions, then rotations. */
static float *
evaluate(const struct kern_pose_arrays *wanted, kern_pose_fn *fn, size_t columns)
{
	struct kern_pose_arrays a = *wanted;
	float *results = ck_floats(FRAMES * columns * 7, 1);
	a.pose = fn;
	a.positions = (float(*)[3])results;
	a.world_quaternions = (float(*)[4])(results + FRAMES * columns * 3);
	a.scratch = malloc(kern_pose_arrays_scratch(&a));
	if (a.scratch == NULL || kern_pose_arrays(&a) != 0)
		abort();
	free(a.scratch);
	return results;
}

static void
judge_bits(kern_pose_fn *fn, const char *name)
{
	static struct arrays s;
	int same = 1;
	char text[80];
	for (int round = 0; round < 60; round++) {
		draw(&s);
		struct kern_pose_arrays a = {
			.bone_count = BONES,
			.frame_count = ck_random(FRAMES + 1),
			.offset = (const float(*)[3])s.offset,
			.parent = s.parent,
			.quaternions = s.quaternions,
			.translations = round & 1 ? s.translations : NULL,
			.filter = round & 2 ? s.filter : NULL,
			.filter_count = ck_random(BONES + 1),
		};
		size_t columns = a.filter != NULL ? a.filter_count : BONES;
		float *got = evaluate(&a, fn, columns);
		float *expected = evaluate(&a, kern_pose_c, columns);
		same = same &&
		       memcmp(got, expected, FRAMES * columns * 7 * sizeof *got) == 0;
		same = ck_release(got) && same;
		same = ck_release(expected) && same;
	}
	snprintf(text, sizeof text, "arrays %s: the bits of the plain C", name);
	ck_true(text, same);
}

void
check_arrays(void)
{
	for (int i = 0; i < CK_CAPS; i++) {
		kern_pose_fn *fn = kern_pose_pick(ck_caps[i].bit);
		if (fn == kern_pose_c)
			continue;
		if (kern_caps_machine() & ck_caps[i].bit)
			judge_bits(fn, ck_caps[i].name);
		else
			ck_skip("arrays", ck_caps[i].name);
	}
}

/* A hierarchy, rotations and results as large as a motion's. */
struct many {
	uint32_t bones, frames;
	float (*offset)[3], *quaternions, *translations, (*positions)[3], (*world)[4];
	int32_t *parent;
};

static void *
room(size_t count, size_t size)
{
	void *made = calloc(count, size);
	if (made == NULL)
		abort();
	return made;
}

static void
draw_many(struct many *m)
{
	size_t poses = (size_t)m->bones * m->frames;
	m->offset = room(m->bones, sizeof *m->offset);
	m->parent = room(m->bones, sizeof *m->parent);
	m->quaternions = room(poses, 4 * sizeof *m->quaternions);
	m->translations = room(poses, 3 * sizeof *m->translations);
	m->positions = room(poses, sizeof *m->positions);
	m->world = room(poses, sizeof *m->world);
	for (uint32_t b = 0; b < m->bones; b++) {
		uint32_t low = b < 6 ? 0 : b - 6;
		m->parent[b] = b == 0 ? -1 : (int32_t)(low + ck_random(b - low));
		for (int c = 0; c < 3; c++)
			m->offset[b][c] = (float)ck_uniform(-1, 1);
	}
	for (size_t i = 0; i < poses; i++)
		ck_rotation(m->quaternions + i * 4);
}

static void
drop_many(struct many *m)
{
	free(m->offset);
	free(m->parent);
	free(m->quaternions);
	free(m->translations);
	free(m->positions);
	free(m->world);
}

void
bench_arrays(void)
{
	struct many m = {.bones = 122, .frames = 1801};
	draw_many(&m);
	kern_pose_fn *last = NULL;
	for (int i = -1; i < CK_CAPS; i++) {
		kern_pose_fn *fn = i < 0 ? kern_pose_c : kern_pose_pick(ck_caps[i].bit);
		if (fn == last || (i >= 0 && !(kern_caps_machine() & ck_caps[i].bit)))
			continue;
		last = fn;
		struct kern_pose_arrays a = {fn, m.bones, m.frames,
			(const float(*)[3])m.offset, m.parent, m.quaternions,
			m.translations, NULL, 0, m.positions, m.world, NULL};
		a.scratch = room(kern_pose_arrays_scratch(&a), 1);
		uint64_t frames = 0;
		double begin = ck_now(), seconds;
		do {
			kern_pose_arrays(&a);
			frames += m.frames;
			seconds = ck_now() - begin;
		} while (seconds < 0.5);
		free(a.scratch);
		printf("arrays %-6s %u bones, %u frames: %.0f frames/s, %.2f ns per "
		       "frame and bone\n",
			i < 0 ? "c" : ck_caps[i].name, m.bones, m.frames,
			(double)frames / seconds,
			seconds * 1e9 / ((double)frames * m.bones));
	}
	drop_many(&m);
}
