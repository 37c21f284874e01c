/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * text.h - figures as people read them, and what the terminal can show.
 */
#ifndef KD_CTL_TEXT_H
#define KD_CTL_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { KD_CTL_TEXT = 32 }; /* room for any of the figures below */

/* All fill and return text[KD_CTL_TEXT]. */
char *kd_ctl_text_bytes(char *text, uint64_t bytes);   /* "4.2 MiB" */
char *kd_ctl_text_seconds(char *text, double seconds); /* "2 min 10 s" */
char *kd_ctl_text_ago(char *text, double when);	       /* "3 min ago"; when: Unix time */
char *kd_ctl_text_count(char *text, double count);     /* "12,300" */

/* Columns of the terminal behind a stream; 0: it is none, cut nothing. */
unsigned kd_ctl_text_columns(FILE *file);
/* Whether a stream shows colours: a terminal, and NO_COLOR is not set. */
int kd_ctl_text_colours(FILE *file);

/* Columns that a UTF-8 text takes; a byte that is no UTF-8 takes one. */
unsigned kd_ctl_text_width(const char *text);
/* Bytes of the longest beginning of text that takes at most `columns`. */
size_t kd_ctl_text_fit(const char *text, unsigned columns);

/* Prints a paragraph broken at spaces, each line behind `indent` spaces. */
void kd_ctl_text_wrap(FILE *file, const char *text, unsigned indent);

#endif
