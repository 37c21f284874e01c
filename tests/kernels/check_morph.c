/* SPDX-License-Identifier: BSD-2-Clause */
/* Morphs: a table of every kind, each rule with numbers worked out by hand, and the
 * variants against the plain C on any table. */
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

/* Planes of the table's morphs and of two bones, a frame a case. */
struct planes {
	float *weights, *rotate, *move;
};

enum { CASES = sizeof cases / sizeof cases[0] };

static void
lay_out(struct planes *p)
{
	p->weights = ck_floats(MORPHS * STRIDE, 1);
	p->rotate = ck_floats(2 * 4 * STRIDE, 0);
	p->move = ck_floats(2 * 3 * STRIDE, 1);
	for (size_t f = 0; f < CASES; f++) {
		for (size_t m = 0; m < MORPHS; m++)
			p->weights[m * STRIDE + f] = cases[f].weights[m];
		for (size_t c = 0; c < 6; c++)
			p->move[c * STRIDE + f] = 1.0f;
		for (size_t c = 0; c < 8; c++)
			p->rotate[c * STRIDE + f] = c % 4 == 3;
	}
}

struct worst {
	double weight, move, turn;
};

/* What moves are and turns, of the weights after flips and groups. */
static void
compare(const struct planes *p, size_t f, struct worst *worst)
{
	const double *w = cases[f].after;
	const float *move = p->move + f, *rotate = p->rotate + f;
	for (size_t m = 0; m < MORPHS; m++)
		ck_worst(&worst->weight,
			fabs(p->weights[m * STRIDE + f] - w[m]) / fmax(1, fabs(w[m])));
	for (size_t c = 0; c < 3; c++)
		ck_worst(&worst->move,
			fabs(move[c * STRIDE] - (1 + w[1] * (double)(c + 1))));
	ck_worst(&worst->move, fabs(move[4 * STRIDE] - (1 + 8 * w[2])));
	ck_worst(&worst->turn, fabs(rotate[6 * STRIDE] - sin(w[2] * M_PI / 4)));
	ck_worst(&worst->turn, fabs(rotate[7 * STRIDE] - cos(w[2] * M_PI / 4)));
}

/* x after z: the later morph is the left factor. */
static double
judge_order(kern_morph_fn *fn, const struct planes *p)
{
	const double expected[4] = {0.5, -0.5, 0.5, 0.5};
	const struct kern_morph a = {&table, 1, STRIDE, p->weights, p->rotate, p->move};
	double worst = 0;
	for (size_t m = 0; m < MORPHS; m++)
		p->weights[m * STRIDE] = m == 2 || m == 5;
	for (size_t c = 0; c < 8; c++)
		p->rotate[c * STRIDE] = c % 4 == 3;
	fn(&a, NULL);
	for (size_t c = 0; c < 4; c++)
		ck_worst(&worst, fabs(p->rotate[(4 + c) * STRIDE] - expected[c]));
	return worst;
}

static void
judge(kern_morph_fn *fn, const char *name)
{
	struct planes p;
	struct worst worst = {0};
	char text[80];
	lay_out(&p);
	const struct kern_morph a = {&table, CASES, STRIDE, p.weights, p.rotate, p.move};
	fn(&a, NULL);
	for (size_t f = 0; f < CASES; f++)
		compare(&p, f, &worst);
	snprintf(text, sizeof text, "morph %s: weights after flips and groups", name);
	ck_judge(text, worst.weight, 1e-6);
	snprintf(text, sizeof text, "morph %s: moves", name);
	ck_judge(text, worst.move, 1e-5);
	snprintf(text, sizeof text, "morph %s: a part of a rotation", name);
	ck_judge(text, worst.turn, 1e-6);
	snprintf(text, sizeof text, "morph %s: two rotations in index order", name);
	ck_judge(text, judge_order(fn, &p), 1e-6);
	snprintf(text, sizeof text, "morph %s: writes its frames only", name);
	int intact = ck_is_poison(p.weights[CASES]) && ck_is_poison(p.move[STRIDE - 1]);
	intact = ck_release(p.weights) && intact;
	intact = ck_release(p.rotate) && intact;
	intact = ck_release(p.move) && intact;
	ck_true(text, intact);
}

/* Of random tables, at most. */
#define SOME   12
#define FRAMES 70

/* Morphs of any type with any elements, of bones 0 and 1. */
struct random {
	uint8_t types[SOME];
	uint32_t first[SOME + 1];
	struct kern_morph_element elements[SOME * 6];
	struct kern_morph_table table;
};

/* Mostly of the size of weights. */
static float
hostile(void)
{
	/* A half is where a flip of one element begins, a quarter where one of three. */
	static const float any[] = {-0.0f, INFINITY, -INFINITY, NAN, 1e-42f, -3e38f, 1.0f,
		-1.0f, 0.5f, 0.25f};
	switch (ck_random(8)) {
	case 0:
		return any[ck_random(sizeof any / sizeof any[0])];
	case 1:
	case 2:
	case 3:
		return 0.0f;
	}
	return (float)ck_uniform(-2, 2);
}

static void
draw(struct random *r)
{
	uint32_t count = ck_random(8) == 0 ? 0 : 1 + ck_random(SOME), at = 0;
	for (uint32_t m = 0; m < count; m++) {
		r->types[m] = (uint8_t)ck_random(KERN_MORPH_BONE + 1);
		r->first[m] = at;
		for (uint32_t i = ck_random(7); i > 0; i--, at++) {
			struct kern_morph_element *e = &r->elements[at];
			e->index = ck_random(r->types[m] == KERN_MORPH_BONE ? 2 : count);
			e->weight = hostile();
			for (int c = 0; c < 3; c++)
				e->move[c] = 10.0f * hostile();
			ck_rotation(e->rotate);
			if (ck_random(20) == 0)
				e->rotate[ck_random(4)] = hostile();
		}
	}
	r->first[count] = at;
	r->table = (struct kern_morph_table){count, r->types, r->first, r->elements};
}

static int
same_floats(const float *got, const float *wanted, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (memcmp(&got[i], &wanted[i], sizeof *got) != 0 &&
			(!isnan(got[i]) || !isnan(wanted[i]) || ck_is_poison(wanted[i])))
			return 0;
	return 1;
}

/* Weights of any kind, some planes at rest, and moves and rotations that now and then are
 * no numbers. */
static void
draw_planes(float *planes, size_t morphs, uint32_t frames, size_t stride)
{
	for (size_t i = 0; i < morphs + 14; i++) {
		float *plane = planes + i * stride;
		int rests = ck_random(3) == 0;
		for (uint32_t f = 0; f < frames; f++)
			plane[f] = i >= morphs ? (float)ck_uniform(-2, 2)
				   : rests     ? 0.0f
					       : hostile();
		if (ck_random(i < morphs ? 2 : 20) == 0)
			plane[ck_random(frames)] = hostile();
	}
}

/* EXACT is the grade, for whatever weights, moves and rotations; what lies behind the last
 * frame stays. */
static void
judge_bits(kern_morph_fn *fn, const char *name)
{
	int same = 1;
	char text[80];
	for (int round = 0; round < 1500; round++) {
		struct random r;
		draw(&r);
		uint32_t frames = 1 + ck_random(FRAMES);
		size_t stride = frames + ck_random(5), m = r.table.morph_count;
		size_t count = (m + 14) * stride;
		float *got = ck_floats(count, round & 1);
		float *wanted = ck_floats(count, 0);
		draw_planes(got, m, frames, stride);
		memcpy(wanted, got, count * sizeof *got);
		for (int i = 0; i < 2; i++) {
			float *planes = i == 0 ? got : wanted;
			const struct kern_morph a = {&r.table, frames, stride, planes,
				planes + m * stride, planes + (m + 8) * stride};
			(i == 0 ? fn : kern_morph_c)(&a, NULL);
		}
		same = same && same_floats(got, wanted, count);
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
		if (!(kern_caps_machine() & ck_caps[i].bit)) {
			ck_skip("morph", ck_caps[i].name);
			continue;
		}
		judge(fn, ck_caps[i].name);
		judge_bits(fn, ck_caps[i].name);
	}
	check_through();
}

/* Morphs of one type, each with elements of its own, and what groups and flips name. */
#define BENCH_MORPHS   40
#define BENCH_ELEMENTS 4
#define BENCH_NAMED    4
#define BENCH_BONES    80
#define BENCH_FRAMES   64

struct bench {
	uint8_t types[BENCH_MORPHS + BENCH_NAMED];
	uint32_t first[BENCH_MORPHS + BENCH_NAMED + 1];
	struct kern_morph_element elements[BENCH_MORPHS * BENCH_ELEMENTS];
	float weights[BENCH_MORPHS + BENCH_NAMED][BENCH_FRAMES];
	float rotate[BENCH_BONES * 4][BENCH_FRAMES];
	float move[BENCH_BONES * 3][BENCH_FRAMES];
};

/* Weights that rest, or go from 0 to 1. */
static void
prepare(struct bench *b, enum kern_morph_type type, int rests)
{
	memset(b, 0, sizeof *b);
	memset(b->types, (int)type, BENCH_MORPHS);
	for (uint32_t m = 0; m < BENCH_MORPHS + BENCH_NAMED; m++)
		b->first[m + 1] =
			(m < BENCH_MORPHS ? m + 1 : BENCH_MORPHS) * BENCH_ELEMENTS;
	for (uint32_t i = 0; i < BENCH_MORPHS * BENCH_ELEMENTS; i++) {
		struct kern_morph_element *e = &b->elements[i];
		e->index = type == KERN_MORPH_BONE ? ck_random(BENCH_BONES)
						   : BENCH_MORPHS + i % BENCH_NAMED;
		e->weight = 0.5f;
		for (int c = 0; c < 3; c++)
			e->move[c] = (float)ck_uniform(-1, 1);
		ck_rotation(e->rotate);
	}
	for (uint32_t f = 0; f < BENCH_FRAMES; f++) {
		for (uint32_t m = 0; m < BENCH_MORPHS; m++)
			b->weights[m][f] = rests ? 0.0f : (float)f / BENCH_FRAMES;
		for (uint32_t bone = 0; bone < BENCH_BONES; bone++)
			b->rotate[bone * 4 + 3][f] = 1.0f;
	}
}

static void
bench(kern_morph_fn *fn, const char *variant, struct bench *b, const char *kind)
{
	const struct kern_morph_table t = {
		BENCH_MORPHS + BENCH_NAMED, b->types, b->first, b->elements};
	const struct kern_morph a = {
		&t, BENCH_FRAMES, BENCH_FRAMES, b->weights[0], b->rotate[0], b->move[0]};
	uint64_t frames = 0;
	double begin = ck_now(), seconds;
	do {
		for (int round = 0; round < 20; round++, frames += BENCH_FRAMES)
			fn(&a, NULL);
		seconds = ck_now() - begin;
	} while (seconds < 0.2);
	printf("morph %-7s %-16s %8.3f ns a frame and element\n", variant, kind,
		seconds * 1e9 / (double)frames / (BENCH_MORPHS * BENCH_ELEMENTS));
}

void
bench_morph(void)
{
	static const struct {
		enum kern_morph_type type;
		int rests;
		const char *name;
	} kinds[] = {{KERN_MORPH_BONE, 0, "bone"}, {KERN_MORPH_BONE, 1, "bone, at rest"},
		{KERN_MORPH_GROUP, 0, "group"}, {KERN_MORPH_FLIP, 0, "flip"},
		{KERN_MORPH_FLIP, 1, "flip, at rest"}};
	static struct bench b;
	for (size_t kind = 0; kind < sizeof kinds / sizeof kinds[0]; kind++) {
		prepare(&b, kinds[kind].type, kinds[kind].rests);
		bench(kern_morph_c, "c", &b, kinds[kind].name);
		for (int i = 0; i < CK_CAPS; i++)
			if (kern_caps_machine() & ck_caps[i].bit)
				bench(kern_morph_pick(ck_caps[i].bit), ck_caps[i].name,
					&b, kinds[kind].name);
	}
}
