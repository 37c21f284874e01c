/* SPDX-License-Identifier: BSD-2-Clause */
/* check_view.c - view.h against its statement, the arcs against libm's, and the variants
 * against the plain C. */
#include "kernels/caps.h"
#include "kernels/view_place.h"
#include "tests/kernels/ck.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT 300

/* A pixel's direction, found again from its coordinates. */
static void
check_meaning(void)
{
	double worst = 0.0;
	for (int round = 0; round < 2000; round++) {
		struct kern_view view = {.width = 1 + ck_random(64),
			.height = 1 + ck_random(64),
			.panorama_width = 2 + 2 * ck_random(4000)};
		view.panorama_height = view.panorama_width / 2;
		double hfov = ck_uniform(1.0, 170.0), yaw = ck_uniform(-720.0, 720.0);
		double pitch = ck_random(4) ? ck_uniform(-90.0, 90.0) : 90.0;
		double roll = ck_uniform(-180.0, 180.0);
		int32_t u[64], v[64];
		view.focal = kern_view_focal(view.width, hfov);
		kern_view_rotation(0.0, pitch, roll, view.rotation);
		uint32_t row = ck_random(view.height), column = ck_random(view.width);
		kern_view_row(&view, row, u, v);
		double across =
			(double)u[column] / KERN_VIEW_ONE +
			(double)kern_view_shift(view.panorama_width, yaw) / KERN_VIEW_ONE;
		double longitude =
			((across + 0.5) / view.panorama_width - 0.5) * 2.0 * M_PI;
		double latitude = (0.5 - ((double)v[column] / KERN_VIEW_ONE + 0.5) /
						  view.panorama_height) *
				  M_PI;
		/* In the camera's own axes again: it must point at the pixel. */
		double d[3] = {cos(latitude) * sin(longitude), -sin(latitude),
			cos(latitude) * cos(longitude)};
		double r[9], ray[3];
		kern_view_rotation(yaw, pitch, roll, r);
		for (int i = 0; i < 3; i++)
			ray[i] = r[i] * d[0] + r[3 + i] * d[1] + r[6 + i] * d[2];
		double focal = view.width / 2.0 / tan(hfov * M_PI / 360.0);
		double x = ray[0] / ray[2] * focal + view.width / 2.0 - 0.5 - column;
		double y = ray[1] / ray[2] * focal + view.height / 2.0 - 0.5 - row;
		double step = 2.0 * M_PI / view.panorama_width / KERN_VIEW_ONE;
		double cosine = ray[2];
		/* As an angle, in steps of the coordinates. */
		ck_worst(&worst, hypot(x, y) * cosine * cosine / focal / step);
	}
	ck_judge("view: coordinates are where the pixel looks, in steps", worst, 2.0);
}

static void
check_arc(void)
{
	static const double ends[] = {0.0, -0.0, 1.0, -1.0, 1e-300, -1e-300, 5e-324,
		1e300, 0.414213562373095, 0.4142135623730951};
	double worst = 0.0;
	for (int round = 0; round < 200000; round++) {
		double y = ck_uniform(-1.0, 1.0), x = ck_uniform(-1.0, 1.0);
		if (round % 4 == 0)
			y *= pow(10.0, ck_uniform(-20.0, 20.0));
		if (round % 16 == 0)
			y = ends[ck_random(10)];
		if (round % 16 < 2)
			x = ends[ck_random(10)];
		/* Of a zero x the sign does not count. */
		ck_worst(&worst, fabs(kern_arc(y, x) - atan2(y, x == 0.0 ? 0.0 : x)));
	}
	ck_judge("view: arcs", worst, 4e-13);
}

/* As view.h states it, by libm. */
static void
restate(const struct kern_view *view, double x, double y, int32_t *u, int32_t *v)
{
	const double *r = view->rotation;
	const int32_t past = (int32_t)view->panorama_width * KERN_VIEW_ONE;
	double ray[2] = {(x - view->width / 2.0) / view->focal,
		(y - view->height / 2.0) / view->focal};
	double d[3];
	for (int i = 0; i < 3; i++)
		d[i] = r[i * 3] * ray[0] + r[i * 3 + 1] * ray[1] + r[i * 3 + 2];
	double longitude = atan2(d[0], d[2]), latitude = atan2(-d[1], hypot(d[0], d[2]));
	double across = view->panorama_width * (longitude / (2.0 * M_PI) + 0.5) - 0.5;
	double along = view->panorama_height * (0.5 - latitude / M_PI) - 0.5;
	*u = (int32_t)lrint(across * KERN_VIEW_ONE);
	*u = *u >= past - KERN_VIEW_ONE / 2 ? *u - past : *u;
	*v = (int32_t)lrint(along * KERN_VIEW_ONE);
}

/* Near the seam and the poles, and on the axes, too. */
static void
check_places(void)
{
	double worst = 0.0;
	int off = 0;
	enum { PLACES = 200000 };
	struct kern_view view = {.width = 1000, .height = 800};
	for (int i = 0; i < PLACES; i++) {
		int32_t u[2], v[2];
		if (i % 500 == 0) {
			view.panorama_width = 2 + 2 * ck_random(16382);
			view.panorama_height = view.panorama_width / 2;
			view.focal = kern_view_focal(1000, ck_uniform(5.0, 170.0));
			kern_view_rotation(ck_random(9) * 45.0,
				ck_random(5) * 45.0 - 90.0, ck_random(3) * 45.0,
				view.rotation);
		}
		double x = ck_random(8) ? ck_uniform(0, 1000) : 500.0;
		double y = ck_random(8) ? ck_uniform(0, 800) : 400.0;
		kern_view_place(&view, x, y, &u[0], &v[0]);
		restate(&view, x, y, &u[1], &v[1]);
		/* Around the pole a step of v is many of u, and it has no longitude. */
		const int32_t turn = (int32_t)view.panorama_width * KERN_VIEW_ONE;
		int32_t across = abs(u[0] - u[1]);
		across = across > turn / 2 ? turn - across : across;
		const double latitude = M_PI * ((v[0] / (double)KERN_VIEW_ONE + 0.5) /
							       view.panorama_height -
						       0.5);
		ck_worst(&worst, across * cos(latitude));
		ck_worst(&worst, abs(v[0] - v[1]));
		off += u[0] != u[1] || v[0] != v[1];
	}
	printf("# %d of %d places differ\n", off, PLACES);
	ck_judge("view: places are those by libm, in steps", worst, 1.0);
	ck_true("view: and hardly ever another", off < PLACES / 1000);
}

/* Any view, with the seam or a pole in it now and then. */
static void
draw(struct kern_view *view)
{
	*view = (struct kern_view){.width = 1 + ck_random(4000),
		.height = 1 + ck_random(4000),
		.panorama_width = 2 + 2 * ck_random(16383)};
	view->panorama_height = view->panorama_width / 2;
	view->focal = kern_view_focal(view->width, ck_uniform(1.0, 170.0));
	kern_view_rotation(45.0 * ck_random(8), 45.0 * ck_random(5) - 90.0,
		ck_random(2) ? 0.0 : ck_uniform(-180.0, 180.0), view->rotation);
}

static void
check_variant(kern_view_fn *fn, const char *variant)
{
	double x[COUNT], y[COUNT];
	int same = 1, intact = 1;
	char name[80];
	for (int round = 0; round < 400; round++) {
		const uint32_t count = ck_random(COUNT + 1);
		float *rooms[4];
		struct kern_view view;
		draw(&view);
		for (uint32_t i = 0; i < count; i++) {
			/* Whole numbers are on the axes of views with even sides. */
			x[i] = ck_random(2) ? ck_random(view.width + 1)
					    : ck_uniform(0.0, view.width);
			y[i] = ck_random(2) ? view.height / 2.0
					    : ck_uniform(0.0, view.height);
			x[i] = ck_random(8) ? x[i] : view.width / 2.0;
		}
		for (int i = 0; i < 4; i++)
			rooms[i] = ck_floats(count, i & 1);
		struct kern_view_places a = {
			&view, x, y, count, (int32_t *)rooms[0], (int32_t *)rooms[1]};
		kern_view_c(&a, NULL);
		a.u = (int32_t *)rooms[2];
		a.v = (int32_t *)rooms[3];
		same = same && fn(&a, NULL) == 0 &&
		       memcmp(rooms[0], rooms[2], count * sizeof *a.u) == 0 &&
		       memcmp(rooms[1], rooms[3], count * sizeof *a.v) == 0;
		for (int i = 0; i < 4; i++)
			intact = ck_release(rooms[i]) && intact;
	}
	snprintf(name, sizeof name, "view: %s has the plain C's bits", variant);
	ck_true(name, same && intact);
}

void
check_view(void)
{
	check_meaning();
	check_arc();
	check_places();
	for (size_t i = 0; i < CK_CAPS; i++) {
		kern_view_fn *fn = kern_view_pick(ck_caps[i].bit);
		if (fn == kern_view_c)
			continue;
		if (kern_caps_machine() & ck_caps[i].bit)
			check_variant(fn, ck_caps[i].name);
		else
			ck_skip("view", ck_caps[i].name);
	}
}

static void
bench(kern_view_fn *fn, const char *variant)
{
	static int32_t u[1920], v[1920];
	struct kern_view view = {.width = 1920,
		.height = 1080,
		.focal = kern_view_focal(1920, 90.0),
		.panorama_width = 7680,
		.panorama_height = 3840,
		.by = fn};
	kern_view_rotation(45.0, 10.0, 5.0, view.rotation);
	double best = INFINITY;
	for (int round = 0; round < 5; round++) {
		double start = ck_now();
		for (uint32_t row = 0; row < view.height; row += 10)
			kern_view_row(&view, row, u, v);
		best = fmin(best, ck_now() - start);
	}
	printf("view  %-7s %6.2f ns a pixel's place\n", variant,
		1e9 * best / (view.width * view.height / 10.0));
}

void
bench_view(void)
{
	bench(kern_view_c, "c");
	for (size_t i = 0; i < CK_CAPS; i++) {
		kern_view_fn *fn = kern_view_pick(ck_caps[i].bit);
		if (fn != kern_view_c && (kern_caps_machine() & ck_caps[i].bit))
			bench(fn, ck_caps[i].name);
	}
}
