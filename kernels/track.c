/* SPDX-License-Identifier: BSD-2-Clause */
/* The meaning of a VMD track: see track.h.  Frames are walked upwards, and with them the
 * segment; only the first one is searched. */
#include "kernels/track.h"

#include "kernels/caps.h"
#include "kernels/curve.h"
#include "kernels/quat.h"

static struct kern_quat
key_rotation(const struct kern_track_key *key)
{
	return (struct kern_quat){
		key->rotate[0], key->rotate[1], key->rotate[2], key->rotate[3]};
}

static struct kern_quat
about_fixed_axis(struct kern_quat q, struct kern_vec fixed)
{
	struct kern_vec axis = {q.x, q.y, q.z};
	float sine = sqrtf(kern_vec_dot(axis, axis));
	float side = kern_vec_dot(axis, fixed);
	if (kern_vec_dot(fixed, fixed) == 0.0f)
		return kern_quat_identity;
	float s = side < 0.0f ? -sine : sine;
	return (struct kern_quat){fixed.x * s, fixed.y * s, fixed.z * s, q.w};
}

static void
sample(const struct kern_track *a, uint32_t end, uint32_t frame, float move[3],
	struct kern_quat *rotate)
{
	/* end is the first key after frame, which is not before the first. */
	const struct kern_track_key *from = &a->keys[end - 1], *to = from + 1;
	if (end == a->key_count || to->frame - from->frame == 1) {
		for (int axis = 0; axis < 3; axis++)
			move[axis] = from->move[axis];
		*rotate = key_rotation(from);
		return;
	}
	double t = (double)(frame - from->frame) / (double)(to->frame - from->frame);
	for (int axis = 0; axis < 3; axis++) {
		double weight = kern_curve_weight(to->curve[axis], t);
		move[axis] =
			(float)(from->move[axis] +
				((double)to->move[axis] - from->move[axis]) * weight);
	}
	double weight = kern_curve_weight(to->curve[KERN_TRACK_ROTATE], t);
	*rotate = kern_quat_slerp(key_rotation(from), key_rotation(to), (float)weight);
}

int
kern_track_c(const struct kern_track *a, void *queue)
{
	(void)queue;
	uint32_t begin = a->key_count > 0 ? a->keys[0].frame : 0;
	uint32_t end = kern_track_keys_until(a, a->first_frame);
	for (uint32_t f = 0; f < a->frame_count; f++) {
		uint32_t frame = a->first_frame + f;
		float move[3] = {0.0f, 0.0f, 0.0f};
		struct kern_quat rotate = kern_quat_identity;
		if (frame < begin)
			frame = begin;
		while (end < a->key_count && a->keys[end].frame <= frame)
			end++;
		if (a->key_count > 0)
			sample(a, end, frame, move, &rotate);
		if (a->fixed_axis != NULL)
			rotate = about_fixed_axis(
				rotate, (struct kern_vec){a->fixed_axis[0],
						a->fixed_axis[1], a->fixed_axis[2]});
		for (int axis = 0; axis < 3; axis++)
			a->move[(size_t)axis * a->stride + f] = move[axis];
		a->rotate[f] = rotate.x;
		a->rotate[a->stride + f] = rotate.y;
		a->rotate[2 * a->stride + f] = rotate.z;
		a->rotate[3 * a->stride + f] = rotate.w;
	}
	return 0;
}

kern_track_fn *
kern_track_pick(unsigned caps)
{
#if defined(__x86_64__)
	if (caps & KERN_CAP_AVX512)
		return kern_track_avx512;
	if (caps & KERN_CAP_AVX2)
		return kern_track_avx2;
#endif
	(void)caps;
	return kern_track_c;
}

int
kern_track_weights_c(const struct kern_track_weights *a, void *queue)
{
	(void)queue;
	uint32_t end = 0, high = a->key_count;
	while (end < high) {
		uint32_t middle = end + (high - end) / 2;
		if (a->keys[middle].frame <= a->first_frame)
			end = middle + 1;
		else
			high = middle;
	}
	for (uint32_t f = 0; f < a->frame_count; f++) {
		uint32_t frame = a->first_frame + f;
		while (end < a->key_count && a->keys[end].frame <= frame)
			end++;
		if (a->key_count == 0) {
			a->weight[f] = 0.0f;
		} else if (end == 0 || end == a->key_count) {
			a->weight[f] = a->keys[end == 0 ? 0 : end - 1].weight;
		} else {
			const struct kern_track_weight_key *from = &a->keys[end - 1],
							   *to = from + 1;
			double t = (double)(frame - from->frame) /
				   (double)(to->frame - from->frame);
			a->weight[f] = (float)(from->weight +
					       ((double)to->weight - from->weight) * t);
		}
	}
	return 0;
}

kern_track_weights_fn *
kern_track_weights_pick(unsigned caps)
{
	(void)caps;
	return kern_track_weights_c;
}
