/* SPDX-License-Identifier: BSD-2-Clause */
/* both.h - marks what plain C and CUDA compute by the very same lines: functions of values
 * alone, which hold no state and read no table. */
#ifndef KERN_BOTH_H
#define KERN_BOTH_H

#ifdef __CUDACC__
#define KERN_BOTH static __host__ __device__ inline
#else
#define KERN_BOTH static inline
#endif

#endif
