/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/vmd-fk/facts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FRAME_RATE 30
#define PIECE	   1024 /* frames at a time */

/* Writes an array of one value or a few for each frame; put() makes frame number `frame`
 * of it. */
typedef int put_fn(const struct fk_facts *facts, uint32_t frame, void *to);

static int
write_frames(const struct fk_facts *facts, const struct fmt_npz_array *array, size_t size,
	put_fn *put)
{
	struct fmt_npz_array shaped = *array;
	uint32_t frames = facts->motion->frames.count;
	char *piece = malloc(PIECE * size + 1);
	if (piece == NULL)
		return fmt_err_set(facts->err, -ENOMEM, "no memory for %s", array->name);
	shaped.shape[0] = frames;
	int rc = fmt_npz_begin(facts->npz, &shaped, facts->err);
	for (uint32_t first = 0; rc == 0 && first < frames; first += PIECE) {
		uint32_t count = frames - first < PIECE ? frames - first : PIECE;
		if (facts->host->cancelled(facts->host))
			rc = -ECANCELED;
		for (uint32_t i = 0; rc == 0 && i < count; i++)
			rc = put(facts, fk_frames_at(&facts->motion->frames, first + i),
				piece + i * size);
		rc = rc == 0 ? fmt_npz_append(facts->npz, piece, count * size, facts->err)
			     : rc;
	}
	free(piece);
	return rc == 0 ? fmt_npz_end(facts->npz, facts->err) : rc;
}

static int
put_number(const struct fk_facts *facts, uint32_t frame, void *to)
{
	int32_t number = (int32_t)frame;
	(void)facts;
	memcpy(to, &number, sizeof number);
	return 0;
}

static int
put_ik(const struct fk_facts *facts, uint32_t frame, void *to)
{
	const struct fk_motion *motion = facts->motion;
	size_t count = facts->state->skeleton.ik_count;
	if (motion->step_count == 0)
		memset(to, 1, count);
	else
		memcpy(to, motion->step_enabled + fk_motion_step(motion, frame) * count,
			count);
	return 0;
}

static int
sample_camera(const struct fk_facts *facts, uint32_t frame, struct fk_camera_pose *pose)
{
	int rc = fk_camera_sample(&facts->motion->camera, frame, pose);
	float scale = facts->state->layout.scale;
	for (int c = 0; c < 3; c++)
		pose->move[c] *= scale;
	pose->distance *= scale;
	return rc == 0 ? 0
		       : fmt_err_set(facts->err, rc,
				 "the camera cannot be evaluated at frame %u", frame);
}

static int
put_camera_position(const struct fk_facts *facts, uint32_t frame, void *to)
{
	struct fk_camera_pose pose = {0};
	int rc = sample_camera(facts, frame, &pose);
	memcpy(to, pose.move, sizeof pose.move);
	return rc;
}

static int
put_camera_rotation(const struct fk_facts *facts, uint32_t frame, void *to)
{
	struct fk_camera_pose pose = {0};
	int rc = sample_camera(facts, frame, &pose);
	memcpy(to, pose.rotate, sizeof pose.rotate);
	return rc;
}

static int
put_camera_distance(const struct fk_facts *facts, uint32_t frame, void *to)
{
	struct fk_camera_pose pose = {0};
	int rc = sample_camera(facts, frame, &pose);
	memcpy(to, &pose.distance, sizeof pose.distance);
	return rc;
}

static int
put_camera_fov(const struct fk_facts *facts, uint32_t frame, void *to)
{
	struct fk_camera_pose pose = {0};
	int rc = sample_camera(facts, frame, &pose);
	memcpy(to, &pose.angle, sizeof pose.angle);
	return rc;
}

static int
put_camera_perspective(const struct fk_facts *facts, uint32_t frame, void *to)
{
	struct fk_camera_pose pose = {0};
	int rc = sample_camera(facts, frame, &pose);
	memcpy(to, &pose.perspective, sizeof pose.perspective);
	return rc;
}

static int
write_camera(const struct fk_facts *facts)
{
	static const struct {
		struct fmt_npz_array array;
		size_t size;
		put_fn *put;
	} parts[] = {
		{{"camera_positions", "<f4", {0, 3}, 2}, 12, put_camera_position},
		{{"camera_rotations", "<f4", {0, 3}, 2}, 12, put_camera_rotation},
		{{"camera_distances", "<f4", {0}, 1}, 4, put_camera_distance},
		{{"camera_fov", "<f4", {0}, 1}, 4, put_camera_fov},
		{{"camera_perspective", "|u1", {0}, 1}, 1, put_camera_perspective},
	};
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < sizeof parts / sizeof parts[0]; i++)
		rc = write_frames(facts, &parts[i].array, parts[i].size, parts[i].put);
	return rc;
}

static int
write_morph_names(const struct fk_facts *facts)
{
	const struct fmt_model *model = &facts->state->skeleton.model;
	const char **names = calloc((size_t)model->morph_count + 1, sizeof *names);
	if (names == NULL)
		return fmt_err_set(facts->err, -ENOMEM, "no memory for names");
	for (uint32_t m = 0; m < model->morph_count; m++)
		names[m] = model->morphs[m].name;
	int rc = fmt_npz_texts(
		facts->npz, "morph_names", names, model->morph_count, facts->err);
	free(names);
	return rc;
}

static int
write_ik(const struct fk_facts *facts)
{
	const struct fk_skeleton *skeleton = &facts->state->skeleton;
	struct fmt_npz_array array = {"ik_enabled", "|u1", {0, skeleton->ik_count}, 2};
	const char **names = calloc((size_t)skeleton->ik_count + 1, sizeof *names);
	if (names == NULL)
		return fmt_err_set(facts->err, -ENOMEM, "no memory for names");
	for (uint32_t i = 0; i < skeleton->ik_count; i++)
		names[i] = skeleton->model.bones[skeleton->ik_bones[i]].name;
	int rc = write_frames(facts, &array, skeleton->ik_count, put_ik);
	if (rc == 0)
		rc = fmt_npz_texts(
			facts->npz, "ik_names", names, skeleton->ik_count, facts->err);
	free(names);
	return rc;
}

int
fk_facts_write(const struct fk_facts *facts)
{
	const struct fmt_npz_array numbers = {"frame_numbers", "<i4", {0}, 1};
	const struct fk_state *state = facts->state;
	const struct fk_motion *motion = facts->motion;
	const struct fk_frames *frames = &motion->frames;
	struct fmt_npz *npz = facts->npz;
	struct fmt_err *err = facts->err;
	int64_t range[2] = {
		fk_frames_at(frames, 0), fk_frames_at(frames, frames->count - 1)};
	int rc = write_frames(facts, &numbers, sizeof(int32_t), put_number);
	if (rc == 0)
		rc = fmt_npz_text(npz, "vmd_file", facts->vmd_file, err);
	if (rc == 0)
		rc = fmt_npz_int64(npz, "total_frames", frames->count, err);
	if (rc == 0 && motion->body)
		rc = fmt_npz_int64(npz, "bone_count", state->columns.count, err);
	if (rc == 0)
		rc = fmt_npz_int64(npz, "frame_rate", FRAME_RATE, err);
	if (rc == 0 && motion->body)
		rc = fmt_npz_texts(npz, "bone_names", state->columns.names,
			state->columns.count, err);
	if (rc == 0)
		rc = fmt_npz_int64s(npz, "frame_range", range, 2, err);
	if (rc == 0 && motion->body && state->layout.morph_weights)
		rc = write_morph_names(facts);
	if (rc == 0 && motion->body && state->layout.ik_enabled)
		rc = write_ik(facts);
	if (rc == 0 && motion->camera.count > 0)
		rc = write_camera(facts);
	return rc;
}
