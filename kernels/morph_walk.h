/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * morph_walk.h - what morphs do to bones in one frame (see morph.h): what one thread of a
 * GPU does, and a test on the CPU by the very same lines.  Gives the bits of the plain C.
 */
#ifndef KERN_MORPH_WALK_H
#define KERN_MORPH_WALK_H

#include "kernels/morph_element.h"

/* struct kern_morph, but for the table, which comes by value. */
struct kern_morph_walk {
	struct kern_morph_table table;
	uint32_t frame_count;
	size_t stride;
	float *weights, *rotate, *move;
};

/* 0 or -errno; queue as with any kernel, see caps.h. */
typedef int kern_morph_walk_fn(const struct kern_morph_walk *a, void *queue);
kern_morph_walk_fn kern_morph_walk_cuda;

/* Group `morph` passes its weight on, to flips only or to all but flips. */
KERN_BOTH void
kern_morph_walk_group(
	const struct kern_morph_walk *a, uint32_t morph, int to_flips, uint32_t frame)
{
	float from = a->weights[(size_t)morph * a->stride + frame];
	for (uint32_t i = a->table.first[morph]; i < a->table.first[morph + 1]; i++) {
		const struct kern_morph_element *element = &a->table.elements[i];
		uint8_t type = a->table.types[element->index];
		if (type != KERN_MORPH_GROUP && (type == KERN_MORPH_FLIP) == to_flips)
			a->weights[(size_t)element->index * a->stride + frame] +=
				from * element->weight;
	}
}

KERN_BOTH void
kern_morph_walk_groups(const struct kern_morph_walk *a, int to_flips, uint32_t frame)
{
	for (uint32_t m = 0; m < a->table.morph_count; m++)
		if (a->table.types[m] == KERN_MORPH_GROUP)
			kern_morph_walk_group(a, m, to_flips, frame);
}

KERN_BOTH void
kern_morph_walk_flip(const struct kern_morph_walk *a, uint32_t morph, uint32_t frame)
{
	uint32_t first = a->table.first[morph];
	uint32_t count = a->table.first[morph + 1] - first, chosen;
	if (!kern_morph_element_choose(
		    count, a->weights[(size_t)morph * a->stride + frame], &chosen))
		return;
	const struct kern_morph_element *element = &a->table.elements[first + chosen];
	a->weights[(size_t)element->index * a->stride + frame] = element->weight;
}

KERN_BOTH void
kern_morph_walk_bones(const struct kern_morph_walk *a, uint32_t morph, uint32_t frame)
{
	float weight = a->weights[(size_t)morph * a->stride + frame];
	for (uint32_t i = a->table.first[morph]; i < a->table.first[morph + 1]; i++) {
		const struct kern_morph_element *element = &a->table.elements[i];
		size_t bone = element->index;
		kern_morph_element_apply(element, weight,
			a->rotate + bone * 4 * a->stride + frame,
			a->move + bone * 3 * a->stride + frame, a->stride);
	}
}

/* The whole frame. */
KERN_BOTH void
kern_morph_walk_frame(const struct kern_morph_walk *a, uint32_t frame)
{
	kern_morph_walk_groups(a, 1, frame);
	for (uint32_t m = 0; m < a->table.morph_count; m++)
		if (a->table.types[m] == KERN_MORPH_FLIP)
			kern_morph_walk_flip(a, m, frame);
	kern_morph_walk_groups(a, 0, frame);
	for (uint32_t m = 0; m < a->table.morph_count; m++)
		if (a->table.types[m] == KERN_MORPH_BONE)
			kern_morph_walk_bones(a, m, frame);
}

#endif
