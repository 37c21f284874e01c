/* SPDX-License-Identifier: BSD-2-Clause */
/* What lies where on the device.  Every room is one piece, cut into parts by distances
 * that hold here and there alike. */
#include "plugins/vmd-fk/gpu.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What a load of a whole warp wants a plane to begin at, in frames. */
enum { ALIGNED = 32, PINNED_MOST = 4 };

/* A slice of frames under way: its planes, of gpu->slice frames. */
struct lane {
	void *stream, *room;
	uint32_t *frames;
	uint8_t *ik_enabled;
	float *weights, *rotate, *move, *position, *world_rotate, *local_rotate, *scratch;
};

struct fk_gpu {
	const struct fk_device *device;
	const struct fk_skeleton *skeleton;
	uint32_t slice, widest; /* frames of a lane: now, and where memory suffices */
	uint32_t scratch_planes;
	void *model, *keys; /* rooms */
	size_t keys_bytes;
	struct kern_pose_plan *plan; /* of the model's room */
	float *fixed_axis;
	struct kern_morph_table morphs;
	struct kern_track_keys bone_keys; /* of the keys' room, all of them */
	struct kern_track_weight_key *morph_keys;
	uint32_t *first_bone_key, *first_morph_key;
	int has_morphs; /* of the motion */
	struct lane lanes[FK_GPU_LANES];
	void *pinned[PINNED_MOST];
	uint32_t pinned_count;
};

/* Cuts the next part off a room: NULL as the room only counts. */
static void *
cut(void *room, size_t *used, size_t bytes)
{
	void *part = room == NULL ? NULL : (char *)room + *used;
	*used += (bytes + 127) / 128 * 128;
	return part;
}

static size_t
lay_lane(const struct fk_gpu *gpu, struct lane *lane)
{
	size_t plane = (size_t)gpu->slice * sizeof(float), used = 0;
	size_t bones = gpu->skeleton->pose.bone_count;
	void *room = lane->room;
	lane->frames = cut(room, &used, plane);
	lane->ik_enabled =
		cut(room, &used, (size_t)gpu->slice * gpu->skeleton->pose.chain_count);
	lane->weights = cut(room, &used, gpu->skeleton->morphs.morph_count * plane);
	lane->rotate = cut(room, &used, bones * 4 * plane);
	lane->move = cut(room, &used, bones * 3 * plane);
	lane->position = cut(room, &used, bones * 3 * plane);
	lane->world_rotate = cut(room, &used, bones * 4 * plane);
	lane->local_rotate = cut(room, &used, bones * 4 * plane);
	lane->scratch = cut(room, &used, gpu->scratch_planes * plane);
	return used;
}

static void
release_lanes(struct fk_gpu *gpu)
{
	for (int i = 0; i < FK_GPU_LANES; i++) {
		gpu->device->calls->release(gpu->lanes[i].room);
		gpu->lanes[i].room = NULL;
	}
}

static int
reserve_lanes(struct fk_gpu *gpu)
{
	int rc = 0;
	for (int i = 0; i < FK_GPU_LANES && rc == 0; i++) {
		struct lane *lane = &gpu->lanes[i];
		if (lane->room != NULL)
			continue;
		rc = gpu->device->calls->reserve(lay_lane(gpu, lane), &lane->room);
		if (rc == 0)
			lay_lane(gpu, lane);
		else
			lane->room = NULL;
	}
	return rc;
}

static int
reserve_keys(struct fk_gpu *gpu, size_t bytes)
{
	if (bytes <= gpu->keys_bytes)
		return 0;
	gpu->device->calls->release(gpu->keys);
	gpu->keys = NULL;
	gpu->keys_bytes = 0;
	int rc = gpu->device->calls->reserve(bytes, &gpu->keys);
	if (rc == 0)
		gpu->keys_bytes = bytes;
	else
		gpu->keys = NULL;
	return rc;
}

/* Makes room for so many bytes of keys and for the lanes, with half the frames again and
 * again where that is too much.  What did not fit may fit for the next motion. */
static int
make_room(struct fk_gpu *gpu, size_t keys_bytes)
{
	for (;;) {
		int rc = reserve_keys(gpu, keys_bytes);
		rc = rc == 0 ? reserve_lanes(gpu) : rc;
		if (rc == 0)
			return 0;
		release_lanes(gpu);
		if (rc != -ENOMEM || gpu->slice <= FK_GPU_LEAST) {
			gpu->slice = gpu->widest;
			return rc;
		}
		gpu->slice =
			gpu->slice / 2 < FK_GPU_LEAST ? FK_GPU_LEAST : gpu->slice / 2;
	}
}

static int
copy_in(const struct fk_gpu *gpu, void *to, const void *from, size_t bytes)
{
	struct gpu_rows rows = {to, from, bytes, bytes, bytes, 1};
	return bytes == 0 ? 0 : gpu->device->calls->copy_in(&rows, gpu->lanes[0].stream);
}

/* Where the model's parts lie in a room; NULL: how much they take. */
static size_t
lay_model(struct fk_gpu *gpu, void *room, size_t plan_bytes)
{
	const struct kern_morph_table *morphs = &gpu->skeleton->morphs;
	size_t used = 0, count = morphs->morph_count;
	size_t elements = count > 0 ? morphs->first[count] : 0;
	gpu->plan = cut(room, &used, plan_bytes);
	gpu->fixed_axis = cut(
		room, &used, (size_t)gpu->skeleton->pose.bone_count * 4 * sizeof(float));
	gpu->morphs.morph_count = morphs->morph_count;
	gpu->morphs.types = cut(room, &used, count);
	gpu->morphs.first = cut(room, &used, (count + 1) * sizeof *morphs->first);
	gpu->morphs.elements = cut(room, &used, elements * sizeof *morphs->elements);
	return used;
}

/* Fills the parts, which lie in memory of the host. */
static void
fill_model(struct fk_gpu *gpu)
{
	const struct fk_skeleton *skeleton = gpu->skeleton;
	size_t count = skeleton->morphs.morph_count;
	kern_pose_plan_make(&skeleton->pose, gpu->plan);
	gpu->scratch_planes = gpu->plan->scratch_planes;
	for (size_t i = 0; i < skeleton->pose.bone_count; i++) {
		const float *axis = skeleton->fixed_axis[i];
		float *to = gpu->fixed_axis + i * 4;
		if (axis == NULL)
			continue;
		memcpy(to, axis, 3 * sizeof *to);
		to[3] = 1.0f;
	}
	if (count == 0)
		return;
	memcpy((void *)gpu->morphs.types, skeleton->morphs.types, count);
	memcpy((void *)gpu->morphs.first, skeleton->morphs.first,
		(count + 1) * sizeof *skeleton->morphs.first);
	memcpy((void *)gpu->morphs.elements, skeleton->morphs.elements,
		skeleton->morphs.first[count] * sizeof *skeleton->morphs.elements);
}

static int
put_model(struct fk_gpu *gpu, struct fmt_err *err)
{
	size_t plan_bytes = kern_pose_plan_bytes(&gpu->skeleton->pose);
	if (plan_bytes == 0)
		return fmt_err_set(err, -E2BIG, "the model is too large for it");
	size_t bytes = lay_model(gpu, NULL, plan_bytes);
	void *staged = calloc(1, bytes);
	if (staged == NULL)
		return fmt_err_set(err, -ENOMEM, "no memory for a copy of the model");
	lay_model(gpu, staged, plan_bytes);
	fill_model(gpu);
	int rc = gpu->device->calls->reserve(bytes, &gpu->model);
	if (rc < 0)
		gpu->model = NULL;
	rc = rc == 0 ? copy_in(gpu, gpu->model, staged, bytes) : rc;
	rc = rc == 0 ? gpu->device->calls->wait(gpu->lanes[0].stream) : rc;
	lay_model(gpu, gpu->model, plan_bytes);
	free(staged);
	return rc == 0 ? 0
		       : fmt_err_set(err, rc, "the model cannot be put there (%s)",
				 strerror(-rc));
}

int
fk_gpu_new(const struct fk_device *device, uint32_t number,
	const struct fk_skeleton *skeleton, uint32_t most, struct fk_gpu **made,
	struct fmt_err *err)
{
	char why[256] = "";
	int rc = device->calls->open(number, why, sizeof why);
	if (rc < 0)
		return fmt_err_set(err, rc, "%s", why);
	struct fk_gpu *gpu = calloc(1, sizeof *gpu);
	if (gpu == NULL)
		return fmt_err_set(err, -ENOMEM, "no memory to use it");
	gpu->device = device;
	gpu->skeleton = skeleton;
	for (int i = 0; i < FK_GPU_LANES && rc == 0; i++)
		rc = device->calls->stream_new(&gpu->lanes[i].stream);
	rc = rc == 0 ? put_model(gpu, err) : rc;
	/* Each lane takes its share of a run. */
	uint32_t share = (most + FK_GPU_LANES - 1) / FK_GPU_LANES;
	share = share < FK_GPU_LEAST ? FK_GPU_LEAST : share;
	gpu->widest = (share + ALIGNED - 1) / ALIGNED * ALIGNED;
	gpu->slice = gpu->widest;
	rc = rc == 0 ? make_room(gpu, 0) : rc;
	if (rc < 0) {
		fk_gpu_free(gpu);
		return fmt_err_set(
			err, rc, "it has no room for a run (%s)", strerror(-rc));
	}
	*made = gpu;
	return 0;
}

void
fk_gpu_free(struct fk_gpu *gpu)
{
	if (gpu == NULL)
		return;
	for (int i = 0; i < FK_GPU_LANES; i++)
		gpu->device->calls->stream_free(gpu->lanes[i].stream);
	for (uint32_t i = 0; i < gpu->pinned_count; i++)
		gpu->device->calls->unpin(gpu->pinned[i]);
	release_lanes(gpu);
	gpu->device->calls->release(gpu->keys);
	gpu->device->calls->release(gpu->model);
	free(gpu);
}

void
fk_gpu_pin(struct fk_gpu *gpu, void *memory, size_t bytes)
{
	if (gpu->pinned_count < PINNED_MOST &&
		gpu->device->calls->pin(memory, bytes) == 0)
		gpu->pinned[gpu->pinned_count++] = memory;
}

const char *
fk_gpu_name(const struct fk_gpu *gpu)
{
	return gpu->device->calls->name;
}

uint32_t
fk_gpu_slice(const struct fk_gpu *gpu)
{
	return gpu->slice;
}

/* Where the keys begin, bone by bone and morph by morph, and how many there are. */
static void
number_keys(const struct fk_skeleton *skeleton, const struct fk_motion *motion,
	uint32_t *first_bone, uint32_t *first_morph)
{
	uint32_t bones = skeleton->pose.bone_count;
	uint32_t morphs = skeleton->morphs.morph_count;
	first_bone[0] = first_morph[0] = 0;
	for (uint32_t i = 0; i < bones; i++)
		first_bone[i + 1] = first_bone[i] + motion->bones[i].count;
	for (uint32_t i = 0; i < morphs; i++)
		first_morph[i + 1] =
			first_morph[i] +
			(motion->matched_morphs > 0 ? motion->morphs[i].count : 0);
}

static int
put_bone(struct fk_gpu *gpu, const struct kern_track_keys *keys, size_t first)
{
	const struct kern_track_keys *to = &gpu->bone_keys;
	struct gpu_rows rows = {
		.to_pitch = to->stride * sizeof(float),
		.from_pitch = keys->stride * sizeof(float),
		.width = keys->count * sizeof(float),
	};
	if (keys->count == 0)
		return 0;
	int rc = copy_in(gpu, (void *)(to->frame + first), keys->frame,
		keys->count * sizeof *keys->frame);
	if (rc == 0)
		rc = copy_in(gpu, (void *)(to->curve + first), keys->curve,
			keys->count * sizeof *keys->curve);
	rows.to = (void *)(to->move + first);
	rows.from = keys->move;
	rows.rows = 3;
	rc = rc == 0 ? gpu->device->calls->copy_in(&rows, gpu->lanes[0].stream) : rc;
	rows.to = (void *)(to->rotate + first);
	rows.from = keys->rotate;
	rows.rows = 4;
	return rc == 0 ? gpu->device->calls->copy_in(&rows, gpu->lanes[0].stream) : rc;
}

static int
put_keys(struct fk_gpu *gpu, const struct fk_motion *motion, const uint32_t *first_bone,
	const uint32_t *first_morph)
{
	uint32_t bones = gpu->skeleton->pose.bone_count;
	uint32_t morphs = gpu->skeleton->morphs.morph_count;
	int rc = copy_in(gpu, gpu->first_bone_key, first_bone,
		((size_t)bones + 1) * sizeof *first_bone);
	if (rc == 0)
		rc = copy_in(gpu, gpu->first_morph_key, first_morph,
			((size_t)morphs + 1) * sizeof *first_morph);
	for (uint32_t i = 0; i < bones && rc == 0; i++)
		rc = put_bone(gpu, &motion->bones[i], first_bone[i]);
	for (uint32_t i = 0; i < morphs && rc == 0 && gpu->has_morphs; i++)
		rc = copy_in(gpu, gpu->morph_keys + first_morph[i],
			motion->morphs[i].keys,
			motion->morphs[i].count * sizeof *gpu->morph_keys);
	return rc == 0 ? gpu->device->calls->wait(gpu->lanes[0].stream) : rc;
}

static size_t
lay_keys(struct fk_gpu *gpu, const uint32_t *first_bone, const uint32_t *first_morph)
{
	size_t bones = gpu->skeleton->pose.bone_count;
	size_t morphs = gpu->skeleton->morphs.morph_count, used = 0;
	gpu->first_bone_key =
		cut(gpu->keys, &used, (bones + 1) * sizeof *gpu->first_bone_key);
	gpu->first_morph_key =
		cut(gpu->keys, &used, (morphs + 1) * sizeof *gpu->first_morph_key);
	/* Planes begin where a warp's loads like it. */
	size_t count = first_bone[bones];
	size_t stride = (count + ALIGNED - 1) / ALIGNED * ALIGNED;
	struct kern_track_keys *to = &gpu->bone_keys;
	to->stride = stride;
	to->frame = cut(gpu->keys, &used, stride * sizeof *to->frame);
	to->move = cut(gpu->keys, &used, stride * 3 * sizeof *to->move);
	to->rotate = cut(gpu->keys, &used, stride * 4 * sizeof *to->rotate);
	to->curve = cut(gpu->keys, &used, stride * sizeof *to->curve);
	gpu->morph_keys =
		cut(gpu->keys, &used, first_morph[morphs] * sizeof *gpu->morph_keys);
	return used;
}

int
fk_gpu_bind(struct fk_gpu *gpu, const struct fk_motion *motion, struct fmt_err *err)
{
	size_t bones = gpu->skeleton->pose.bone_count;
	size_t morphs = gpu->skeleton->morphs.morph_count;
	uint32_t *first_bone = calloc(bones + morphs + 2, sizeof *first_bone);
	if (first_bone == NULL)
		return fmt_err_set(err, -ENOMEM, "no memory to use it");
	uint32_t *first_morph = first_bone + bones + 1;
	gpu->has_morphs = motion->matched_morphs > 0;
	number_keys(gpu->skeleton, motion, first_bone, first_morph);
	int rc = make_room(gpu, lay_keys(gpu, first_bone, first_morph));
	if (rc == 0) {
		lay_keys(gpu, first_bone, first_morph);
		rc = put_keys(gpu, motion, first_bone, first_morph);
	}
	if (rc == -ENOMEM)
		fmt_err_set(err, rc, "the GPU has too little memory free for %u keys",
			first_bone[bones] + first_morph[morphs]);
	else if (rc < 0)
		fmt_err_set(err, rc, "the GPU failed as keys were put there (%s)",
			strerror(-rc));
	free(first_bone);
	return rc;
}

/* A slice's frames, and which IK is on. */
static int
put_frames(const struct fk_gpu *gpu, const struct lane *lane,
	const struct fk_gpu_run *run, uint32_t first, uint32_t count)
{
	size_t bytes = count * sizeof *lane->frames;
	struct gpu_rows frames = {
		lane->frames, run->frames + first, bytes, bytes, bytes, 1};
	struct gpu_rows ik = {lane->ik_enabled, run->ik_enabled + first, gpu->slice,
		run->stride, count, gpu->skeleton->pose.chain_count};
	int rc = gpu->device->calls->copy_in(&frames, lane->stream);
	return rc == 0 && ik.rows > 0 ? gpu->device->calls->copy_in(&ik, lane->stream)
				      : rc;
}

static int
sample(const struct fk_gpu *gpu, const struct lane *lane, uint32_t count)
{
	const struct fk_device *device = gpu->device;
	struct kern_track_table tracks = {gpu->bone_keys, gpu->first_bone_key,
		gpu->fixed_axis, lane->frames, gpu->skeleton->pose.bone_count, count,
		gpu->slice, lane->rotate, lane->move};
	struct kern_track_weight_table weights = {gpu->morph_keys, gpu->first_morph_key,
		lane->frames, gpu->morphs.morph_count, count, gpu->slice, lane->weights};
	struct kern_morph_walk morphs = {
		gpu->morphs, count, gpu->slice, lane->weights, lane->rotate, lane->move};
	int rc = device->tracks(&tracks, lane->stream);
	if (rc == 0 && gpu->has_morphs)
		rc = device->weights(&weights, lane->stream);
	if (rc == 0 && gpu->has_morphs)
		rc = device->morphs(&morphs, lane->stream);
	return rc;
}

static int
place(const struct fk_gpu *gpu, const struct lane *lane, uint32_t count)
{
	struct kern_pose_walk walk = {
		.plan = gpu->plan,
		.frame_count = count,
		.stride = gpu->slice,
		.rotate = lane->rotate,
		.move = lane->move,
		.ik_enabled = lane->ik_enabled,
		.position = lane->position,
		.world_rotate = lane->world_rotate,
		.local_rotate = lane->local_rotate,
		.scratch = lane->scratch,
	};
	return gpu->device->poses(&walk, lane->stream);
}

/* So many planes of a slice, back into those of the run. */
static int
fetch(const struct fk_gpu *gpu, const struct lane *lane, const float *from,
	struct gpu_rows *rows)
{
	if (rows->to == NULL || rows->rows == 0)
		return 0;
	rows->from = from;
	rows->from_pitch = gpu->slice * sizeof *from;
	return gpu->device->calls->copy_out(rows, lane->stream);
}

static int
fetch_results(const struct fk_gpu *gpu, const struct lane *lane,
	const struct fk_gpu_run *run, uint32_t first, uint32_t count)
{
	size_t bones = gpu->skeleton->pose.bone_count;
	struct gpu_rows rows = {
		.to_pitch = run->stride * sizeof *run->position,
		.width = count * sizeof *run->position,
	};
	rows.rows = bones * 3;
	rows.to = run->position + first;
	int rc = fetch(gpu, lane, lane->position, &rows);
	rows.rows = bones * 4;
	rows.to = run->local_rotate + first;
	rc = rc == 0 ? fetch(gpu, lane, lane->local_rotate, &rows) : rc;
	rows.to = run->world_rotate == NULL ? NULL : run->world_rotate + first;
	rc = rc == 0 ? fetch(gpu, lane, lane->world_rotate, &rows) : rc;
	rows.rows = gpu->has_morphs ? gpu->morphs.morph_count : 0;
	rows.to = run->weights == NULL ? NULL : run->weights + first;
	return rc == 0 ? fetch(gpu, lane, lane->weights, &rows) : rc;
}

int
fk_gpu_run(struct fk_gpu *gpu, const struct fk_gpu_run *run, struct fmt_err *err)
{
	int rc = 0;
	for (uint32_t first = 0, i = 0; first < run->count && rc == 0;
		first += gpu->slice, i++) {
		const struct lane *lane = &gpu->lanes[i % FK_GPU_LANES];
		uint32_t left = run->count - first;
		uint32_t count = left < gpu->slice ? left : gpu->slice;
		rc = put_frames(gpu, lane, run, first, count);
		rc = rc == 0 ? sample(gpu, lane, count) : rc;
		rc = rc == 0 ? place(gpu, lane, count) : rc;
		rc = rc == 0 ? fetch_results(gpu, lane, run, first, count) : rc;
	}
	/* Whatever began has to end before the planes are anybody else's. */
	for (int i = 0; i < FK_GPU_LANES; i++) {
		int ended = gpu->device->calls->wait(gpu->lanes[i].stream);
		rc = rc == 0 ? ended : rc;
	}
	if (!gpu->has_morphs && run->weights != NULL)
		for (size_t m = 0; m < gpu->skeleton->morphs.morph_count; m++)
			memset(run->weights + m * run->stride, 0,
				run->count * sizeof *run->weights);
	return rc == 0 ? 0
		       : fmt_err_set(err, -EIO,
				 "the GPU failed in the middle of a run (%s)",
				 strerror(-rc));
}
