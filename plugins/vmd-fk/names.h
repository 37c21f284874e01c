/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * names.h - finds bones and morphs by name.  Of several with one name the lowest index
 * wins, as in MMD.
 */
#ifndef FK_NAMES_H
#define FK_NAMES_H

#include <stddef.h>
#include <stdint.h>

/* One table of names: sorted numbers into an array of structs that hold, at an offset, a
 * name either in place (the 15 bytes of a VMD) or behind a pointer (UTF-8). */
struct fk_names {
	const char *array; /* borrowed */
	size_t stride, offset;
	int in_place;
	uint32_t count;
	uint32_t *sorted; /* owned */
};

/* Fills everything but what is set already: array, stride, offset, in_place, count.  0 or
 * -ENOMEM. */
int fk_names_build(struct fk_names *names);
void fk_names_free(struct fk_names *names);

/* The number of the first element of that name; -1: none.  "" is nobody's name. */
int64_t fk_names_find(const struct fk_names *names, const char *name);

/* The same, of the first element whose name begins with that text. */
int64_t fk_names_find_prefix(const struct fk_names *names, const char *text);

#endif
