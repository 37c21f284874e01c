/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * room.h - who has which room on a GPU; for gpu.c alone.  A frame waits for its turn holding
 * nothing there, so that those who wait and those who have cannot lock each other out.
 */
#ifndef PV_ROOM_H
#define PV_ROOM_H

#include "plugins/pano-views/charts.h"
#include "plugins/pano-views/gpu.h"

#include <pthread.h>

/* How much of a frame is there at once. */
struct pv_room_shape {
	int tiled;
	uint32_t views, rows; /* of a view */
	size_t band, out;     /* bytes */
};

struct pv_gpu_frame {
	void *band, *out; /* rooms */
	size_t band_room, out_room;
	void *arrived, *made, *fetched; /* events */
	int taken;
	pthread_mutex_t lock; /* one order at a time */
	const struct kern_remap_picture *picture;
	const struct pv_maps *maps;
	struct pv_charts *charts;
	struct pv_room_shape shape;
};

struct pv_gpu {
	const struct pv_device *device;
	const struct gpu_device *calls;
	uint32_t number;
	enum kern_remap_filter filter;
	struct kern_remap_weights *weights; /* there */
	void *in, *work, *out;		    /* streams */
	pthread_mutex_t lock;		    /* for all below, and for reserving */
	pthread_cond_t changed;
	struct pv_charts *charts;
	int lost;
	uint32_t most, taken; /* frames that may be there, and are */
	uint32_t frame_count;
	struct pv_gpu_frame frames[];
};

/* Rows of the panorama: before its first and after its last lie the margins. */
struct pv_room_reach {
	int32_t top, bottom;
};

/* Those that rows first..past-1 of a map's views look at, so far as the frame has them. */
struct pv_room_reach pv_room_reach(
	const struct pv_gpu_frame *frame, uint32_t map, uint32_t first, uint32_t past);

/* Waits for a turn, and finds room for as much as there is memory for.  0; -ENOMEM: not even
 * for the least; -ENODEV: the GPU is lost; or -EIO.  [any thread that does not hold the
 * lock; so the next] */
int pv_room_find(struct pv_gpu *gpu, const struct kern_remap_picture *picture,
	const struct pv_maps *maps, struct pv_gpu_frame **frame);
void pv_room_give_back(struct pv_gpu *gpu, struct pv_gpu_frame *frame);

/* Frees a frame's rooms, and the charts that nobody uses as long as there are more than
 * `keep`; whether there were any.  [with the lock, or alone] */
void pv_room_release(struct pv_gpu *gpu, struct pv_gpu_frame *frame);
int pv_room_shrink(struct pv_gpu *gpu, unsigned keep);

#endif
