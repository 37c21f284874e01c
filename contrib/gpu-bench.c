/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gpu-bench cuda|imitation [--frames N] [--bones N] [--round] - what vmd-fk's kernels take
 * on a GPU, and whether they gave the plain C's bits: a random hierarchy, as the yardstick
 * has it, keyed at every frame, without append and IK; then the same with two IK chains.
 *
 * Prints frames a second of the kernels alone and of whole runs, keys there and results
 * copied back; and how much of the memory's own speed, measured by a copy on the device,
 * the kernels reach with the bytes that they cannot do without.  --round prints only the
 * frames a second of the pose kernel without IK.  Exit status: 0 where all bits are
 * right, 1 where not, 77 where there is no GPU.
 */
#include "contrib/gpu-speed.h"
#include "kernels/pose.h"
#include "plugins/vmd-fk/gpu.h"
#include "tests/kernels/imitation.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NO_GPU = 77, COMPARED = 4096, SECONDS_EACH = 1 };

/* One case: a model, a motion, and where results go. */
struct bench {
	const struct fk_device *device;
	uint32_t bones, frames;
	float (*rest)[3], *ratio;
	int32_t *parent, *chain_of;
	uint32_t *order, *flags, *source, *numbers;
	struct kern_pose_chain chains[2];
	struct kern_pose_link links[4];
	const float **fixed_axis;
	float *key_planes; /* 3 of moves, 4 of rotations, for each bone */
	struct kern_track_keys *keys;
	struct fk_skeleton skeleton;
	struct fk_motion motion;
	float *position, *local, *world;
	uint8_t *enabled;
};

static uint64_t seed = 1;

static double
uniform(double low, double high)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return low + (high - low) * (double)(seed >> 11) * 0x1p-53;
}

static void *
room(size_t count, size_t size)
{
	void *made = calloc(count + 1, size);
	if (made == NULL) {
		fprintf(stderr, "gpu-bench: no memory\n");
		exit(2);
	}
	return made;
}

/* Moves of nothing and rotations at random, as the yardstick has them. */
static void
draw_motion(struct bench *b)
{
	static const uint8_t curve[4][4] = {{20, 20, 107, 107}, {20, 20, 107, 107},
		{20, 20, 107, 107}, {20, 20, 107, 107}};
	uint8_t(*curves)[4][4] = room(b->frames, sizeof *curves);
	b->key_planes = room((size_t)b->bones * 7 * b->frames, sizeof(float));
	for (uint32_t f = 0; f < b->frames; f++) {
		b->numbers[f] = f;
		memcpy(curves[f], curve, sizeof curve);
	}
	for (uint32_t i = 0; i < b->bones; i++) {
		float *planes = b->key_planes + (size_t)i * 7 * b->frames;
		for (uint32_t f = 0; f < b->frames; f++) {
			double q[4], length = 0;
			for (int c = 0; c < 4; c++) {
				q[c] = uniform(-1, 1);
				length += q[c] * q[c];
			}
			for (size_t c = 0; c < 4; c++)
				planes[(3 + c) * b->frames + f] =
					(float)(q[c] / sqrt(length));
		}
		b->keys[i] = (struct kern_track_keys){b->frames, b->frames, b->numbers,
			planes, planes + (size_t)3 * b->frames,
			(const uint8_t(*)[4][4])curves};
	}
}

static void
draw(struct bench *b)
{
	size_t bones = b->bones, frames = b->frames;
	b->rest = room(bones, sizeof *b->rest);
	b->ratio = room(bones, sizeof *b->ratio);
	b->parent = room(bones, sizeof *b->parent);
	b->chain_of = room(bones, sizeof *b->chain_of);
	b->order = room(bones, sizeof *b->order);
	b->flags = room(bones, sizeof *b->flags);
	b->source = room(bones, sizeof *b->source);
	b->numbers = room(frames, sizeof *b->numbers);
	b->keys = room(bones, sizeof *b->keys);
	b->fixed_axis = room(bones, sizeof *b->fixed_axis);
	b->position = room(bones * 3 * frames, sizeof(float));
	b->local = room(bones * 4 * frames, sizeof(float));
	b->world = room(bones * 4 * frames, sizeof(float));
	b->enabled = room(2 * frames, 1);
	memset(b->enabled, 1, 2 * frames);
	for (uint32_t i = 0; i < b->bones; i++) {
		uint32_t back = i < 6 ? i : 6;
		b->order[i] = i;
		b->chain_of[i] = -1;
		b->parent[i] =
			i == 0 ? -1 : (int32_t)(i - 1 - (uint32_t)uniform(0, back));
		for (int c = 0; c < 3; c++)
			b->rest[i][c] = (float)uniform(-3, 3);
	}
	draw_motion(b);
	b->skeleton.pose = (struct kern_pose_skeleton){b->bones, b->bones, 0,
		(const float(*)[3])b->rest, b->parent, b->order, b->order, b->flags,
		b->source, b->ratio, b->chain_of, b->chains, b->links};
	b->skeleton.fixed_axis = b->fixed_axis;
	b->motion.bones = b->keys;
}

/* Two legs of two links at the end, their goals last. */
static void
add_chains(struct bench *b)
{
	for (uint32_t i = 0; i < 2; i++) {
		uint32_t first = b->bones - 8 + i * 3, goal = b->bones - 2 + i;
		b->parent[first] = 0;
		b->parent[first + 1] = (int32_t)first;
		b->parent[first + 2] = (int32_t)first + 1;
		b->parent[goal] = 0;
		b->chain_of[goal] = (int32_t)i;
		b->chains[i] =
			(struct kern_pose_chain){goal, first + 2, 40, 0.5f, i * 2, 2};
		b->links[i * 2] = (struct kern_pose_link){.bone = first + 1,
			.limited = 1,
			.minimum = {-3.0f},
			.maximum = {-0.01f}};
		b->links[i * 2 + 1] = (struct kern_pose_link){.bone = first};
	}
	b->skeleton.pose.chain_count = 2;
}

static void
fail(int rc, const struct fmt_err *err)
{
	if (rc == 0)
		return;
	fprintf(stderr, "gpu-bench: %s\n", err->text);
	exit(1);
}

/* Whole runs, by what vmd-fk itself does: frames a second. */
static double
time_runs(struct bench *b)
{
	struct fmt_err err = {0};
	struct fk_gpu *gpu = NULL;
	struct fk_gpu_run run = {b->numbers, b->frames, b->frames, b->enabled,
		b->position, b->local, b->world, NULL};
	size_t plane = b->frames * sizeof(float);
	fail(fk_gpu_new(b->device, 0, &b->skeleton, b->frames, &gpu, &err), &err);
	fk_gpu_pin(gpu, b->position, b->bones * 3 * plane);
	fk_gpu_pin(gpu, b->local, b->bones * 4 * plane);
	fk_gpu_pin(gpu, b->world, b->bones * 4 * plane);
	fail(fk_gpu_bind(gpu, &b->motion, &err), &err);
	fail(fk_gpu_run(gpu, &run, &err), &err);
	double begin = gpu_speed_now(), seconds;
	uint64_t frames = 0;
	do {
		fail(fk_gpu_run(gpu, &run, &err), &err);
		frames += b->frames;
		seconds = gpu_speed_now() - begin;
	} while (seconds < SECONDS_EACH);
	fk_gpu_free(gpu);
	return (double)frames / seconds;
}

/* What the kernels work on, there. */
struct there {
	struct kern_track_table tracks;
	struct kern_pose_walk walk;
	void *stream;
};

static void *
reserve(const struct bench *b, size_t bytes)
{
	void *made = NULL;
	if (b->device->calls->reserve(bytes, &made) < 0) {
		fprintf(stderr, "gpu-bench: no device memory\n");
		exit(1);
	}
	return made;
}

static void *
put(const struct bench *b, const void *from, size_t bytes, void *stream)
{
	struct gpu_rows rows = {reserve(b, bytes), from, bytes, bytes, bytes, 1};
	if (b->device->calls->copy_in(&rows, stream) < 0 ||
		b->device->calls->wait(stream) < 0) {
		fprintf(stderr, "gpu-bench: copying fails\n");
		exit(1);
	}
	return rows.to;
}

static void
put_all(const struct bench *b, struct there *t)
{
	size_t bones = b->bones, plane = b->frames * sizeof(float);
	struct kern_pose_plan *plan = room(1, kern_pose_plan_bytes(&b->skeleton.pose));
	float *axes = room(bones * 4, sizeof *axes);
	uint32_t *first = room(bones + 1, sizeof *first);
	float *gathered = room(bones * 7 * b->frames, sizeof *gathered);
	uint8_t(*curve)[4][4] = room(bones * b->frames, sizeof *curve);
	uint32_t *number = room(bones * b->frames, sizeof *number);
	size_t keys = bones * b->frames;
	kern_pose_plan_make(&b->skeleton.pose, plan);
	for (size_t i = 0; i < bones; i++) {
		first[i + 1] = (uint32_t)((i + 1) * b->frames);
		memcpy(number + i * b->frames, b->numbers, plane);
		for (size_t c = 0; c < 7; c++)
			memcpy(gathered + c * keys + i * b->frames,
				b->key_planes + (i * 7 + c) * b->frames, plane);
	}
	b->device->calls->stream_new(&t->stream);
	float *planes = put(b, gathered, keys * 7 * sizeof *gathered, t->stream);
	t->tracks = (struct kern_track_table){
		.keys = {.stride = keys,
			.frame = put(b, number, keys * sizeof *number, t->stream),
			.move = planes,
			.rotate = planes + 3 * keys,
			.curve = put(b, curve, keys * sizeof *curve, t->stream)},
		.first = put(b, first, (bones + 1) * sizeof *first, t->stream),
		.fixed_axis = put(b, axes, bones * 4 * sizeof *axes, t->stream),
		.frames = put(b, b->numbers, plane, t->stream),
		.bone_count = b->bones,
		.frame_count = b->frames,
		.stride = b->frames,
		.rotate = reserve(b, bones * 4 * plane),
		.move = reserve(b, bones * 3 * plane),
	};
	t->walk = (struct kern_pose_walk){
		.plan = put(b, plan, plan->bytes, t->stream),
		.frame_count = b->frames,
		.stride = b->frames,
		.rotate = t->tracks.rotate,
		.move = t->tracks.move,
		.position = reserve(b, bones * 3 * plane),
		.world_rotate = reserve(b, bones * 4 * plane),
		.local_rotate = reserve(b, bones * 4 * plane),
		.scratch = reserve(b, (plan->scratch_planes + 1) * plane),
	};
	free(plan);
	free(axes);
	free(first);
	free(gathered);
	free(curve);
	free(number);
}

static void
drop_all(const struct bench *b, struct there *t)
{
	const void *rooms[] = {t->tracks.keys.move, t->tracks.keys.frame,
		t->tracks.keys.curve, t->tracks.first, t->tracks.fixed_axis,
		t->tracks.frames, t->tracks.rotate, t->tracks.move, t->walk.plan,
		t->walk.position, t->walk.world_rotate, t->walk.local_rotate,
		t->walk.scratch};
	for (size_t i = 0; i < sizeof rooms / sizeof *rooms; i++)
		b->device->calls->release((void *)rooms[i]);
	b->device->calls->stream_free(t->stream);
}

/* One kernel alone, launched again and again: frames a second. */
static double
time_kernel(const struct bench *b, const struct there *t, int poses)
{
	double begin = 0, seconds = 0;
	uint64_t frames = 0;
	for (int warm = 0; warm < 2; warm++) {
		begin = gpu_speed_now();
		frames = 0;
		do {
			for (int i = 0; i < (warm ? 8 : 1); i++) {
				int rc = poses ? b->device->poses(&t->walk, t->stream)
					       : b->device->tracks(&t->tracks, t->stream);
				if (rc < 0)
					exit(1);
				frames += b->frames;
			}
			if (b->device->calls->wait(t->stream) < 0)
				exit(1);
			seconds = gpu_speed_now() - begin;
		} while (warm && seconds < SECONDS_EACH);
	}
	return (double)frames / seconds;
}

/* The first frames, and the last, by the plain C: the number of floats that differ. */
static uint64_t
count_wrong(const struct bench *b)
{
	uint32_t count = b->frames < COMPARED ? b->frames : COMPARED;
	size_t bones = b->bones, stride = count;
	float *rotate = room(bones * 4 * stride, sizeof *rotate);
	float *move = room(bones * 3 * stride, sizeof *move);
	float *got[3] = {b->position, b->local, b->world};
	float *wanted[3];
	uint64_t wrong = 0;
	for (int i = 0; i < 3; i++)
		wanted[i] = room(bones * 4 * stride, sizeof *wanted[i]);
	for (int end = 0; end < 2; end++) {
		uint32_t first = end ? b->frames - count : 0;
		for (size_t i = 0; i < bones; i++) {
			struct kern_track track = {.keys = b->keys[i],
				.first_frame = first,
				.frame_count = count,
				.stride = stride,
				.rotate = rotate + i * 4 * stride,
				.move = move + i * 3 * stride};
			kern_track_c(&track, NULL);
		}
		struct kern_pose pose = {.skeleton = &b->skeleton.pose,
			.frame_count = count,
			.stride = stride,
			.rotate = rotate,
			.move = move,
			.position = wanted[0],
			.local_rotate = wanted[1],
			.world_rotate = wanted[2]};
		pose.scratch = room(1, kern_pose_scratch(&pose));
		kern_pose_c(&pose, NULL);
		free(pose.scratch);
		for (int i = 0; i < 3; i++)
			for (size_t p = 0; p < bones * (i == 0 ? 3 : 4); p++)
				for (size_t f = 0; f < count; f++)
					wrong +=
						memcmp(&got[i][p * b->frames + first + f],
							&wanted[i][p * stride + f],
							sizeof(float)) != 0;
	}
	free(rotate);
	free(move);
	for (int i = 0; i < 3; i++)
		free(wanted[i]);
	return wrong;
}

/* One line of the table. */
static void
tell(const char *what, double frames, const struct bench *b, double bytes, double memory)
{
	printf("%-44s %12.0f frames/s %8.3f ns a frame and bone", what, frames,
		1e9 / frames / b->bones);
	if (memory > 0 && bytes > 0)
		printf(" %5.1f %% of the memory's speed",
			100.0 * frames * b->bones * bytes / memory);
	printf("\n");
}

static uint64_t
run_case(struct bench *b, const char *name, double memory)
{
	struct there there = {.stream = NULL};
	char text[100];
	put_all(b, &there);
	snprintf(text, sizeof text, "%s: tracks, kernel alone", name);
	tell(text, time_kernel(b, &there, 0), b, 28 + 28 + 8, memory);
	snprintf(text, sizeof text, "%s: poses, kernel alone", name);
	/* What IK costs is arithmetic, not memory. */
	tell(text, time_kernel(b, &there, 1), b,
		b->skeleton.pose.chain_count > 0 ? 0 : 28 + 44, memory);
	drop_all(b, &there);
	snprintf(text, sizeof text, "%s: whole runs, with copies", name);
	tell(text, time_runs(b), b, 0, 0);
	uint64_t wrong = count_wrong(b);
	printf("%s: %llu floats differ from the plain C\n", name,
		(unsigned long long)wrong);
	return wrong;
}

int
main(int argc, char **argv)
{
	struct bench b = {.bones = 122, .frames = 131072};
	int round = 0;
	char why[256] = "";
	if (argc < 2)
		return 2;
	int cuda = strcmp(argv[1], "cuda") == 0;
	b.device = cuda ? &fk_device_cuda : &imitation_device;
	for (int i = 2; i < argc; i++) {
		if (strcmp(argv[i], "--round") == 0)
			round = 1;
		else if (strcmp(argv[i], "--frames") == 0 && i + 1 < argc)
			b.frames = (uint32_t)strtoul(argv[++i], NULL, 10);
		else if (strcmp(argv[i], "--bones") == 0 && i + 1 < argc)
			b.bones = (uint32_t)strtoul(argv[++i], NULL, 10);
		else
			return 2;
	}
	if (b.bones < 10 || b.frames < 1)
		return 2;
	if (b.device->calls->open(0, why, sizeof why) < 0) {
		printf("no GPU: %s\n", why);
		return NO_GPU;
	}
	draw(&b);
	if (round) {
		struct there there = {.stream = NULL};
		put_all(&b, &there);
		b.device->tracks(&there.tracks, there.stream);
		printf("%.0f\n", time_kernel(&b, &there, 1));
		drop_all(&b, &there);
		return 0;
	}
	double memory = cuda ? gpu_speed_of_memory() : 0;
	if (memory > 0)
		printf("a copy on the device: %.0f GB/s\n", memory * 1e-9);
	uint64_t wrong = run_case(&b, "no IK", memory);
	add_chains(&b);
	wrong += run_case(&b, "two chains", memory);
	return wrong > 0;
}
