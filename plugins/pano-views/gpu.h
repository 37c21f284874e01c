/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gpu.h - frames' bands on a GPU, and the views that are made of them there.  Three streams
 * serve all threads: one takes bands there, one makes views, one brings them back; whoever
 * has a frame there decodes, waits and encodes meanwhile.
 *
 * Where memory is short, half as many frames are there at once, and half again; then of the
 * one that is left fewer views at once; then as many rows of a view, and of the band what
 * these look at, down to PV_GPU_LEAST.  Views do not depend on any of this.
 */
#ifndef PV_GPU_H
#define PV_GPU_H

#include "plugins/formats/err.h"
#include "plugins/pano-views/device.h"
#include "plugins/pano-views/maps.h"

/* Rows of a view; fewer are not worth the way. */
#define PV_GPU_LEAST 16
/* Views that are brought back together. */
#define PV_GPU_VIEWS 8

struct pv_gpu;
/* A frame that has room there. */
struct pv_gpu_frame;

struct pv_gpu_options {
	const struct pv_device *device;
	uint32_t number;
	enum kern_remap_filter filter;
	const struct kern_remap_weights *weights; /* NULL for nearest and bilinear */
	uint32_t frames;			  /* that may be there at once */
};

/* Takes the GPU.  0 with *made, or a negative errno with *err.  [in open] */
int pv_gpu_new(
	const struct pv_gpu_options *options, struct pv_gpu **made, struct fmt_err *err);
void pv_gpu_free(struct pv_gpu *gpu);

/* As a variant. */
const char *pv_gpu_name(const struct pv_gpu *gpu);

/* Finds room for a frame, waiting while others have it, and begins to take it there; picture
 * and maps stay as they are until pv_gpu_drop().  0, -ENOMEM with *err: this one does not
 * fit, or -EIO: the GPU is lost for good.  [any thread] */
int pv_gpu_put(struct pv_gpu *gpu, const struct kern_remap_picture *picture,
	const struct pv_maps *maps, struct pv_gpu_frame **frame, struct fmt_err *err);
/* When no order of the frame is under way; NULL: nothing. */
void pv_gpu_drop(struct pv_gpu *gpu, struct pv_gpu_frame *frame);

/* At most PV_GPU_VIEWS views of one map. */
struct pv_gpu_order {
	struct pv_gpu_frame *frame;
	uint32_t map, count;
	const uint32_t *views; /* numbers */
	void *to;	       /* [count][height][width] pixels of the picture's type */
};

/* Makes views and waits for them.  0, or -EIO with *err: the GPU is lost, what is in `to` is
 * not whole.  [any thread; those with the same frame take turns] */
int pv_gpu_make(
	struct pv_gpu *gpu, const struct pv_gpu_order *order, struct fmt_err *err);

/* Lets the GPU reach memory of the host, which makes copies fast, until it is let go, which
 * has to be before it is freed.  Whether it does.  [any thread] */
int pv_gpu_hold(struct pv_gpu *gpu, void *memory, size_t bytes);
void pv_gpu_let_go(struct pv_gpu *gpu, void *memory);

#endif
