/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * glyphs.h - letters of 5 x 7 squares for labels in pictures: A-Z, digits and + - . / _.
 * Small letters are drawn as capitals; what is not there is a question mark.
 */
#ifndef FMT_GLYPHS_H
#define FMT_GLYPHS_H

#define FMT_GLYPHS_WIDTH  5
#define FMT_GLYPHS_HEIGHT 7

/* The five squares of a row, 0 at the top; the highest bit, 16, is on the left. */
unsigned fmt_glyphs_row(char letter, unsigned row);

#endif
