/* SPDX-License-Identifier: BSD-2-Clause */
/* The meaning of views: see view.h; of one place, view_place.h. */
#include "kernels/view.h"

#include "kernels/caps.h"
#include "kernels/view_place.h"

#include <math.h>
#include <stddef.h>

#define BLOCK 256

static double
radians(double degrees)
{
	return degrees * (M_PI / 180.0);
}

double
kern_view_focal(uint32_t width, double hfov)
{
	return width / 2.0 / tan(radians(hfov) / 2.0);
}

void
kern_view_multiply(const double a[9], const double b[9], double to[9])
{
	for (int row = 0; row < 3; row++)
		for (int column = 0; column < 3; column++)
			to[row * 3 + column] = a[row * 3] * b[column] +
					       a[row * 3 + 1] * b[3 + column] +
					       a[row * 3 + 2] * b[6 + column];
}

void
kern_view_rotation(double yaw, double pitch, double roll, double rotation[9])
{
	double sy = sin(radians(yaw)), cy = cos(radians(yaw));
	double sp = sin(radians(pitch)), cp = cos(radians(pitch));
	double sr = sin(radians(roll)), cr = cos(radians(roll));
	const double turn_y[9] = {cy, 0, sy, 0, 1, 0, -sy, 0, cy};
	const double turn_x[9] = {1, 0, 0, 0, cp, -sp, 0, sp, cp};
	const double turn_z[9] = {cr, -sr, 0, sr, cr, 0, 0, 0, 1};
	double both[9];
	kern_view_multiply(turn_y, turn_x, both);
	kern_view_multiply(both, turn_z, rotation);
}

int
kern_view_c(const struct kern_view_places *a, void *queue)
{
	(void)queue;
	for (uint32_t i = 0; i < a->count; i++)
		kern_view_place(a->view, a->x[i], a->y[i], &a->u[i], &a->v[i]);
	return 0;
}

kern_view_fn *
kern_view_pick(unsigned caps)
{
#if defined(__x86_64__)
	if (caps & KERN_CAP_AVX512)
		return kern_view_avx512;
	if (caps & KERN_CAP_AVX2)
		return kern_view_avx2;
#endif
	(void)caps;
	return kern_view_c;
}

void
kern_view_row(const struct kern_view *view, uint32_t row, int32_t *u, int32_t *v)
{
	double x[BLOCK], y[BLOCK];
	for (uint32_t i = 0; i < BLOCK; i++)
		y[i] = row + 0.5;
	for (uint32_t first = 0; first < view->width; first += BLOCK) {
		const uint32_t left = view->width - first;
		const struct kern_view_places a = {
			view, x, y, left < BLOCK ? left : BLOCK, u + first, v + first};
		for (uint32_t i = 0; i < a.count; i++)
			x[i] = first + i + 0.5;
		(view->by != NULL ? view->by : kern_view_c)(&a, NULL);
	}
}

int32_t
kern_view_shift(uint32_t panorama_width, double yaw)
{
	double turn = yaw / 360.0;
	double shift = panorama_width * (turn - floor(turn)) * KERN_VIEW_ONE;
	int64_t rounded = llrint(shift);
	int64_t past = (int64_t)panorama_width * KERN_VIEW_ONE;
	return (int32_t)(rounded >= past ? rounded - past : rounded);
}
