/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bar.h - progress bars at the foot of a terminal, redrawn in place.  On anything else
 * every function does nothing.
 */
#ifndef KD_CTL_BAR_H
#define KD_CTL_BAR_H

#include <stdio.h>

struct kd_ctl_bar {
	FILE *file;
	unsigned columns; /* 0: no terminal */
	unsigned drawn;	  /* lines on the screen */
	double last;	  /* when kd_ctl_bar_due() last said yes */
};

void kd_ctl_bar_begin(struct kd_ctl_bar *bar, FILE *file);
/* Whether enough time has gone by for another drawing (it then counts as drawn). */
int kd_ctl_bar_due(struct kd_ctl_bar *bar);
/* Takes the lines off the screen: before other output, before a redraw, at the end. */
void kd_ctl_bar_clear(struct kd_ctl_bar *bar);
/* Adds a line: a bar filled to fraction (0..1) and the text behind it, cut to fit. */
void kd_ctl_bar_line(struct kd_ctl_bar *bar, double fraction, const char *text);

#endif
