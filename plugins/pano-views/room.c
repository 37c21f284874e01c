/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/pano-views/room.h"

#include <errno.h>

/* Sizes whose charts are kept when no frame is there. */
#define SIZES 2

void
pv_room_release(struct pv_gpu *gpu, struct pv_gpu_frame *frame)
{
	gpu->calls->release(frame->band);
	gpu->calls->release(frame->out);
	frame->band = frame->out = NULL;
	frame->band_room = frame->out_room = 0;
}

int
pv_room_shrink(struct pv_gpu *gpu, unsigned keep)
{
	struct pv_charts **at = &gpu->charts;
	unsigned count = 0;
	int freed = 0;
	while (*at != NULL) {
		struct pv_charts *charts = *at;
		if (++count <= keep || charts->users > 0) {
			at = &charts->next;
			continue;
		}
		*at = charts->next;
		pv_charts_free(gpu->calls, charts);
		freed = 1;
	}
	return freed;
}

struct pv_room_reach
pv_room_reach(
	const struct pv_gpu_frame *frame, uint32_t map, uint32_t first, uint32_t past)
{
	const struct pv_chart *chart = &frame->charts->charts[map];
	const int32_t least = (int32_t)frame->picture->first_row - KERN_REMAP_MARGIN;
	const int32_t most =
		least + (int32_t)frame->picture->row_count + 2 * KERN_REMAP_MARGIN;
	struct pv_room_reach reach = {most, least};
	for (uint32_t row = first; row < past; row++) {
		if (chart->top[row] < reach.top)
			reach.top = chart->top[row];
		if (chart->bottom[row] > reach.bottom)
			reach.bottom = chart->bottom[row];
	}
	reach.top = reach.top < least ? least : reach.top;
	reach.bottom = reach.bottom > most ? most : reach.bottom;
	return reach;
}

/* The shape at a level of the ladder; 0 when there is none so low. */
static int
shape_at(const struct pv_gpu_frame *frame, unsigned level, struct pv_room_shape *shape)
{
	const struct pv_maps *maps = frame->maps;
	const size_t pixel = kern_remap_pixel(frame->picture->type);
	uint32_t rows = 0, height = 0, width = 0, views = PV_GPU_VIEWS;
	for (uint32_t i = 0; i < maps->map_count; i++) {
		height = maps->maps[i].height > height ? maps->maps[i].height : height;
		width = maps->maps[i].width > width ? maps->maps[i].width : width;
	}
	while (level > 0 && views > 1) {
		views /= 2;
		level--;
	}
	*shape = (struct pv_room_shape){.tiled = level > 0, .views = views};
	shape->rows = height >> level;
	if (level > 0 && (level > 16 || shape->rows < PV_GPU_LEAST))
		return 0;
	if (!shape->tiled)
		rows = frame->picture->row_count + 2 * KERN_REMAP_MARGIN;
	for (uint32_t i = 0; shape->tiled && i < maps->map_count; i++)
		for (uint32_t first = 0; first < maps->maps[i].height;
			first += shape->rows) {
			const uint32_t left = maps->maps[i].height - first;
			const struct pv_room_reach reach = pv_room_reach(frame, i, first,
				first + (left < shape->rows ? left : shape->rows));
			if (reach.bottom - reach.top > (int32_t)rows)
				rows = (uint32_t)(reach.bottom - reach.top);
		}
	shape->band = rows * frame->picture->stride;
	shape->out = (size_t)shape->views * shape->rows * width * pixel;
	return 1;
}

static int
fit_room(const struct pv_gpu *gpu, void **room, size_t *has, size_t wanted)
{
	if (*has >= wanted)
		return 0;
	gpu->calls->release(*room);
	*room = NULL;
	*has = 0;
	int rc = gpu->calls->reserve(wanted, room);
	if (rc < 0)
		*room = NULL;
	else
		*has = wanted;
	return rc;
}

static int
fit(struct pv_gpu *gpu, struct pv_gpu_frame *frame)
{
	int rc = fit_room(gpu, &frame->band, &frame->band_room, frame->shape.band);
	return rc == 0 ? fit_room(gpu, &frame->out, &frame->out_room, frame->shape.out)
		       : rc;
}

/* Gives back what no frame uses; whether there was anything. */
static int
release_idle(struct pv_gpu *gpu)
{
	int freed = pv_room_shrink(gpu, 0);
	for (uint32_t i = 0; i < gpu->frame_count; i++) {
		struct pv_gpu_frame *frame = &gpu->frames[i];
		if (frame->taken || (frame->band == NULL && frame->out == NULL))
			continue;
		pv_room_release(gpu, frame);
		freed = 1;
	}
	return freed;
}

static int
draw_charts(struct pv_gpu *gpu, struct pv_gpu_frame *frame, int thin)
{
	const struct pv_charts_options options = {gpu->calls, gpu->in, thin};
	struct pv_charts *charts;
	int rc = pv_charts_new(&options, frame->maps, &charts);
	if (rc < 0)
		return rc;
	charts->next = gpu->charts;
	charts->users = 1;
	gpu->charts = charts;
	frame->charts = charts;
	return gpu->calls->wait(gpu->in);
}

/* How many such frames there is memory for, beside those that have theirs. */
static int
count_frames(struct pv_gpu *gpu, struct pv_gpu_frame *frame)
{
	size_t vacant = 0;
	int rc = gpu->calls->vacant(&vacant);
	if (rc < 0)
		return rc;
	shape_at(frame, 0, &frame->shape);
	uint64_t fit = vacant / (frame->shape.band + frame->shape.out);
	fit += gpu->taken - 1;
	gpu->most = fit < 1		     ? 1
		    : fit < gpu->frame_count ? (uint32_t)fit
					     : gpu->frame_count;
	return 0;
}

/* The charts of a frame's maps, drawn where they are not there yet. */
static int
find_charts(struct pv_gpu *gpu, struct pv_gpu_frame *frame)
{
	struct pv_charts *charts = gpu->charts;
	while (charts != NULL && charts->serial != frame->maps->serial)
		charts = charts->next;
	if (charts != NULL) {
		frame->charts = charts;
		charts->users++;
		return 0;
	}
	pv_room_shrink(gpu, SIZES - 1);
	int rc = draw_charts(gpu, frame, 0);
	return rc == 0 ? count_frames(gpu, frame) : rc;
}

/* Waits for a turn.  NULL: the GPU is lost. */
static struct pv_gpu_frame *
take(struct pv_gpu *gpu)
{
	while (!gpu->lost && gpu->taken >= gpu->most)
		pthread_cond_wait(&gpu->changed, &gpu->lock);
	if (gpu->lost)
		return NULL;
	struct pv_gpu_frame *frame = gpu->frames;
	/* One with rooms, if there is one. */
	for (uint32_t i = 0; i < gpu->frame_count; i++)
		if (!gpu->frames[i].taken &&
			(frame->taken || gpu->frames[i].band_room > frame->band_room))
			frame = &gpu->frames[i];
	frame->taken = 1;
	frame->charts = NULL;
	gpu->taken++;
	return frame;
}

static void
give_back(struct pv_gpu *gpu, struct pv_gpu_frame *frame)
{
	if (frame->charts != NULL)
		frame->charts->users--;
	frame->charts = NULL;
	frame->taken = 0;
	gpu->taken--;
	pthread_cond_broadcast(&gpu->changed);
}

void
pv_room_give_back(struct pv_gpu *gpu, struct pv_gpu_frame *frame)
{
	pthread_mutex_lock(&gpu->lock);
	give_back(gpu, frame);
	pthread_mutex_unlock(&gpu->lock);
}

/* Down the ladder of shapes, as long as memory is short and the frame is alone. */
static int
climb_down(struct pv_gpu *gpu, struct pv_gpu_frame *frame)
{
	unsigned level = frame->charts->level;
	while (shape_at(frame, level, &frame->shape)) {
		int rc = fit(gpu, frame);
		if (rc == 0)
			frame->charts->level = level;
		if (rc != -ENOMEM)
			return rc;
		pv_room_release(gpu, frame);
		if (release_idle(gpu))
			continue;
		if (gpu->taken > 1)
			break;
		level++;
	}
	return -ENOMEM;
}

/* Rooms for the frame at hand, the lock being held: 0; 1: its turn comes again, when fewer
 * are there; or a negative errno. */
static int
make_room(struct pv_gpu *gpu, struct pv_gpu_frame *frame)
{
	int rc = find_charts(gpu, frame);
	if (rc == -ENOMEM && release_idle(gpu))
		rc = find_charts(gpu, frame);
	rc = rc == 0 ? climb_down(gpu, frame) : rc;
	/* Places take the room of others; the geometry takes time in their place. */
	if (rc == -ENOMEM && gpu->taken == 1 && frame->charts != NULL &&
		!frame->charts->thin) {
		frame->charts->users--;
		frame->charts = NULL;
		pv_room_shrink(gpu, 0);
		rc = draw_charts(gpu, frame, 1);
		rc = rc == 0 ? climb_down(gpu, frame) : rc;
	}
	if (rc != -ENOMEM || gpu->taken == 1)
		return rc;
	gpu->most = gpu->taken / 2;
	return 1;
}

int
pv_room_find(struct pv_gpu *gpu, const struct kern_remap_picture *picture,
	const struct pv_maps *maps, struct pv_gpu_frame **found)
{
	struct pv_gpu_frame *frame;
	int rc;
	pthread_mutex_lock(&gpu->lock);
	do {
		frame = take(gpu);
		rc = -ENODEV;
		if (frame == NULL)
			break;
		frame->picture = picture;
		frame->maps = maps;
		rc = make_room(gpu, frame);
		if (rc != 0)
			give_back(gpu, frame);
	} while (rc > 0);
	pthread_mutex_unlock(&gpu->lock);
	if (rc == 0)
		*found = frame;
	return rc;
}
