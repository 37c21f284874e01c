/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * imitation.h - a GPU made of this process: struct fk_device with the host's memory, and
 * with the very lines that CUDA's threads run, frame after frame.  What it cannot show is
 * launches and copies by CUDA itself.
 */
#ifndef IMITATION_H
#define IMITATION_H

#include "plugins/vmd-fk/device.h"

extern const struct fk_device imitation_device;

/* How it should behave, and what it met; zeros: as a good device with all the memory. */
struct imitation {
	size_t memory;			 /* the most bytes reserved together; 0: any */
	uint32_t fail_open;		 /* 1: there is no device */
	uint32_t fail_launch, fail_wait; /* the number of the call that fails; 0: none */
	int wrong;			 /* its poses are wrong in their last digit */
	/* Met. */
	size_t reserved, most_reserved, refusals;
	uint32_t launches, waits, streams, rooms, pinned;
};

extern struct imitation imitation;

#endif
