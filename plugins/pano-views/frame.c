/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/pano-views/frame.h"

#include "plugins/pano-views/alpha.h"
#include "plugins/pano-views/crew.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* The largest panorama: 16384 x 8192, and one pixel of what is taken for 2:1. */
static const struct fmt_image_limits limits = {16386, UINT64_C(16386) * 8194};

void
pv_bench_init(struct pv_bench *bench, struct pv_crew *crew, struct pv_desk *desk)
{
	*bench = (struct pv_bench){
		.host = desk->host, .state = desk->state, .crew = crew, .desk = desk};
}

static void
free_buffers(struct pv_bench *bench)
{
	pv_hold_free(&bench->band);
	free(bench->file.bytes);
	free(bench->mask_file.bytes);
	pv_mask_free(&bench->mask);
}

void
pv_bench_free(struct pv_bench *bench)
{
	pv_crew_keep(bench->crew, &bench->claim, 0);
	free_buffers(bench);
}

static uint64_t
larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Buffers that are there already. */
static uint64_t
kept(const struct pv_bench *bench)
{
	return bench->file.room + bench->mask_file.room + bench->band.room +
	       bench->mask.plane_room + bench->mask.rows_room;
}

/* Takes part of the crew's memory for the frame's file. */
static void
claim_file(struct pv_bench *bench, size_t length)
{
	pv_crew_claim(bench->crew, bench->desk, &bench->claim,
		&(const struct pv_claim){
			kept(bench) - bench->file.room + larger(bench->file.room, length),
			PV_CLAIM_BEGUN});
}

/* What is kept beyond the thread's share would be missing to others. */
static void
put_back(struct pv_bench *bench)
{
	if (kept(bench) > bench->crew->memory / 2 / bench->crew->threads) {
		free_buffers(bench);
		bench->band = (struct pv_hold){0};
		bench->file = bench->mask_file = (struct pv_bytes){0};
		bench->mask = (struct pv_mask){0};
	}
	pv_crew_keep(bench->crew, &bench->claim, kept(bench));
}

static int
has_alpha(const struct fmt_image_info *info, const struct pv_place *place)
{
	return info->channels % 2 == 0 || place->partial;
}

static size_t
stride_of(const struct pv_source *source)
{
	const size_t pixels = source->maps->panorama_width + 2 * KERN_REMAP_MARGIN;
	return (pixels * fmt_image_pixel(source->type) + 63) / 64 * 64;
}

/* Takes part of the crew's memory for all that the frame needs.  0, or -EFBIG where that is
 * more than there will ever be. */
static int
claim_all(struct pv_bench *bench, const struct pv_source *source, struct fmt_err *err)
{
	const struct pv_maps *maps = source->maps;
	const uint64_t most = bench->host->memory_budget;
	const uint64_t band =
		stride_of(source) * (maps->row_count + 2 * (uint64_t)KERN_REMAP_MARGIN);
	/* Two planes of a byte each, where a mask may come. */
	const uint64_t masks = (maps->row_count + UINT64_C(1)) * maps->panorama_width * 2;
	const uint64_t needed = bench->file.room + bench->mask_file.room +
				larger(bench->band.room, band) +
				(bench->has_mask ? masks : 0) + source->info->scratch +
				maps->bytes;
	if (most > 0 && needed > most)
		return fmt_err_set(err, -EFBIG,
			"it takes about %llu MiB to make these views of it, and "
			"limits.memory allows %llu: raise it",
			(unsigned long long)needed >> 20, (unsigned long long)most >> 20);
	pv_crew_claim(bench->crew, bench->desk, &bench->claim,
		&(const struct pv_claim){needed, PV_CLAIM_WHOLE});
	return 0;
}

/* The band's memory, and where its pixels lie. */
static int
make_band(struct pv_bench *bench, const struct pv_source *source, struct fmt_err *err)
{
	const struct pv_maps *maps = source->maps;
	static const enum kern_remap_type types[] = {
		KERN_REMAP_U8, KERN_REMAP_U16, KERN_REMAP_FLOAT};
	const size_t pixel = fmt_image_pixel(source->type);
	const size_t stride = stride_of(source);
	const size_t rows = maps->row_count + 2 * (size_t)KERN_REMAP_MARGIN;
	char *band = pv_hold_room(&bench->band, bench->state->gpu, stride * rows);
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
		.type = types[source->type],
	};
	return 0;
}

/* The rows of the band that the frame covers, counted in the whole panorama; first = past:
 * none. */
static void
find_rows(const struct pv_source *source, uint32_t *first, uint32_t *past)
{
	const struct pv_maps *maps = source->maps;
	const struct pv_place *place = &source->place;
	const uint32_t bottom = place->top + source->info->height;
	*past = maps->first_row + maps->row_count;
	*past = *past < bottom ? *past : bottom;
	*first = maps->first_row > place->top ? maps->first_row : place->top;
	*first = *first < *past ? *first : *past;
}

/* What the mask's file says of the band; the band's memory is free yet. */
static int
read_mask(struct pv_bench *bench, const struct pv_source *source, struct fmt_image *image,
	struct fmt_err *err)
{
	const struct fmt_image_info *info = fmt_image_info(image);
	const size_t stride = info->width * fmt_image_pixel(info->type);
	uint32_t first, past;
	if (info->width != source->info->width || info->height != source->info->height)
		return fmt_err_set(err, -EBADMSG,
			"is %u x %u pixels, the frame %u x %u: expected the same",
			info->width, info->height, source->info->width,
			source->info->height);
	find_rows(source, &first, &past);
	if (first == past)
		return 0;
	void *pixels =
		pv_hold_room(&bench->band, bench->state->gpu, stride * (past - first));
	if (pixels == NULL)
		return fmt_err_set(err, -ENOMEM, "has no memory for its pixels");
	const struct fmt_image_rows wanted = {
		.first = first - source->place.top,
		.count = past - first,
		.to = pixels,
		.stride = stride,
	};
	int rc = fmt_image_read(image, &wanted, err);
	if (rc == 0)
		pv_mask_add_black(&bench->mask, source->maps,
			&(struct pv_mask_pixels){pixels, stride, info->type,
				source->place.left, first, info->width, past - first});
	return rc;
}

static int
open_mask(struct pv_bench *bench, const struct pv_source *source, struct fmt_err *err)
{
	const struct pv_files files = {bench->host, source->frame->unit, KILN_PRIMARY};
	struct fmt_image *image = NULL;
	int rc = pv_files_read(&files, source->frame->mask, &bench->mask_file, err);
	if (rc == 0)
		rc = fmt_image_open(bench->mask_file.bytes, bench->mask_file.length,
			&limits, &image, err);
	if (rc == 0)
		rc = read_mask(bench, source, image, err);
	fmt_image_free(image);
	return rc;
}

/* Begins the frame's mask where it will have one. */
static int
start_mask(struct pv_bench *bench, const struct pv_source *source, struct fmt_err *err)
{
	const struct pv_frame *frame = source->frame;
	struct fmt_err why = {0};
	if (!bench->has_mask)
		return 0;
	if (pv_mask_clear(&bench->mask, source->maps) < 0)
		return fmt_err_set(err, -ENOMEM, "no memory for the mask");
	int rc = frame->mask != NULL ? open_mask(bench, source, &why) : 0;
	return rc == 0 ? 0
		       : fmt_err_set(err, rc, "its mask '%s' %s", frame->mask, why.text);
}

/* Takes the frame's alpha into its mask, too. */
static int
finish_mask(struct pv_bench *bench, const struct pv_source *source, struct fmt_err *err)
{
	const struct kern_remap_picture *picture = &bench->picture;
	if (!bench->has_mask)
		return 0;
	if (bench->state->masks && has_alpha(source->info, &source->place))
		pv_mask_add_transparent(&bench->mask, source->maps,
			&(struct pv_mask_pixels){picture->pixels, picture->stride,
				source->type, 0, picture->first_row, picture->width,
				picture->row_count});
	if (pv_mask_reach(&bench->mask, source->maps, bench->state->filter) < 0)
		return fmt_err_set(err, -ENOMEM, "no memory for the mask");
	return 0;
}

/* The frame's part of the band; what it does not cover is transparent black. */
static int
decode(struct pv_bench *bench, struct fmt_image *image, const struct pv_source *source,
	struct fmt_err *err)
{
	const struct fmt_image_info *info = source->info;
	const struct pv_place *place = &source->place;
	struct kern_remap_picture *picture = &bench->picture;
	const size_t pixel = fmt_image_pixel(source->type);
	uint32_t first, past;
	find_rows(source, &first, &past);
	if (place->partial)
		memset(bench->band.memory, 0, bench->band.room);
	if (first < past) {
		char *window = (char *)picture->pixels +
			       (first - picture->first_row) * picture->stride +
			       place->left * pixel;
		/* Where pixels will grow, they are read to the end of their memory. */
		char *to = window + info->width * (pixel - fmt_image_pixel(info->type));
		const struct fmt_image_rows wanted = {
			.first = first - place->top,
			.count = past - first,
			.to = to,
			.stride = picture->stride,
		};
		int rc = fmt_image_read(image, &wanted, err);
		if (rc < 0)
			return rc;
		for (size_t at = 0; to != window && at < (past - first) * picture->stride;
			at += picture->stride)
			pv_light_to_linear(bench->state->light, info->type, to + at,
				window + at, info->width);
	}
	if (has_alpha(info, place) && !info->associated)
		for (uint32_t row = 0; row < picture->row_count; row++)
			pv_alpha_multiply(source->type,
				(char *)picture->pixels + row * picture->stride,
				picture->width);
	kern_remap_pad(picture);
	return 0;
}

/* Views are made by the GPU where there is one that has room, and else here. */
static int
make_views(struct pv_bench *bench, struct pv_source *source, struct fmt_err *err)
{
	struct pv_gpu *gpu = bench->state->gpu;
	struct fmt_err why = {0};
	if (gpu != NULL &&
		pv_gpu_put(gpu, source->picture, source->maps, &source->there, &why) < 0)
		pv_fallback_tell(bench->desk->fallback, bench->host, source->frame->unit,
			why.text);
	int rc = pv_crew_split(bench->crew, bench->desk, source, err);
	if (gpu != NULL)
		pv_gpu_drop(gpu, source->there);
	return rc;
}

static int
split(struct pv_bench *bench, struct pv_source *source, struct fmt_err *err)
{
	static const char *const depths[] = {[FMT_IMAGE_U8] = "8 bits",
		[FMT_IMAGE_U16] = "16 bits",
		[FMT_IMAGE_FLOAT] = "floats"};
	if (!fmt_image_holds(source->format, source->info->type))
		return fmt_err_set(err, -ENOTSUP,
			"the panorama has %s, which %s does not hold: use format = "
			"\"same\" or \"tiff\"",
			depths[source->info->type], fmt_image_name(source->format));
	if (source->type != source->info->type && source->info->associated &&
		source->info->channels % 2 == 0)
		return fmt_err_set(err, -ENOTSUP,
			"linear light is not known of premultiplied colours of %s; save "
			"the panorama with unassociated alpha",
			depths[source->info->type]);
	return make_views(bench, source, err);
}

/* A file system's limit on names is the frame's fault, not that of all. */
static int
check_names(
	const struct pv_bench *bench, const struct pv_source *source, struct fmt_err *err)
{
	const struct pv_state *state = bench->state;
	const char *slash = strrchr(source->frame->stem, '/');
	const size_t stem = strlen(slash != NULL ? slash + 1 : source->frame->stem);
	size_t added = strlen(fmt_image_suffix(source->format)) +
		       (bench->has_mask ? strlen(".png") : 0);
	size_t view = 0;
	for (uint32_t i = 0; state->flat && i < state->views.count; i++)
		view = larger(view, 1 + strlen(state->views.views[i].name));
	added += view;
	if (stem + added > NAME_MAX)
		return fmt_err_set(err, -EBADMSG,
			"its name has %zu bytes, to which views and masks add %zu: at "
			"most %d are possible; shorten it",
			stem, added, NAME_MAX);
	return 0;
}

static int
split_image(struct pv_bench *bench, struct pv_frame *frame, struct fmt_image *image,
	struct fmt_err *err)
{
	struct pv_source source = {
		.frame = frame,
		.info = fmt_image_info(image),
		.picture = &bench->picture,
	};
	int rc = pv_place_find(source.info, &source.place, err);
	if (rc < 0)
		return rc;
	source.format = bench->state->format >= 0
				? (enum fmt_image_format)bench->state->format
				: source.info->format;
	source.type = bench->state->light != NULL ? pv_light_type(source.info->type)
						  : source.info->type;
	source.alpha = has_alpha(source.info, &source.place);
	frame->width = source.place.width;
	frame->height = source.place.height;
	source.maps = pv_maps_get(bench->state->maps, &source.place);
	if (source.maps == NULL)
		return fmt_err_set(err, -ENOMEM, "no memory for the views' maps");
	bench->has_mask = frame->mask != NULL || bench->state->caps.nadir > 0 ||
			  bench->state->caps.zenith > 0 ||
			  (bench->state->masks && source.alpha);
	rc = check_names(bench, &source, err);
	if (rc == 0)
		rc = claim_all(bench, &source, err);
	if (rc == 0)
		rc = start_mask(bench, &source, err);
	source.mask = bench->has_mask ? &bench->mask : NULL;
	if (rc == 0)
		rc = make_band(bench, &source, err);
	if (rc == 0)
		rc = decode(bench, image, &source, err);
	if (rc == 0)
		rc = finish_mask(bench, &source, err);
	if (rc == 0)
		rc = split(bench, &source, err);
	pv_maps_put(bench->state->maps, source.maps);
	frame->has_mask = bench->has_mask;
	frame->suffix = rc == 0 ? fmt_image_suffix(source.format) : NULL;
	return rc;
}

int
pv_frame_split(struct pv_bench *bench, struct pv_frame *frame, struct fmt_err *err)
{
	const struct pv_files files = {bench->host, frame->unit, KILN_PRIMARY};
	struct fmt_image *image = NULL;
	size_t length = 0;
	int fd = pv_files_open(&files, frame->name, &length, err);
	if (fd < 0)
		return fd;
	claim_file(bench, length);
	int rc = pv_files_take(fd, length, &bench->file, err);
	if (rc == 0)
		rc = fmt_image_open(
			bench->file.bytes, bench->file.length, &limits, &image, err);
	if (rc == 0)
		rc = split_image(bench, frame, image, err);
	fmt_image_free(image);
	put_back(bench);
	return rc;
}
