/* SPDX-License-Identifier: BSD-2-Clause */
/* launch_cuda.h - how the *_cuda.cu files start their threads: one a frame, and a row of
 * blocks a bone or morph where that is asked for. */
#ifndef KERN_LAUNCH_CUDA_H
#define KERN_LAUNCH_CUDA_H

#include <cuda_runtime.h>
#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Enough warps to hide memory, few enough that a thread has registers for a frame. */
#define KERN_LAUNCH_BLOCK 128
/* What a grid takes in its second direction. */
#define KERN_LAUNCH_ROWS 65535u

/* Of this thread. */
static __device__ inline uint32_t
kern_launch_frame(void)
{
	return blockIdx.x * KERN_LAUNCH_BLOCK + threadIdx.x;
}

static inline dim3
kern_launch_grid(uint32_t frames, uint32_t rows)
{
	return dim3((frames + KERN_LAUNCH_BLOCK - 1) / KERN_LAUNCH_BLOCK,
		rows < KERN_LAUNCH_ROWS ? rows : KERN_LAUNCH_ROWS);
}

/* Of the launch just made: 0 or -EIO; cudaGetLastError() has been called. */
static inline int
kern_launch_status(void)
{
	return cudaGetLastError() == cudaSuccess ? 0 : -EIO;
}

#endif
