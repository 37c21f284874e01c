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

/* Wide loads and stores want it, and so do threads whose parts lie side by side. */
enum { CACHE_LINE = 64 };

/* An array of count * chunk * size bytes, all zero, from a cache line's beginning on; NULL
 * where that overflows, too. */
static void *
planes(size_t count, uint32_t chunk, size_t size)
{
	size_t elements, bytes;
	if (__builtin_mul_overflow(count + 1, (size_t)chunk, &elements) ||
		__builtin_mul_overflow(elements, size, &bytes) || bytes > SIZE_MAX / 2)
		return NULL;
	bytes = (bytes + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
	void *made = aligned_alloc(CACHE_LINE, bytes);
	return made == NULL ? NULL : memset(made, 0, bytes);
}

int
fk_evaluator_init(struct fk_evaluator *evaluator, const struct fk_skeleton *skeleton,
	const struct fk_evaluator_options *options)
{
	size_t bones = skeleton->pose.bone_count;
	uint32_t chunk = options->chunk;
	struct kern_pose probe = {.skeleton = &skeleton->pose, .stride = chunk};
	memset(evaluator, 0, sizeof *evaluator);
	evaluator->skeleton = skeleton;
	evaluator->chunk = chunk;
	evaluator->threads = options->threads;
	evaluator->track = kern_track_pick(0);
	evaluator->weight = kern_track_weights_pick(0);
	evaluator->morph = kern_morph_pick(0);
	evaluator->pose = kern_pose_pick(0);
	evaluator->rotate = planes(bones * 4, chunk, sizeof(float));
	evaluator->move = planes(bones * 3, chunk, sizeof(float));
	evaluator->position = planes(bones * 3, chunk, sizeof(float));
	evaluator->local_rotate = planes(bones * 4, chunk, sizeof(float));
	if (options->world)
		evaluator->world_rotate = planes(bones * 4, chunk, sizeof(float));
	evaluator->weights = planes(skeleton->morphs.morph_count, chunk, sizeof(float));
	evaluator->ik_enabled = planes(skeleton->pose.chain_count, chunk, 1);
	/* Each thread's on cache lines of its own. */
	evaluator->scratch_bytes =
		(kern_pose_scratch(&probe) / CACHE_LINE + 1) * CACHE_LINE;
	evaluator->scratch =
		aligned_alloc(CACHE_LINE, evaluator->scratch_bytes * options->threads);
	int rc = fk_team_new(options->threads, &evaluator->team);
	if (rc == 0 && evaluator->rotate != NULL && evaluator->move != NULL &&
		evaluator->position != NULL && evaluator->local_rotate != NULL &&
		evaluator->weights != NULL && evaluator->ik_enabled != NULL &&
		evaluator->scratch != NULL &&
		(!options->world || evaluator->world_rotate != NULL))
		return 0;
	fk_evaluator_free(evaluator);
	return -ENOMEM;
}

void
fk_evaluator_free(struct fk_evaluator *evaluator)
{
	fk_team_free(evaluator->team);
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

/* Some frames of a run, for one thread: those from `first` on. */
struct part {
	const struct fk_evaluator *evaluator;
	const struct fk_motion *motion;
	const uint32_t *frames; /* of the part */
	uint32_t first, count;	/* where it lies in the planes */
};

static int
sample_bones(const struct part *part)
{
	const struct fk_evaluator *evaluator = part->evaluator;
	const struct fk_motion *motion = part->motion;
	size_t stride = evaluator->chunk;
	int rc = 0;
	for (uint32_t at = 0, length; at < part->count; at += length) {
		length = stretch(part->frames + at, part->count - at);
		for (size_t i = 0; i < evaluator->skeleton->pose.bone_count; i++) {
			size_t place = part->first + at;
			struct kern_track track = {
				.keys = motion->bones[i],
				.fixed_axis = evaluator->skeleton->fixed_axis[i],
				.first_frame = part->frames[at],
				.frame_count = length,
				.stride = stride,
				.rotate = evaluator->rotate + i * 4 * stride + place,
				.move = evaluator->move + i * 3 * stride + place,
			};
			rc = evaluator->track(&track, NULL);
			if (rc < 0)
				return rc;
		}
	}
	return 0;
}

static int
sample_weights(const struct part *part)
{
	const struct fk_evaluator *evaluator = part->evaluator;
	size_t stride = evaluator->chunk;
	int rc = 0;
	for (uint32_t at = 0, length; at < part->count; at += length) {
		length = stretch(part->frames + at, part->count - at);
		for (size_t m = 0; m < evaluator->skeleton->morphs.morph_count; m++) {
			struct kern_track_weights weights = {
				.keys = part->motion->morphs[m].keys,
				.key_count = part->motion->morphs[m].count,
				.first_frame = part->frames[at],
				.frame_count = length,
				.weight = evaluator->weights + m * stride + part->first +
					  at,
			};
			rc = evaluator->weight(&weights, NULL);
			if (rc < 0)
				return rc;
		}
	}
	return 0;
}

static int
sample_morphs(const struct part *part)
{
	const struct fk_evaluator *evaluator = part->evaluator;
	const struct kern_morph_table *table = &evaluator->skeleton->morphs;
	size_t stride = evaluator->chunk;
	if (part->motion->matched_morphs == 0) {
		for (size_t m = 0; m < table->morph_count; m++)
			memset(evaluator->weights + m * stride + part->first, 0,
				part->count * sizeof *evaluator->weights);
		return 0;
	}
	int rc = sample_weights(part);
	struct kern_morph morph = {
		.table = table,
		.frame_count = part->count,
		.stride = stride,
		.weights = evaluator->weights + part->first,
		.rotate = evaluator->rotate + part->first,
		.move = evaluator->move + part->first,
	};
	return rc == 0 ? evaluator->morph(&morph, NULL) : rc;
}

static void
fill_ik(const struct part *part)
{
	const struct fk_motion *motion = part->motion;
	const struct fk_skeleton *skeleton = part->evaluator->skeleton;
	uint32_t step = fk_motion_step(motion, part->frames[0]);
	size_t stride = part->evaluator->chunk;
	for (uint32_t f = 0; f < part->count; f++) {
		while (step + 1 < motion->step_count &&
			motion->step_frames[step + 1] <= part->frames[f])
			step++;
		const uint8_t *enabled =
			motion->step_count > 0
				? motion->step_enabled + (size_t)step * skeleton->ik_count
				: NULL;
		for (uint32_t c = 0; c < skeleton->pose.chain_count; c++)
			part->evaluator->ik_enabled[c * stride + part->first + f] =
				enabled == NULL || enabled[skeleton->chain_ik[c]];
	}
}

/* The whole run, as the team sees it. */
struct whole {
	const struct fk_evaluator *evaluator;
	const struct fk_motion *motion;
	const uint32_t *frames;
	uint32_t count;
};

static int
evaluate_part(void *context, uint32_t number, uint32_t worker)
{
	const struct whole *whole = context;
	const struct fk_evaluator *evaluator = whole->evaluator;
	uint32_t first = number * FK_EVALUATOR_PART, left = whole->count - first;
	struct part part = {
		.evaluator = evaluator,
		.motion = whole->motion,
		.frames = whole->frames + first,
		.first = first,
		.count = left < FK_EVALUATOR_PART ? left : FK_EVALUATOR_PART,
	};
	int rc = sample_bones(&part);
	rc = rc == 0 ? sample_morphs(&part) : rc;
	if (rc < 0)
		return rc;
	fill_ik(&part);
	struct kern_pose pose = {
		.skeleton = &evaluator->skeleton->pose,
		.frame_count = part.count,
		.stride = evaluator->chunk,
		.rotate = evaluator->rotate + first,
		.move = evaluator->move + first,
		.ik_enabled = evaluator->ik_enabled + first,
		.position = evaluator->position + first,
		.world_rotate = evaluator->world_rotate == NULL
					? NULL
					: evaluator->world_rotate + first,
		.local_rotate = evaluator->local_rotate + first,
		.scratch = evaluator->scratch + worker * evaluator->scratch_bytes,
	};
	return evaluator->pose(&pose, NULL);
}

int
fk_evaluator_run(struct fk_evaluator *evaluator, const struct fk_motion *motion,
	const uint32_t *frames, uint32_t count)
{
	struct whole whole = {evaluator, motion, frames, count};
	return fk_team_run(evaluator->team, evaluate_part, &whole,
		(count + FK_EVALUATOR_PART - 1) / FK_EVALUATOR_PART);
}
