/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * imitation.h - a GPU made of this process: struct gpu_device with the host's memory, and
 * the plugins' kernels with the very lines that CUDA's threads run, one after the other.
 * What it cannot show is launches and copies by CUDA itself.
 */
#ifndef IMITATION_H
#define IMITATION_H

#include "plugins/pano-views/device.h"
#include "plugins/vmd-fk/device.h"

#include <stdio.h>

extern const struct gpu_device imitation_gpu;
extern const struct fk_device imitation_device;
extern const struct pv_device imitation_pano;

/* How it should behave, and what it met; zeros: as a good device with all the memory. */
struct imitation {
	size_t memory;	    /* the most bytes reserved together; 0: any */
	uint32_t fail_open; /* 1: there is no device */
	/* The number of the call that fails; 0: none. */
	uint32_t fail_reserve, fail_copy, fail_order, fail_launch, fail_wait;
	int no_pins;
	int wrong; /* its results are wrong in their last digit */
	/* Met. */
	size_t reserved, most_reserved, refusals;
	uint32_t reserves, copies, orders, launches, waits, streams, rooms, pinned;
};

extern struct imitation imitation;

/* By a text, "memory=BYTES open=1 reserve=N copy=N order=N launch=N wait=N pinless=1
 * wrong=1", of which each part may be missing; NULL: none of it. */
void imitation_behave(const char *settings);
/* What it met, as a line. */
void imitation_tell(FILE *to);

/* For the kernels: counts a launch; 0 or -EIO. */
int imitation_launch(void);

#endif
