/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/vmd-fk/device.h"

#ifdef KILN_CUDA
const struct fk_device fk_device_cuda = {
	.calls = &gpu_device_cuda,
	.tracks = kern_track_table_cuda,
	.weights = kern_track_weight_table_cuda,
	.morphs = kern_morph_walk_cuda,
	.poses = kern_pose_walk_cuda,
};
#endif
