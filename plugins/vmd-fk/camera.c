/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/vmd-fk/camera.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { POINT, ANGLES, LENS, TRACKS };

/* VMD's order of the six curves. */
enum { CURVE_X, CURVE_Y, CURVE_Z, CURVE_ROTATE, CURVE_DISTANCE, CURVE_ANGLE };

static void
copy_key(struct fk_camera *camera, uint32_t to, const struct fmt_vmd_camera *from)
{
	static const uint8_t curves[TRACKS][3] = {
		[POINT] = {CURVE_X, CURVE_Y, CURVE_Z},
		[ANGLES] = {CURVE_ROTATE, CURVE_ROTATE, CURVE_ROTATE},
		[LENS] = {CURVE_DISTANCE, CURVE_ANGLE, CURVE_ANGLE},
	};
	const float values[TRACKS][3] = {
		[POINT] = {from->move[0], from->move[1], from->move[2]},
		[ANGLES] = {from->rotate[0], from->rotate[1], from->rotate[2]},
		[LENS] = {from->distance, (float)from->angle, 0.0f},
	};
	static const float unturned[4] = {0.0f, 0.0f, 0.0f, 1.0f};
	for (int t = 0; t < TRACKS; t++) {
		uint8_t made[4][4] = {{0}};
		for (int c = 0; c < 3; c++) {
			/* x1 x2 y1 y2 here, other than in bone keys. */
			const uint8_t *curve = from->curve[curves[t][c]];
			made[KERN_TRACK_X + c][0] = curve[0];
			made[KERN_TRACK_X + c][1] = curve[2];
			made[KERN_TRACK_X + c][2] = curve[1];
			made[KERN_TRACK_X + c][3] = curve[3];
		}
		fk_keys_put(&camera->keys[t], to,
			&(struct fk_key){from->frame, values[t], unturned,
				(const uint8_t(*)[4])made});
	}
	camera->perspective[to] = !from->perspective_off;
}

int
fk_camera_bind(struct fk_camera *camera, const struct fmt_vmd *vmd)
{
	uint32_t count = vmd->camera_count;
	if (count == 0)
		return 0;
	camera->perspective = malloc(count);
	if (camera->perspective == NULL)
		return -ENOMEM;
	for (int t = 0; t < TRACKS; t++)
		if (fk_keys_init(&camera->keys[t], count) < 0)
			return -ENOMEM;
	for (uint32_t i = 0; i < count; i++) {
		const struct fmt_vmd_camera *key = &vmd->cameras[i];
		if (i + 1 < count && vmd->cameras[i + 1].frame == key->frame)
			continue;
		copy_key(camera, camera->count++, key);
	}
	return 0;
}

void
fk_camera_free(struct fk_camera *camera)
{
	for (int t = 0; t < TRACKS; t++)
		fk_keys_free(&camera->keys[t]);
	free(camera->perspective);
	memset(camera, 0, sizeof *camera);
}

/* The last key at or before the frame; before the first, the first. */
static uint32_t
key_at(const struct fk_camera *camera, uint32_t frame)
{
	uint32_t low = 0, high = camera->count;
	while (high > low + 1) {
		uint32_t middle = low + (high - low) / 2;
		if (camera->keys[POINT].frame[middle] <= frame)
			low = middle;
		else
			high = middle;
	}
	return low;
}

int
fk_camera_sample(
	const struct fk_camera *camera, uint32_t frame, struct fk_camera_pose *pose)
{
	float values[TRACKS][3], unused[4];
	kern_track_fn *sample = kern_track_pick(0);
	for (int t = 0; t < TRACKS; t++) {
		struct kern_track track = {
			.keys = fk_keys_part(&camera->keys[t], 0, camera->count),
			.first_frame = frame,
			.frame_count = 1,
			.stride = 1,
			.rotate = unused,
			.move = values[t],
		};
		int rc = sample(&track, NULL);
		if (rc < 0)
			return rc;
	}
	memcpy(pose->move, values[POINT], sizeof pose->move);
	memcpy(pose->rotate, values[ANGLES], sizeof pose->rotate);
	pose->distance = values[LENS][0];
	pose->angle = values[LENS][1];
	pose->perspective = camera->perspective[key_at(camera, frame)];
	return 0;
}
