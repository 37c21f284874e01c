/* SPDX-License-Identifier: BSD-2-Clause */
/* offload.h - whether a GPU makes the views, and the proof that it may. */
#ifndef PV_OFFLOAD_H
#define PV_OFFLOAD_H

#include "plugins/pano-views/state.h"

/* The GPU that there may be: CUDA's where that was built, else NULL.  A test puts an
 * imitation here before open(). */
extern const struct pv_device *pv_offload_device;

/* Takes the GPU that the host names, if it wants one and the GPU makes small views with the
 * bits of the plain C; the host is told its name.  Where it does not serve the log says why,
 * and where it was asked for by name so does state->no_gpu.  0 or -ENOMEM.  [in open] */
int pv_offload_open(struct pv_state *state, const struct kiln_host *host);

#endif
