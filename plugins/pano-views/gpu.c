/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/pano-views/gpu.h"

#include "plugins/pano-views/room.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* --- the GPU as a whole ------------------------------------------------------- */

static int
put_weights(struct pv_gpu *gpu, const struct kern_remap_weights *weights)
{
	void *room = NULL;
	if (weights == NULL)
		return 0;
	int rc = gpu->calls->reserve(sizeof *weights, &room);
	if (rc < 0)
		return rc;
	gpu->weights = room;
	const struct gpu_rows rows = {
		room, weights, sizeof *weights, sizeof *weights, sizeof *weights, 1};
	rc = gpu->calls->copy_in(&rows, gpu->in);
	return rc == 0 ? gpu->calls->wait(gpu->in) : rc;
}

static int
make_events(struct pv_gpu *gpu)
{
	int rc = 0;
	for (uint32_t i = 0; rc == 0 && i < gpu->frame_count; i++) {
		void **events[] = {&gpu->frames[i].arrived, &gpu->frames[i].made,
			&gpu->frames[i].fetched};
		for (size_t k = 0; rc == 0 && k < sizeof events / sizeof *events; k++)
			rc = gpu->calls->event_new(events[k]);
	}
	return rc;
}

int
pv_gpu_new(
	const struct pv_gpu_options *options, struct pv_gpu **made, struct fmt_err *err)
{
	const struct gpu_device *calls = options->device->calls;
	char why[256] = "";
	int rc = calls->open(options->number, why, sizeof why);
	if (rc < 0)
		return fmt_err_set(err, rc, "%s", why);
	struct pv_gpu *gpu =
		calloc(1, sizeof *gpu + options->frames * sizeof gpu->frames[0]);
	if (gpu == NULL)
		return fmt_err_set(err, -ENOMEM, "no memory to use it");
	gpu->device = options->device;
	gpu->calls = calls;
	gpu->number = options->number;
	gpu->filter = options->filter;
	gpu->most = gpu->frame_count = options->frames;
	pthread_mutex_init(&gpu->lock, NULL);
	pthread_cond_init(&gpu->changed, NULL);
	for (uint32_t i = 0; i < gpu->frame_count; i++)
		pthread_mutex_init(&gpu->frames[i].lock, NULL);
	rc = calls->stream_new(&gpu->in);
	rc = rc == 0 ? calls->stream_new(&gpu->work) : rc;
	rc = rc == 0 ? calls->stream_new(&gpu->out) : rc;
	rc = rc == 0 ? make_events(gpu) : rc;
	rc = rc == 0 ? put_weights(gpu, options->weights) : rc;
	if (rc < 0) {
		pv_gpu_free(gpu);
		return fmt_err_set(
			err, rc, "it cannot be made ready (%s)", strerror(-rc));
	}
	*made = gpu;
	return 0;
}

void
pv_gpu_free(struct pv_gpu *gpu)
{
	if (gpu == NULL)
		return;
	gpu->calls->stream_free(gpu->in);
	gpu->calls->stream_free(gpu->work);
	gpu->calls->stream_free(gpu->out);
	for (uint32_t i = 0; i < gpu->frame_count; i++) {
		struct pv_gpu_frame *frame = &gpu->frames[i];
		pv_room_release(gpu, frame);
		gpu->calls->event_free(frame->arrived);
		gpu->calls->event_free(frame->made);
		gpu->calls->event_free(frame->fetched);
		pthread_mutex_destroy(&frame->lock);
	}
	pv_room_shrink(gpu, 0);
	gpu->calls->release(gpu->weights);
	pthread_cond_destroy(&gpu->changed);
	pthread_mutex_destroy(&gpu->lock);
	free(gpu);
}

const char *
pv_gpu_name(const struct pv_gpu *gpu)
{
	return gpu->calls->name;
}

int
pv_gpu_hold(struct pv_gpu *gpu, void *memory, size_t bytes)
{
	return gpu->calls->enter(gpu->number) == 0 && gpu->calls->pin(memory, bytes) == 0;
}

void
pv_gpu_let_go(struct pv_gpu *gpu, void *memory)
{
	gpu->calls->enter(gpu->number);
	gpu->calls->unpin(memory);
}

/* Whatever was begun has to end before its memory is anybody else's.  The lock is not
 * held. */
static int
lose(struct pv_gpu *gpu, struct fmt_err *err)
{
	gpu->calls->wait(gpu->in);
	gpu->calls->wait(gpu->work);
	gpu->calls->wait(gpu->out);
	pthread_mutex_lock(&gpu->lock);
	gpu->lost = 1;
	pthread_cond_broadcast(&gpu->changed);
	pthread_mutex_unlock(&gpu->lock);
	return fmt_err_set(err, -EIO, "the GPU failed and is not asked again");
}

/* --- frames --------------------------------------------------------------------- */

static int
copy_band(
	struct pv_gpu *gpu, struct pv_gpu_frame *frame, const struct pv_room_reach *reach)
{
	const struct kern_remap_picture *picture = frame->picture;
	const size_t pixel = kern_remap_pixel(picture->type);
	const ptrdiff_t down = reach->top - (int32_t)picture->first_row;
	const struct gpu_rows rows = {
		.to = frame->band,
		.from = (const char *)picture->pixels +
			down * (ptrdiff_t)picture->stride -
			(ptrdiff_t)(KERN_REMAP_MARGIN * pixel),
		.to_pitch = picture->stride,
		.from_pitch = picture->stride,
		.width = (picture->width + (size_t)2 * KERN_REMAP_MARGIN) * pixel,
		.rows = (size_t)(reach->bottom - reach->top),
	};
	int rc = gpu->calls->copy_in(&rows, gpu->in);
	return rc == 0 ? gpu->calls->record(frame->arrived, gpu->in) : rc;
}

/* All rows that there are, with the margins. */
static struct pv_room_reach
whole(const struct kern_remap_picture *picture)
{
	const int32_t top = (int32_t)picture->first_row - KERN_REMAP_MARGIN;
	return (struct pv_room_reach){
		top, top + (int32_t)picture->row_count + 2 * KERN_REMAP_MARGIN};
}

int
pv_gpu_put(struct pv_gpu *gpu, const struct kern_remap_picture *picture,
	const struct pv_maps *maps, struct pv_gpu_frame **put, struct fmt_err *err)
{
	struct pv_gpu_frame *frame = NULL;
	int rc = gpu->calls->enter(gpu->number);
	rc = rc == 0 ? pv_room_find(gpu, picture, maps, &frame) : rc;
	if (rc == -ENODEV)
		return fmt_err_set(err, -EIO, "the GPU was given up before");
	const struct pv_room_reach all = whole(picture);
	if (rc == 0 && !frame->shape.tiled) {
		rc = copy_band(gpu, frame, &all);
		if (rc < 0)
			pv_gpu_drop(gpu, frame);
	}
	if (rc == 0)
		*put = frame;
	return rc == 0 ? 0
	       : rc == -ENOMEM
		       ? fmt_err_set(err, rc, "the GPU has too little memory free")
		       : lose(gpu, err);
}

void
pv_gpu_drop(struct pv_gpu *gpu, struct pv_gpu_frame *frame)
{
	if (frame == NULL)
		return;
	/* Its orders were waited for; without any, the band may still be on its way. */
	gpu->calls->enter(gpu->number);
	gpu->calls->await(frame->arrived);
	pv_room_give_back(gpu, frame);
}

/* --- views -------------------------------------------------------------------- */

/* Some rows of an order's views. */
struct tile {
	const struct pv_gpu_order *order;
	struct pv_room_reach reach; /* what is there of the band */
	uint32_t first, count;
};

/* View i of the order, as view k of those that are there at once: made, and on its way
 * back. */
static int
make_view(struct pv_gpu *gpu, const struct tile *tile, uint32_t i, uint32_t k)
{
	const struct pv_gpu_order *order = tile->order;
	struct pv_gpu_frame *frame = order->frame;
	const struct pv_map *map = &frame->maps->maps[order->map];
	const struct pv_chart *chart = &frame->charts->charts[order->map];
	const size_t pixel = kern_remap_pixel(frame->picture->type);
	const size_t row = map->width * pixel;
	const ptrdiff_t down = (int32_t)frame->picture->first_row - tile->reach.top;
	const struct gpu_rows rows = {
		.to = (char *)order->to + (i * (size_t)map->height + tile->first) * row,
		.from = (char *)frame->out + k * (size_t)frame->shape.rows * row,
		.to_pitch = row,
		.from_pitch = row,
		.width = row,
		.rows = tile->count,
	};
	struct kern_remap_walk walk = {
		.picture = *frame->picture,
		.filter = gpu->filter,
		.weights = gpu->weights,
		.view = chart->view,
		.u = chart->u,
		.v = chart->v,
		.shift = frame->maps->views[order->views[i]].shift,
		.plan = chart->plan,
		.first = chart->first,
		.first_row = tile->first,
		.row_count = tile->count,
		.to = (void *)(uintptr_t)rows.from,
	};
	walk.picture.pixels = (char *)frame->band + KERN_REMAP_MARGIN * pixel +
			      down * (ptrdiff_t)frame->picture->stride;
	int rc = gpu->device->remap(&walk, gpu->work);
	rc = rc == 0 ? gpu->calls->record(frame->made, gpu->work) : rc;
	rc = rc == 0 ? gpu->calls->follow(gpu->out, frame->made) : rc;
	return rc == 0 ? gpu->calls->copy_out(&rows, gpu->out) : rc;
}

/* As many views at once as there is room for; what they overwrite has left before. */
static int
make_tile(struct pv_gpu *gpu, const struct tile *tile)
{
	struct pv_gpu_frame *frame = tile->order->frame;
	int rc = gpu->calls->follow(gpu->work, frame->arrived);
	for (uint32_t i = 0; rc == 0 && i < tile->order->count;) {
		rc = gpu->calls->follow(gpu->work, frame->fetched);
		for (uint32_t k = 0;
			rc == 0 && k < frame->shape.views && i < tile->order->count;
			k++, i++)
			rc = make_view(gpu, tile, i, k);
		rc = rc == 0 ? gpu->calls->record(frame->fetched, gpu->out) : rc;
	}
	return rc;
}

static int
make_views(struct pv_gpu *gpu, const struct pv_gpu_order *order)
{
	struct pv_gpu_frame *frame = order->frame;
	const uint32_t height = frame->maps->maps[order->map].height;
	struct tile tile = {order, whole(frame->picture), 0, height};
	if (!frame->shape.tiled)
		return make_tile(gpu, &tile);
	int rc = 0;
	for (; rc == 0 && tile.first < height; tile.first += frame->shape.rows) {
		const uint32_t left = height - tile.first;
		tile.count = left < frame->shape.rows ? left : frame->shape.rows;
		tile.reach = pv_room_reach(
			frame, order->map, tile.first, tile.first + tile.count);
		/* The band before it has been read when its views were made. */
		rc = gpu->calls->follow(gpu->in, frame->made);
		rc = rc == 0 ? copy_band(gpu, frame, &tile.reach) : rc;
		rc = rc == 0 ? make_tile(gpu, &tile) : rc;
	}
	return rc;
}

int
pv_gpu_make(struct pv_gpu *gpu, const struct pv_gpu_order *order, struct fmt_err *err)
{
	struct pv_gpu_frame *frame = order->frame;
	pthread_mutex_lock(&gpu->lock);
	const int lost = gpu->lost;
	pthread_mutex_unlock(&gpu->lock);
	if (lost)
		return fmt_err_set(err, -EIO, "the GPU was given up before");
	pthread_mutex_lock(&frame->lock);
	int rc = gpu->calls->enter(gpu->number);
	rc = rc == 0 ? make_views(gpu, order) : rc;
	rc = rc == 0 ? gpu->calls->await(frame->fetched) : rc;
	pthread_mutex_unlock(&frame->lock);
	return rc == 0 ? 0 : lose(gpu, err);
}
