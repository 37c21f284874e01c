/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/pano-views/sheet.h"

#include "plugins/formats/glyphs.h"
#include "plugins/formats/png.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GAP    8
#define TITLE  26 /* the height of a row's title */
#define LABEL  30 /* and of what stands below a view */
#define LETTER (FMT_GLYPHS_WIDTH + 1)

static const uint8_t paper[3] = {24, 26, 30}, ink[3] = {236, 238, 240},
		     faint[3] = {150, 156, 164};

/* A view's size on the sheet: within its cell, never magnified.  Those that have no size of
 * their own are square. */
static void
fit(const struct pv_sheet *sheet, uint32_t width, uint32_t height, uint32_t size[2])
{
	double scale = fmin(1.0, fmin((double)sheet->cell_width / width,
					 (double)sheet->cell_height / height));
	size[0] = (uint32_t)fmax(1.0, floor(width * scale));
	size[1] = (uint32_t)fmax(1.0, floor(height * scale));
}

int
pv_sheet_make(struct pv_sheet *sheet, const struct pv_views *views, uint32_t rows)
{
	const int is_many = views->count > 32;
	double tallest = 0.1;
	for (uint32_t i = 0; i < views->count; i++) {
		const struct pv_view *view = &views->views[i];
		const double ratio = view->width > 0 && view->height > 0
					     ? (double)view->height / view->width
					     : 1.0;
		tallest = fmax(tallest, fmin(ratio, 1.0));
	}
	*sheet = (struct pv_sheet){.views = views, .cell_width = is_many ? 120 : 240};
	sheet->columns = is_many ? 16 : views->count < 8 ? views->count : 8;
	sheet->cell_height = (uint32_t)ceil(sheet->cell_width * tallest);
	const uint32_t lines = (views->count + sheet->columns - 1) / sheet->columns;
	sheet->row_height = TITLE + lines * (sheet->cell_height + LABEL);
	sheet->width = GAP + sheet->columns * (sheet->cell_width + GAP);
	sheet->height = GAP + rows * sheet->row_height;
	const size_t pixels = (size_t)sheet->width * sheet->height;
	sheet->pixels = malloc(pixels * 3);
	if (sheet->pixels == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < pixels; i++)
		memcpy(sheet->pixels + 3 * i, paper, 3);
	return 0;
}

void
pv_sheet_free(struct pv_sheet *sheet)
{
	free(sheet->pixels);
	sheet->pixels = NULL;
}

static uint8_t *
pixel_at(const struct pv_sheet *sheet, uint32_t x, uint32_t y)
{
	return sheet->pixels + ((size_t)y * sheet->width + x) * 3;
}

/* Where a text begins, how far to the right it may go, and how large its squares are. */
struct label {
	uint32_t x, y, most;
	uint32_t scale;
	const uint8_t *colour;
};

static void
draw_text(struct pv_sheet *sheet, const struct label *at, const char *text)
{
	for (uint32_t i = 0; text[i] != '\0'; i++) {
		const uint32_t left = at->x + i * LETTER * at->scale;
		if (left + LETTER * at->scale > at->most)
			return;
		for (uint32_t y = 0; y < FMT_GLYPHS_HEIGHT * at->scale; y++)
			for (uint32_t x = 0; x < FMT_GLYPHS_WIDTH * at->scale; x++)
				if (fmt_glyphs_row(text[i], y / at->scale) &
					(16u >> x / at->scale))
					memcpy(pixel_at(sheet, left + x, at->y + y),
						at->colour, 3);
	}
}

void
pv_sheet_title(struct pv_sheet *sheet, uint32_t row, const char *text)
{
	const struct label at = {
		GAP, GAP + row * sheet->row_height, sheet->width - GAP, 2, ink};
	draw_text(sheet, &at, text);
}

/* A channel as it looks on a screen, 0..255; float pictures are linear light. */
static double
value_of(enum fmt_image_type type, const void *pixel, unsigned channel)
{
	if (type == FMT_IMAGE_U8)
		return ((const uint8_t *)pixel)[channel];
	if (type == FMT_IMAGE_U16)
		return ((const uint16_t *)pixel)[channel] / 257.0;
	double x = fmin(fmax(((const float *)pixel)[channel], 0.0), 1.0);
	if (channel == 3)
		return 255.0 * x;
	return 255.0 * (x <= 0.0031308 ? 12.92 * x : 1.055 * pow(x, 1 / 2.4) - 0.055);
}

/* Columns left..right-1, rows top..bottom-1 of a page. */
struct part {
	size_t left, top, right, bottom;
};

/* The mean of a part over the paper, by at most 4 x 4 pixels of it. */
static void
mean(const struct fmt_image_page *page, const struct part *part, uint8_t to[3])
{
	const size_t size = fmt_image_pixel(page->type);
	const size_t across = (part->right - part->left + 3) / 4;
	const size_t down = (part->bottom - part->top + 3) / 4;
	double count = 0;
	double sums[3] = {0};
	for (size_t y = part->top; y < part->bottom; y += down)
		for (size_t x = part->left; x < part->right; x += across) {
			const char *pixel =
				(const char *)page->pixels + y * page->stride + x * size;
			count++;
			const double alpha = value_of(page->type, pixel, 3) / 255.0;
			for (unsigned c = 0; c < 3; c++)
				sums[c] += value_of(page->type, pixel, c) * alpha +
					   paper[c] * (1.0 - alpha);
		}
	for (unsigned c = 0; c < 3; c++)
		to[c] = (uint8_t)lrint(sums[c] / count);
}

void
pv_sheet_add(struct pv_sheet *sheet, uint32_t row, uint32_t number,
	const struct fmt_image_page *page)
{
	const struct pv_view *view = &sheet->views->views[number];
	const uint32_t left = GAP + number % sheet->columns * (sheet->cell_width + GAP);
	const uint32_t top = GAP + row * sheet->row_height + TITLE +
			     number / sheet->columns * (sheet->cell_height + LABEL);
	struct label at = {
		left, top + sheet->cell_height + 3, left + sheet->cell_width, 1, ink};
	uint32_t size[2];
	char text[100];
	fit(sheet, page->width, page->height, size);
	for (size_t y = 0; y < size[1]; y++)
		for (size_t x = 0; x < size[0]; x++) {
			const struct part part = {x * page->width / size[0],
				y * page->height / size[1],
				(x + 1) * page->width / size[0],
				(y + 1) * page->height / size[1]};
			mean(page, &part,
				pixel_at(sheet, left + (uint32_t)x, top + (uint32_t)y));
		}
	draw_text(sheet, &at, view->name);
	at.y += FMT_GLYPHS_HEIGHT + 3;
	at.colour = faint;
	snprintf(text, sizeof text, "yaw %.6g pitch %.6g", view->yaw, view->pitch);
	draw_text(sheet, &at, text);
}

int
pv_sheet_write(const struct pv_sheet *sheet, int fd, struct fmt_err *err)
{
	const struct fmt_png png = {
		sheet->pixels, (size_t)sheet->width * 3, sheet->width, sheet->height, 3};
	return fmt_png_write(fd, &png, err);
}
