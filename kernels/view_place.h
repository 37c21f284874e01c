/* SPDX-License-Identifier: BSD-2-Clause */
/* view_place.h - where one place of a view lies in the panorama (see view.h), for plain C
 * and CUDA: sums, products, quotients and square roots of doubles alone, which IEEE 754
 * rounds alike everywhere, none of them contracted. */
#ifndef KERN_VIEW_PLACE_H
#define KERN_VIEW_PLACE_H

#include "kernels/arc.h"
#include "kernels/view.h"

KERN_BOTH void
kern_view_place(const struct kern_view *view, double x, double y, int32_t *u, int32_t *v)
{
	const double *r = view->rotation;
	const int32_t past = (int32_t)view->panorama_width * KERN_VIEW_ONE;
	x = (x - view->width / 2.0) / view->focal;
	y = (y - view->height / 2.0) / view->focal;
	const double right = r[0] * x + r[1] * y + r[2];
	const double down = r[3] * x + r[4] * y + r[5];
	const double forward = r[6] * x + r[7] * y + r[8];
	const double longitude = kern_arc(right, forward);
	const double latitude = kern_arc(-down, sqrt(right * right + forward * forward));
	const double column =
		view->panorama_width * (longitude * KERN_VIEW_PER_TURN + 0.5) - 0.5;
	const double row =
		view->panorama_height * (0.5 - latitude * KERN_VIEW_PER_HALF) - 0.5;
	const int32_t rounded = (int32_t)lrint(column * KERN_VIEW_ONE);
	/* The seam's far side is its near side. */
	*u = rounded >= past - KERN_VIEW_ONE / 2 ? rounded - past : rounded;
	*v = (int32_t)lrint(row * KERN_VIEW_ONE);
}

#endif
