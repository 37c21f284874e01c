/* SPDX-License-Identifier: BSD-2-Clause */
/* track_sample.h - a VMD track at one frame (see track.h), for plain C and CUDA. */
#ifndef KERN_TRACK_SAMPLE_H
#define KERN_TRACK_SAMPLE_H

#include "kernels/curve_solve.h"
#include "kernels/quat.h"
#include "kernels/track.h"

struct kern_track_sample {
	float move[3];
	struct kern_quat rotate;
};

KERN_BOTH struct kern_quat
kern_track_key_rotation(const struct kern_track_keys *keys, size_t key)
{
	const float *at = keys->rotate + key;
	size_t stride = keys->stride;
	return (struct kern_quat){at[0], at[stride], at[2 * stride], at[3 * stride]};
}

KERN_BOTH struct kern_quat
kern_track_about_fixed_axis(struct kern_quat q, struct kern_vec fixed)
{
	struct kern_vec axis = {q.x, q.y, q.z};
	float sine = sqrtf(kern_vec_dot(axis, axis));
	float side = kern_vec_dot(axis, fixed);
	if (kern_vec_dot(fixed, fixed) == 0.0f)
		return KERN_QUAT_IDENTITY;
	float s = side < 0.0f ? -sine : sine;
	return (struct kern_quat){fixed.x * s, fixed.y * s, fixed.z * s, q.w};
}

/* Between two keys.  `to` is the first key after frame, which is not before the first. */
KERN_BOTH struct kern_track_sample
kern_track_sample_keys(const struct kern_track_keys *keys, uint32_t to, uint32_t frame)
{
	struct kern_track_sample sample;
	uint32_t from = to - 1;
	if (to == keys->count || keys->frame[to] - keys->frame[from] == 1) {
		for (size_t axis = 0; axis < 3; axis++)
			sample.move[axis] = keys->move[axis * keys->stride + from];
		sample.rotate = kern_track_key_rotation(keys, from);
		return sample;
	}
	double t = (double)(frame - keys->frame[from]) /
		   (double)(keys->frame[to] - keys->frame[from]);
	for (size_t axis = 0; axis < 3; axis++) {
		const float *at = keys->move + axis * keys->stride;
		double weight = kern_curve_solve(keys->curve[to][axis], t);
		sample.move[axis] =
			(float)(at[from] + ((double)at[to] - at[from]) * weight);
	}
	double weight = kern_curve_solve(keys->curve[to][KERN_TRACK_ROTATE], t);
	sample.rotate = kern_quat_slerp(kern_track_key_rotation(keys, from),
		kern_track_key_rotation(keys, to), (float)weight);
	return sample;
}

/* At any frame; end is kern_track_keys_until() of it. */
KERN_BOTH struct kern_track_sample
kern_track_sample(const struct kern_track *a, uint32_t end, uint32_t frame)
{
	struct kern_track_sample sample = {{0.0f, 0.0f, 0.0f}, {0.0f, 0.0f, 0.0f, 1.0f}};
	if (a->keys.count > 0 && end == 0) {
		/* The first key holds before its frame. */
		frame = a->keys.frame[0];
		end = 1;
	}
	if (a->keys.count > 0)
		sample = kern_track_sample_keys(&a->keys, end, frame);
	if (a->fixed_axis != NULL)
		sample.rotate = kern_track_about_fixed_axis(
			sample.rotate, (struct kern_vec){a->fixed_axis[0],
					       a->fixed_axis[1], a->fixed_axis[2]});
	return sample;
}

/* How many of a morph's keys lie at or before frame. */
KERN_BOTH uint32_t
kern_track_sample_weights_until(
	const struct kern_track_weight_key *keys, uint32_t count, uint32_t frame)
{
	uint32_t low = 0, high = count;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (keys[middle].frame <= frame)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* A morph's weight at any frame; end is that of the function above. */
KERN_BOTH float
kern_track_sample_weight(const struct kern_track_weight_key *keys, uint32_t count,
	uint32_t end, uint32_t frame)
{
	if (count == 0)
		return 0.0f;
	if (end == 0 || end == count)
		return keys[end == 0 ? 0 : end - 1].weight;
	const struct kern_track_weight_key *from = &keys[end - 1], *to = from + 1;
	double t = (double)(frame - from->frame) / (double)(to->frame - from->frame);
	return (float)(from->weight + ((double)to->weight - from->weight) * t);
}

#endif
