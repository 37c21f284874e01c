/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gpu-bench-pano cuda|imitation [--width W] [--view W] [--threads N] [--round] - what
 * pano-views' kernel takes on a GPU, and whether it gave the plain C's bits: eight views at
 * 90 degrees, every 45, 16:9, out of a panorama of noise.
 *
 * For each filter prints ms a view of the kernel alone, by maps and by the geometry, and how
 * much of the memory's own speed, measured by a copy on the device, it reaches with the
 * bytes that it cannot do without; then ms a frame of what pano-views does with it, band
 * there and views back, by one thread and by several.  --round prints only ms a view of the
 * bilinear kernel.  Exit status: 0 where all bits are right, 1 where not, 77 where there is
 * no GPU.
 */
#include "contrib/gpu-speed.h"
#include "plugins/pano-views/gpu.h"
#include "tests/kernels/imitation.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NO_GPU = 77, VIEWS = 8, FRAMES = 40, THREADS_MOST = 64 };

static const char *const names[] = {"nearest", "bilinear", "bicubic", "lanczos3"};

struct bench {
	const struct pv_device *device;
	uint32_t width, view_width, view_height, threads;
	double seconds; /* that each measurement takes */
	struct pv_view list[VIEWS];
	struct pv_views views;
	struct pv_maps_cache *cache;
	const struct pv_maps *maps;
	struct kern_remap_picture picture;
	char *memory;
	size_t bytes; /* of the band with its margins */
	struct kern_remap_weights weights;
};

static void
fail(int rc, const char *what)
{
	if (rc == 0)
		return;
	fprintf(stderr, "gpu-bench-pano: %s (%s)\n", what, strerror(-rc));
	exit(1);
}

static void *
room(size_t bytes)
{
	void *made = aligned_alloc(64, (bytes + 63) / 64 * 64);
	fail(made == NULL ? -12 : 0, "no memory");
	return made;
}

static void
draw(struct bench *b)
{
	const struct pv_place place = {.width = b->width, .height = b->width / 2};
	for (uint32_t i = 0; i < VIEWS; i++)
		b->list[i] = (struct pv_view){
			"", 45.0 * i, 0, 0, 90, b->view_width, b->view_height};
	b->views = (struct pv_views){VIEWS, b->list};
	b->cache = pv_maps_cache_new(&b->views, 0);
	b->maps = b->cache == NULL ? NULL : pv_maps_get(b->cache, &place);
	fail(b->maps == NULL ? -12 : 0, "no memory for maps");
	const size_t stride = (b->width + (size_t)2 * KERN_REMAP_MARGIN) * 4;
	b->bytes = stride * (b->maps->row_count + (size_t)2 * KERN_REMAP_MARGIN);
	b->memory = room(b->bytes);
	uint32_t noise = 1;
	for (size_t i = 0; i < b->bytes; i++) {
		noise = noise * UINT32_C(1664525) + UINT32_C(1013904223);
		b->memory[i] = (char)(noise >> 24);
	}
	b->picture = (struct kern_remap_picture){
		.pixels = b->memory + KERN_REMAP_MARGIN * (stride + 4),
		.stride = stride,
		.width = b->width,
		.height = b->width / 2,
		.first_row = b->maps->first_row,
		.row_count = b->maps->row_count,
		.type = KERN_REMAP_U8,
	};
	kern_remap_pad(&b->picture);
}

static void *
put(const struct bench *b, const void *from, size_t bytes, void *stream)
{
	struct gpu_rows rows = {NULL, from, bytes, bytes, bytes, 1};
	fail(b->device->calls->reserve(bytes, &rows.to), "no device memory");
	if (from != NULL) {
		fail(b->device->calls->copy_in(&rows, stream), "copying fails");
		fail(b->device->calls->wait(stream), "copying fails");
	}
	return rows.to;
}

/* The kernel alone: seconds a view. */
static double
time_kernel(const struct bench *b, enum kern_remap_filter filter, int by_map)
{
	const struct pv_map *map = &b->maps->maps[0];
	const size_t pixels = (size_t)map->width * map->height;
	const struct gpu_device *calls = b->device->calls;
	struct kern_remap_walk a = {
		.picture = b->picture, .filter = filter, .row_count = map->height};
	void *stream = NULL, *rooms[5] = {NULL};
	double begin = 0, seconds = 0;
	uint64_t made = 0;
	fail(calls->stream_new(&stream), "no stream");
	char *band = rooms[0] = put(b, b->memory, b->bytes, stream);
	a.picture.pixels = band + ((char *)b->picture.pixels - b->memory);
	a.weights = rooms[1] = put(b, &b->weights, sizeof b->weights, stream);
	a.to = rooms[2] = put(b, NULL, pixels * 4, stream);
	pv_maps_view(b->maps, map, &a.view);
	if (by_map) {
		a.u = rooms[3] = put(b, map->u, pixels * sizeof *map->u, stream);
		a.v = rooms[4] = put(b, map->v, pixels * sizeof *map->v, stream);
	}
	for (int warm = 0; warm < 2; warm++) {
		begin = gpu_speed_now();
		made = 0;
		do {
			for (uint32_t i = 0; i < VIEWS; i++, made++) {
				a.shift = b->maps->views[i].shift;
				fail(b->device->remap(&a, stream), "a launch fails");
			}
			if (made % (VIEWS * 16) == 0 || b->seconds <= 0)
				fail(calls->wait(stream), "the kernel fails");
			seconds = gpu_speed_now() - begin;
		} while (warm && seconds < b->seconds);
		fail(calls->wait(stream), "the kernel fails");
		seconds = gpu_speed_now() - begin;
	}
	for (size_t i = 0; i < sizeof rooms / sizeof *rooms; i++)
		calls->release(rooms[i]);
	calls->stream_free(stream);
	return seconds / (double)made;
}

/* Frames by pano-views' own way, some by each thread. */
struct worker {
	const struct bench *b;
	struct pv_gpu *gpu;
	char *views;
	uint32_t frames;
	pthread_t thread;
};

static void *
work(void *context)
{
	static const uint32_t numbers[VIEWS] = {0, 1, 2, 3, 4, 5, 6, 7};
	const struct worker *w = context;
	struct fmt_err err = {0};
	for (uint32_t i = 0; i < w->frames; i++) {
		struct pv_gpu_order order = {
			.count = VIEWS, .views = numbers, .to = w->views};
		int rc = pv_gpu_put(
			w->gpu, &w->b->picture, w->b->maps, &order.frame, &err);
		rc = rc == 0 ? pv_gpu_make(w->gpu, &order, &err) : rc;
		fail(rc, err.text);
		pv_gpu_drop(w->gpu, order.frame);
	}
	return NULL;
}

/* Seconds a frame; the views of the last one lie at *views, for free(3). */
static double
time_frames(
	struct bench *b, enum kern_remap_filter filter, uint32_t threads, char **views)
{
	const struct pv_map *map = &b->maps->maps[0];
	const size_t bytes = (size_t)VIEWS * map->width * map->height * 4;
	const struct pv_gpu_options options = {b->device, 0, filter,
		kern_remap_taps(filter) > 2 ? &b->weights : NULL, threads};
	struct worker workers[THREADS_MOST];
	struct fmt_err err = {0};
	struct pv_gpu *gpu = NULL;
	fail(pv_gpu_new(&options, &gpu, &err), err.text);
	pv_gpu_hold(gpu, b->memory, b->bytes);
	for (uint32_t i = 0; i < threads; i++) {
		workers[i] = (struct worker){b, gpu, room(bytes), 1, 0};
		pv_gpu_hold(gpu, workers[i].views, bytes);
		work(&workers[i]);
		workers[i].frames = b->seconds > 0 ? FRAMES : 1;
	}
	double begin = gpu_speed_now();
	for (uint32_t i = 0; i < threads; i++)
		fail(-pthread_create(&workers[i].thread, NULL, work, &workers[i]),
			"no thread");
	for (uint32_t i = 0; i < threads; i++)
		pthread_join(workers[i].thread, NULL);
	double seconds = gpu_speed_now() - begin;
	for (uint32_t i = 0; i < threads; i++)
		pv_gpu_let_go(gpu, workers[i].views);
	pv_gpu_let_go(gpu, b->memory);
	pv_gpu_free(gpu);
	for (uint32_t i = 1; i < threads; i++)
		free(workers[i].views);
	*views = workers[0].views;
	return seconds / (threads * workers[0].frames);
}

/* Views by the plain C: the number of bytes that differ. */
static uint64_t
count_wrong(const struct bench *b, enum kern_remap_filter filter, const char *views)
{
	const struct pv_map *map = &b->maps->maps[0];
	const size_t row = (size_t)map->width * 4;
	char *wanted = room(row);
	uint64_t wrong = 0;
	for (uint32_t i = 0; i < VIEWS; i++)
		for (uint32_t y = 0; y < map->height; y++) {
			struct kern_remap a = {&b->picture, filter, &b->weights,
				map->u + map->starts[y], map->v + map->starts[y],
				b->maps->views[i].shift, map->width, wanted};
			kern_remap_c(&a, NULL);
			for (size_t k = 0; k < row; k++)
				wrong += wanted[k] !=
					 views[(i * (size_t)map->height + y) * row + k];
		}
	free(wanted);
	return wrong;
}

/* The band once for all views, the map once a view, the views once. */
static double
floor_bytes(const struct bench *b)
{
	const double pixels = (double)b->view_width * b->view_height;
	return (double)b->bytes / VIEWS + pixels * (8 + 4);
}

static uint64_t
run_case(struct bench *b, enum kern_remap_filter filter, double memory)
{
	char *views;
	if (kern_remap_taps(filter) > 2)
		kern_remap_fill(filter, &b->weights);
	for (int by_map = 1; by_map >= 0; by_map--) {
		double seconds = time_kernel(b, filter, by_map);
		printf("%-8s by %-8s %9.4f ms a view", names[filter],
			by_map ? "maps" : "geometry", 1e3 * seconds);
		if (memory > 0)
			printf(", %5.1f %% of the memory's speed",
				100.0 * floor_bytes(b) / seconds / memory);
		printf("\n");
	}
	double one = time_frames(b, filter, 1, &views);
	uint64_t wrong = count_wrong(b, filter, views);
	free(views);
	double many = time_frames(b, filter, b->threads, &views);
	wrong += count_wrong(b, filter, views);
	free(views);
	printf("%-8s a frame there and back %7.2f ms by one thread, %7.2f by %u; %llu "
	       "bytes differ from the plain C\n",
		names[filter], 1e3 * one, 1e3 * many, b->threads,
		(unsigned long long)wrong);
	return wrong;
}

int
main(int argc, char **argv)
{
	struct bench b = {
		.width = 7680, .view_width = 1920, .threads = 8, .seconds = 0.5};
	int round = 0;
	uint64_t wrong = 0;
	char why[256] = "";
	if (argc < 2)
		return 2;
	const int cuda = strcmp(argv[1], "cuda") == 0;
	b.device = cuda ? &pv_device_cuda : &imitation_pano;
	b.seconds = cuda ? b.seconds : 0;
	for (int i = 2; i < argc; i++) {
		if (strcmp(argv[i], "--round") == 0)
			round = 1;
		else if (strcmp(argv[i], "--width") == 0 && i + 1 < argc)
			b.width = (uint32_t)strtoul(argv[++i], NULL, 10);
		else if (strcmp(argv[i], "--view") == 0 && i + 1 < argc)
			b.view_width = (uint32_t)strtoul(argv[++i], NULL, 10);
		else if (strcmp(argv[i], "--threads") == 0 && i + 1 < argc)
			b.threads = (uint32_t)strtoul(argv[++i], NULL, 10);
		else
			return 2;
	}
	b.view_height = b.view_width * 9 / 16;
	if (b.width < 16 || b.width % 4 != 0 || b.width > 16384 || b.view_width < 16 ||
		b.view_width > 8192 || b.threads < 1 || b.threads > THREADS_MOST)
		return 2;
	if (b.device->calls->open(0, why, sizeof why) < 0) {
		printf("no GPU: %s\n", why);
		return NO_GPU;
	}
	draw(&b);
	if (round) {
		printf("%.6f\n", 1e3 * time_kernel(&b, KERN_REMAP_BILINEAR, 1));
		return 0;
	}
	double memory = cuda ? gpu_speed_of_memory() : 0;
	if (memory > 0)
		printf("a copy on the device: %.0f GB/s; floor of a view %.4f ms\n",
			memory * 1e-9, 1e3 * floor_bytes(&b) / memory);
	for (int filter = KERN_REMAP_NEAREST; filter <= KERN_REMAP_LANCZOS3; filter++)
		wrong += run_case(&b, (enum kern_remap_filter)filter, memory);
	pv_maps_put(b.cache, b.maps);
	pv_maps_cache_free(b.cache);
	free(b.memory);
	return wrong > 0;
}
