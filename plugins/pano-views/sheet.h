/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sheet.h - the contact sheet: some frames, each with all its views made small and labelled,
 * so that a person sees at once whether they look where they should.
 */
#ifndef PV_SHEET_H
#define PV_SHEET_H

#include "plugins/formats/image.h"
#include "plugins/pano-views/views.h"

struct pv_sheet {
	const struct pv_views *views;
	uint8_t *pixels; /* [height][width][3] */
	uint32_t width, height;
	uint32_t columns;		  /* of views */
	uint32_t cell_width, cell_height; /* of a view's picture */
	uint32_t row_height;		  /* of a frame, title and all */
};

/* An empty sheet for so many frames; borrows views.  0 or -ENOMEM. */
int pv_sheet_make(struct pv_sheet *sheet, const struct pv_views *views, uint32_t rows);
void pv_sheet_free(struct pv_sheet *sheet);

/* What stands above a frame's views. */
void pv_sheet_title(struct pv_sheet *sheet, uint32_t row, const char *text);

/* Draws a view and its label; rows may be drawn by several threads at once.  Of the page,
 * its pixels, stride, size and type count. */
void pv_sheet_add(struct pv_sheet *sheet, uint32_t row, uint32_t view,
	const struct fmt_image_page *page);

/* As a PNG; fd stays the caller's.  0 or a negative errno with *err. */
int pv_sheet_write(const struct pv_sheet *sheet, int fd, struct fmt_err *err);

#endif
