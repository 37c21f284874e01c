/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * series.h - names of numbered files.  The number of a name is the last run of decimal
 * digits before its extension ("shot2_0001.exr": 1), or the extension itself
 * ("render.0001").  Files are of one series when their names are what printf makes of one
 * pattern, "shot2_%04d.exr" or, without leading zeros, "shot2_%d.exr"; a literal '%' is
 * doubled.  So 0999, 1000 and 10000 are of one series, and 1 and 01 of two.
 */
#ifndef KD_SERIES_H
#define KD_SERIES_H

#include <stddef.h>
#include <stdint.h>

/* Longer runs of digits are hashes and the like, not numbers anybody counts by. */
#define KD_SERIES_DIGITS 18

/* Where the number of a name stands. */
struct kd_series_place {
	size_t start, digits;
	uint64_t number;
	int padded; /* it has a leading zero: its width is the pattern's */
};

/* 0, or -ENOENT: the name has no number. */
int kd_series_find(const char *name, struct kd_series_place *place);

/* A pattern taken apart. */
struct kd_series {
	char *prefix, *suffix; /* '%' is single in them */
	unsigned width;	       /* 0: without leading zeros */
};

/* 0; -EINVAL: it is no pattern; -ENOMEM.  Clear it afterwards. */
int kd_series_parse(const char *pattern, struct kd_series *series);
void kd_series_clear(struct kd_series *series);

/* The pattern of such names; allocated, NULL when memory is out. */
char *kd_series_pattern(const char *prefix, unsigned width, const char *suffix);

/* Whether name is of the series; then 1, and its number. */
int kd_series_holds(const struct kd_series *series, const char *name, uint64_t *number);

/* What outputs of the series begin with: "shot2" of "shot2_%04d.exr"; "" where the
 * number is all there is.  Allocated. */
char *kd_series_stem(const struct kd_series *series);

#endif
