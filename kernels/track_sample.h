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
kern_track_key_rotation(const struct kern_track_key *key)
{
	return (struct kern_quat){
		key->rotate[0], key->rotate[1], key->rotate[2], key->rotate[3]};
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

/* Between two keys.  end is the first key after frame, which is not before the first. */
KERN_BOTH struct kern_track_sample
kern_track_sample_keys(const struct kern_track *a, uint32_t end, uint32_t frame)
{
	const struct kern_track_key *from = &a->keys[end - 1], *to = from + 1;
	struct kern_track_sample sample;
	if (end == a->key_count || to->frame - from->frame == 1) {
		for (int axis = 0; axis < 3; axis++)
			sample.move[axis] = from->move[axis];
		sample.rotate = kern_track_key_rotation(from);
		return sample;
	}
	double t = (double)(frame - from->frame) / (double)(to->frame - from->frame);
	for (int axis = 0; axis < 3; axis++) {
		double weight = kern_curve_solve(to->curve[axis], t);
		sample.move[axis] =
			(float)(from->move[axis] +
				((double)to->move[axis] - from->move[axis]) * weight);
	}
	double weight = kern_curve_solve(to->curve[KERN_TRACK_ROTATE], t);
	sample.rotate = kern_quat_slerp(kern_track_key_rotation(from),
		kern_track_key_rotation(to), (float)weight);
	return sample;
}

/* At any frame; end is kern_track_keys_until() of it. */
KERN_BOTH struct kern_track_sample
kern_track_sample(const struct kern_track *a, uint32_t end, uint32_t frame)
{
	struct kern_track_sample sample = {{0.0f, 0.0f, 0.0f}, {0.0f, 0.0f, 0.0f, 1.0f}};
	if (a->key_count > 0 && end == 0) {
		/* The first key holds before its frame. */
		frame = a->keys[0].frame;
		end = 1;
	}
	if (a->key_count > 0)
		sample = kern_track_sample_keys(a, end, frame);
	if (a->fixed_axis != NULL)
		sample.rotate = kern_track_about_fixed_axis(
			sample.rotate, (struct kern_vec){a->fixed_axis[0],
					       a->fixed_axis[1], a->fixed_axis[2]});
	return sample;
}

#endif
