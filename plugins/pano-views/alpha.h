/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * alpha.h - colours times their alpha, and back: what is transparent must not bleed into
 * what is not when neighbours are mixed.  Pixels have four channels, alpha last.
 */
#ifndef PV_ALPHA_H
#define PV_ALPHA_H

#include "plugins/formats/image.h"

void pv_alpha_multiply(enum fmt_image_type type, void *pixels, size_t count);
void pv_alpha_divide(enum fmt_image_type type, void *pixels, size_t count);

#endif
