/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Turns a few frames at a time into pose.h's planes and back, so that whatever variant of
 * pose.h the caller picked does the arithmetic.  Both ways are transpositions, of four
 * frames by four floats at once: vectors of four are what every machine has.
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

typedef float four __attribute__((vector_size(16), aligned(4), may_alias));

/* Four rows of four become columns. */
static inline void
turn(four r[4])
{
	four low = __builtin_shufflevector(r[0], r[1], 0, 4, 1, 5);
	four high = __builtin_shufflevector(r[0], r[1], 2, 6, 3, 7);
	four other_low = __builtin_shufflevector(r[2], r[3], 0, 4, 1, 5);
	four other_high = __builtin_shufflevector(r[2], r[3], 2, 6, 3, 7);
	r[0] = __builtin_shufflevector(low, other_low, 0, 1, 4, 5);
	r[1] = __builtin_shufflevector(low, other_low, 2, 3, 6, 7);
	r[2] = __builtin_shufflevector(high, other_high, 0, 1, 4, 5);
	r[3] = __builtin_shufflevector(high, other_high, 2, 3, 6, 7);
}

/* Rows [frame][float], `row` floats long, into planes [float][frame].  As the run's last
 * line is read the next run's is under way: a line is asked for with every four by four. */
static void
to_planes(float *planes, const float *rows, size_t row, uint32_t count)
{
	const char *ahead = (const char *)(rows + count * row);
	size_t i = 0;
	for (; i + 4 <= row; i += 4) {
		uint32_t f = 0;
		for (; f + 4 <= count; f += 4, ahead += 64) {
			four r[4];
			__builtin_prefetch(ahead, 0, 2);
			for (size_t k = 0; k < 4; k++)
				r[k] = *(const four *)(rows + (f + k) * row + i);
			turn(r);
			for (size_t k = 0; k < 4; k++)
				*(four *)(planes + (i + k) * RUN + f) = r[k];
		}
		for (; f < count; f++)
			for (size_t k = 0; k < 4; k++)
				planes[(i + k) * RUN + f] = rows[f * row + i + k];
	}
	for (; i < row; i++)
		for (uint32_t f = 0; f < count; f++)
			planes[i * RUN + f] = rows[f * row + i];
}

/* The plane that becomes column i of the rows. */
static const float *
plane_of(const struct kern_pose_arrays *a, const float *planes, size_t width, size_t i)
{
	if (a->filter != NULL)
		i = a->filter[i / width] * width + i % width;
	return planes + i * RUN;
}

/* Some frames' columns i .. i + 3. */
static inline void
columns_from_planes(
	const float *const from[4], float *rows, size_t row, uint32_t f, uint32_t end)
{
	for (; f + 4 <= end; f += 4) {
		four r[4];
		for (size_t k = 0; k < 4; k++)
			r[k] = *(const four *)(from[k] + f);
		turn(r);
		for (size_t k = 0; k < 4; k++)
			*(four *)(rows + (f + k) * row) = r[k];
	}
	for (; f < end; f++)
		for (size_t k = 0; k < 4; k++)
			rows[f * row + k] = from[k][f];
}

/* A few rows side by side are written from end to end, which memory likes best. */
static void
from_planes(const struct kern_pose_arrays *a, const float *planes, float *rows,
	size_t width, uint32_t count)
{
	enum { TOGETHER = 16 };
	size_t row = width * (a->filter != NULL ? a->filter_count : a->bone_count);
	for (uint32_t f = 0; f < count; f += TOGETHER) {
		uint32_t end = count - f < TOGETHER ? count : f + TOGETHER;
		size_t i = 0;
		for (; i + 4 <= row; i += 4) {
			const float *from[4];
			for (size_t k = 0; k < 4; k++)
				from[k] = plane_of(a, planes, width, i + k);
			columns_from_planes(from, rows + i, row, f, end);
		}
		for (; i < row; i++)
			for (uint32_t g = f; g < end; g++)
				rows[g * row + i] = plane_of(a, planes, width, i)[g];
	}
}

/* Frames first .. first + pose->frame_count - 1. */
static int
evaluate_run(const struct kern_pose_arrays *a, const struct rooms *rooms,
	const struct kern_pose *pose, size_t first)
{
	size_t bones = a->bone_count, count = pose->frame_count;
	size_t wanted = a->filter != NULL ? a->filter_count : bones;
	to_planes(rooms->rotate, a->quaternions + first * bones * 4, bones * 4,
		(uint32_t)count);
	if (a->translations != NULL)
		to_planes(rooms->move, a->translations + first * bones * 3, bones * 3,
			(uint32_t)count);
	int rc = a->pose(pose, NULL);
	if (rc == 0 && a->positions != NULL)
		from_planes(a, rooms->position, a->positions[first * wanted], 3,
			(uint32_t)count);
	if (rc == 0 && a->world_quaternions != NULL)
		from_planes(a, rooms->world, a->world_quaternions[first * wanted], 4,
			(uint32_t)count);
	return rc;
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
		uint32_t left = a->frame_count - first;
		pose.frame_count = left < RUN ? left : RUN;
		rc = evaluate_run(a, &rooms, &pose, first);
	}
	return rc;
}
