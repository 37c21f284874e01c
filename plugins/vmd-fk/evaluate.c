/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/vmd-fk/evaluate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

size_t
fk_evaluator_frame_bytes(const struct fk_skeleton *skeleton, int world)
{
	size_t floats = 4 + 3 + 3 + 4 + (world ? 4 : 0);
	return sizeof(float) * ((size_t)skeleton->pose.bone_count * floats +
				       skeleton->morphs.morph_count) +
	       skeleton->pose.chain_count;
}

/* An array of count * chunk * size bytes; NULL where that overflows, too. */
static void *
planes(size_t count, uint32_t chunk, size_t size)
{
	size_t elements;
	if (__builtin_mul_overflow(count + 1, (size_t)chunk, &elements))
		return NULL;
	return calloc(elements, size);
}

int
fk_evaluator_init(struct fk_evaluator *evaluator, const struct fk_skeleton *skeleton,
	uint32_t chunk, int world)
{
	size_t bones = skeleton->pose.bone_count;
	struct kern_pose probe = {.skeleton = &skeleton->pose, .stride = chunk};
	memset(evaluator, 0, sizeof *evaluator);
	evaluator->skeleton = skeleton;
	evaluator->chunk = chunk;
	evaluator->track = kern_track_pick(0);
	evaluator->weight = kern_track_weights_pick(0);
	evaluator->morph = kern_morph_pick(0);
	evaluator->pose = kern_pose_pick(0);
	evaluator->rotate = planes(bones * 4, chunk, sizeof(float));
	evaluator->move = planes(bones * 3, chunk, sizeof(float));
	evaluator->position = planes(bones * 3, chunk, sizeof(float));
	evaluator->local_rotate = planes(bones * 4, chunk, sizeof(float));
	if (world)
		evaluator->world_rotate = planes(bones * 4, chunk, sizeof(float));
	evaluator->weights = planes(skeleton->morphs.morph_count, chunk, sizeof(float));
	evaluator->ik_enabled = planes(skeleton->pose.chain_count, chunk, 1);
	evaluator->scratch = malloc(kern_pose_scratch(&probe) + 1);
	if (evaluator->rotate != NULL && evaluator->move != NULL &&
		evaluator->position != NULL && evaluator->local_rotate != NULL &&
		evaluator->weights != NULL && evaluator->ik_enabled != NULL &&
		evaluator->scratch != NULL && (!world || evaluator->world_rotate != NULL))
		return 0;
	fk_evaluator_free(evaluator);
	return -ENOMEM;
}

void
fk_evaluator_free(struct fk_evaluator *evaluator)
{
	free(evaluator->rotate);
	free(evaluator->move);
	free(evaluator->position);
	free(evaluator->local_rotate);
	free(evaluator->world_rotate);
	free(evaluator->weights);
	free(evaluator->ik_enabled);
	free(evaluator->scratch);
	memset(evaluator, 0, sizeof *evaluator);
}

/* How many of the frames follow each other without a gap. */
static uint32_t
stretch(const uint32_t *frames, uint32_t count)
{
	uint32_t length = 1;
	while (length < count && frames[length] == frames[0] + length)
		length++;
	return length;
}

static int
sample_bones(const struct fk_evaluator *evaluator, const struct fk_motion *motion,
	const uint32_t *frames, uint32_t count)
{
	size_t stride = evaluator->chunk;
	int rc = 0;
	for (uint32_t at = 0, length; at < count; at += length) {
		length = stretch(frames + at, count - at);
		for (size_t i = 0; i < evaluator->skeleton->pose.bone_count; i++) {
			struct kern_track track = {
				.keys = motion->bones[i].keys,
				.key_count = motion->bones[i].count,
				.fixed_axis = evaluator->skeleton->fixed_axis[i],
				.first_frame = frames[at],
				.frame_count = length,
				.stride = stride,
				.rotate = evaluator->rotate + i * 4 * stride + at,
				.move = evaluator->move + i * 3 * stride + at,
			};
			rc = evaluator->track(&track, NULL);
			if (rc < 0)
				return rc;
		}
	}
	return 0;
}

static int
sample_weights(const struct fk_evaluator *evaluator, const struct fk_motion *motion,
	const uint32_t *frames, uint32_t count)
{
	size_t stride = evaluator->chunk;
	int rc = 0;
	for (uint32_t at = 0, length; at < count; at += length) {
		length = stretch(frames + at, count - at);
		for (size_t m = 0; m < evaluator->skeleton->morphs.morph_count; m++) {
			struct kern_track_weights weights = {
				.keys = motion->morphs[m].keys,
				.key_count = motion->morphs[m].count,
				.first_frame = frames[at],
				.frame_count = length,
				.weight = evaluator->weights + m * stride + at,
			};
			rc = evaluator->weight(&weights, NULL);
			if (rc < 0)
				return rc;
		}
	}
	return 0;
}

static int
sample_morphs(const struct fk_evaluator *evaluator, const struct fk_motion *motion,
	const uint32_t *frames, uint32_t count)
{
	const struct kern_morph_table *table = &evaluator->skeleton->morphs;
	size_t stride = evaluator->chunk;
	if (motion->matched_morphs == 0) {
		memset(evaluator->weights, 0,
			table->morph_count * stride * sizeof *evaluator->weights);
		return 0;
	}
	int rc = sample_weights(evaluator, motion, frames, count);
	struct kern_morph morph = {
		.table = table,
		.frame_count = count,
		.stride = stride,
		.weights = evaluator->weights,
		.rotate = evaluator->rotate,
		.move = evaluator->move,
	};
	return rc == 0 ? evaluator->morph(&morph, NULL) : rc;
}

static void
fill_ik(const struct fk_evaluator *evaluator, const struct fk_motion *motion,
	const uint32_t *frames, uint32_t count)
{
	const struct fk_skeleton *skeleton = evaluator->skeleton;
	uint32_t step = fk_motion_step(motion, frames[0]);
	size_t stride = evaluator->chunk;
	for (uint32_t f = 0; f < count; f++) {
		while (step + 1 < motion->step_count &&
			motion->step_frames[step + 1] <= frames[f])
			step++;
		const uint8_t *enabled =
			motion->step_count > 0
				? motion->step_enabled + (size_t)step * skeleton->ik_count
				: NULL;
		for (uint32_t c = 0; c < skeleton->pose.chain_count; c++)
			evaluator->ik_enabled[c * stride + f] =
				enabled == NULL || enabled[skeleton->chain_ik[c]];
	}
}

int
fk_evaluator_run(struct fk_evaluator *evaluator, const struct fk_motion *motion,
	const uint32_t *frames, uint32_t count)
{
	int rc = sample_bones(evaluator, motion, frames, count);
	rc = rc == 0 ? sample_morphs(evaluator, motion, frames, count) : rc;
	if (rc < 0)
		return rc;
	fill_ik(evaluator, motion, frames, count);
	struct kern_pose pose = {
		.skeleton = &evaluator->skeleton->pose,
		.frame_count = count,
		.stride = evaluator->chunk,
		.rotate = evaluator->rotate,
		.move = evaluator->move,
		.ik_enabled = evaluator->ik_enabled,
		.position = evaluator->position,
		.world_rotate = evaluator->world_rotate,
		.local_rotate = evaluator->local_rotate,
		.scratch = evaluator->scratch,
	};
	return evaluator->pose(&pose, NULL);
}
