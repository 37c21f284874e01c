/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/pano-views/frame.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* The largest panorama: 16384 x 8192, and one pixel of what is taken for 2:1. */
static const struct fmt_image_limits limits = {16386, UINT64_C(16386) * 8194};

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

/* A panorama is twice as wide as high; one pixel is forgiven. */
static int
check_shape(const struct fmt_image_info *info, struct fmt_err *err)
{
	int64_t off = (int64_t)info->width - 2 * (int64_t)info->height;
	if (off < -1 || off > 1)
		return fmt_err_set(err, -EBADMSG,
			"%u x %u pixels are no panorama: expected twice as wide as high",
			info->width, info->height);
	if (info->width % 2 != 0)
		return fmt_err_set(err, -EBADMSG,
			"the panorama is %u pixels wide: expected an even number",
			info->width);
	return 0;
}

static int
decode(struct pv_bench *bench, struct fmt_image *image, const struct pv_maps *maps,
	struct fmt_err *err)
{
	static const enum kern_remap_type types[] = {
		KERN_REMAP_U8, KERN_REMAP_U16, KERN_REMAP_FLOAT};
	const struct fmt_image_info *info = fmt_image_info(image);
	struct kern_remap_picture *picture = &bench->picture;
	const size_t pixel = fmt_image_pixel(info->type);
	const size_t stride =
		((info->width + 2 * KERN_REMAP_MARGIN) * pixel + 63) / 64 * 64;
	const size_t rows = maps->row_count + 2 * (size_t)KERN_REMAP_MARGIN;
	char *band = room(&bench->band, &bench->band_room, stride * rows);
	if (band == NULL)
		return fmt_err_set(err, -ENOMEM, "no memory for %zu rows of %u pixels",
			rows, info->width);
	*picture = (struct kern_remap_picture){
		.pixels = band + KERN_REMAP_MARGIN * (stride + pixel),
		.stride = stride,
		.width = info->width,
		.height = info->height,
		.first_row = maps->first_row,
		.row_count = maps->row_count,
		.type = types[info->type],
	};
	const struct fmt_image_rows wanted = {
		maps->first_row, maps->row_count, picture->pixels, stride};
	int rc = fmt_image_read(image, &wanted, err);
	if (rc == 0)
		kern_remap_pad(picture);
	return rc;
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

static void
remap(struct pv_bench *bench, const struct pv_maps *maps, uint32_t number, char *page)
{
	const struct pv_map *map = &maps->maps[maps->views[number].map];
	const size_t stride = map->width * kern_remap_pixel(bench->picture.type);
	struct kern_remap a = {
		.picture = &bench->picture,
		.filter = bench->state->filter,
		.weights = bench->state->weights,
		.shift = maps->views[number].shift,
		.count = map->width,
	};
	double start = now();
	for (uint32_t row = 0; row < map->height; row++) {
		a.u = map->u + (size_t)row * map->width;
		a.v = map->v + (size_t)row * map->width;
		a.to = page + row * stride;
		bench->state->remap(&a, NULL);
	}
	bench->seconds += now() - start;
}

static int
split(struct pv_bench *bench, const struct pv_frame *frame,
	const struct fmt_image_info *info, const struct pv_maps *maps,
	struct fmt_err *err)
{
	const struct pv_state *state = bench->state;
	enum fmt_image_format format =
		state->format >= 0 ? (enum fmt_image_format)state->format : info->format;
	if (format == FMT_IMAGE_JPEG && info->type != FMT_IMAGE_U8)
		return fmt_err_set(err, -ENOTSUP,
			"a JPEG holds 8 bits and the panorama has more: use format = "
			"\"png\"");
	int rc = 0;
	for (uint32_t number = 0; rc == 0 && number < state->views.count; number++) {
		const struct pv_map *map = &maps->maps[maps->views[number].map];
		const size_t stride = map->width * fmt_image_pixel(info->type);
		char *pixels =
			room(&bench->page, &bench->page_room, stride * map->height);
		if (pixels == NULL)
			return fmt_err_set(err, -ENOMEM,
				"no memory for a view of %u x %u", map->width,
				map->height);
		if (bench->host->cancelled(bench->host))
			return fmt_err_set(err, -ECANCELED, "the host asked to stop");
		remap(bench, maps, number, pixels);
		const struct fmt_image_page page = {
			.pixels = pixels,
			.stride = stride,
			.width = map->width,
			.height = map->height,
			.type = info->type,
			.channels = info->channels == 1 ? 1
				    : info->channels % 2 == 0 && format != FMT_IMAGE_JPEG
					    ? 4
					    : 3,
			.quality = state->quality,
			.extras = {.icc = info->extras.icc},
		};
		rc = write_file(bench, frame, number, &page, format, err);
	}
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
	const struct fmt_image_info *info = fmt_image_info(image);
	rc = check_shape(info, err);
	if (rc == 0) {
		frame->width = info->width;
		frame->height = info->height;
		const struct pv_maps *maps =
			pv_maps_get(bench->state->maps, info->width, info->height);
		if (maps == NULL)
			rc = fmt_err_set(err, -ENOMEM, "no memory for the views' maps");
		else
			rc = decode(bench, image, maps, err);
		if (rc == 0)
			rc = split(bench, frame, info, maps, err);
		if (maps != NULL)
			pv_maps_put(bench->state->maps, maps);
	}
	fmt_image_free(image);
	return rc;
}
