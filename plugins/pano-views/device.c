/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/pano-views/device.h"

#ifdef KILN_CUDA
const struct pv_device pv_device_cuda = {
	.calls = &gpu_device_cuda,
	.remap = kern_remap_walk_cuda,
};
#endif
