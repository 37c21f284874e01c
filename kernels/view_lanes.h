/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * view_lanes.h - kern_view_c() over again for WIDE places at a time, with its sums,
 * products, quotients and roots in its order.  Included by one file a variant, which says
 * how many LANES, of half the width, a register holds.
 */
#ifndef KERN_VIEW_LANES_H
#define KERN_VIEW_LANES_H

#include "kernels/arc.h"
#include "kernels/view.h"
#include "kernels/wide.h"

/* kern_arc(). */
static inline wide
view_lanes_arc(wide y, wide x)
{
	const wide zero = wide_all(0.0), up = wide_abs(y), along = wide_abs(x);
	const wide_mask steep = wide_less(along, up);
	const wide high = wide_select(steep, up, along);
	const wide low = wide_select(steep, along, up);
	const wide_mask beyond = wide_less(high * KERN_ARC_TANGENT, low);
	const wide over = wide_select(beyond, low - high, low);
	const wide under = wide_select(beyond, low + high, high);
	const wide q = wide_select(wide_less(zero, under), over / under, zero);
	const wide z = q * q;
	const wide tail =
		KERN_ARC_A3 + z * (KERN_ARC_A4 + z * (KERN_ARC_A5 + z * KERN_ARC_A6));
	wide a = q +
		 q * z * (KERN_ARC_A0 + z * (KERN_ARC_A1 + z * (KERN_ARC_A2 + z * tail)));
	a = wide_select(beyond, a + KERN_ARC_EIGHTH, a);
	a = wide_select(steep, KERN_ARC_QUARTER - a, a);
	a = wide_select(wide_less(x, zero), KERN_ARC_HALF - a, a);
	return wide_with_sign(a, y);
}

static inline void
view_lanes_place(const struct kern_view *view, const double *x, const double *y,
	int32_t *u, int32_t *v)
{
	const double *r = view->rotation;
	const wide across = (wide_load(x) - view->width / 2.0) / view->focal;
	const wide along = (wide_load(y) - view->height / 2.0) / view->focal;
	const wide right = r[0] * across + r[1] * along + r[2];
	const wide down = r[3] * across + r[4] * along + r[5];
	const wide forward = r[6] * across + r[7] * along + r[8];
	const wide level = wide_root(right * right + forward * forward);
	const wide longitude = view_lanes_arc(right, forward);
	const wide latitude = view_lanes_arc(-down, level);
	wide column = view->panorama_width * (longitude * KERN_VIEW_PER_TURN + 0.5) - 0.5;
	const wide row =
		view->panorama_height * (0.5 - latitude * KERN_VIEW_PER_HALF) - 0.5;
	/* What rounds to the seam's far side or beyond: that is its near side. */
	const double turn = (double)view->panorama_width * KERN_VIEW_ONE;
	const wide seam = wide_all(turn - KERN_VIEW_ONE / 2 - 0.5);
	column = column * (double)KERN_VIEW_ONE;
	column = wide_select(wide_less(column, seam), column, column - turn);
	wide_round(u, column);
	wide_round(v, row * (double)KERN_VIEW_ONE);
}

static inline int
view_lanes_run(const struct kern_view_places *a)
{
	uint32_t i = 0;
	for (; i + WIDE <= a->count; i += WIDE)
		view_lanes_place(a->view, a->x + i, a->y + i, a->u + i, a->v + i);
	/* What is left of a row ends where the row does. */
	double x[WIDE], y[WIDE];
	int32_t u[WIDE], v[WIDE];
	for (uint32_t k = 0; i < a->count && k < WIDE; k++) {
		x[k] = a->x[i + k < a->count ? i + k : i];
		y[k] = a->y[i + k < a->count ? i + k : i];
	}
	if (i < a->count)
		view_lanes_place(a->view, x, y, u, v);
	for (uint32_t k = 0; i + k < a->count; k++) {
		a->u[i + k] = u[k];
		a->v[i + k] = v[k];
	}
	return 0;
}

#endif
