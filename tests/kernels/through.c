/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/kernels/through.h"

#include "tests/kernels/imitation.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#ifdef KILN_CUDA
#define CUDA (&fk_device_cuda)
#else
#define CUDA NULL
#endif

const struct ck_through_device ck_through_devices[CK_THROUGH_DEVICES] = {
	{"imitation", &imitation_device}, {"cuda", CUDA}};

static const struct fk_device *device;
static void *stream;

/* What one call has there. */
struct session {
	void *rooms[16];
	int count, rc;
};

int
ck_through_use(const struct fk_device *wanted, char *why, size_t size)
{
	if (device != NULL)
		device->calls->stream_free(stream);
	device = NULL;
	if (wanted == NULL) {
		strncpy(why, "built without nvcc", size);
		return -ENODEV;
	}
	int rc = wanted->calls->open(0, why, size);
	rc = rc == 0 ? wanted->calls->stream_new(&stream) : rc;
	device = rc == 0 ? wanted : NULL;
	return rc;
}

static void *
reserve(struct session *s, size_t bytes)
{
	void *room = NULL;
	if (s->rc == 0)
		s->rc = device->calls->reserve(bytes, &room);
	if (s->rc < 0)
		return NULL;
	s->rooms[s->count++] = room;
	return room;
}

static void *
put(struct session *s, const void *from, size_t bytes)
{
	void *room = reserve(s, bytes);
	struct gpu_rows rows = {room, from, bytes, bytes, bytes, 1};
	if (s->rc == 0 && bytes > 0)
		s->rc = device->calls->copy_in(&rows, stream);
	return room;
}

/* Planes of the host, in and out: whatever lies between them stays. */
static float *
put_planes(struct session *s, const float *from, const struct gpu_rows *as)
{
	struct gpu_rows rows = *as;
	float *room = reserve(s, as->from_pitch * as->rows);
	rows.to = room;
	rows.from = from;
	rows.to_pitch = as->from_pitch;
	if (s->rc == 0)
		s->rc = device->calls->copy_in(&rows, stream);
	return room;
}

static void
get_planes(struct session *s, float *to, const float *from, const struct gpu_rows *as)
{
	struct gpu_rows rows = *as;
	rows.to = to;
	rows.from = from;
	rows.to_pitch = as->from_pitch;
	if (s->rc == 0 && to != NULL)
		s->rc = device->calls->copy_out(&rows, stream);
}

static int
end(struct session *s)
{
	int ended = device->calls->wait(stream);
	for (int i = 0; i < s->count; i++)
		device->calls->release(s->rooms[i]);
	return s->rc == 0 ? ended : s->rc;
}

static struct gpu_rows
planes(size_t count, uint32_t frames, size_t stride)
{
	return (struct gpu_rows){.from_pitch = stride * sizeof(float),
		.width = frames * sizeof(float),
		.rows = count};
}

static uint32_t *
put_frames(struct session *s, uint32_t first, uint32_t count)
{
	uint32_t *list = calloc((size_t)count + 1, sizeof *list);
	for (uint32_t i = 0; i < count; i++)
		list[i] = first + i;
	uint32_t *there = put(s, list, count * sizeof *list);
	/* The list goes away; a copy may only have begun. */
	if (s->rc == 0)
		s->rc = device->calls->wait(stream);
	free(list);
	return there;
}

static struct kern_track_keys
put_keys(struct session *s, const struct kern_track_keys *keys)
{
	struct gpu_rows moves = planes(3, keys->count, keys->stride);
	struct gpu_rows turns = planes(4, keys->count, keys->stride);
	return (struct kern_track_keys){
		.stride = keys->stride,
		.frame = put(s, keys->frame, keys->count * sizeof *keys->frame),
		.move = put_planes(s, keys->move, &moves),
		.rotate = put_planes(s, keys->rotate, &turns),
		.curve = put(s, keys->curve, keys->count * sizeof *keys->curve),
	};
}

int
ck_through_track(const struct kern_track *a, void *queue)
{
	struct session s = {0};
	const uint32_t first[2] = {0, a->keys.count};
	float axis[4] = {0};
	(void)queue;
	if (a->fixed_axis != NULL) {
		memcpy(axis, a->fixed_axis, 3 * sizeof *axis);
		axis[3] = 1.0f;
	}
	struct gpu_rows rotate = planes(4, a->frame_count, a->stride);
	struct gpu_rows move = planes(3, a->frame_count, a->stride);
	struct kern_track_table table = {
		.keys = put_keys(&s, &a->keys),
		.first = put(&s, first, sizeof first),
		.fixed_axis = put(&s, axis, sizeof axis),
		.frames = put_frames(&s, a->first_frame, a->frame_count),
		.bone_count = 1,
		.frame_count = a->frame_count,
		.stride = a->stride,
		.rotate = reserve(&s, rotate.from_pitch * 4),
		.move = reserve(&s, move.from_pitch * 3),
	};
	if (s.rc == 0)
		s.rc = device->tracks(&table, stream);
	get_planes(&s, a->rotate, table.rotate, &rotate);
	get_planes(&s, a->move, table.move, &move);
	return end(&s);
}

int
ck_through_weights(const struct kern_track_weights *a, void *queue)
{
	struct session s = {0};
	const uint32_t first[2] = {0, a->key_count};
	(void)queue;
	struct gpu_rows plane = planes(1, a->frame_count, a->frame_count);
	struct kern_track_weight_table table = {
		.keys = put(&s, a->keys, a->key_count * sizeof *a->keys),
		.first = put(&s, first, sizeof first),
		.frames = put_frames(&s, a->first_frame, a->frame_count),
		.morph_count = 1,
		.frame_count = a->frame_count,
		.stride = a->frame_count,
		.weights = reserve(&s, plane.from_pitch),
	};
	if (s.rc == 0)
		s.rc = device->weights(&table, stream);
	get_planes(&s, a->weight, table.weights, &plane);
	return end(&s);
}

int
ck_through_morph(const struct kern_morph *a, void *queue)
{
	struct session s = {0};
	const struct kern_morph_table *t = a->table;
	uint32_t elements = t->first[t->morph_count], bones = 0;
	(void)queue;
	for (uint32_t i = 0; i < elements; i++)
		if (bones <= t->elements[i].index)
			bones = t->elements[i].index + 1;
	/* An element names a bone or a morph; of bones the caller has two at least. */
	bones = bones > 2 ? 2 : bones;
	struct gpu_rows weights = planes(t->morph_count, a->frame_count, a->stride);
	struct gpu_rows rotate = planes((size_t)bones * 4, a->frame_count, a->stride);
	struct gpu_rows move = planes((size_t)bones * 3, a->frame_count, a->stride);
	struct kern_morph_walk walk = {
		.table = {t->morph_count, put(&s, t->types, t->morph_count),
			put(&s, t->first, (t->morph_count + 1) * sizeof *t->first),
			put(&s, t->elements, elements * sizeof *t->elements)},
		.frame_count = a->frame_count,
		.stride = a->stride,
		.weights = put_planes(&s, a->weights, &weights),
		.rotate = put_planes(&s, a->rotate, &rotate),
		.move = put_planes(&s, a->move, &move),
	};
	if (s.rc == 0)
		s.rc = device->morphs(&walk, stream);
	get_planes(&s, a->weights, walk.weights, &weights);
	get_planes(&s, a->rotate, walk.rotate, &rotate);
	get_planes(&s, a->move, walk.move, &move);
	return end(&s);
}

int
ck_through_pose(const struct kern_pose *a, void *queue)
{
	struct session s = {0};
	size_t bones = a->skeleton->bone_count, chains = a->skeleton->chain_count;
	(void)queue;
	struct kern_pose_plan *plan = malloc(kern_pose_plan_bytes(a->skeleton));
	if (plan == NULL)
		return -ENOMEM;
	kern_pose_plan_make(a->skeleton, plan);
	struct gpu_rows fours = planes(bones * 4, a->frame_count, a->stride);
	struct gpu_rows threes = planes(bones * 3, a->frame_count, a->stride);
	struct kern_pose_walk walk = {
		.plan = put(&s, plan, plan->bytes),
		.frame_count = a->frame_count,
		.stride = a->stride,
		.rotate = put_planes(&s, a->rotate, &fours),
		.move = put_planes(&s, a->move, &threes),
		.position = reserve(&s, threes.from_pitch * bones * 3),
		.world_rotate = reserve(&s, fours.from_pitch * bones * 4),
		.local_rotate = reserve(&s, fours.from_pitch * bones * 4),
		.scratch = reserve(&s, a->stride * plan->scratch_planes * sizeof(float)),
	};
	/* The last plane may end with the last frame. */
	if (a->ik_enabled != NULL && chains > 0)
		walk.ik_enabled =
			put(&s, a->ik_enabled, (chains - 1) * a->stride + a->frame_count);
	if (s.rc == 0)
		s.rc = device->poses(&walk, stream);
	get_planes(&s, a->position, walk.position, &threes);
	get_planes(&s, a->world_rotate, walk.world_rotate, &fours);
	get_planes(&s, a->local_rotate, walk.local_rotate, &fours);
	int rc = end(&s);
	free(plan);
	return rc;
}
