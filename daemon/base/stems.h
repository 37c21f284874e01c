/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stems.h - files of one folder that belong together by their names: a main file, chosen
 * by patterns, and its companions, whose names are its stem (the name without its
 * extension) or begin with the stem and one of '.', '_', '-'.  "chair.obj" has the
 * companions "chair.mtl", "chair_diffuse.png" and "chair-normal.png".
 *
 * A file belongs to the longest stem that fits it.  Of several mains with one stem that
 * counts whose pattern stands first, then the first by name; the others accompany it.
 */
#ifndef KD_STEMS_H
#define KD_STEMS_H

#include <stddef.h>

struct kd_stem {
	char *stem;
	char *main;
	size_t pattern; /* index of the pattern that the main fits */
};

struct kd_stems {
	size_t count, room;
	struct kd_stem *list;
};

/* The length of a name's stem. */
size_t kd_stems_length(const char *name);

/* Takes name in when it is a main file: 1; 0 when it is none; -ENOMEM. */
int kd_stems_add(struct kd_stems *stems, const char *name, char *const *match);
/* After the last one, and before the questions below. */
void kd_stems_seal(struct kd_stems *stems);

/* The index of the stem that name belongs to; -1: none. */
long kd_stems_of(const struct kd_stems *stems, const char *name);
/* The index of that very stem, of so many bytes; -1. */
long kd_stems_find(const struct kd_stems *stems, const char *stem, size_t length);

void kd_stems_clear(struct kd_stems *stems);

#endif
