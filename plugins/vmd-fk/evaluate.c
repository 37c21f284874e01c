/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/vmd-fk/evaluate.h"

#include "plugins/formats/vmd_baked.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void
fk_evaluator_init(
	struct fk_evaluator *evaluator, const struct fk_skeleton *skeleton, int world)
{
	*evaluator = (struct fk_evaluator){
		.skeleton = skeleton,
		.track = kern_track_pick(0),
		.weight = kern_track_weights_pick(0),
		.morph = kern_morph_pick(0),
		.pose = kern_pose_pick(0),
		.world = world,
	};
}

size_t
fk_planes_frame_bytes(const struct fk_evaluator *evaluator)
{
	const struct fk_skeleton *skeleton = evaluator->skeleton;
	size_t floats = 4 + 3 + 3 + 4 + 7 + (evaluator->world ? 4 : 0);
	return sizeof(float) * ((size_t)skeleton->pose.bone_count * floats +
				       skeleton->morphs.morph_count) +
	       skeleton->pose.chain_count;
}

/* Wide loads and stores want it, and so do threads whose planes lie side by side. */
enum { CACHE_LINE = 64 };

/* Bytes, all zero, from a cache line's beginning on; NULL where count * room * size
 * overflows, too. */
static void *
plane(size_t count, uint32_t room, size_t size)
{
	size_t elements, bytes;
	if (__builtin_mul_overflow(count + 1, (size_t)room, &elements) ||
		__builtin_mul_overflow(elements, size, &bytes) || bytes > SIZE_MAX / 2)
		return NULL;
	bytes = (bytes + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
	void *made = aligned_alloc(CACHE_LINE, bytes);
	return made == NULL ? NULL : memset(made, 0, bytes);
}

int
fk_planes_init(
	struct fk_planes *planes, const struct fk_evaluator *evaluator, uint32_t room)
{
	const struct fk_skeleton *skeleton = evaluator->skeleton;
	size_t bones = skeleton->pose.bone_count;
	struct kern_pose probe = {.skeleton = &skeleton->pose, .stride = room};
	*planes = (struct fk_planes){
		.room = room,
		.rotate = plane(bones * 4, room, sizeof(float)),
		.move = plane(bones * 3, room, sizeof(float)),
		.position = plane(bones * 3, room, sizeof(float)),
		.local_rotate = plane(bones * 4, room, sizeof(float)),
		.weights = plane(skeleton->morphs.morph_count, room, sizeof(float)),
		.ik_enabled = plane(skeleton->pose.chain_count, room, 1),
		.scratch = plane(kern_pose_scratch(&probe), 1, 1),
	};
	if (evaluator->world)
		planes->world_rotate = plane(bones * 4, room, sizeof(float));
	if (planes->rotate != NULL && planes->move != NULL && planes->position != NULL &&
		planes->local_rotate != NULL && planes->weights != NULL &&
		planes->ik_enabled != NULL && planes->scratch != NULL &&
		(!evaluator->world || planes->world_rotate != NULL))
		return 0;
	fk_planes_free(planes);
	return -ENOMEM;
}

void
fk_planes_free(struct fk_planes *planes)
{
	free(planes->rotate);
	free(planes->move);
	free(planes->position);
	free(planes->local_rotate);
	free(planes->world_rotate);
	free(planes->weights);
	free(planes->ik_enabled);
	free(planes->scratch);
	free(planes->keys);
	free(planes->buffer);
	*planes = (struct fk_planes){0};
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

/* A piece on its way through the primitives. */
struct work {
	const struct fk_evaluator *evaluator;
	const struct fk_piece *piece;
	struct fk_planes *planes;
};

static int
make_room_for_keys(const struct work *work)
{
	struct fk_planes *planes = work->planes;
	size_t bones = work->evaluator->skeleton->pose.bone_count;
	if (planes->keys == NULL)
		planes->keys = plane(bones * FMT_VMD_PLANES, planes->room, sizeof(float));
	if (planes->buffer == NULL)
		planes->buffer = malloc(FMT_VMD_BAKED_BUFFER);
	return planes->keys != NULL && planes->buffer != NULL ? 0 : -ENOMEM;
}

static double
now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Keys of every track that were fetched from the file. */
struct fetched {
	uint32_t first, count;
};

/* The key that counts at that frame: before the first one the first, behind the last one
 * the last. */
static uint32_t
key_at(const struct fmt_vmd_baked *baked, uint32_t frame)
{
	uint32_t key = frame < baked->first_frame ? 0 : frame - baked->first_frame;
	return key < baked->frames ? key : baked->frames - 1;
}

/* Those that `length` frames from `frame` on need; none where all keys are in memory. */
static int
fetch_keys(
	const struct work *work, uint32_t frame, uint32_t length, struct fetched *fetched)
{
	const struct fk_motion *motion = work->piece->motion;
	const struct fmt_vmd_baked *baked = &motion->vmd.baked;
	struct fmt_err err; /* the code tells enough */
	*fetched = (struct fetched){0, 0};
	if (baked->frames == 0)
		return 0;
	if (make_room_for_keys(work) < 0)
		return -ENOMEM;
	fetched->first = key_at(baked, frame);
	fetched->count = key_at(baked, frame + length - 1) - fetched->first + 1;
	const struct fmt_vmd_stretch stretch = {
		.first = fetched->first,
		.count = fetched->count,
		.places = motion->track_places,
		.planes = work->planes->keys,
		.stride = work->planes->room,
		.buffer = work->planes->buffer,
	};
	double begin = now();
	int rc = fmt_vmd_baked_read(motion->fd, &motion->vmd, &stretch, &err);
	work->planes->fetching += now() - begin;
	return rc;
}

/* A bone's keys, all of them or those fetched. */
static struct kern_track_keys
keys_of(const struct work *work, size_t place, const struct fetched *fetched)
{
	const struct fk_planes *planes = work->planes;
	struct kern_track_keys keys = work->piece->motion->bones[place];
	if (keys.count == 0 || fetched->count == 0)
		return keys;
	keys.count = fetched->count;
	keys.stride = planes->room;
	keys.frame += fetched->first;
	keys.curve += fetched->first;
	keys.move = planes->keys + place * FMT_VMD_PLANES * planes->room;
	keys.rotate = keys.move + 3 * (size_t)planes->room;
	return keys;
}

static int
sample_bones(const struct work *work)
{
	const struct fk_evaluator *evaluator = work->evaluator;
	const struct fk_piece *piece = work->piece;
	size_t stride = work->planes->room;
	int rc = 0;
	for (uint32_t at = 0, length; at < piece->count; at += length) {
		length = stretch(piece->frames + at, piece->count - at);
		struct fetched fetched;
		rc = fetch_keys(work, piece->frames[at], length, &fetched);
		if (rc < 0)
			return rc;
		for (size_t i = 0; i < evaluator->skeleton->pose.bone_count; i++) {
			struct kern_track track = {
				.keys = keys_of(work, i, &fetched),
				.fixed_axis = evaluator->skeleton->fixed_axis[i],
				.first_frame = piece->frames[at],
				.frame_count = length,
				.stride = stride,
				.rotate = work->planes->rotate + i * 4 * stride + at,
				.move = work->planes->move + i * 3 * stride + at,
			};
			rc = evaluator->track(&track, NULL);
			if (rc < 0)
				return rc;
		}
	}
	return 0;
}

static int
sample_weights(const struct work *work)
{
	const struct fk_evaluator *evaluator = work->evaluator;
	const struct fk_piece *piece = work->piece;
	size_t stride = work->planes->room;
	int rc = 0;
	for (uint32_t at = 0, length; at < piece->count; at += length) {
		length = stretch(piece->frames + at, piece->count - at);
		for (size_t m = 0; m < evaluator->skeleton->morphs.morph_count; m++) {
			struct kern_track_weights weights = {
				.keys = piece->motion->morphs[m].keys,
				.key_count = piece->motion->morphs[m].count,
				.first_frame = piece->frames[at],
				.frame_count = length,
				.weight = work->planes->weights + m * stride + at,
			};
			rc = evaluator->weight(&weights, NULL);
			if (rc < 0)
				return rc;
		}
	}
	return 0;
}

static int
sample_morphs(const struct work *work)
{
	const struct fk_evaluator *evaluator = work->evaluator;
	const struct fk_planes *planes = work->planes;
	const struct kern_morph_table *table = &evaluator->skeleton->morphs;
	size_t stride = planes->room;
	if (work->piece->motion->matched_morphs == 0) {
		for (size_t m = 0; m < table->morph_count; m++)
			memset(planes->weights + m * stride, 0,
				work->piece->count * sizeof *planes->weights);
		return 0;
	}
	int rc = sample_weights(work);
	struct kern_morph morph = {
		.table = table,
		.frame_count = work->piece->count,
		.stride = stride,
		.weights = planes->weights,
		.rotate = planes->rotate,
		.move = planes->move,
	};
	return rc == 0 ? evaluator->morph(&morph, NULL) : rc;
}

void
fk_evaluator_fill_ik(const struct fk_evaluator *evaluator, const struct fk_piece *piece,
	struct fk_planes *planes)
{
	const struct fk_motion *motion = piece->motion;
	const struct fk_skeleton *skeleton = evaluator->skeleton;
	uint32_t step = fk_motion_step(motion, piece->frames[0]);
	size_t stride = planes->room;
	for (uint32_t f = 0; f < piece->count; f++) {
		while (step + 1 < motion->step_count &&
			motion->step_frames[step + 1] <= piece->frames[f])
			step++;
		const uint8_t *enabled =
			motion->step_count > 0
				? motion->step_enabled + (size_t)step * skeleton->ik_count
				: NULL;
		for (uint32_t c = 0; c < skeleton->pose.chain_count; c++)
			planes->ik_enabled[c * stride + f] =
				enabled == NULL || enabled[skeleton->chain_ik[c]];
	}
}

int
fk_evaluator_run(const struct fk_evaluator *evaluator, const struct fk_piece *piece,
	struct fk_planes *planes)
{
	struct work work = {evaluator, piece, planes};
	int rc = sample_bones(&work);
	rc = rc == 0 ? sample_morphs(&work) : rc;
	if (rc < 0)
		return rc;
	fk_evaluator_fill_ik(evaluator, piece, planes);
	struct kern_pose pose = {
		.skeleton = &evaluator->skeleton->pose,
		.frame_count = piece->count,
		.stride = planes->room,
		.rotate = planes->rotate,
		.move = planes->move,
		.ik_enabled = planes->ik_enabled,
		.position = planes->position,
		.world_rotate = planes->world_rotate,
		.local_rotate = planes->local_rotate,
		.scratch = planes->scratch,
	};
	return evaluator->pose(&pose, NULL);
}
