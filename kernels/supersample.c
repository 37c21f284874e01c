/* SPDX-License-Identifier: BSD-2-Clause */
/* How many samples a pixel takes, where they lie, and the meaning of their means. */
#include "kernels/supersample.h"

#include "kernels/caps.h"

#include <math.h>

#define CHANNELS KERN_REMAP_CHANNELS
#define MOST	 (KERN_SUPERSAMPLE_MOST * KERN_SUPERSAMPLE_MOST) /* samples of a pixel */
#define BLOCK	 (4 * MOST)

/* From so many of the panorama's pixels on, a second sample is taken, and a further one for
 * each so many more.  Measured against the mean over the pixel of fine waves: with less,
 * views that are hardly smaller than the panorama are softened for nothing; with more,
 * those that are much smaller show false waves. */
#define SPAN 1.7

/* Samples for a span of the panorama's pixels. */
static unsigned
samples(double span)
{
	double wanted = ceil(span / SPAN);
	return wanted > 1.0 ? wanted < KERN_SUPERSAMPLE_MOST ? (unsigned)wanted
							     : KERN_SUPERSAMPLE_MOST
			    : 1;
}

size_t
kern_supersample_plan(const struct kern_view *view, uint32_t row, uint8_t *plan)
{
	const double a_radian = view->panorama_width / (2.0 * M_PI);
	const double y = (row + 0.5 - view->height / 2.0) / view->focal;
	size_t sum = 0;
	for (uint32_t column = 0; column < view->width; column++) {
		double x = (column + 0.5 - view->width / 2.0) / view->focal;
		double square = 1.0 + x * x + y * y;
		/* How fast the direction (x, y, 1) turns when x or y grows. */
		double across = sqrt(1.0 + y * y) / square;
		double down = sqrt(1.0 + x * x) / square;
		unsigned n = samples(across / view->focal * a_radian);
		unsigned m = samples(down / view->focal * a_radian);
		plan[column] = (uint8_t)(n | m << 4);
		sum += (size_t)n * m;
	}
	return sum;
}

/* Places that are gathered before they are sought. */
struct gathered {
	double x[BLOCK], y[BLOCK];
	struct kern_view_places places;
};

static void
seek(struct gathered *g)
{
	const struct kern_view *view = g->places.view;
	(view->by != NULL ? view->by : kern_view_c)(&g->places, NULL);
	g->places.u += g->places.count;
	g->places.v += g->places.count;
	g->places.count = 0;
}

void
kern_supersample_places(const struct kern_view *view, uint32_t row, const uint8_t *plan,
	int32_t *u, int32_t *v)
{
	struct gathered g;
	g.places = (struct kern_view_places){view, g.x, g.y, 0, u, v};
	for (uint32_t column = 0; column < view->width; column++) {
		const unsigned n = plan[column] & 15, m = plan[column] >> 4;
		for (unsigned j = 0; j < m; j++)
			for (unsigned i = 0; i < n; i++) {
				g.x[g.places.count] = column + (i + 0.5) / n;
				g.y[g.places.count] = row + (j + 0.5) / m;
				g.places.count++;
			}
		if (g.places.count > BLOCK - MOST)
			seek(&g);
	}
	seek(&g);
}

int
kern_supersample_mean_c(const struct kern_supersample *a, void *queue)
{
	const uint8_t *bytes = a->samples;
	const uint16_t *words = a->samples;
	const float *floats = a->samples;
	size_t at = 0;
	(void)queue;
	for (uint32_t i = 0; i < a->count; i++) {
		const unsigned n = (a->plan[i] & 15u) * (a->plan[i] >> 4);
		for (size_t c = 0; c < CHANNELS; c++) {
			const size_t to = (size_t)i * CHANNELS + c;
			uint32_t sum = n / 2;
			float total = 0.0f;
			for (size_t k = at + c; k < at + (size_t)n * CHANNELS;
				k += CHANNELS)
				if (a->type == KERN_REMAP_U8)
					sum += bytes[k];
				else if (a->type == KERN_REMAP_U16)
					sum += words[k];
				else
					total += floats[k];
			if (a->type == KERN_REMAP_U8)
				((uint8_t *)a->to)[to] = (uint8_t)(sum / n);
			else if (a->type == KERN_REMAP_U16)
				((uint16_t *)a->to)[to] = (uint16_t)(sum / n);
			else
				((float *)a->to)[to] = total / (float)n;
		}
		at += (size_t)n * CHANNELS;
	}
	return 0;
}

kern_supersample_fn *
kern_supersample_mean_pick(unsigned caps)
{
#if defined(__x86_64__)
	/* A pixel's channels fill the narrowest register. */
	if (caps & (KERN_CAP_AVX2 | KERN_CAP_AVX512))
		return kern_supersample_mean_avx2;
#endif
	(void)caps;
	return kern_supersample_mean_c;
}
