/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * view.h - where the pixels of a perspective view lie in an equirectangular panorama.
 *
 * Axes: x right, y down, z forward, for camera and panorama alike; angles in degrees.
 * Pixel centres are at half-integers in both pictures, pixels are square:
 *
 *     focal = (width / 2) / tan(hfov / 2)
 *     ray   = ((column + .5 - width / 2) / focal, (row + .5 - height / 2) / focal, 1)
 *     d     = Ry(yaw) Rx(pitch) Rz(roll) ray
 *     longitude = atan2(d.x, d.z)     latitude = atan2(-d.y, hypot(d.x, d.z))
 *     u = W (longitude / 2 pi + .5) - .5      v = H (.5 - latitude / pi) - .5
 *
 * where (u, v) = (0, 0) is the centre of the panorama's first pixel.  +yaw looks right,
 * +pitch up; +roll turns the camera clockwise, so what is seen turns anticlockwise.  This
 * is the convention of COLMAP's panorama rigs.
 *
 * Turning about the vertical axis moves u alone, by W * yaw / 360: views that differ in
 * nothing else share one map.
 */
#ifndef KERN_VIEW_H
#define KERN_VIEW_H

#include <stdint.h>

/* Coordinates are fixed-point: so many bits behind the point. */
#define KERN_VIEW_BITS 16
#define KERN_VIEW_ONE  (INT32_C(1) << KERN_VIEW_BITS)

/* The largest panorama, so that a coordinate fits 32 bits with its sign. */
#define KERN_VIEW_PANORAMA 32767

/* What longitudes and latitudes are multiplied by. */
#define KERN_VIEW_PER_TURN 0.159154943091895336
#define KERN_VIEW_PER_HALF 0.318309886183790672

/* See caps.h. */
struct kern_view_places;
typedef int kern_view_fn(const struct kern_view_places *a, void *queue);

struct kern_view {
	uint32_t width, height; /* of the view, in pixels */
	double focal;		/* in pixels: kern_view_focal() */
	double rotation[9]; /* panorama from camera, rows first: kern_view_rotation() */
	uint32_t panorama_width, panorama_height;
	kern_view_fn *by; /* who places whole rows; NULL: the plain C */
};

/* Places in a view: (.5, .5) is the centre of its first pixel.  u in [-ONE/2, W ONE - ONE/2),
 * v in [-ONE/2, H ONE - ONE/2].  Grade: EXACT. */
struct kern_view_places {
	const struct kern_view *view;
	const double *x, *y; /* count of each, as of u and v */
	uint32_t count;
	int32_t *u, *v;
};

kern_view_fn kern_view_c, kern_view_avx2, kern_view_avx512;
kern_view_fn *kern_view_pick(unsigned caps);

/* Pixels of focal length, hfov in degrees, 0 < hfov < 180. */
double kern_view_focal(uint32_t width, double hfov);

/* Ry(yaw) Rx(pitch) Rz(roll), in degrees. */
void kern_view_rotation(double yaw, double pitch, double roll, double rotation[9]);

/* to = a b; to may be neither. */
void kern_view_multiply(const double a[9], const double b[9], double to[9]);

/* Coordinates of the centres of a row: width of each. */
void kern_view_row(const struct kern_view *view, uint32_t row, int32_t *u, int32_t *v);

/* How far u moves for a turn to the right, in [0, W ONE). */
int32_t kern_view_shift(uint32_t panorama_width, double yaw);

#endif
