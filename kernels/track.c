/* SPDX-License-Identifier: BSD-2-Clause */
/* The meaning of a VMD track: see track.h.  Frames are walked upwards, and with them the
 * segment; only the first one is searched. */
#include "kernels/track.h"

#include "kernels/caps.h"
#include "kernels/track_sample.h"

int
kern_track_c(const struct kern_track *a, void *queue)
{
	(void)queue;
	uint32_t end = kern_track_keys_until(&a->keys, a->first_frame);
	for (uint32_t f = 0; f < a->frame_count; f++) {
		uint32_t frame = a->first_frame + f;
		while (end < a->keys.count && a->keys.frame[end] <= frame)
			end++;
		struct kern_track_sample sample = kern_track_sample(a, end, frame);
		for (int axis = 0; axis < 3; axis++)
			a->move[(size_t)axis * a->stride + f] = sample.move[axis];
		a->rotate[f] = sample.rotate.x;
		a->rotate[a->stride + f] = sample.rotate.y;
		a->rotate[2 * a->stride + f] = sample.rotate.z;
		a->rotate[3 * a->stride + f] = sample.rotate.w;
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
	uint32_t end =
		kern_track_sample_weights_until(a->keys, a->key_count, a->first_frame);
	for (uint32_t f = 0; f < a->frame_count; f++) {
		uint32_t frame = a->first_frame + f;
		while (end < a->key_count && a->keys[end].frame <= frame)
			end++;
		float weight =
			kern_track_sample_weight(a->keys, a->key_count, end, frame);
		/* Most morphs of a motion rest most of the time: the last key holds. */
		if (end == a->key_count) {
			for (; f < a->frame_count; f++)
				a->weight[f] = weight;
			break;
		}
		a->weight[f] = weight;
	}
	return 0;
}

kern_track_weights_fn *
kern_track_weights_pick(unsigned caps)
{
#if defined(__x86_64__)
	if (caps & KERN_CAP_AVX512)
		return kern_track_weights_avx512;
	if (caps & KERN_CAP_AVX2)
		return kern_track_weights_avx2;
#endif
	(void)caps;
	return kern_track_weights_c;
}
