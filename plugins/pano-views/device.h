/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * device.h - a GPU and the kernel that pano-views has there.  CUDA's is pv_device_cuda;
 * tests put an imitation in its place, whose kernel is the same lines compiled for the CPU.
 */
#ifndef PV_DEVICE_H
#define PV_DEVICE_H

#include "kernels/remap_walk.h"
#include "plugins/gpu/device.h"

struct pv_device {
	const struct gpu_device *calls;
	kern_remap_walk_fn *remap;
};

/* Only where it was built with nvcc. */
extern const struct pv_device pv_device_cuda;

#endif
