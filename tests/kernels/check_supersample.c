/* SPDX-License-Identifier: BSD-2-Clause */
/* check_supersample.c - supersample.h against its statement in double precision, and the
 * variants against the plain C. */
#include "kernels/caps.h"
#include "kernels/supersample.h"
#include "kernels/view_place.h"
#include "tests/kernels/ck.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PIXELS 50
#define MOST   (PIXELS * KERN_SUPERSAMPLE_MOST * KERN_SUPERSAMPLE_MOST)

static double
sample_of(enum kern_remap_type type, const float *samples, size_t i)
{
	return type == KERN_REMAP_U8	? ((const uint8_t *)samples)[i]
	       : type == KERN_REMAP_U16 ? ((const uint16_t *)samples)[i]
					: (double)samples[i];
}

/* Samples of up to PIXELS pixels, and how many each has. */
struct subject {
	uint8_t plan[PIXELS];
	float *samples; /* room for any type */
};

static void
draw(struct subject *s, enum kern_remap_type type)
{
	s->samples = malloc((size_t)MOST * 4 * sizeof *s->samples);
	if (s->samples == NULL)
		abort();
	for (size_t i = 0; i < (size_t)MOST * 4; i++)
		if (type == KERN_REMAP_FLOAT)
			s->samples[i] = (float)ck_uniform(-3.0, 9.0);
		else
			((uint16_t *)s->samples)[i] =
				(uint16_t)(ck_random(4) ? ck_random(65536) : 65535);
	for (uint32_t i = 0; i < PIXELS; i++)
		s->plan[i] =
			ck_random(3) == 0
				? 0x11
				: (uint8_t)(1 + ck_random(8) + ((1 + ck_random(8)) << 4));
}

static double
farthest(const struct subject *s, const struct kern_supersample *a)
{
	double worst = 0.0;
	size_t at = 0;
	for (uint32_t i = 0; i < a->count; i++) {
		const unsigned n = (s->plan[i] & 15u) * (s->plan[i] >> 4);
		for (size_t c = 0; c < 4; c++) {
			double sum = 0.0;
			for (size_t k = 0; k < n; k++)
				sum += sample_of(a->type, s->samples, (at + k) * 4 + c);
			sum /= n;
			if (a->type != KERN_REMAP_FLOAT)
				sum = floor(sum + 0.5);
			ck_worst(
				&worst, fabs(sample_of(a->type, a->to, i * 4 + c) - sum));
		}
		at += n;
	}
	return worst;
}

static void
check_mean(enum kern_remap_type type, const char *name, double limit)
{
	double worst = 0.0;
	int intact = 1;
	for (int round = 0; round < 20; round++) {
		const uint32_t count = 1 + ck_random(PIXELS);
		const size_t floats = (count * kern_remap_pixel(type) + 3) / 4;
		float *to = ck_floats(floats, (int)ck_random(2));
		struct subject s;
		draw(&s, type);
		const struct kern_supersample a = {type, s.plan, count, s.samples, to};
		kern_supersample_mean_c(&a, NULL);
		ck_worst(&worst, farthest(&s, &a));
		free(s.samples);
		intact = ck_release(to) && intact;
	}
	ck_judge(name, intact ? worst : INFINITY, limit);
}

static void
check_variant(kern_supersample_fn *fn, const char *variant, enum kern_remap_type type)
{
	static const char *const types[] = {"u8", "u16", "float"};
	int same = 1, intact = 1;
	char name[80];
	for (int round = 0; round < 200; round++) {
		const uint32_t count = 1 + ck_random(PIXELS);
		const size_t bytes = count * kern_remap_pixel(type);
		float *wanted = ck_floats((bytes + 3) / 4, 0);
		float *room = ck_floats((bytes + 3) / 4, (int)ck_random(2));
		struct subject s;
		draw(&s, type);
		/* The sign of nothing, and what is too large to be added. */
		if (type == KERN_REMAP_FLOAT)
			for (int i = 0; i < 40; i++)
				s.samples[ck_random(MOST)] = i % 2 ? -0.0f : 3e38f;
		struct kern_supersample a = {type, s.plan, count, s.samples, wanted};
		kern_supersample_mean_c(&a, NULL);
		a.to = room;
		same = same && fn(&a, NULL) == 0 && memcmp(wanted, room, bytes) == 0;
		intact = ck_release(wanted) && ck_release(room) && intact;
		free(s.samples);
	}
	snprintf(name, sizeof name, "supersample %s: %s has the plain C's bits",
		types[type], variant);
	ck_true(name, same && intact);
}

static int32_t
column_of(const struct kern_view *view, double x, double y)
{
	int32_t u, v;
	kern_view_place(view, x, y, &u, &v);
	return u;
}

/* Samples lie inside their pixel, evenly, and there are more where the view is smaller. */
static void
check_plan(void)
{
	struct kern_view view = {.width = 64,
		.height = 64,
		.panorama_width = 4000,
		.panorama_height = 2000};
	uint8_t plan[64];
	int32_t u[64 * 64], v[64 * 64];
	int right = 1;
	view.focal = kern_view_focal(64, 90.0);
	kern_view_rotation(0.0, 0.0, 0.0, view.rotation);
	size_t sum = kern_supersample_plan(&view, 31, plan), at = 0;
	kern_supersample_places(&view, 31, plan, u, v);
	for (uint32_t column = 0; column < 64; column++) {
		const unsigned n = plan[column] & 15, m = plan[column] >> 4;
		const int32_t first = column_of(&view, column, 31.5);
		const int32_t last = column_of(&view, column + 1.0, 31.5);
		const int32_t middle = column_of(&view, column + 0.5 / n, 31.0 + 0.5 / m);
		right = right && n >= 1 && m >= 1 && u[at] == middle && u[at] > first &&
			u[at + n - 1] < last;
		at += (size_t)n * m;
	}
	ck_true("supersample: samples lie in their pixels", right && at == sum);
	ck_true("supersample: more in the middle than at the edge",
		(plan[32] & 15) > (plan[0] & 15) && (plan[0] & 15) > 1);
	view.focal *= 64;
	ck_true("supersample: one where nothing is made smaller",
		kern_supersample_plan(&view, 31, plan) == 64);
}

void
check_supersample(void)
{
	check_plan();
	check_mean(KERN_REMAP_U8, "supersample u8: means", 0.0);
	check_mean(KERN_REMAP_U16, "supersample u16: means", 0.0);
	check_mean(KERN_REMAP_FLOAT, "supersample float: means", 1e-5);
	for (size_t i = 0; i < CK_CAPS; i++) {
		kern_supersample_fn *fn = kern_supersample_mean_pick(ck_caps[i].bit);
		if (fn == kern_supersample_mean_c)
			continue;
		for (int type = KERN_REMAP_U8; type <= KERN_REMAP_FLOAT; type++)
			if (kern_caps_machine() & ck_caps[i].bit)
				check_variant(
					fn, ck_caps[i].name, (enum kern_remap_type)type);
			else
				ck_skip("supersample", ck_caps[i].name);
	}
}
