/* SPDX-License-Identifier: BSD-2-Clause */
/* Morphs: a table of every kind, each rule with numbers worked out by hand. */
#include "kernels/caps.h"
#include "kernels/morph.h"
#include "tests/kernels/ck.h"
#include "tests/kernels/through.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define MORPHS 7
#define STRIDE 9

/* 0 flips between 1 and 2; 3 is a group of 1, of the flip and of itself; 4 does nothing;
 * 5 moves bone 1 again; 6 is a flip of nothing. */
static const uint8_t types[MORPHS] = {KERN_MORPH_FLIP, KERN_MORPH_BONE, KERN_MORPH_BONE,
	KERN_MORPH_GROUP, KERN_MORPH_NONE, KERN_MORPH_BONE, KERN_MORPH_FLIP};
static const uint32_t first[MORPHS + 1] = {0, 2, 3, 4, 7, 7, 8, 8};
static const struct kern_morph_element elements[8] = {
	{.index = 1, .weight = 0.5f},
	{.index = 2, .weight = 0.25f},
	{.index = 0, .move = {1, 2, 3}, .rotate = {0, 0, 0, 1}},
	/* A quarter turn about z. */
	{.index = 1, .move = {0, 8, 0}, .rotate = {0, 0, 0.70710678f, 0.70710678f}},
	{.index = 1, .weight = 2.0f},
	{.index = 0, .weight = 1.0f},
	{.index = 3, .weight = 100.0f},
	/* A quarter turn about x. */
	{.index = 1, .move = {0, 0, 1}, .rotate = {0.70710678f, 0, 0, 0.70710678f}},
};
static const struct kern_morph_table table = {MORPHS, types, first, elements};

struct given {
	float weights[MORPHS];
	double after[MORPHS];
	const char *what;
};

static const struct given cases[] = {
	{{0, 0, 0, 0, 0, 0, 0}, {0, 0, 0, 0, 0, 0, 0}, "nothing"},
	{{0.3f, 0.1f, 0, 0, 0, 0, 0}, {0.3, 0.1, 0, 0, 0, 0, 0},
		"a flip below its first"},
	{{0.34f, 0.1f, 0, 0, 0, 0, 0}, {0.34, 0.5, 0, 0, 0, 0, 0}, "a flip's first"},
	{{0.67f, 0, 1, 0, 0, 0, 0}, {0.67, 0, 0.25, 0, 0, 0, 0}, "a flip's second"},
	{{1e30f, 0, 0, 0, 0, 0, 1}, {1e30, 0, 0.25, 0, 0, 0, 1},
		"a flip beyond its last"},
	{{-5, 0.1f, 0, 0, 1, 0, 0}, {-5, 0.1, 0, 0, 1, 0, 0}, "a flip below 0"},
	{{0, 0.1f, 0, 0.1f, 0, 0, 0}, {0.1, 0.3, 0, 0.1, 0, 0, 0}, "a group adds"},
	{{0, 0.1f, 0, 0.4f, 0, 0, 0}, {0.4, 0.5 + 0.8, 0, 0.4, 0, 0, 0},
		"a group reaches a flip first"},
};

static void
judge(kern_morph_fn *fn, const char *name)
{
	enum { CASES = sizeof cases / sizeof cases[0] };
	float *weights = ck_floats(MORPHS * STRIDE, 1);
	float *rotate = ck_floats(2 * 4 * STRIDE, 0),
	      *move = ck_floats(2 * 3 * STRIDE, 1);
	double worst_weight = 0, worst_move = 0, worst_turn = 0;
	char text[80];
	for (size_t f = 0; f < CASES; f++) {
		for (size_t m = 0; m < MORPHS; m++)
			weights[m * STRIDE + f] = cases[f].weights[m];
		for (size_t c = 0; c < 6; c++)
			move[c * STRIDE + f] = 1.0f;
		for (size_t c = 0; c < 8; c++)
			rotate[c * STRIDE + f] = c % 4 == 3;
	}
	struct kern_morph a = {&table, CASES, STRIDE, weights, rotate, move};
	fn(&a, NULL);
	for (size_t f = 0; f < CASES; f++) {
		const double *w = cases[f].after;
		for (size_t m = 0; m < MORPHS; m++)
			ck_worst(&worst_weight, fabs(weights[m * STRIDE + f] - w[m]) /
							fmax(1, fabs(w[m])));
		for (size_t c = 0; c < 3; c++)
			ck_worst(&worst_move, fabs(move[c * STRIDE + f] -
						      (1 + w[1] * (double)(c + 1))));
		ck_worst(&worst_move, fabs(move[4 * STRIDE + f] - (1 + 8 * w[2])));
		ck_worst(
			&worst_turn, fabs(rotate[6 * STRIDE + f] - sin(w[2] * M_PI / 4)));
		ck_worst(
			&worst_turn, fabs(rotate[7 * STRIDE + f] - cos(w[2] * M_PI / 4)));
	}
	snprintf(text, sizeof text, "morph %s: weights after flips and groups", name);
	ck_judge(text, worst_weight, 1e-6);
	snprintf(text, sizeof text, "morph %s: moves", name);
	ck_judge(text, worst_move, 1e-5);
	snprintf(text, sizeof text, "morph %s: a part of a rotation", name);
	ck_judge(text, worst_turn, 1e-6);

	/* x after z: the later morph is the left factor. */
	for (size_t m = 0; m < MORPHS; m++)
		weights[m * STRIDE] = m == 2 || m == 5;
	for (size_t c = 0; c < 8; c++)
		rotate[c * STRIDE] = c % 4 == 3;
	a.frame_count = 1;
	fn(&a, NULL);
	double worst = 0;
	const double expected[4] = {0.5, -0.5, 0.5, 0.5};
	for (size_t c = 0; c < 4; c++)
		ck_worst(&worst, fabs(rotate[(4 + c) * STRIDE] - expected[c]));
	snprintf(text, sizeof text, "morph %s: two rotations in index order", name);
	ck_judge(text, worst, 1e-6);
	snprintf(text, sizeof text, "morph %s: writes its frames only", name);
	int intact = ck_is_poison(weights[CASES]) && ck_is_poison(move[STRIDE - 1]);
	intact = ck_release(weights) && intact;
	intact = ck_release(rotate) && intact;
	intact = ck_release(move) && intact;
	ck_true(text, intact);
}

/* Any weights, and rotations and moves that are not worked out by hand. */
static void
judge_bits(kern_morph_fn *fn, const char *name)
{
	int same = 1;
	char text[80];
	for (int round = 0; round < 200; round++) {
		float *got = ck_floats((MORPHS + 14) * STRIDE, round & 1);
		float *wanted = ck_floats((MORPHS + 14) * STRIDE, 0);
		for (size_t i = 0; i < (MORPHS + 14) * STRIDE; i++)
			got[i] = (float)ck_uniform(-2, 2);
		if (ck_random(4) == 0)
			got[ck_random(MORPHS * STRIDE)] = INFINITY;
		memcpy(wanted, got, (MORPHS + 14) * STRIDE * sizeof *got);
		for (int i = 0; i < 2; i++) {
			float *planes = i == 0 ? got : wanted;
			struct kern_morph a = {&table, STRIDE - 1, STRIDE, planes,
				planes + MORPHS * STRIDE, planes + (MORPHS + 8) * STRIDE};
			(i == 0 ? fn : kern_morph_c)(&a, NULL);
		}
		for (size_t i = 0; i < (MORPHS + 14) * STRIDE; i++)
			same = same && (memcmp(&got[i], &wanted[i], sizeof *got) == 0 ||
					       (isnan(got[i]) && isnan(wanted[i])));
		same = ck_release(got) && same;
		same = ck_release(wanted) && same;
	}
	snprintf(text, sizeof text, "morph %s: the bits of the plain C", name);
	ck_true(text, same);
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
			ck_skip("morph", text);
			continue;
		}
		judge(ck_through_morph, name);
		judge_bits(ck_through_morph, name);
	}
}

void
check_morph(void)
{
	judge(kern_morph_c, "c");
	for (int i = 0; i < CK_CAPS; i++) {
		kern_morph_fn *fn = kern_morph_pick(ck_caps[i].bit);
		if (fn == kern_morph_c)
			continue;
		if (kern_caps_machine() & ck_caps[i].bit)
			judge(fn, ck_caps[i].name);
		else
			ck_skip("morph", ck_caps[i].name);
	}
	check_through();
}
