/* SPDX-License-Identifier: BSD-2-Clause */
/* check_supersample.c - supersample.h against its statement in double precision. */
#include "kernels/supersample.h"
#include "tests/kernels/ck.h"

#include <math.h>
#include <stdlib.h>

#define PIXELS 50
#define MOST   (PIXELS * KERN_SUPERSAMPLE_MOST * KERN_SUPERSAMPLE_MOST)

static double
sample_of(enum kern_remap_type type, const float *samples, size_t i)
{
	return type == KERN_REMAP_U8	? ((const uint8_t *)samples)[i]
	       : type == KERN_REMAP_U16 ? ((const uint16_t *)samples)[i]
					: (double)samples[i];
}

static void
check_mean(enum kern_remap_type type, const char *name, double limit)
{
	float *samples = malloc((size_t)MOST * 4 * sizeof *samples);
	uint8_t plan[PIXELS];
	double worst = 0.0;
	int intact = 1;
	if (samples == NULL)
		abort();
	for (int round = 0; round < 20; round++) {
		const uint32_t count = 1 + ck_random(PIXELS);
		const size_t floats = (count * kern_remap_pixel(type) + 3) / 4;
		float *to = ck_floats(floats, (int)ck_random(2));
		for (size_t i = 0; i < (size_t)MOST * 4; i++)
			if (type == KERN_REMAP_FLOAT)
				samples[i] = (float)ck_uniform(-3.0, 9.0);
			else
				((uint16_t *)samples)[i] = (uint16_t)ck_random(65536);
		for (uint32_t i = 0; i < count; i++)
			plan[i] = (uint8_t)(1 + ck_random(8) + ((1 + ck_random(8)) << 4));
		const struct kern_supersample a = {type, plan, count, samples, to};
		kern_supersample_mean_c(&a, NULL);
		size_t at = 0;
		for (uint32_t i = 0; i < count; i++) {
			const unsigned n = (plan[i] & 15u) * (plan[i] >> 4);
			for (size_t c = 0; c < 4; c++) {
				double sum = 0.0;
				for (size_t k = 0; k < n; k++)
					sum += sample_of(type, samples, (at + k) * 4 + c);
				sum /= n;
				if (type != KERN_REMAP_FLOAT)
					sum = floor(sum + 0.5);
				ck_worst(&worst,
					fabs(sample_of(type, to, i * 4 + c) - sum));
			}
			at += n;
		}
		intact = ck_release(to) && intact;
	}
	free(samples);
	ck_judge(name, intact ? worst : INFINITY, limit);
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
	int32_t u[64 * 64], v[64 * 64], first, last, middle, unused;
	int right = 1;
	view.focal = kern_view_focal(64, 90.0);
	kern_view_rotation(0.0, 0.0, 0.0, view.rotation);
	size_t sum = kern_supersample_plan(&view, 31, plan), at = 0;
	kern_supersample_places(&view, 31, plan, u, v);
	for (uint32_t column = 0; column < 64; column++) {
		const unsigned n = plan[column] & 15, m = plan[column] >> 4;
		kern_view_place(&view, column, 31.5, &first, &unused);
		kern_view_place(&view, column + 1.0, 31.5, &last, &unused);
		kern_view_place(
			&view, column + 0.5 / n, 31.0 + 0.5 / m, &middle, &unused);
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
}
