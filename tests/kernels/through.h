/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * through.h - a device as if it were a variant: kernels of the plain C's types, which copy
 * everything in, run it there, wait, and copy the results out.  So the same cases judge
 * CUDA and its imitation.
 */
#ifndef CK_THROUGH_H
#define CK_THROUGH_H

#include "kernels/morph.h"
#include "kernels/pose.h"
#include "kernels/track.h"
#include "plugins/vmd-fk/device.h"

/* From now on they run there.  0, or a negative errno and why there is none. */
int ck_through_use(const struct fk_device *device, char *why, size_t size);

kern_track_fn ck_through_track;
kern_track_weights_fn ck_through_weights;
kern_morph_fn ck_through_morph;
kern_pose_fn ck_through_pose;

/* Judges by each device there is: the imitation, and CUDA if it was built and is there. */
struct ck_through_device {
	const char *name;
	const struct fk_device *device; /* NULL: not built */
};
extern const struct ck_through_device ck_through_devices[];
enum { CK_THROUGH_DEVICES = 2 };

#endif
