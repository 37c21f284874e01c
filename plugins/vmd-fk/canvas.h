/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * canvas.h - a small picture to draw on: RGB, 8 bits, rows from the top.  Coordinates are
 * pixels with their origin in the top left corner of the clipping rectangle; pixel (0,0)
 * covers 0..1.  Whatever falls outside the rectangle is not drawn.
 */
#ifndef FK_CANVAS_H
#define FK_CANVAS_H

#include <stdint.h>

struct fk_canvas {
	uint8_t *pixels; /* width * height * 3, the caller's */
	int width, height;
	int left, top, right, bottom; /* the clipping rectangle */
};

struct fk_colour {
	uint8_t red, green, blue;
	float opacity; /* 0..1 */
};

struct fk_point {
	float x, y;
};

/* Fills the clipping rectangle, blending from one colour at its top to one at its bottom;
 * opacity does not count. */
void fk_canvas_fill(
	struct fk_canvas *canvas, struct fk_colour top, struct fk_colour bottom);

/* A line with round ends; edges are smoothed over one pixel. */
void fk_canvas_line(struct fk_canvas *canvas, struct fk_point from, struct fk_point to,
	float width, struct fk_colour colour);

/* A circle: filled up to radius - width inwards not, so width >= radius makes a disc. */
void fk_canvas_ring(struct fk_canvas *canvas, struct fk_point centre, float radius,
	float width, struct fk_colour colour);

/* Decimal digits of 3 x 5 squares, each `size` pixels wide.  Returns the width drawn. */
float fk_canvas_number(struct fk_canvas *canvas, struct fk_point at, float size,
	uint32_t number, struct fk_colour colour);

#endif
