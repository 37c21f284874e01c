/* SPDX-License-Identifier: BSD-2-Clause */
/* gpu-speed.h - what the benches on a GPU measure by. */
#ifndef GPU_SPEED_H
#define GPU_SPEED_H

/* Seconds since some time. */
double gpu_speed_now(void);

/* Bytes a second, read and written, of a copy on the device: the floor's measure; 0: it
 * cannot be made. */
double gpu_speed_of_memory(void);

#endif
