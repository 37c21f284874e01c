/* SPDX-License-Identifier: BSD-2-Clause */
/* check_remap.c - remap.h against its statement in double precision, and the variants
 * against the plain C. */
#include "kernels/caps.h"
#include "kernels/remap.h"
#include "kernels/view.h"
#include "tests/kernels/ck.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define CHANNELS KERN_REMAP_CHANNELS
#define MARGIN	 KERN_REMAP_MARGIN
#define COUNT	 600 /* more than a variant places at once */
#define FEW	 100

static const char *const filter_names[] = {"nearest", "bilinear", "bicubic", "lanczos3"};
static const char *const type_names[] = {"u8", "u16", "float"};

/* A panorama with its margin, and places in it. */
struct subject {
	struct kern_remap_picture picture;
	struct kern_remap_weights weights;
	void *memory;
	int32_t u[COUNT], v[COUNT];
};

/* Hostile: what a file may hold though no light is like that. */
static float
a_float(uint32_t kind, int hostile)
{
	static const float odd[] = {NAN, -NAN, INFINITY, -INFINITY, 0.0f, -0.0f, 1e-40f,
		-1e-45f, 3e38f, -3e38f};
	if (hostile && kind > 0 && ck_random(16) == 0)
		return odd[ck_random(sizeof odd / sizeof odd[0])];
	return (float)ck_uniform(-2.0, 5.0);
}

static void
fill(struct subject *s, size_t values, int hostile)
{
	uint32_t kind = ck_random(3);
	for (size_t i = 0; i < values; i++) {
		/* Anything, or nothing but the ends, where overshoot shows. */
		double x = kind == 0 ? ck_uniform(0.0, 1.0) : (double)ck_random(2);
		if (s->picture.type == KERN_REMAP_U8)
			((uint8_t *)s->memory)[i] = (uint8_t)(255.0 * x);
		else if (s->picture.type == KERN_REMAP_U16)
			((uint16_t *)s->memory)[i] = (uint16_t)(65535.0 * x);
		else
			((float *)s->memory)[i] = a_float(kind, hostile);
	}
}

static void
draw(struct subject *s, enum kern_remap_type type, uint32_t width, int hostile)
{
	const uint32_t height = width / 2, first = ck_random(height);
	/* A few rows of the widest are enough to read, and not too many to fill. */
	const uint32_t most_rows = width > 1000 ? 3 : height - first;
	const uint32_t rows =
		1 + ck_random(height - first < most_rows ? height - first : most_rows);
	const size_t pixel = kern_remap_pixel(type);
	const size_t stride = (width + 2 * MARGIN + ck_random(5)) * pixel;
	const size_t all = stride * (rows + 2 * MARGIN);
	s->memory = malloc(all);
	if (s->memory == NULL)
		abort();
	s->picture = (struct kern_remap_picture){
		.pixels = (char *)s->memory + MARGIN * (stride + pixel),
		.stride = stride,
		.width = width,
		.height = height,
		.first_row = first,
		.row_count = rows,
		.type = type,
	};
	fill(s, all / (pixel / CHANNELS), hostile);
	kern_remap_pad(&s->picture);
	/* Only rows whose neighbours are there, or lie beyond a pole. */
	const int64_t half = KERN_VIEW_ONE / 2, one = KERN_VIEW_ONE;
	for (int i = 0; i < COUNT; i++) {
		int64_t least = first * one - (first == 0 ? half : 0);
		int64_t most =
			(first + rows - 1) * one + (first + rows == height ? half : 0);
		int64_t u = (int64_t)(ck_uniform(0.0, 1.0) * width * one) - half;
		s->u[i] = (int32_t)(ck_random(8) == 0 ? u / half * half : u);
		s->v[i] = (int32_t)(least + (int64_t)(ck_uniform(0.0, 1.0) *
						      (double)(most - least)));
		if (ck_random(16) == 0)
			s->v[i] = (int32_t)(ck_random(2) ? least : most);
	}
}

static double
value_at(const struct subject *s, int64_t column, int64_t row, int channel)
{
	const struct kern_remap_picture *p = &s->picture;
	const int64_t width = p->width, height = p->height;
	const int64_t first = p->first_row, last = first + p->row_count - 1;
	if (row < 0 || row >= height) {
		row = row < 0 ? -1 - row : 2 * height - 1 - row;
		column += width / 2;
	}
	row = row < first ? first : row > last ? last : row;
	column = (column % width + width) % width;
	const char *at = (const char *)p->pixels + (row - first) * (int64_t)p->stride;
	size_t i = (size_t)column * CHANNELS + (size_t)channel;
	return p->type == KERN_REMAP_U8	   ? ((const uint8_t *)at)[i]
	       : p->type == KERN_REMAP_U16 ? ((const uint16_t *)(const void *)at)[i]
					   : ((const float *)(const void *)at)[i];
}

/* Keys' and Lanczos' kernels again, as their papers have them. */
static double
weight(enum kern_remap_filter filter, double x)
{
	x = fabs(x);
	if (filter == KERN_REMAP_BILINEAR)
		return x < 1.0 ? 1.0 - x : 0.0;
	if (filter == KERN_REMAP_BICUBIC)
		return x < 1.0	 ? 1.0 - 2.5 * x * x + 1.5 * x * x * x
		       : x < 2.0 ? 2.0 - 4.0 * x + 2.5 * x * x - 0.5 * x * x * x
				 : 0.0;
	if (x == 0.0)
		return 1.0;
	return x < 3.0 ? sin(M_PI * x) / (M_PI * x) * sin(M_PI * x / 3.0) /
				 (M_PI * x / 3.0)
		       : 0.0;
}

static double
sample(const struct subject *s, enum kern_remap_filter filter, int64_t u, int64_t v,
	int channel)
{
	/* Coordinates as coarse as remap.h says. */
	double step = s->picture.type == KERN_REMAP_U8 ? 256.0
		      : filter == KERN_REMAP_BILINEAR  ? 65536.0
						       : 1024.0;
	double x = floor((double)u / KERN_VIEW_ONE * step + 0.5) / step;
	double y = floor((double)v / KERN_VIEW_ONE * step + 0.5) / step;
	if (filter == KERN_REMAP_NEAREST)
		return value_at(s, (int64_t)floor((double)u / KERN_VIEW_ONE + 0.5),
			(int64_t)floor((double)v / KERN_VIEW_ONE + 0.5), channel);
	int64_t column = (int64_t)floor(x), row = (int64_t)floor(y);
	double sum = 0.0, across = 0.0, down = 0.0;
	for (int k = -2; k <= 3; k++) {
		across += weight(filter, x - (double)(column + k));
		down += weight(filter, y - (double)(row + k));
	}
	for (int j = -2; j <= 3; j++)
		for (int i = -2; i <= 3; i++)
			sum += weight(filter, x - (double)(column + i)) *
			       weight(filter, y - (double)(row + j)) *
			       value_at(s, column + i, row + j, channel);
	sum /= across * down;
	double most = s->picture.type == KERN_REMAP_U8 ? 255.0 : 65535.0;
	if (s->picture.type == KERN_REMAP_FLOAT)
		return sum;
	return sum < 0.0 ? 0.0 : sum > most ? most : sum;
}

static struct kern_remap
args_for(struct subject *s, enum kern_remap_filter filter, uint32_t most)
{
	struct kern_remap a = {
		.picture = &s->picture,
		.filter = filter,
		.weights = kern_remap_taps(filter) > 2 ? &s->weights : NULL,
		.u = s->u,
		.v = s->v,
		.shift = ck_random(4) == 0 ? 0
					   : (int32_t)(ck_uniform(0.0, 1.0) *
						       s->picture.width * KERN_VIEW_ONE),
		.count = 1 + ck_random(most),
	};
	if (a.weights != NULL)
		kern_remap_fill(filter, &s->weights);
	return a;
}

static double
got(const struct kern_remap *a, size_t i)
{
	return a->picture->type == KERN_REMAP_U8    ? ((uint8_t *)a->to)[i]
	       : a->picture->type == KERN_REMAP_U16 ? ((uint16_t *)a->to)[i]
						    : (double)((float *)a->to)[i];
}

static void
check_meaning(enum kern_remap_type type, enum kern_remap_filter filter)
{
	/* Rounding of the result; of weights to 2^-14 and of half sums too in u8. */
	static const double limits[] = {0.51, 0.51, 0.7, 0.8};
	double limit = type == KERN_REMAP_FLOAT ? 1e-5
		       : type == KERN_REMAP_U16 ? 0.55
						: limits[filter];
	double worst = 0.0;
	char name[80];
	for (int round = 0; round < 40; round++) {
		struct subject *s = malloc(sizeof *s);
		float room[FEW * CHANNELS];
		if (s == NULL)
			abort();
		draw(s, type, 2 + 2 * ck_random(40), 0);
		struct kern_remap a = args_for(s, filter, FEW);
		a.to = room;
		kern_remap_c(&a, NULL);
		for (uint32_t i = 0; i < a.count * CHANNELS; i++) {
			double wanted =
				sample(s, filter, (int64_t)s->u[i / CHANNELS] + a.shift,
					s->v[i / CHANNELS], (int)(i % CHANNELS));
			ck_worst(&worst, fabs(got(&a, i) - wanted));
		}
		free(s->memory);
		free(s);
	}
	snprintf(name, sizeof name, "remap %s %s: the meaning", type_names[type],
		filter_names[filter]);
	ck_judge(name, worst, limit);
}

/* The same bits; which NaN a NaN is, no sum says. */
static int
are_alike(const struct kern_remap *a, const float *wanted, const float *room)
{
	const enum kern_remap_type type = a->picture->type;
	if (type != KERN_REMAP_FLOAT)
		return memcmp(wanted, room, a->count * kern_remap_pixel(type)) == 0;
	for (size_t i = 0; i < (size_t)a->count * CHANNELS; i++)
		if (memcmp(&wanted[i], &room[i], sizeof room[i]) != 0 &&
			!(isnan(wanted[i]) && isnan(room[i])))
			return 0;
	return 1;
}

static void
check_variant(kern_remap_fn *fn, const char *variant, enum kern_remap_type type,
	enum kern_remap_filter filter)
{
	int same = 1, intact = 1;
	char name[100];
	for (int round = 0; round < 60; round++) {
		struct subject *s = malloc(sizeof *s);
		if (s == NULL)
			abort();
		/* Up to the widest, where sums of coordinates come near 2^31. */
		draw(s, type, round % 20 == 0 ? 32766 : 2 + 2 * ck_random(300), 1);
		struct kern_remap a = args_for(s, filter, ck_random(2) ? COUNT : FEW);
		size_t floats = (a.count * kern_remap_pixel(type) + 3) / 4;
		float *wanted = ck_floats(floats, 0), *room = ck_floats(floats, 1);
		a.to = wanted;
		kern_remap_c(&a, NULL);
		a.to = room;
		same = same && fn(&a, NULL) == 0 && are_alike(&a, wanted, room);
		intact = ck_release(wanted) && ck_release(room) && intact;
		free(s->memory);
		free(s);
	}
	snprintf(name, sizeof name, "remap %s %s: %s has the plain C's bits",
		type_names[type], filter_names[filter], variant);
	ck_true(name, same && intact);
}

/* Some floats around a place, within the panorama and its margin. */
static void
fill_around(const struct subject *s, int i)
{
	const struct kern_remap_picture *p = &s->picture;
	for (int y = -2; y <= 3; y++)
		for (int x = -2; x <= 3; x++) {
			int64_t row = (s->v[i] >> KERN_VIEW_BITS) + y;
			int64_t column = (s->u[i] >> KERN_VIEW_BITS) + x;
			float *at =
				(float *)(void *)((char *)p->pixels +
						  row * (int64_t)p->stride + column * 16);
			for (int c = 0; c < CHANNELS; c++)
				at[c] = (float)ck_uniform(-2.0, 5.0);
		}
}

/* The largest picture of floats lies beyond 32 bits; only what is read is ever there. */
static void
check_largest(kern_remap_fn *fn, const char *variant)
{
	struct subject *s = malloc(sizeof *s);
	const size_t stride = (16384 + 2 * MARGIN) * 16,
		     all = stride * (8192 + 2 * MARGIN);
	float wanted[FEW * CHANNELS], got[FEW * CHANNELS];
	char name[80];
	snprintf(name, sizeof name, "remap: %s in 2 GiB", variant);
	if (s == NULL)
		abort();
	s->memory = mmap(NULL, all, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (s->memory == MAP_FAILED) {
		ck_skip(name, "no room for that");
		free(s);
		return;
	}
	s->picture =
		(struct kern_remap_picture){(char *)s->memory + MARGIN * (stride + 16),
			stride, 16384, 8192, 0, 8192, KERN_REMAP_FLOAT};
	for (int i = 0; i < FEW; i++) {
		const int32_t low = i % 2 ? 8191 : (int32_t)ck_random(8191);
		s->u[i] = (int32_t)(ck_uniform(0.0, 16383.0) * KERN_VIEW_ONE);
		s->v[i] = low * KERN_VIEW_ONE + (int32_t)ck_random(KERN_VIEW_ONE / 2);
		fill_around(s, i);
	}
	struct kern_remap a = args_for(s, KERN_REMAP_LANCZOS3, FEW);
	a.shift = 0;
	a.to = wanted;
	kern_remap_c(&a, NULL);
	a.to = got;
	ck_true(name, fn(&a, NULL) == 0 && are_alike(&a, wanted, got));
	munmap(s->memory, all);
	free(s);
}

/* An even grey must stay what it is, whatever the filter. */
static void
check_weights(void)
{
	int sums = 1;
	struct kern_remap_weights *w = malloc(sizeof *w);
	if (w == NULL)
		abort();
	for (int filter = KERN_REMAP_BICUBIC; filter <= KERN_REMAP_LANCZOS3; filter++) {
		kern_remap_fill((enum kern_remap_filter)filter, w);
		for (int i = 0; i < 256; i++) {
			int sum = 0;
			for (int tap = 0; tap < 6; tap++)
				sum += w->fixed[i][tap];
			sums = sums && sum == 1 << 14;
		}
	}
	free(w);
	ck_true("remap: weights sum to 2^14", sums);
}

void
check_remap(void)
{
	check_weights();
	for (int type = KERN_REMAP_U8; type <= KERN_REMAP_FLOAT; type++)
		for (int filter = 0; filter <= KERN_REMAP_LANCZOS3; filter++)
			check_meaning((enum kern_remap_type)type,
				(enum kern_remap_filter)filter);
	for (size_t i = 0; i < CK_CAPS; i++) {
		kern_remap_fn *fn = kern_remap_pick(ck_caps[i].bit);
		char name[80];
		if (fn == kern_remap_c)
			continue;
		snprintf(name, sizeof name, "remap: %s", ck_caps[i].name);
		if (!(kern_caps_machine() & ck_caps[i].bit)) {
			ck_skip(name, ck_caps[i].name);
			continue;
		}
		for (int type = KERN_REMAP_U8; type <= KERN_REMAP_FLOAT; type++)
			for (int filter = 0; filter <= KERN_REMAP_LANCZOS3; filter++)
				check_variant(fn, ck_caps[i].name,
					(enum kern_remap_type)type,
					(enum kern_remap_filter)filter);
		check_largest(fn, ck_caps[i].name);
	}
}
