/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * device.h - a GPU and the kernels that vmd-fk has there.  CUDA's is fk_device_cuda; tests
 * put an imitation in its place, whose kernels are the same lines compiled for the CPU.
 *
 * All of it belongs to the thread that opened it; errors are those of plugins/gpu/device.h.
 */
#ifndef FK_DEVICE_H
#define FK_DEVICE_H

#include "kernels/morph_walk.h"
#include "kernels/pose_walk.h"
#include "kernels/track_table.h"
#include "plugins/gpu/device.h"

struct fk_device {
	const struct gpu_device *calls;
	kern_track_table_fn *tracks;
	kern_track_weight_table_fn *weights;
	kern_morph_walk_fn *morphs;
	kern_pose_walk_fn *poses;
};

/* Only where it was built with nvcc. */
extern const struct fk_device fk_device_cuda;

#endif
