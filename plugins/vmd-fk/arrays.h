/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arrays.h - the arrays that an evaluation fills, and their rows: from planes
 * [bone][component][frame] to [frame][column][component], in the units and orders that
 * were asked for.
 */
#ifndef FK_ARRAYS_H
#define FK_ARRAYS_H

#include "plugins/vmd-fk/state.h"

#define FK_ARRAYS_MAX 6

/* A run that was evaluated. */
struct fk_filling {
	const struct fk_state *state;
	const struct fk_planes *planes;
	const struct fk_run *run;
};

struct fk_array {
	const char *name;
	uint32_t columns, components; /* components 0: one number a column */
	/* Writes run->written rows from planes that hold the run.  [any thread] */
	void (*fill)(const struct fk_filling *filling, float *rows);
};

/* Those that the state asks for, in their order; how many. */
unsigned fk_arrays_list(const struct fk_state *state, struct fk_array *arrays);

/* Floats in a row. */
static inline size_t
fk_arrays_width(const struct fk_array *array)
{
	return (size_t)array->columns * (array->components > 0 ? array->components : 1);
}

#endif
