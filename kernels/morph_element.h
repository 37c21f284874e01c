/* SPDX-License-Identifier: BSD-2-Clause */
/* morph_element.h - one element of a morph in one frame (see morph.h), for plain C and
 * CUDA. */
#ifndef KERN_MORPH_ELEMENT_H
#define KERN_MORPH_ELEMENT_H

#include "kernels/morph.h"
#include "kernels/quat.h"

/* Which of its count elements a flip of that weight chooses; 0: none. */
KERN_BOTH int
kern_morph_element_choose(uint32_t count, float weight, uint32_t *chosen)
{
	/* Compared before it is converted: a weight of any size is legal. */
	float place = ((float)count + 1.0f) * weight;
	if (count == 0 || !(place >= 1.0f))
		return 0;
	*chosen = place < (float)count ? (uint32_t)place - 1 : count - 1;
	return 1;
}

/* Adds a bone morph to the bone's own rotation and move; stride from one component to the
 * next. */
KERN_BOTH void
kern_morph_element_apply(const struct kern_morph_element *element, float weight,
	float *rotate, float *move, size_t stride)
{
	if (weight == 0.0f)
		return;
	for (size_t c = 0; c < 3; c++)
		move[c * stride] += weight * element->move[c];
	struct kern_quat full = {element->rotate[0], element->rotate[1],
		element->rotate[2], element->rotate[3]};
	struct kern_quat own = {
		rotate[0], rotate[stride], rotate[2 * stride], rotate[3 * stride]};
	own = kern_quat_mul(kern_quat_power(full, weight), own);
	rotate[0] = own.x;
	rotate[stride] = own.y;
	rotate[2 * stride] = own.z;
	rotate[3 * stride] = own.w;
}

#endif
