/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * camera.h - the camera's keys of a motion, sampled frame by frame.  MMD's camera turns
 * about a point: it looks at `move` from `distance` away (negative: from in front), turned
 * by three Euler angles in radians.  Every channel has a curve of its own, the three
 * angles share one; keys at neighbouring frames are a cut.
 */
#ifndef FK_CAMERA_H
#define FK_CAMERA_H

#include "plugins/formats/vmd.h"
#include "plugins/vmd-fk/keys.h"

struct fk_camera {
	uint32_t count; /* keys, strictly ascending by frame; 0: no camera */
	/* Three tracks of three channels each, as if they moved bones: the point's x y z;
	 * the angles; distance, angle of view in degrees and nothing. */
	struct fk_keys keys[3];
	uint8_t *perspective; /* by key: 1 on, 0 off; holds until the next */
};

/* One frame. */
struct fk_camera_pose {
	float move[3], rotate[3], distance, angle;
	uint8_t perspective;
};

/* Of keys at one frame the last counts.  0 or -ENOMEM (then what is there is for
 * fk_camera_free). */
int fk_camera_bind(struct fk_camera *camera, const struct fmt_vmd *vmd);
void fk_camera_free(struct fk_camera *camera);

/* The camera has keys.  0 or a negative errno. */
int fk_camera_sample(
	const struct fk_camera *camera, uint32_t frame, struct fk_camera_pose *pose);

#endif
