/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * morph_lanes.h - morph.c over again for LANES frames at a time: each step runs over all
 * frames before the next.  Included by one file a variant, which says how many LANES are.
 *
 * Most morphs rest most of the time.  Where no lane of a flip chooses, or all lanes of a
 * bone morph are at zero, nothing but the weight is read.  A group hands on its zeros,
 * though, as the plain C does: they turn -0 into 0, and infinite elements into NaN.
 */
#ifndef KERN_MORPH_LANES_H
#define KERN_MORPH_LANES_H

#include "kernels/lanes_quat.h"
#include "kernels/morph_element.h"

static inline float *
morph_lanes_weights(const struct kern_morph *a, uint32_t morph)
{
	return a->weights + (size_t)morph * a->stride;
}

static inline __attribute__((always_inline)) void
morph_lanes_add(float *to, const float *from, float share, lanes_mask mask)
{
	lanes more = lanes_load(from, mask) * lanes_all(share);
	lanes_store(to, mask, lanes_load(to, mask) + more);
}

/* Group `morph` passes its weight on, to flips only or to all but flips. */
static inline void
morph_lanes_group(const struct kern_morph *a, uint32_t morph, int to_flips)
{
	const struct kern_morph_table *table = a->table;
	const float *from = morph_lanes_weights(a, morph);
	for (uint32_t i = table->first[morph]; i < table->first[morph + 1]; i++) {
		const struct kern_morph_element *element = &table->elements[i];
		uint8_t type = table->types[element->index];
		if (type == KERN_MORPH_GROUP || (type == KERN_MORPH_FLIP) != to_flips)
			continue;
		float *to = morph_lanes_weights(a, element->index),
		      share = element->weight;
		uint32_t f = 0;
		/* A mask known here and now costs nothing. */
		for (; f + LANES <= a->frame_count; f += LANES)
			morph_lanes_add(to + f, from + f, share, lanes_first(LANES));
		if (f < a->frame_count)
			morph_lanes_add(
				to + f, from + f, share, lanes_first(a->frame_count - f));
	}
}

/* What `count` frames from f on choose: each an element of its own, so one by one. */
static inline void
morph_lanes_choose(const struct kern_morph *a, uint32_t morph, uint32_t f, uint32_t count)
{
	const struct kern_morph_table *table = a->table;
	uint32_t first = table->first[morph], chosen;
	const float *from = morph_lanes_weights(a, morph);
	for (uint32_t end = f + count; f < end; f++) {
		if (!kern_morph_element_choose(
			    table->first[morph + 1] - first, from[f], &chosen))
			continue;
		const struct kern_morph_element *element =
			&table->elements[first + chosen];
		morph_lanes_weights(a, element->index)[f] = element->weight;
	}
}

static inline void
morph_lanes_flip(const struct kern_morph *a, uint32_t morph)
{
	const float *from = morph_lanes_weights(a, morph);
	uint32_t elements = a->table->first[morph + 1] - a->table->first[morph];
	lanes places = lanes_all((float)elements + 1.0f);
	for (uint32_t f = 0; f < a->frame_count; f += LANES) {
		uint32_t left = a->frame_count - f;
		lanes place = places * lanes_load(from + f, lanes_first(left));
		if (lanes_any(lanes_at_most(lanes_all(1.0f), place)))
			morph_lanes_choose(a, morph, f, left < LANES ? left : LANES);
	}
}

/* An element of a bone morph, with whatever is the same in all frames. */
struct morph_lanes_element {
	const float *weight;
	float *rotate, *move; /* the bone's own */
	size_t stride;
	struct kern_vec by;
	struct kern_quat_turn turn;
};

/* kern_morph_element_apply() in frames f .. f + LANES - 1 as far as the mask goes. */
static inline __attribute__((always_inline)) void
morph_lanes_apply(const struct morph_lanes_element *e, uint32_t f, lanes_mask mask)
{
	lanes weight = lanes_load(e->weight + f, mask);
	lanes_mask rests = lanes_equal(weight, lanes_all(0.0f));
	if (!lanes_any(mask & ~rests))
		return;
	struct lanes_quat_turn turn = {lanes_vec_all(e->turn.axis),
		lanes_all(e->turn.sine), lanes_all(e->turn.half)};
	float *move = e->move + f, *rotate = e->rotate + f;
	struct lanes_vec own_move = lanes_vec_load(move, e->stride, mask);
	struct lanes_quat own = lanes_quat_load(rotate, e->stride, mask);
	struct lanes_vec moved =
		lanes_vec_add(own_move, lanes_vec_scale(lanes_vec_all(e->by), weight));
	struct lanes_quat turned = lanes_quat_mul(lanes_quat_part(turn, weight), own);
	lanes_vec_store(move, e->stride, mask, lanes_vec_select(rests, own_move, moved));
	lanes_quat_store(rotate, e->stride, mask, lanes_quat_select(rests, own, turned));
}

static inline int
morph_lanes_rests(const float *weight, uint32_t frame_count)
{
	for (uint32_t f = 0; f < frame_count; f += LANES) {
		lanes_mask mask = lanes_first(frame_count - f);
		lanes_mask at_zero =
			lanes_equal(lanes_load(weight + f, mask), lanes_all(0.0f));
		if (lanes_any(mask & ~at_zero))
			return 0;
	}
	return 1;
}

static inline struct kern_quat_turn
morph_lanes_turn(const struct kern_morph_element *element)
{
	const float *q = element->rotate;
	return kern_quat_turn((struct kern_quat){q[0], q[1], q[2], q[3]});
}

/* Each element's own root and arc are one long wait, so the next one's begin before the
 * frames of the one at hand. */
static inline void
morph_lanes_bones(const struct kern_morph *a, uint32_t morph)
{
	const struct kern_morph_element *elements = a->table->elements;
	uint32_t i = a->table->first[morph], end = a->table->first[morph + 1];
	const float *weight = morph_lanes_weights(a, morph);
	if (i == end || morph_lanes_rests(weight, a->frame_count))
		return;
	for (struct kern_quat_turn next = morph_lanes_turn(&elements[i]); i < end; i++) {
		size_t bone = elements[i].index;
		const float *by = elements[i].move;
		struct morph_lanes_element e = {
			.weight = weight,
			.rotate = a->rotate + bone * 4 * a->stride,
			.move = a->move + bone * 3 * a->stride,
			.stride = a->stride,
			.by = {by[0], by[1], by[2]},
			.turn = next,
		};
		if (i + 1 < end)
			next = morph_lanes_turn(&elements[i + 1]);
		uint32_t f = 0;
		for (; f + LANES <= a->frame_count; f += LANES)
			morph_lanes_apply(&e, f, lanes_first(LANES));
		if (f < a->frame_count)
			morph_lanes_apply(&e, f, lanes_first(a->frame_count - f));
	}
}

static inline int
morph_lanes_run(const struct kern_morph *a)
{
	const struct kern_morph_table *table = a->table;
	for (uint32_t m = 0; m < table->morph_count; m++)
		if (table->types[m] == KERN_MORPH_GROUP)
			morph_lanes_group(a, m, 1);
	for (uint32_t m = 0; m < table->morph_count; m++)
		if (table->types[m] == KERN_MORPH_FLIP)
			morph_lanes_flip(a, m);
	for (uint32_t m = 0; m < table->morph_count; m++)
		if (table->types[m] == KERN_MORPH_GROUP)
			morph_lanes_group(a, m, 0);
	for (uint32_t m = 0; m < table->morph_count; m++)
		if (table->types[m] == KERN_MORPH_BONE)
			morph_lanes_bones(a, m);
	return 0;
}

#endif
