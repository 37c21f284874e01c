/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * track.h - one bone's keys, sampled at a run of consecutive frames.
 *
 * From one key to the next every axis of the move is interpolated linearly and the
 * rotation along its shortest arc, each by the curve that the LATER key holds for it.  A
 * key's own frame begins the segment after it, and differs from the key by what curve.h
 * says of t = 0: nothing where the curve is straight, below 1e-4 of the way to the next
 * key where it is not steep, never more than 1/254.  Keys at neighbouring frames have
 * nothing between them and are met exactly, so that a baked motion comes out as it went
 * in.  Before the first key that key's frame holds, after the last the last key.  A bone
 * with a fixed axis (軸固定) keeps of its rotation the angle, turned about that axis:
 * facing it where the rotation's own axis leans to it, away from it where not.
 *
 * Planes.  Keys are planes of keys, results planes of frames: component c of frame f is at
 * [c * stride + f], so that neighbours in memory are neighbours in time, and a run of keys
 * at every frame is copied as it stands.  Nothing beyond frame_count is written.
 * Quaternions are x y z w, of unit length.
 *
 * Grade: EXACT but for which NaN stands where one does: variants repeat every operation
 * in its order, curves in double precision.
 */
#ifndef KERN_TRACK_H
#define KERN_TRACK_H

#include "kernels/both.h"

#include <stddef.h>
#include <stdint.h>

enum kern_track_channel { KERN_TRACK_X, KERN_TRACK_Y, KERN_TRACK_Z, KERN_TRACK_ROTATE };

/* Component c of key k is at [c * stride + k]. */
struct kern_track_keys {
	uint32_t count;	       /* 0: no move, no rotation */
	size_t stride;	       /* floats from one plane to the next, >= count */
	const uint32_t *frame; /* strictly ascending */
	const float *move;     /* 3 planes */
	const float *rotate;   /* 4 planes; unit length */
	/* By key, of the segment that ends there: x1 y1 x2 y2 of each channel. */
	const uint8_t (*curve)[4][4];
};

struct kern_track {
	struct kern_track_keys keys;
	const float *fixed_axis; /* three components, unit length or zero (then nothing
				    turns the bone); NULL: none */
	uint32_t first_frame, frame_count;
	size_t stride; /* floats from one plane to the next, >= frame_count */
	float *rotate; /* 4 planes */
	float *move;   /* 3 planes */
};

/* See caps.h. */
typedef int kern_track_fn(const struct kern_track *a, void *queue);
kern_track_fn kern_track_c, kern_track_avx2, kern_track_avx512;
kern_track_fn *kern_track_pick(unsigned caps);

/* How many keys lie at or before frame: the number of the key that ends the segment. */
KERN_BOTH uint32_t
kern_track_keys_until(const struct kern_track_keys *keys, uint32_t frame)
{
	uint32_t low = 0, high = keys->count;
	/* Between two keys lie no more keys than frames.  Where every frame has one, that
	 * leaves nothing to search. */
	if (high > 0 && frame >= keys->frame[0] && frame < keys->frame[high - 1]) {
		uint32_t since = frame - keys->frame[0];
		uint32_t until = keys->frame[high - 1] - frame;
		low = until < high ? high - until : 1;
		high = since < high - 1 ? since + 1 : high;
	}
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (keys->frame[middle] <= frame)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/*
 * One morph's keys likewise: a VMD has no curves for them, so what lies between two is
 * linear, in double precision.  Grade: EXACT but for which NaN stands where one does.
 */
struct kern_track_weight_key {
	uint32_t frame;
	float weight;
};

struct kern_track_weights {
	const struct kern_track_weight_key *keys; /* strictly ascending by frame */
	uint32_t key_count;			  /* 0: weight 0 throughout */
	uint32_t first_frame, frame_count;
	float *weight; /* [frame_count] */
};

/* See caps.h. */
typedef int kern_track_weights_fn(const struct kern_track_weights *a, void *queue);
kern_track_weights_fn kern_track_weights_c, kern_track_weights_avx2,
	kern_track_weights_avx512;
kern_track_weights_fn *kern_track_weights_pick(unsigned caps);

#endif
