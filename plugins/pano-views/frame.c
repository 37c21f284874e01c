/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/pano-views/frame.h"

#include "kernels/supersample.h"
#include "plugins/pano-views/alpha.h"
#include "plugins/pano-views/extras.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* The largest panorama: 16384 x 8192, and one pixel of what is taken for 2:1. */
static const struct fmt_image_limits limits = {16386, UINT64_C(16386) * 8194};

/* A frame that was opened: what it is, how it lies, and what becomes of it. */
struct pv_source {
	const struct fmt_image_info *info;
	struct pv_place place;
	const struct pv_maps *maps;
	enum fmt_image_format format; /* of the views */
};

void
pv_bench_init(struct pv_bench *bench, const struct kiln_host *host,
	const struct pv_state *state)
{
	memset(bench, 0, sizeof *bench);
	bench->host = host;
	bench->state = state;
}

void
pv_bench_free(struct pv_bench *bench)
{
	free(bench->band);
	free(bench->page);
	free(bench->samples);
	free(bench->file);
}

/* A buffer of at least so many bytes, whatever was in it. */
static void *
room(void **buffer, size_t *size, size_t wanted)
{
	if (*size < wanted) {
		free(*buffer);
		*buffer = aligned_alloc(64, (wanted + 63) / 64 * 64);
		*size = *buffer != NULL ? wanted : 0;
	}
	return *buffer;
}

static int
has_alpha(const struct fmt_image_info *info, const struct pv_place *place)
{
	return info->channels % 2 == 0 || place->partial;
}

static double
now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int
read_bytes(int fd, char *to, size_t length)
{
	for (size_t done = 0; done < length;) {
		ssize_t got = read(fd, to + done, length - done);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? -errno : -EIO;
		done += (size_t)got;
	}
	return 0;
}

static int
read_file(struct pv_bench *bench, const struct pv_frame *frame, size_t *length,
	struct fmt_err *err)
{
	struct stat st;
	int fd = bench->host->open_input(bench->host, frame->unit, frame->name);
	if (fd < 0)
		return fmt_err_set(err, fd, "cannot be opened (%s)", strerror(-fd));
	int rc = fstat(fd, &st) < 0 ? -errno : 0;
	*length = (size_t)st.st_size;
	if (rc == 0 && room(&bench->file, &bench->file_room, *length + 1) == NULL)
		rc = -ENOMEM;
	if (rc == 0)
		rc = read_bytes(fd, bench->file, *length);
	close(fd);
	return rc == 0 ? 0 : fmt_err_set(err, rc, "cannot be read (%s)", strerror(-rc));
}

/* The band's memory, and where its pixels lie. */
static int
make_band(struct pv_bench *bench, const struct fmt_image_info *info,
	const struct pv_maps *maps, struct fmt_err *err)
{
	static const enum kern_remap_type types[] = {
		KERN_REMAP_U8, KERN_REMAP_U16, KERN_REMAP_FLOAT};
	const size_t pixel = fmt_image_pixel(info->type);
	const size_t stride =
		((maps->panorama_width + 2 * KERN_REMAP_MARGIN) * pixel + 63) / 64 * 64;
	const size_t rows = maps->row_count + 2 * (size_t)KERN_REMAP_MARGIN;
	char *band = room(&bench->band, &bench->band_room, stride * rows);
	if (band == NULL)
		return fmt_err_set(err, -ENOMEM, "no memory for %zu rows of %u pixels",
			rows, maps->panorama_width);
	bench->picture = (struct kern_remap_picture){
		.pixels = band + KERN_REMAP_MARGIN * (stride + pixel),
		.stride = stride,
		.width = maps->panorama_width,
		.height = maps->panorama_height,
		.first_row = maps->first_row,
		.row_count = maps->row_count,
		.type = types[info->type],
	};
	return 0;
}

/* The frame's part of the band; what it does not cover is transparent black. */
static int
decode(struct pv_bench *bench, struct fmt_image *image, const struct pv_place *place,
	struct fmt_err *err)
{
	const struct fmt_image_info *info = fmt_image_info(image);
	struct kern_remap_picture *picture = &bench->picture;
	const uint32_t past = picture->first_row + picture->row_count;
	const uint32_t first =
		picture->first_row > place->top ? picture->first_row : place->top;
	const uint32_t last =
		past < place->top + info->height ? past : place->top + info->height;
	if (place->partial)
		memset(bench->band, 0, bench->band_room);
	if (first < last) {
		const struct fmt_image_rows wanted = {
			.first = first - place->top,
			.count = last - first,
			.to = (char *)picture->pixels +
			      (first - picture->first_row) * picture->stride +
			      place->left * fmt_image_pixel(info->type),
			.stride = picture->stride,
		};
		int rc = fmt_image_read(image, &wanted, err);
		if (rc < 0)
			return rc;
	}
	if (has_alpha(info, place))
		for (uint32_t row = 0; row < picture->row_count; row++)
			pv_alpha_multiply(info->type,
				(char *)picture->pixels + row * picture->stride,
				picture->width);
	kern_remap_pad(picture);
	return 0;
}

static int
write_file(struct pv_bench *bench, const struct pv_frame *frame, uint32_t number,
	const struct fmt_image_page *page, enum fmt_image_format format,
	struct fmt_err *err)
{
	const char *view = bench->state->views.views[number].name;
	const char *suffix = fmt_image_suffix(format);
	void *bytes;
	size_t length = 0;
	char *name;
	int rc = fmt_image_encode(format, page, &bytes, &length, err);
	if (rc < 0)
		return rc;
	if ((bench->state->flat ? asprintf(&name, "%s_%s%s", frame->stem, view, suffix)
				: asprintf(&name, "%s/%s%s", view, frame->stem, suffix)) <
		0) {
		free(bytes);
		return fmt_err_set(err, -ENOMEM, "no memory for a file name");
	}
	int fd = bench->host->create(bench->host, frame->unit, name, KILN_PRIMARY);
	rc = fd < 0 ? fd : 0;
	for (size_t done = 0; rc == 0 && done < length;) {
		ssize_t wrote = write(fd, (char *)bytes + done, length - done);
		if (wrote < 0 && errno != EINTR)
			rc = -errno;
		done += wrote > 0 ? (size_t)wrote : 0;
	}
	if (rc < 0)
		fmt_err_set(err, rc, "'%s' cannot be written (%s)", name, strerror(-rc));
	if (fd >= 0)
		close(fd);
	free(name);
	free(bytes);
	return rc;
}

/* A row's samples go straight into the view, or are gathered into its pixels. */
static int
remap(struct pv_bench *bench, const struct pv_maps *maps, uint32_t number, char *page)
{
	const struct pv_map *map = &maps->maps[maps->views[number].map];
	const size_t pixel = kern_remap_pixel(bench->picture.type);
	struct kern_remap a = {
		.picture = &bench->picture,
		.filter = bench->state->filter,
		.weights = bench->state->weights,
		.shift = maps->views[number].shift,
	};
	struct kern_supersample mean = {.type = a.picture->type, .count = map->width};
	double start = now();
	for (uint32_t row = 0; row < map->height; row++) {
		char *to = page + row * map->width * pixel;
		a.u = map->u + map->starts[row];
		a.v = map->v + map->starts[row];
		a.count = (uint32_t)(map->starts[row + 1] - map->starts[row]);
		a.to = map->plan == NULL ? to
					 : room(&bench->samples, &bench->samples_room,
						   a.count * pixel);
		if (a.to == NULL)
			return -ENOMEM;
		bench->state->remap(&a, NULL);
		if (map->plan == NULL)
			continue;
		mean.plan = map->plan + (size_t)row * map->width;
		mean.samples = a.to;
		mean.to = to;
		kern_supersample_mean_c(&mean, NULL);
	}
	bench->seconds += now() - start;
	return 0;
}

static int
write_view(struct pv_bench *bench, const struct pv_frame *frame, uint32_t number,
	const struct pv_source *source, struct fmt_err *err)
{
	const struct pv_state *state = bench->state;
	const struct fmt_image_info *info = source->info;
	const struct pv_map *map = &source->maps->maps[source->maps->views[number].map];
	const size_t stride = map->width * fmt_image_pixel(info->type);
	const int alpha = has_alpha(info, &source->place);
	struct pv_extras extras;
	char *pixels = room(&bench->page, &bench->page_room, stride * map->height);
	if (pixels == NULL ||
		pv_extras_make(&extras, info, &source->place, &state->views.views[number],
			(const uint32_t[]){map->width, map->height}) < 0)
		return fmt_err_set(err, -ENOMEM, "no memory for a view of %u x %u",
			map->width, map->height);
	int rc = remap(bench, source->maps, number, pixels);
	if (rc < 0) {
		pv_extras_free(&extras);
		return fmt_err_set(err, rc, "no memory for a row's samples");
	}
	if (alpha)
		pv_alpha_divide(info->type, pixels, (size_t)map->width * map->height);
	const struct fmt_image_page page = {
		.pixels = pixels,
		.stride = stride,
		.width = map->width,
		.height = map->height,
		.type = info->type,
		.channels = alpha && source->format != FMT_IMAGE_JPEG ? 4
			    : info->channels <= 2		      ? 1
								      : 3,
		.quality = state->quality,
		.extras = extras.image,
	};
	rc = write_file(bench, frame, number, &page, source->format, err);
	pv_extras_free(&extras);
	return rc;
}

static int
split(struct pv_bench *bench, const struct pv_frame *frame,
	const struct pv_source *source, struct fmt_err *err)
{
	int rc = 0;
	if (source->format == FMT_IMAGE_JPEG && source->info->type != FMT_IMAGE_U8)
		return fmt_err_set(err, -ENOTSUP,
			"a JPEG holds 8 bits and the panorama has more: use format = "
			"\"png\"");
	for (uint32_t number = 0; rc == 0 && number < bench->state->views.count;
		number++) {
		if (bench->host->cancelled(bench->host))
			return fmt_err_set(err, -ECANCELED, "the host asked to stop");
		rc = write_view(bench, frame, number, source, err);
	}
	return rc;
}

static int
split_image(struct pv_bench *bench, struct pv_frame *frame, struct fmt_image *image,
	struct fmt_err *err)
{
	struct pv_source source = {.info = fmt_image_info(image)};
	int rc = pv_place_find(source.info, &source.place, err);
	if (rc < 0)
		return rc;
	source.format = bench->state->format >= 0
				? (enum fmt_image_format)bench->state->format
				: source.info->format;
	frame->width = source.place.width;
	frame->height = source.place.height;
	source.maps = pv_maps_get(bench->state->maps, &source.place);
	if (source.maps == NULL)
		return fmt_err_set(err, -ENOMEM, "no memory for the views' maps");
	rc = make_band(bench, source.info, source.maps, err);
	if (rc == 0)
		rc = decode(bench, image, &source.place, err);
	if (rc == 0)
		rc = split(bench, frame, &source, err);
	pv_maps_put(bench->state->maps, source.maps);
	return rc;
}

int
pv_frame_split(struct pv_bench *bench, struct pv_frame *frame, struct fmt_err *err)
{
	struct fmt_image *image = NULL;
	size_t length = 0;
	int rc = read_file(bench, frame, &length, err);
	if (rc == 0)
		rc = fmt_image_open(bench->file, length, &limits, &image, err);
	if (rc < 0)
		return rc;
	rc = split_image(bench, frame, image, err);
	fmt_image_free(image);
	return rc;
}
