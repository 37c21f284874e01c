/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * caps.h - what a machine can do, as bits.  Whoever calls a kern_*_pick() says which of
 * them it grants; kernels never look at the machine themselves.
 *
 * CUDA has no bit: a launch for each bone would cost more than its work, so its kernels
 * take all bones of many frames at once, by types of their own (track_table.h,
 * morph_walk.h, pose_walk.h).  There all pointers but the struct's own are the device's,
 * and queue is a cudaStream_t, in which the work only begins.
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
