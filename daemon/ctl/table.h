/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table.h - aligned columns that fit the terminal: where a row would be too long, the
 * widest columns give way, cut with an ellipsis.  What is no terminal gets all of it.
 */
#ifndef KD_CTL_TABLE_H
#define KD_CTL_TABLE_H

#include <stdio.h>

struct kd_ctl_table;

/* headings: NULL-ended, copied.  One that begins with '>' stands, like its column, to the
 * right.  NULL when memory is out; the functions below take NULL and do nothing. */
struct kd_ctl_table *kd_ctl_table_new(const char *const *headings);
void kd_ctl_table_free(struct kd_ctl_table *table);

/* The next cell, copied, row by row; NULL reads "-". */
void kd_ctl_table_cell(struct kd_ctl_table *table, const char *text);
void kd_ctl_table_number(struct kd_ctl_table *table, long long number);

/* Prints headings and whole rows, each behind `indent` spaces. */
void kd_ctl_table_print(const struct kd_ctl_table *table, FILE *file, unsigned indent);

#endif
