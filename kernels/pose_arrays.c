/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Turns a few frames at a time into pose.h's planes and back, so that whatever variant of
 * pose.h the caller picked does the arithmetic.
 */
#include "kernels/pose_arrays.h"

#include <errno.h>
#include <string.h>

enum { RUN = 64 }; /* frames at a time: a multiple of every variant's width */

/* The caller's scratch, divided; of no scratch, only its size is told. */
struct rooms {
	float (*rest)[3];
	uint32_t *order, *flags, *source;
	float *ratio;
	int32_t *chain;
	float *rotate, *move, *position, *world; /* planes of RUN frames */
	void *pose;
};

static size_t
divide(const struct kern_pose_arrays *a, struct rooms *rooms)
{
	size_t bones = a->bone_count, words = 0;
	float *base = a->scratch;
#define ROOM(field, count)                                                               \
	do {                                                                             \
		rooms->field = base == NULL ? NULL : (void *)(base + words);             \
		words += (count);                                                        \
	} while (0)
	/* The widest loads want the planes first, where the scratch itself is aligned. */
	ROOM(rotate, bones * 4 * RUN);
	ROOM(move, bones * 3 * RUN);
	ROOM(position, bones * 3 * RUN);
	ROOM(world, bones * 4 * RUN);
	ROOM(rest, bones * 3);
	ROOM(order, bones);
	ROOM(flags, bones);
	ROOM(source, bones);
	ROOM(ratio, bones);
	ROOM(chain, bones);
	words = (words + 15) / 16 * 16;
	ROOM(pose, 0);
#undef ROOM
	return words * sizeof(float);
}

static struct kern_pose_skeleton
skeleton_of(const struct kern_pose_arrays *a, const struct rooms *rooms)
{
	return (struct kern_pose_skeleton){
		.bone_count = a->bone_count,
		.order_count = a->bone_count,
		.rest = (const float(*)[3])rooms->rest,
		.parent = a->parent,
		.order = rooms->order,
		.hierarchy = rooms->order,
		.flags = rooms->flags,
		.source = rooms->source,
		.ratio = rooms->ratio,
		.chain = rooms->chain,
	};
}

static struct kern_pose
pose_of(const struct kern_pose_arrays *a, const struct rooms *rooms,
	const struct kern_pose_skeleton *skeleton)
{
	return (struct kern_pose){
		.skeleton = skeleton,
		.frame_count = RUN,
		.stride = RUN,
		.rotate = rooms->rotate,
		.move = rooms->move,
		.position = rooms->position,
		.world_rotate = a->world_quaternions == NULL ? NULL : rooms->world,
		.scratch = rooms->pose,
	};
}

size_t
kern_pose_arrays_scratch(const struct kern_pose_arrays *a)
{
	struct kern_pose_arrays sized = *a;
	struct rooms rooms;
	sized.scratch = NULL;
	size_t bytes = divide(&sized, &rooms);
	struct kern_pose_skeleton skeleton = skeleton_of(&sized, &rooms);
	struct kern_pose pose = pose_of(&sized, &rooms, &skeleton);
	return bytes + kern_pose_scratch(&pose);
}

/* Parents before children, by passes over what is left; nothing placed in a pass means
 * that the rest goes in a circle.  flags serves as the mark meanwhile. */
static int
order_bones(const struct kern_pose_arrays *a, const struct rooms *rooms)
{
	uint32_t placed = 0, before;
	do {
		before = placed;
		for (uint32_t b = 0; b < a->bone_count; b++) {
			int32_t p = a->parent[b];
			if (rooms->flags[b] || (p >= 0 && !rooms->flags[p]))
				continue;
			for (int c = 0; c < 3; c++)
				rooms->rest[b][c] =
					(p < 0 ? 0 : rooms->rest[p][c]) + a->offset[b][c];
			rooms->flags[b] = 1;
			rooms->order[placed++] = b;
		}
	} while (placed > before);
	return placed == a->bone_count ? 0 : -EINVAL;
}

static int
prepare(const struct kern_pose_arrays *a, const struct rooms *rooms)
{
	const size_t size = a->bone_count * sizeof(uint32_t);
	for (uint32_t b = 0; b < a->bone_count; b++)
		if (a->parent[b] < -1 || a->parent[b] >= (int64_t)a->bone_count)
			return -EINVAL;
	for (uint32_t i = 0; a->filter != NULL && i < a->filter_count; i++)
		if (a->filter[i] >= a->bone_count)
			return -EINVAL;
	memset(rooms->flags, 0, size);
	int rc = order_bones(a, rooms);
	memset(rooms->flags, 0, size);
	memset(rooms->source, 0, size);
	memset(rooms->ratio, 0, size);
	memset(rooms->chain, 0xff, size); /* -1 */
	return rc;
}

/* Frames from `first` on of one array [frame][bone][width] into planes [bone][width][frame]; what
 * is left of the run repeats the last frame, so that a variant meets only poses. */
static void
to_planes(float *planes, const float *array, size_t row, uint32_t first, uint32_t count)
{
	for (size_t i = 0; i < row; i++)
		for (uint32_t f = 0; f < RUN; f++)
			planes[i * RUN + f] =
				array[(first + (f < count ? f : count - 1)) * row + i];
}

static void
from_planes(const struct kern_pose_arrays *a, const float *planes, float *array,
	uint32_t width, uint32_t first, uint32_t count)
{
	uint32_t wanted = a->filter != NULL ? a->filter_count : a->bone_count;
	for (uint32_t f = 0; f < count; f++) {
		float *row = array + (size_t)(first + f) * wanted * width;
		for (uint32_t i = 0; i < wanted; i++) {
			uint32_t bone = a->filter != NULL ? a->filter[i] : i;
			for (uint32_t c = 0; c < width; c++)
				row[i * width + c] =
					planes[((size_t)bone * width + c) * RUN + f];
		}
	}
}

int
kern_pose_arrays(const struct kern_pose_arrays *a)
{
	struct rooms rooms;
	divide(a, &rooms);
	struct kern_pose_skeleton skeleton = skeleton_of(a, &rooms);
	struct kern_pose pose = pose_of(a, &rooms, &skeleton);
	const size_t bones = a->bone_count;
	int rc = prepare(a, &rooms);
	memset(rooms.move, 0, bones * 3 * RUN * sizeof(float));
	for (uint32_t first = 0; rc == 0 && first < a->frame_count; first += RUN) {
		uint32_t left = a->frame_count - first, count = left < RUN ? left : RUN;
		to_planes(rooms.rotate, a->quaternions, bones * 4, first, count);
		if (a->translations != NULL)
			to_planes(rooms.move, a->translations, bones * 3, first, count);
		rc = a->pose(&pose, NULL);
		if (rc == 0 && a->positions != NULL)
			from_planes(
				a, rooms.position, &a->positions[0][0], 3, first, count);
		if (rc == 0 && a->world_quaternions != NULL)
			from_planes(a, rooms.world, &a->world_quaternions[0][0], 4, first,
				count);
	}
	return rc;
}
