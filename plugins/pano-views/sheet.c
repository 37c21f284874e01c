/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/pano-views/sheet.h"

#include "plugins/formats/glyphs.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GAP    8
#define TITLE  26 /* the height of a row's title */
#define LABEL  30 /* and of what stands below a view */
#define LETTER (FMT_GLYPHS_WIDTH + 1)

static const uint8_t paper[FMT_IMAGE_CHANNELS] = {24, 26, 30, 255},
		     ink[FMT_IMAGE_CHANNELS] = {236, 238, 240, 255},
		     faint[FMT_IMAGE_CHANNELS] = {150, 156, 164, 255};

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
	*sheet = (struct pv_sheet){.views = views,
		.cell_width = is_many ? PV_THUMBNAIL_SIDE / 2 : PV_THUMBNAIL_SIDE};
	sheet->columns = is_many ? 16 : views->count < 8 ? views->count : 8;
	sheet->cell_height = (uint32_t)ceil(sheet->cell_width * tallest);
	const uint32_t lines = (views->count + sheet->columns - 1) / sheet->columns;
	sheet->row_height = TITLE + lines * (sheet->cell_height + LABEL);
	sheet->width = GAP + sheet->columns * (sheet->cell_width + GAP);
	sheet->height = GAP + rows * sheet->row_height;
	const size_t pixels = (size_t)sheet->width * sheet->height;
	sheet->pixels = malloc(pixels * FMT_IMAGE_CHANNELS);
	if (sheet->pixels == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < pixels; i++)
		memcpy(sheet->pixels + FMT_IMAGE_CHANNELS * i, paper, sizeof paper);
	pv_thumbnail_tones(sheet->tones);
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
	return sheet->pixels + ((size_t)y * sheet->width + x) * FMT_IMAGE_CHANNELS;
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
						at->colour, sizeof ink);
	}
}

void
pv_sheet_title(struct pv_sheet *sheet, uint32_t row, const char *text)
{
	const struct label at = {
		GAP, GAP + row * sheet->row_height, sheet->width - GAP, 2, ink};
	draw_text(sheet, &at, text);
}

/* A view's place: its picture, and its label below. */
static uint8_t *
cell_at(const struct pv_sheet *sheet, uint32_t row, uint32_t view, uint32_t at[2])
{
	at[0] = GAP + view % sheet->columns * (sheet->cell_width + GAP);
	at[1] = GAP + row * sheet->row_height + TITLE +
		view / sheet->columns * (sheet->cell_height + LABEL);
	return pixel_at(sheet, at[0], at[1]);
}

void
pv_sheet_begin(struct pv_sheet *sheet, const struct pv_sheet_cell *cell,
	struct pv_thumbnail *small)
{
	uint32_t at[2], size[2];
	fit(sheet, cell->width, cell->height, size);
	*small = (struct pv_thumbnail){
		.to = cell_at(sheet, cell->row, cell->view, at),
		.stride = (size_t)sheet->width * FMT_IMAGE_CHANNELS,
		.paper = paper,
		.tones = sheet->tones,
		.width = size[0],
		.height = size[1],
		.view_width = cell->width,
		.view_height = cell->height,
		.type = cell->type,
		.is_opaque = cell->is_opaque,
		.is_associated = cell->is_associated,
	};
}

void
pv_sheet_label(struct pv_sheet *sheet, uint32_t row, uint32_t number)
{
	const struct pv_view *view = &sheet->views->views[number];
	uint32_t left_top[2];
	char text[100];
	cell_at(sheet, row, number, left_top);
	struct label at = {left_top[0], left_top[1] + sheet->cell_height + 3,
		left_top[0] + sheet->cell_width, 1, ink};
	draw_text(sheet, &at, view->name);
	at.y += FMT_GLYPHS_HEIGHT + 3;
	at.colour = faint;
	snprintf(text, sizeof text, "yaw %.6g pitch %.6g", view->yaw, view->pitch);
	draw_text(sheet, &at, text);
}

void
pv_sheet_clear(struct pv_sheet *sheet, uint32_t row, uint32_t view)
{
	uint32_t at[2];
	cell_at(sheet, row, view, at);
	for (uint32_t y = 0; y < sheet->cell_height + LABEL; y++)
		for (uint32_t x = 0; x < sheet->cell_width; x++)
			memcpy(pixel_at(sheet, at[0] + x, at[1] + y), paper,
				sizeof paper);
}

int
pv_sheet_encode(
	const struct pv_sheet *sheet, void **bytes, size_t *length, struct fmt_err *err)
{
	const struct fmt_image_page page = {
		.pixels = sheet->pixels,
		.stride = (size_t)sheet->width * FMT_IMAGE_CHANNELS,
		.width = sheet->width,
		.height = sheet->height,
		.type = FMT_IMAGE_U8,
		.channels = 3,
	};
	return fmt_image_encode(FMT_IMAGE_PNG, &page, bytes, length, err);
}
