/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * caps.h - what all kernels have in common, and what a machine can do, as bits.
 *
 * A kernel is a function of one struct, which names what it reads, where results go and how
 * many there are.  All of that is the caller's, is valid and stays as it is until the
 * kernel returns; results overlap nothing that is read unless the header says so.  Any
 * thread may call any kernel, several at once for results of their own.  A kernel
 * allocates nothing, keeps nothing, and on the CPU always returns 0.
 *
 * All variants of a kernel have one type: kern_NAME_c is its meaning and runs everywhere,
 * kern_NAME_avx2 and kern_NAME_avx512 are there on x86-64 and want a machine that has that.
 * Whoever calls kern_NAME_pick() says which bits it grants and is given the fastest;
 * kernels never look at the machine themselves.  `queue` is NULL on the CPU.
 *
 * CUDA has no bit: a launch for each bone would cost more than its work, so its kernels
 * take all bones of many frames at once, by types of their own (track_table.h,
 * morph_walk.h, pose_walk.h, remap_walk.h), and exist only where nvcc built them.  There
 * all pointers but the struct's own are the device's, and queue is a cudaStream_t, in which
 * the work only begins: 0, or -EIO when it could not.
 */
#ifndef KERN_CAPS_H
#define KERN_CAPS_H

enum kern_caps {
	KERN_CAP_AVX2 = 1,   /* AVX2 and FMA */
	KERN_CAP_AVX512 = 2, /* AVX-512 F, BW, DQ, VL */
};

/* What this machine can do.  For those who pick; no kernel asks. */
unsigned kern_caps_machine(void);

#endif
