/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * preview.h - a contact sheet of the moving skeleton: up to 4 x 3 poses spread evenly
 * over the frames that are written, larger where they are fewer, seen from the front and a
 * little from above.  The model's left is orange, its right blue; the camera follows it
 * along the floor, whose squares are 5 units wide.
 */
#ifndef FK_PREVIEW_H
#define FK_PREVIEW_H

#include "plugins/vmd-fk/evaluate.h"

#define FK_PREVIEW_WIDTH  1280
#define FK_PREVIEW_HEIGHT 960

/* pixels: FK_PREVIEW_WIDTH * FK_PREVIEW_HEIGHT * 3 bytes, RGB.  The planes
 * are overwritten.  0 or a negative errno. */
int fk_preview_draw(const struct fk_evaluator *evaluator, const struct fk_motion *motion,
	struct fk_planes *planes, uint8_t *pixels);

#endif
