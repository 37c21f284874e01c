/* SPDX-License-Identifier: BSD-2-Clause */
/* The meaning of group, flip and bone morphs: see morph.h.  Frames do not know each
 * other; each step runs over all of them before the next. */
#include "kernels/morph.h"

#include "kernels/caps.h"
#include "kernels/morph_element.h"

static float *
weights_of(const struct kern_morph *a, uint32_t morph)
{
	return a->weights + (size_t)morph * a->stride;
}

/* Group `morph` passes its weight on, to flips only or to all but flips. */
static void
run_group(const struct kern_morph *a, uint32_t morph, int to_flips)
{
	const struct kern_morph_table *table = a->table;
	const float *from = weights_of(a, morph);
	for (uint32_t i = table->first[morph]; i < table->first[morph + 1]; i++) {
		const struct kern_morph_element *element = &table->elements[i];
		uint8_t type = table->types[element->index];
		if (type == KERN_MORPH_GROUP || (type == KERN_MORPH_FLIP) != to_flips)
			continue;
		float *to = weights_of(a, element->index);
		for (uint32_t f = 0; f < a->frame_count; f++)
			to[f] += from[f] * element->weight;
	}
}

static void
run_flip(const struct kern_morph *a, uint32_t morph)
{
	const struct kern_morph_table *table = a->table;
	const float *from = weights_of(a, morph);
	uint32_t count = table->first[morph + 1] - table->first[morph];
	for (uint32_t f = 0; f < a->frame_count; f++) {
		uint32_t chosen;
		if (!kern_morph_element_choose(count, from[f], &chosen))
			continue;
		const struct kern_morph_element *element =
			&table->elements[table->first[morph] + chosen];
		weights_of(a, element->index)[f] = element->weight;
	}
}

static void
move_bone(const struct kern_morph *a, const float *weight,
	const struct kern_morph_element *element)
{
	size_t stride = a->stride;
	float *move = a->move + (size_t)element->index * 3 * stride;
	float *rotate = a->rotate + (size_t)element->index * 4 * stride;
	for (uint32_t f = 0; f < a->frame_count; f++)
		kern_morph_element_apply(
			element, weight[f], rotate + f, move + f, stride);
}

int
kern_morph_c(const struct kern_morph *a, void *queue)
{
	const struct kern_morph_table *table = a->table;
	(void)queue;
	for (uint32_t m = 0; m < table->morph_count; m++)
		if (table->types[m] == KERN_MORPH_GROUP)
			run_group(a, m, 1);
	for (uint32_t m = 0; m < table->morph_count; m++)
		if (table->types[m] == KERN_MORPH_FLIP)
			run_flip(a, m);
	for (uint32_t m = 0; m < table->morph_count; m++)
		if (table->types[m] == KERN_MORPH_GROUP)
			run_group(a, m, 0);
	for (uint32_t m = 0; m < table->morph_count; m++) {
		if (table->types[m] != KERN_MORPH_BONE)
			continue;
		for (uint32_t i = table->first[m]; i < table->first[m + 1]; i++)
			move_bone(a, weights_of(a, m), &table->elements[i]);
	}
	return 0;
}

kern_morph_fn *
kern_morph_pick(unsigned caps)
{
#if defined(__x86_64__)
	if (caps & KERN_CAP_AVX512)
		return kern_morph_avx512;
	if (caps & KERN_CAP_AVX2)
		return kern_morph_avx2;
#endif
	(void)caps;
	return kern_morph_c;
}
