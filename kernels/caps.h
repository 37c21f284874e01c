/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * caps.h - what a machine can do, as bits.  Whoever calls a kern_*_pick() says which of
 * them it grants; kernels never look at the machine themselves.
 */
#ifndef KERN_CAPS_H
#define KERN_CAPS_H

enum kern_caps {
	KERN_CAP_AVX2 = 1,   /* AVX2 and FMA */
	KERN_CAP_AVX512 = 2, /* AVX-512 F, BW, DQ, VL */
	KERN_CAP_CUDA = 4,   /* pointers are device pointers, queue is a cudaStream_t */
};

#endif
