/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gpu.h - runs of frames through the primitives on a device: the model lies there for
 * good, a motion's keys while it is evaluated, and of the frames as many as fit.
 *
 * Too little memory halves the frames that are there at once, down to FK_GPU_LEAST; short
 * of that the device is not used.  A run's result depends on none of this.
 */
#ifndef FK_GPU_H
#define FK_GPU_H

#include "plugins/formats/err.h"
#include "plugins/vmd-fk/device.h"
#include "plugins/vmd-fk/motion.h"
#include "plugins/vmd-fk/skeleton.h"

/* Fewer frames than this are slower there than here. */
#define FK_GPU_LEAST 256
/* Two slices of a run are under way together: one is computed while the other is copied. */
#define FK_GPU_LANES 2

/* A run's frames and where its results go: planes of the host, as kernels/pose.h says. */
struct fk_gpu_run {
	const uint32_t *frames;
	uint32_t count;
	size_t stride;
	const uint8_t *ik_enabled;
	float *position, *local_rotate;
	float *world_rotate, *weights; /* NULL: not wanted */
};

struct fk_gpu;

/* Takes the device and puts the model there; most: the frames of the longest run.  The
 * skeleton is borrowed.  0 with *made, or a negative errno with *err. */
int fk_gpu_new(const struct fk_device *device, uint32_t number,
	const struct fk_skeleton *skeleton, uint32_t most, struct fk_gpu **made,
	struct fmt_err *err);
void fk_gpu_free(struct fk_gpu *gpu);

/* Puts the motion's keys there, in place of the last motion's.  0, or a negative errno with
 * *err: after -ENOMEM the next motion may fit, after anything else the device is lost. */
int fk_gpu_bind(struct fk_gpu *gpu, const struct fk_motion *motion, struct fmt_err *err);

/* Evaluates those frames of the motion bound last.  0, or -EIO with *err: the device is
 * lost, and the results are not whole. */
int fk_gpu_run(struct fk_gpu *gpu, const struct fk_gpu_run *run, struct fmt_err *err);

/* Pins memory of the host that runs' results go to, until fk_gpu_free(), which has to come
 * before the memory is freed; where that cannot be, copies are slower. */
void fk_gpu_pin(struct fk_gpu *gpu, void *memory, size_t bytes);

/* The device's name, as a variant. */
const char *fk_gpu_name(const struct fk_gpu *gpu);

/* How many frames are there at once, for those who ask why. */
uint32_t fk_gpu_slice(const struct fk_gpu *gpu);

#endif
