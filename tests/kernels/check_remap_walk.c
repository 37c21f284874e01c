/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check_remap_walk.c - views a thread a pixel, by maps and by the geometry, on each device
 * there is, against the plain C.
 */
#include "kernels/remap_walk.h"
#include "tests/kernels/ck.h"
#include "tests/kernels/imitation.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MARGIN KERN_REMAP_MARGIN

enum { SIDE = 40, SAMPLES = SIDE * SIDE * 9, ROUNDS = 12 };

static const char *const filter_names[] = {"nearest", "bilinear", "bicubic", "lanczos3"};
static const char *const type_names[] = {"u8", "u16", "float"};

/* A panorama, a view of it, and where all of its samples lie. */
struct subject {
	struct kern_remap_picture picture;
	struct kern_remap_weights weights;
	struct kern_view view;
	char *memory, *samples, *wanted, *got;
	size_t bytes;
	int32_t shift, u[SAMPLES], v[SAMPLES];
	uint8_t plan[SIDE * SIDE];
	uint32_t first[SIDE * SIDE];
	uint32_t sample_count;
};

static void *
room(size_t bytes)
{
	void *made = aligned_alloc(64, (bytes + 63) / 64 * 64);
	if (made == NULL)
		abort();
	return made;
}

static void
draw_picture(struct subject *s, enum kern_remap_type type)
{
	const size_t pixel = kern_remap_pixel(type);
	const uint32_t width = 2 + 2 * ck_random(150), height = width / 2;
	const size_t stride = (width + 2 * MARGIN + ck_random(4)) * pixel;
	s->bytes = stride * (height + 2 * MARGIN);
	s->memory = room(s->bytes);
	for (size_t i = 0; i < s->bytes / (pixel / 4); i++)
		if (type == KERN_REMAP_FLOAT)
			((float *)(void *)s->memory)[i] = (float)ck_uniform(-2.0, 5.0);
		else if (type == KERN_REMAP_U16)
			((uint16_t *)(void *)s->memory)[i] = (uint16_t)ck_random(65536);
		else
			s->memory[i] = (char)ck_random(256);
	s->picture = (struct kern_remap_picture){
		.pixels = s->memory + MARGIN * (stride + pixel),
		.stride = stride,
		.width = width,
		.height = height,
		.row_count = height,
		.type = type,
	};
	kern_remap_pad(&s->picture);
}

/* The view's geometry with up to nine samples a pixel. */
static void
draw_view(struct subject *s, int planned)
{
	uint32_t at = 0;
	for (uint32_t i = 0; i < s->view.width * s->view.height; i++) {
		const uint32_t n = planned ? s->plan[i] & 15 : 1;
		const uint32_t m = planned ? s->plan[i] >> 4 : 1;
		s->first[i] = at;
		for (uint32_t k = 0; k < n * m; k++, at++)
			kern_view_place(&s->view, i % s->view.width + (k % n + 0.5) / n,
				i / s->view.width + (k / n + 0.5) / m, &s->u[at],
				&s->v[at]);
	}
	s->sample_count = at;
}

static struct subject *
draw(enum kern_remap_type type)
{
	struct subject *s = calloc(1, sizeof *s);
	if (s == NULL)
		abort();
	draw_picture(s, type);
	s->view = (struct kern_view){
		.width = 1 + ck_random(SIDE),
		.height = 1 + ck_random(SIDE),
		.panorama_width = s->picture.width,
		.panorama_height = s->picture.height,
	};
	s->view.focal = kern_view_focal(s->view.width, ck_uniform(5.0, 150.0));
	kern_view_rotation(0.0, ck_random(4) ? ck_uniform(-90.0, 90.0) : 90.0,
		ck_random(2) ? ck_uniform(-180.0, 180.0) : 0.0, s->view.rotation);
	s->shift = kern_view_shift(s->picture.width, ck_uniform(0.0, 360.0));
	for (size_t i = 0; i < sizeof s->plan; i++)
		s->plan[i] = (uint8_t)(1 + ck_random(3) + ((1 + ck_random(3)) << 4));
	s->samples = room(SAMPLES * kern_remap_pixel(type));
	s->wanted = room(SIDE * SIDE * kern_remap_pixel(type));
	s->got = room(SIDE * SIDE * kern_remap_pixel(type));
	return s;
}

static void
drop(struct subject *s)
{
	free(s->memory);
	free(s->samples);
	free(s->wanted);
	free(s->got);
	free(s);
}

/* By the plain C, of the samples that there are. */
static void
make_wanted(struct subject *s, enum kern_remap_filter filter, int planned)
{
	struct kern_remap a = {
		.picture = &s->picture,
		.filter = filter,
		.weights = kern_remap_taps(filter) > 2 ? &s->weights : NULL,
		.u = s->u,
		.v = s->v,
		.shift = s->shift,
		.count = s->sample_count,
		.to = planned ? s->samples : s->wanted,
	};
	const struct kern_supersample mean = {s->picture.type, s->plan,
		s->view.width * s->view.height, s->samples, s->wanted};
	kern_remap_c(&a, NULL);
	if (planned)
		kern_supersample_mean_c(&mean, NULL);
}

/* What one call has there. */
struct session {
	const struct gpu_device *calls;
	void *stream, *rooms[8];
	int count, rc;
};

static void *
put(struct session *s, const void *from, size_t bytes)
{
	void *made = NULL;
	const struct gpu_rows rows = {NULL, from, bytes, bytes, bytes, 1};
	s->rc = s->rc == 0 ? s->calls->reserve(bytes, &made) : s->rc;
	if (s->rc < 0)
		return NULL;
	s->rooms[s->count++] = made;
	struct gpu_rows to = rows;
	to.to = made;
	if (from != NULL)
		s->rc = s->calls->copy_in(&to, s->stream);
	return made;
}

/* The view in two parts, as tiles are. */
static int
make_got(struct subject *s, const struct pv_device *device, enum kern_remap_filter filter,
	int planned, int by_map)
{
	const size_t pixels = (size_t)s->view.width * s->view.height;
	const size_t bytes = pixels * kern_remap_pixel(s->picture.type);
	struct session there = {.calls = device->calls};
	there.rc = device->calls->stream_new(&there.stream);
	struct kern_remap_walk a = {
		.picture = s->picture,
		.filter = filter,
		.view = s->view,
		.shift = s->shift,
		.to = put(&there, NULL, bytes),
	};
	char *to = a.to, *band = put(&there, s->memory, s->bytes);
	a.picture.pixels = band + ((char *)s->picture.pixels - s->memory);
	if (kern_remap_taps(filter) > 2)
		a.weights = put(&there, &s->weights, sizeof s->weights);
	if (by_map) {
		a.u = put(&there, s->u, s->sample_count * sizeof *s->u);
		a.v = put(&there, s->v, s->sample_count * sizeof *s->v);
	}
	if (planned) {
		a.plan = put(&there, s->plan, pixels);
		a.first = put(&there, s->first, pixels * sizeof *s->first);
	}
	const uint32_t cut = ck_random(s->view.height + 1);
	const uint32_t rows[] = {0, cut, s->view.height};
	for (int i = 0; there.rc == 0 && i < 2; i++) {
		a.first_row = rows[i];
		a.row_count = rows[i + 1] - rows[i];
		a.to = to + rows[i] * (bytes / s->view.height);
		there.rc = device->remap(&a, there.stream);
	}
	const struct gpu_rows back = {s->got, to, bytes, bytes, bytes, 1};
	there.rc = there.rc == 0 ? there.calls->copy_out(&back, there.stream) : there.rc;
	there.rc = there.rc == 0 ? there.calls->wait(there.stream) : there.rc;
	for (int i = 0; i < there.count; i++)
		there.calls->release(there.rooms[i]);
	there.calls->stream_free(there.stream);
	return there.rc;
}

static void
check_case(const struct pv_device *device, enum kern_remap_type type,
	enum kern_remap_filter filter)
{
	int same[2] = {1, 1};
	char name[120];
	for (int round = 0; round < ROUNDS; round++) {
		struct subject *s = draw(type);
		const int planned = round % 2, by_map = round % 4 < 2;
		if (kern_remap_taps(filter) > 2)
			kern_remap_fill(filter, &s->weights);
		draw_view(s, planned);
		make_wanted(s, filter, planned);
		same[by_map] = same[by_map] &&
			       make_got(s, device, filter, planned, by_map) == 0 &&
			       memcmp(s->wanted, s->got,
				       (size_t)s->view.width * s->view.height *
					       kern_remap_pixel(type)) == 0;
		drop(s);
	}
	for (int by_map = 0; by_map < 2; by_map++) {
		snprintf(name, sizeof name,
			"remap %s %s: %s by %s has the plain C's bits", type_names[type],
			filter_names[filter], device->calls->name,
			by_map ? "maps" : "geometry");
		ck_true(name, same[by_map]);
	}
}

void
check_remap_walk(void)
{
#ifdef KILN_CUDA
	const struct pv_device *cuda = &pv_device_cuda;
#else
	const struct pv_device *cuda = NULL;
#endif
	const struct pv_device *devices[] = {&imitation_pano, cuda};
	for (size_t i = 0; i < sizeof devices / sizeof *devices; i++) {
		char why[200] = "built without nvcc", reason[220];
		if (devices[i] == NULL ||
			devices[i]->calls->open(0, why, sizeof why) < 0) {
			snprintf(reason, sizeof reason, "cuda: %s", why);
			ck_skip("remap: views on a GPU", reason);
			continue;
		}
		for (int type = KERN_REMAP_U8; type <= KERN_REMAP_FLOAT; type++)
			for (int filter = 0; filter <= KERN_REMAP_LANCZOS3; filter++)
				check_case(devices[i], (enum kern_remap_type)type,
					(enum kern_remap_filter)filter);
	}
}
