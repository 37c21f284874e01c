/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * morph.h - what morphs do to bones, over a run of frames (PMX 2.1 specification).
 *
 * First flips, in index order: a flip of n elements and weight v chooses element
 * (int)((n + 1) v) - 1, none below 0, at most the last, and overwrites the weight of the
 * morph it names.  A group adds to each morph it names its own weight times the
 * element's; flips inside groups get theirs before any flip acts; a group inside a group
 * gets nothing.  Then bone morphs, in index order: weight times the move is added to the
 * bone's own, and the rotation, taken weight times as far, is applied after it.
 *
 * Planes as in track.h: weight of morph m at frame f is weights[m * stride + f]; bone b's
 * component c is rotate[(b * 4 + c) * stride + f] and move[(b * 3 + c) * stride + f].
 * Nothing beyond frame_count is written.  Lengths are the model's; quaternions are x y z w,
 * of unit length.
 *
 * Grade: EXACT but for which NaN stands where one does.  Against exact arithmetic: 1e-5 on
 * moves of up to 100 units, 1e-6 on quaternion components.  Where a bone morph's weight is
 * 0 its bones keep their very bits; of a group at 0 only who is no number or -0 changes.
 */
#ifndef KERN_MORPH_H
#define KERN_MORPH_H

#include <stddef.h>
#include <stdint.h>

enum kern_morph_type {
	KERN_MORPH_NONE, /* moves no bone */
	KERN_MORPH_GROUP,
	KERN_MORPH_FLIP,
	KERN_MORPH_BONE,
};

struct kern_morph_element {
	uint32_t index;	 /* a morph (GROUP, FLIP) or a bone (BONE): below the counts */
	float weight;	 /* GROUP, FLIP: any number, or none */
	float move[3];	 /* BONE */
	float rotate[4]; /* BONE */
};

struct kern_morph_table {
	uint32_t morph_count;
	const uint8_t *types; /* [morph_count], enum kern_morph_type */
	/* [morph_count + 1]: morph m owns elements first[m] .. first[m + 1] - 1. */
	const uint32_t *first;
	const struct kern_morph_element *elements;
};

struct kern_morph {
	const struct kern_morph_table *table;
	uint32_t frame_count;
	size_t stride;	      /* floats from one plane to the next, >= frame_count */
	float *weights;	      /* in: of the motion; out: after flips and groups */
	float *rotate, *move; /* in: of the motion; out: with the bone morphs */
};

/* See caps.h. */
typedef int kern_morph_fn(const struct kern_morph *a, void *queue);
kern_morph_fn kern_morph_c, kern_morph_avx2, kern_morph_avx512;
kern_morph_fn *kern_morph_pick(unsigned caps);

#endif
