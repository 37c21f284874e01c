/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/vmd-fk/offload.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A GPU has a thread for each frame and wants some hundred thousand of them. */
#define FRAMES_WANTED 65536

static size_t
frame_bytes(const struct fk_evaluator *evaluator)
{
	const struct fk_skeleton *skeleton = evaluator->skeleton;
	size_t floats = 3 + 4 + (evaluator->world ? 4 : 0);
	return sizeof(float) * (skeleton->pose.bone_count * floats +
				       skeleton->morphs.morph_count + 1) +
	       skeleton->pose.chain_count;
}

static float *
make_planes(size_t count, uint32_t room)
{
	size_t floats;
	return __builtin_mul_overflow(count, (size_t)room, &floats)
		       ? NULL
		       : calloc(floats + 1, sizeof(float));
}

static int
make_room(struct fk_offload *offload)
{
	const struct fk_skeleton *skeleton = offload->evaluator->skeleton;
	size_t bones = skeleton->pose.bone_count;
	uint32_t room = offload->parts * offload->part_room;
	struct fk_planes *planes = &offload->planes;
	planes->room = room;
	offload->frames = calloc(room, sizeof *offload->frames);
	planes->position = make_planes(bones * 3, room);
	planes->local_rotate = make_planes(bones * 4, room);
	planes->weights = make_planes(skeleton->morphs.morph_count, room);
	planes->ik_enabled = calloc(skeleton->pose.chain_count + 1, room);
	if (offload->evaluator->world)
		planes->world_rotate = make_planes(bones * 4, room);
	return offload->frames != NULL && planes->position != NULL &&
			       planes->local_rotate != NULL && planes->weights != NULL &&
			       planes->ik_enabled != NULL &&
			       (!offload->evaluator->world ||
				       planes->world_rotate != NULL)
		       ? 0
		       : -ENOMEM;
}

static void
pin_results(const struct fk_offload *offload)
{
	const struct fk_skeleton *skeleton = offload->evaluator->skeleton;
	const struct fk_planes *planes = &offload->planes;
	size_t plane = planes->room * sizeof(float), bones = skeleton->pose.bone_count;
	fk_gpu_pin(offload->gpu, planes->position, bones * 3 * plane);
	fk_gpu_pin(offload->gpu, planes->local_rotate, bones * 4 * plane);
	if (planes->world_rotate != NULL)
		fk_gpu_pin(offload->gpu, planes->world_rotate, bones * 4 * plane);
	if (skeleton->morphs.morph_count > 0)
		fk_gpu_pin(offload->gpu, planes->weights,
			skeleton->morphs.morph_count * plane);
}

int
fk_offload_new(const struct fk_evaluator *evaluator,
	const struct fk_offload_options *options, struct fk_offload **made,
	struct fmt_err *err)
{
	uint64_t fit = options->budget / (frame_bytes(evaluator) * options->part_room);
	uint32_t frames = options->chunk > 0 ? options->chunk : FRAMES_WANTED;
	uint32_t wanted = (frames + options->part_room - 1) / options->part_room;
	struct fk_offload *offload = calloc(1, sizeof *offload);
	if (offload == NULL)
		return fmt_err_set(err, -ENOMEM, "no memory to use it");
	offload->evaluator = evaluator;
	offload->part_room = options->part_room;
	offload->parts = fit < 1 ? 1 : fit < wanted ? (uint32_t)fit : wanted;
	int rc = fk_gpu_new(options->device, options->number, evaluator->skeleton,
		offload->parts * offload->part_room, &offload->gpu, err);
	if (rc == 0 && make_room(offload) < 0)
		rc = fmt_err_set(err, -ENOMEM, "no memory here for a chunk of frames");
	if (rc < 0) {
		fk_offload_free(offload);
		return rc;
	}
	pin_results(offload);
	*made = offload;
	return 0;
}

void
fk_offload_free(struct fk_offload *offload)
{
	if (offload == NULL)
		return;
	/* First: it holds the planes in place. */
	fk_gpu_free(offload->gpu);
	free(offload->frames);
	free(offload->planes.position);
	free(offload->planes.local_rotate);
	free(offload->planes.world_rotate);
	free(offload->planes.weights);
	free(offload->planes.ik_enabled);
	free(offload);
}

static void
lose(struct fk_offload *offload)
{
	fk_gpu_free(offload->gpu);
	offload->gpu = NULL;
	offload->bound = 0;
}

int
fk_offload_take(
	struct fk_offload *offload, const struct fk_motion *motion, struct fmt_err *err)
{
	offload->bound = 0;
	if (offload->gpu == NULL)
		return fmt_err_set(err, -ENODEV, "the GPU was given up before");
	int rc = fk_gpu_bind(offload->gpu, motion, err);
	if (rc == 0)
		offload->bound = 1;
	else if (rc != -ENOMEM)
		lose(offload);
	return rc;
}

void
fk_offload_put(struct fk_offload *offload, uint32_t part, const struct fk_piece *piece)
{
	uint32_t *frames = offload->frames + part * offload->part_room;
	struct fk_planes planes = fk_offload_part(offload, part);
	memcpy(frames, piece->frames, piece->count * sizeof *frames);
	/* The room left is evaluated with the rest, and nobody looks at it. */
	for (uint32_t f = piece->count; f < offload->part_room; f++)
		frames[f] = piece->frames[piece->count - 1];
	struct fk_piece whole = {piece->motion, frames, offload->part_room};
	fk_evaluator_fill_ik(offload->evaluator, &whole, &planes);
	offload->part_count = part + 1;
}

int
fk_offload_run(struct fk_offload *offload, struct fmt_err *err)
{
	struct fk_gpu_run run = {
		.frames = offload->frames,
		.count = offload->part_count * offload->part_room,
		.stride = offload->planes.room,
		.ik_enabled = offload->planes.ik_enabled,
		.position = offload->planes.position,
		.local_rotate = offload->planes.local_rotate,
		.world_rotate = offload->planes.world_rotate,
		.weights = offload->planes.weights,
	};
	int rc = fk_gpu_run(offload->gpu, &run, err);
	if (rc < 0)
		lose(offload);
	return rc;
}

struct fk_planes
fk_offload_part(const struct fk_offload *offload, uint32_t part)
{
	struct fk_planes planes = offload->planes;
	size_t first = (size_t)part * offload->part_room;
	planes.position += first;
	planes.local_rotate += first;
	planes.weights += first;
	planes.ik_enabled += first;
	if (planes.world_rotate != NULL)
		planes.world_rotate += first;
	return planes;
}
