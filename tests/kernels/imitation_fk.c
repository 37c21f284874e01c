/* SPDX-License-Identifier: BSD-2-Clause */
/* What vmd-fk asks of a GPU, by the imitation. */
#include "tests/kernels/imitation.h"

#include <string.h>

static int
imitation_tracks(const struct kern_track_table *a, void *stream)
{
	(void)stream;
	for (uint32_t b = 0; b < a->bone_count; b++)
		for (uint32_t f = 0; f < a->frame_count; f++)
			kern_track_table_sample(a, b, f);
	return imitation_launch();
}

static int
imitation_weights(const struct kern_track_weight_table *a, void *stream)
{
	(void)stream;
	for (uint32_t m = 0; m < a->morph_count; m++)
		for (uint32_t f = 0; f < a->frame_count; f++)
			kern_track_table_weigh(a, m, f);
	return imitation_launch();
}

static int
imitation_morphs(const struct kern_morph_walk *a, void *stream)
{
	(void)stream;
	for (uint32_t f = 0; f < a->frame_count; f++)
		kern_morph_walk_frame(a, f);
	return imitation_launch();
}

/* From the last frame to the first: threads have no order. */
static int
imitation_poses(const struct kern_pose_walk *a, void *stream)
{
	(void)stream;
	for (uint32_t f = a->frame_count; f-- > 0;)
		kern_pose_walk_frame(a, f);
	if (imitation.wrong && a->frame_count > 0) {
		uint32_t bits;
		memcpy(&bits, a->position, sizeof bits);
		bits ^= 1;
		memcpy(a->position, &bits, sizeof bits);
	}
	return imitation_launch();
}

const struct fk_device imitation_device = {
	.calls = &imitation_gpu,
	.tracks = imitation_tracks,
	.weights = imitation_weights,
	.morphs = imitation_morphs,
	.poses = imitation_poses,
};
