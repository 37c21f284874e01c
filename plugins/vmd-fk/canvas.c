/* SPDX-License-Identifier: BSD-2-Clause */
/* Shapes are drawn by their distance: a pixel is covered as far as its centre lies within
 * the shape's edge, half a pixel either way. */
#include "plugins/vmd-fk/canvas.h"

#include <math.h>
#include <stdio.h>

/* Rows of three bits, the highest on the left. */
static const uint8_t digits[10][5] = {
	{7, 5, 5, 5, 7},
	{2, 6, 2, 2, 7},
	{7, 1, 7, 4, 7},
	{7, 1, 7, 1, 7},
	{5, 5, 7, 1, 1},
	{7, 4, 7, 1, 7},
	{7, 4, 7, 5, 7},
	{7, 1, 1, 2, 2},
	{7, 5, 7, 5, 7},
	{7, 5, 7, 1, 7},
};

struct box {
	int left, top, right, bottom;
};

static int
bound(float value, int low, int high)
{
	if (!(value > (float)low))
		return low;
	return value < (float)high ? (int)value : high;
}

/* The pixels that a shape between two corners may touch; of NaN corners, none. */
static struct box
pixels_between(const struct fk_canvas *canvas, struct fk_point low, struct fk_point high)
{
	struct box box = {
		bound(canvas->left + floorf(low.x), canvas->left, canvas->right),
		bound(canvas->top + floorf(low.y), canvas->top, canvas->bottom),
		bound(canvas->left + ceilf(high.x), canvas->left, canvas->right),
		bound(canvas->top + ceilf(high.y), canvas->top, canvas->bottom)};
	return box;
}

static void
blend(struct fk_canvas *canvas, int x, int y, float coverage, struct fk_colour colour)
{
	uint8_t *pixel =
		canvas->pixels + ((size_t)y * (size_t)canvas->width + (size_t)x) * 3;
	float a = fminf(fmaxf(coverage, 0.0f), 1.0f) * colour.opacity;
	pixel[0] = (uint8_t)lrintf((float)pixel[0] + a * ((float)colour.red - pixel[0]));
	pixel[1] =
		(uint8_t)lrintf((float)pixel[1] + a * ((float)colour.green - pixel[1]));
	pixel[2] = (uint8_t)lrintf((float)pixel[2] + a * ((float)colour.blue - pixel[2]));
}

void
fk_canvas_fill(struct fk_canvas *canvas, struct fk_colour top, struct fk_colour bottom)
{
	int height = canvas->bottom - canvas->top;
	top.opacity = 1.0f;
	for (int y = canvas->top; y < canvas->bottom; y++) {
		bottom.opacity = (float)(y - canvas->top) / (float)height;
		for (int x = canvas->left; x < canvas->right; x++) {
			blend(canvas, x, y, 1.0f, top);
			blend(canvas, x, y, 1.0f, bottom);
		}
	}
}

void
fk_canvas_line(struct fk_canvas *canvas, struct fk_point from, struct fk_point to,
	float width, struct fk_colour colour)
{
	float radius = 0.5f * width, reach = radius + 1.0f;
	float dx = to.x - from.x, dy = to.y - from.y;
	float square = dx * dx + dy * dy;
	if (!isfinite(square) || !isfinite(from.x + from.y))
		return;
	struct box box = pixels_between(canvas,
		(struct fk_point){
			fminf(from.x, to.x) - reach, fminf(from.y, to.y) - reach},
		(struct fk_point){
			fmaxf(from.x, to.x) + reach, fmaxf(from.y, to.y) + reach});
	for (int y = box.top; y < box.bottom; y++) {
		for (int x = box.left; x < box.right; x++) {
			float px = (float)(x - canvas->left) + 0.5f - from.x;
			float py = (float)(y - canvas->top) + 0.5f - from.y;
			float t = square > 0.0f ? (px * dx + py * dy) / square : 0.0f;
			t = fminf(fmaxf(t, 0.0f), 1.0f);
			float distance = hypotf(px - t * dx, py - t * dy);
			if (distance < radius + 0.5f)
				blend(canvas, x, y, radius + 0.5f - distance, colour);
		}
	}
}

void
fk_canvas_ring(struct fk_canvas *canvas, struct fk_point centre, float radius,
	float width, struct fk_colour colour)
{
	float reach = radius + 1.0f;
	if (!isfinite(centre.x + centre.y + radius))
		return;
	struct box box = pixels_between(canvas,
		(struct fk_point){centre.x - reach, centre.y - reach},
		(struct fk_point){centre.x + reach, centre.y + reach});
	for (int y = box.top; y < box.bottom; y++) {
		for (int x = box.left; x < box.right; x++) {
			float distance =
				hypotf((float)(x - canvas->left) + 0.5f - centre.x,
					(float)(y - canvas->top) + 0.5f - centre.y);
			float outside = radius + 0.5f - distance;
			float inside = distance - (radius - width) + 0.5f;
			float coverage = fminf(outside, inside);
			if (coverage > 0.0f)
				blend(canvas, x, y, coverage, colour);
		}
	}
}

static void
square(struct fk_canvas *canvas, struct fk_point at, float size, struct fk_colour colour)
{
	struct box box =
		pixels_between(canvas, at, (struct fk_point){at.x + size, at.y + size});
	for (int y = box.top; y < box.bottom; y++)
		for (int x = box.left; x < box.right; x++)
			blend(canvas, x, y, 1.0f, colour);
}

float
fk_canvas_number(struct fk_canvas *canvas, struct fk_point at, float size,
	uint32_t number, struct fk_colour colour)
{
	char text[16];
	int length = snprintf(text, sizeof text, "%u", number);
	for (int i = 0; i < length; i++)
		for (int row = 0; row < 5; row++)
			for (int column = 0; column < 3; column++)
				if (digits[text[i] - '0'][row] & (4 >> column))
					square(canvas,
						(struct fk_point){
							at.x + size * (float)(4 * i +
									      column),
							at.y + size * (float)row},
						size, colour);
	return size * (float)(4 * length - 1);
}
