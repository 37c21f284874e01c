/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * track_table.h - the tracks of all bones, and of all morphs, at any list of frames: what
 * one thread of a GPU does for one bone and frame, and a test on the CPU by the very same
 * lines.  Meaning, planes and grade are those of track.h.
 */
#ifndef KERN_TRACK_TABLE_H
#define KERN_TRACK_TABLE_H

#include "kernels/track_sample.h"

struct kern_track_table {
	/* Of all bones, one after the other; count is not read. */
	struct kern_track_keys keys;
	const uint32_t *first; /* bone b has keys first[b] .. first[b + 1] - 1 */
	/* [bone][4]: its fixed axis; 0 in the last place: it has none. */
	const float *fixed_axis;
	const uint32_t *frames; /* [frame_count] */
	uint32_t bone_count, frame_count;
	size_t stride; /* >= frame_count */
	float *rotate; /* 4 planes a bone */
	float *move;   /* 3 planes a bone */
};

struct kern_track_weight_table {
	const struct kern_track_weight_key *keys; /* of all morphs */
	const uint32_t *first, *frames;		  /* as above */
	uint32_t morph_count, frame_count;
	size_t stride;
	float *weights; /* a plane a morph */
};

/* 0 or -errno; queue as with any kernel, see caps.h. */
typedef int kern_track_table_fn(const struct kern_track_table *a, void *queue);
typedef int kern_track_weight_table_fn(
	const struct kern_track_weight_table *a, void *queue);
kern_track_table_fn kern_track_table_cuda;
kern_track_weight_table_fn kern_track_weight_table_cuda;

/* One bone in the frame number f of the list. */
KERN_BOTH void
kern_track_table_sample(const struct kern_track_table *a, uint32_t bone, uint32_t f)
{
	const float *axis = a->fixed_axis + (size_t)bone * 4;
	size_t first = a->first[bone];
	struct kern_track track; /* of which sampling asks for two members only */
	track.keys.count = (uint32_t)(a->first[bone + 1] - first);
	track.keys.stride = a->keys.stride;
	track.keys.frame = a->keys.frame + first;
	track.keys.move = a->keys.move + first;
	track.keys.rotate = a->keys.rotate + first;
	track.keys.curve = a->keys.curve + first;
	track.fixed_axis = axis[3] != 0.0f ? axis : NULL;
	struct kern_track_sample sample = kern_track_sample(
		&track, kern_track_keys_until(&track.keys, a->frames[f]), a->frames[f]);
	float *move = a->move + (size_t)bone * 3 * a->stride + f;
	float *rotate = a->rotate + (size_t)bone * 4 * a->stride + f;
	for (int c = 0; c < 3; c++)
		move[(size_t)c * a->stride] = sample.move[c];
	rotate[0] = sample.rotate.x;
	rotate[a->stride] = sample.rotate.y;
	rotate[2 * a->stride] = sample.rotate.z;
	rotate[3 * a->stride] = sample.rotate.w;
}

/* Likewise one morph. */
KERN_BOTH void
kern_track_table_weigh(
	const struct kern_track_weight_table *a, uint32_t morph, uint32_t f)
{
	const struct kern_track_weight_key *keys = a->keys + a->first[morph];
	uint32_t count = a->first[morph + 1] - a->first[morph];
	a->weights[(size_t)morph * a->stride + f] = kern_track_sample_weight(keys, count,
		kern_track_sample_weights_until(keys, count, a->frames[f]), a->frames[f]);
}

#endif
