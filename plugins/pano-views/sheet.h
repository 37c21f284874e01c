/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sheet.h - the contact sheet: some frames, each with all its views made small and labelled,
 * so that a person sees at once whether they look where they should.
 */
#ifndef PV_SHEET_H
#define PV_SHEET_H

#include "plugins/pano-views/thumbnail.h"
#include "plugins/pano-views/views.h"

struct pv_sheet {
	const struct pv_views *views;
	uint8_t *pixels; /* [height][width][4], opaque */
	uint32_t width, height;
	uint32_t columns;		  /* of views */
	uint32_t cell_width, cell_height; /* of a view's picture */
	uint32_t row_height;		  /* of a frame, title and all */
	uint8_t tones[PV_THUMBNAIL_TONES + 1];
};

/* An empty sheet for so many frames; borrows views.  0 or -ENOMEM. */
int pv_sheet_make(struct pv_sheet *sheet, const struct pv_views *views, uint32_t rows);
void pv_sheet_free(struct pv_sheet *sheet);

/* What stands above a frame's views. */
void pv_sheet_title(struct pv_sheet *sheet, uint32_t row, const char *text);

/* A frame's view, where it is to be shown. */
struct pv_sheet_cell {
	uint32_t row, view;
	uint32_t width, height; /* of the view */
	enum fmt_image_type type;
	int is_opaque, is_associated; /* associated: colours are premultiplied by alpha */
};

/* Begins the small picture that the view's rows are drawn through, straight onto the sheet.
 * Different cells may be drawn by several threads at once. */
void pv_sheet_begin(struct pv_sheet *sheet, const struct pv_sheet_cell *cell,
	struct pv_thumbnail *small);

/* What stands below a view. */
void pv_sheet_label(struct pv_sheet *sheet, uint32_t row, uint32_t view);

/* Paper again: the view came to nothing. */
void pv_sheet_clear(struct pv_sheet *sheet, uint32_t row, uint32_t view);

/* As a PNG: *bytes is for free(3).  0 or a negative errno with *err. */
int pv_sheet_encode(
	const struct pv_sheet *sheet, void **bytes, size_t *length, struct fmt_err *err);

#endif
