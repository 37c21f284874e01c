/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/pano-views/lot.h"

#include "plugins/pano-views/alpha.h"
#include "plugins/pano-views/extras.h"
#include "plugins/pano-views/light.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Rows that are made at once: what a JPEG encoder with halved chroma takes. */
#define STRIPE 16
_Static_assert(STRIPE <= PV_THUMBNAIL_ROWS, "a thumbnail takes a stripe at once");

/* Arithmetic of this thread is told by its own time, which others at work beside it do not
 * lengthen; a GPU's by the clock, since the thread sleeps meanwhile. */
static double
now(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Ends what the writer holds, and writes it. */
static int
write_file(const struct pv_files *files, const char *name,
	struct fmt_image_writer *writer, struct fmt_err *err)
{
	const void *bytes;
	size_t length = 0;
	int rc = fmt_image_writer_end(writer, &bytes, &length, err);
	return rc == 0 ? pv_files_write(files, name, bytes, length, err) : rc;
}

void
pv_desk_init(struct pv_desk *desk, const struct kiln_host *host,
	const struct pv_state *state, struct pv_fallback *fallback,
	struct pv_sheet *sheet)
{
	*desk = (struct pv_desk){
		.host = host, .state = state, .fallback = fallback, .sheet = sheet};
}

void
pv_desk_free(struct pv_desk *desk)
{
	free(desk->page);
	free(desk->samples);
	pv_hold_free(&desk->made);
	fmt_image_writer_free(desk->mask_writer);
	for (int format = 0; format < FMT_IMAGE_FORMATS; format++)
		for (int i = 0; i < PV_LOT_MOST; i++)
			fmt_image_writer_free(desk->writers[format][i]);
}

/* A lot at work. */
struct lot {
	const struct pv_source *source;
	const struct pv_map *map;
	unsigned channels; /* to be written */
	uint32_t count;	   /* of those begun */
	const uint32_t *numbers;
	const char *made; /* all views, whole, by a GPU; NULL: their rows are made here */
	struct pv_extras extras[PV_LOT_MOST];
};

/* Views may be large, and there may be many threads: so much memory of each holds what
 * comes from a GPU. */
#define MADE_MOST ((size_t)64 << 20)

static size_t
view_bytes(const struct pv_source *source, const struct pv_map *map)
{
	return (size_t)map->width * map->height * fmt_image_pixel(source->type);
}

/* All views of a lot by the GPU; NULL, having told why: they have to be made here. */
static const char *
make_there(struct pv_desk *desk, const struct pv_lot *lot)
{
	const struct pv_source *source = lot->source;
	const struct pv_map *map = &source->maps->maps[lot->map];
	struct fmt_err why = {0};
	struct pv_gpu_order order = {
		.frame = source->there,
		.map = lot->map,
		.count = lot->count,
		.views = lot->views,
		.to = pv_hold_room(&desk->made, desk->state->gpu,
			lot->count * view_bytes(source, map)),
	};
	double start = now(CLOCK_MONOTONIC);
	int rc = order.to == NULL ? fmt_err_set(&why, -ENOMEM, "no memory for views")
				  : pv_gpu_make(desk->state->gpu, &order, &why);
	desk->seconds += now(CLOCK_MONOTONIC) - start;
	if (rc < 0)
		pv_fallback_tell(
			desk->fallback, desk->host, source->frame->unit, why.text);
	return rc == 0 ? order.to : NULL;
}

/* A row's samples go straight into the view, or are gathered into its pixels. */
static int
remap(struct pv_desk *desk, const struct lot *lot, int32_t shift, const uint32_t rows[2])
{
	const struct pv_map *map = lot->map;
	const size_t pixel = kern_remap_pixel(lot->source->picture->type);
	char *to = desk->page;
	struct kern_remap a = {
		.picture = lot->source->picture,
		.filter = desk->state->filter,
		.weights = desk->state->weights,
		.shift = shift,
	};
	struct kern_supersample mean = {.type = a.picture->type, .count = map->width};
	double start = now(CLOCK_THREAD_CPUTIME_ID);
	for (uint32_t row = rows[0]; row < rows[1]; row++, to += map->width * pixel) {
		a.u = map->u + map->starts[row];
		a.v = map->v + map->starts[row];
		a.count = (uint32_t)(map->starts[row + 1] - map->starts[row]);
		a.to = map->plan == NULL ? to
					 : pv_files_room(&desk->samples,
						   &desk->samples_room, a.count * pixel);
		if (a.to == NULL)
			return -ENOMEM;
		desk->state->variant.remap(&a, NULL);
		if (map->plan == NULL)
			continue;
		mean.plan = map->plan + (size_t)row * map->width;
		mean.samples = a.to;
		mean.to = to;
		desk->state->variant.mean(&mean, NULL);
	}
	desk->seconds += now(CLOCK_THREAD_CPUTIME_ID) - start;
	return 0;
}

/* Some rows of a view into the desk's page, which has room for them, as they are to be
 * written. */
static int
fill_page(struct pv_desk *desk, const struct lot *lot, uint32_t i, const uint32_t rows[2])
{
	const struct pv_source *source = lot->source;
	const size_t count = (size_t)lot->map->width * (rows[1] - rows[0]);
	const size_t row = lot->map->width * fmt_image_pixel(source->type);
	int rc = 0;
	if (lot->made == NULL)
		rc = remap(desk, lot, source->maps->views[lot->numbers[i]].shift, rows);
	else
		memcpy(desk->page,
			lot->made + i * view_bytes(source, lot->map) + rows[0] * row,
			(rows[1] - rows[0]) * row);
	if (rc == 0 && source->alpha &&
		!fmt_image_associates(source->format, source->info->associated))
		pv_alpha_divide(source->type, desk->page, count);
	if (rc == 0 && source->type != source->info->type)
		pv_light_from_linear(
			desk->state->light, source->info->type, desk->page, count);
	return rc;
}

/* The lot's next view, for the contact sheet. */
static void
begin_thumbnail(struct pv_desk *desk, const struct lot *lot)
{
	const struct pv_sheet_cell cell = {
		.row = lot->source->frame->sheet_row - 1,
		.view = lot->numbers[lot->count],
		.width = lot->map->width,
		.height = lot->map->height,
		.type = lot->source->info->type,
		.is_opaque = !lot->source->alpha,
		.is_associated = fmt_image_associates(
			lot->source->format, lot->source->info->associated),
	};
	pv_sheet_begin(desk->sheet, &cell, &desk->thumbnails[lot->count]);
}

static int
begin_view(struct pv_desk *desk, struct lot *lot, struct fmt_err *err)
{
	const uint32_t number = lot->numbers[lot->count];
	const struct pv_state *state = desk->state;
	const struct pv_source *source = lot->source;
	struct fmt_image_writer **writer = &desk->writers[source->format][lot->count];
	struct pv_extras *extras = &lot->extras[lot->count];
	if (*writer == NULL)
		*writer = fmt_image_writer_new(source->format);
	if (*writer == NULL ||
		pv_extras_make(extras, source->info, &source->place,
			&state->views.views[number],
			(const uint32_t[]){lot->map->width, lot->map->height}) < 0)
		return fmt_err_set(err, -ENOMEM, "no memory for a view of %u x %u",
			lot->map->width, lot->map->height);
	if (source->frame->sheet_row > 0)
		begin_thumbnail(desk, lot);
	lot->count++;
	const struct fmt_image_page page = {
		.width = lot->map->width,
		.height = lot->map->height,
		.type = source->info->type,
		.channels = lot->channels,
		.quality = state->quality,
		.half = source->info->half,
		.associated =
			fmt_image_associates(source->format, source->info->associated),
		.extras = extras->image,
	};
	return fmt_image_writer_begin(*writer, &page, err);
}

static int
make_stripe(struct pv_desk *desk, const struct lot *lot, const uint32_t rows[2],
	struct fmt_err *err)
{
	const struct pv_source *source = lot->source;
	const struct fmt_image_stripe stripe = {
		.pixels = desk->page,
		.stride = lot->map->width * fmt_image_pixel(source->info->type),
		.count = rows[1] - rows[0],
	};
	int rc = 0;
	for (uint32_t i = 0; rc == 0 && i < lot->count; i++) {
		rc = fill_page(desk, lot, i, rows);
		if (rc < 0)
			return fmt_err_set(err, rc, "no memory for a row's samples");
		if (source->frame->sheet_row > 0)
			pv_thumbnail_add(&desk->thumbnails[i], &stripe);
		rc = fmt_image_writer_rows(
			desk->writers[source->format][i], &stripe, err);
	}
	return rc;
}

static int
write_mask(struct pv_desk *desk, const struct lot *lot, uint32_t number, const char *name,
	struct fmt_err *err)
{
	const struct pv_files files = {
		desk->host, lot->source->frame->unit, KILN_PRIMARY};
	const struct fmt_image_page page = {
		.stride = (size_t)lot->map->width * FMT_IMAGE_CHANNELS,
		.width = lot->map->width,
		.height = lot->map->height,
		.type = FMT_IMAGE_U8,
		.channels = 1,
	};
	const size_t wanted = page.stride * page.height;
	if (desk->mask_writer == NULL)
		desk->mask_writer = fmt_image_writer_new(FMT_IMAGE_PNG);
	if (desk->mask_writer == NULL ||
		pv_files_room(&desk->page, &desk->page_room, wanted) == NULL)
		return fmt_err_set(err, -ENOMEM, "no memory for a mask");
	pv_mask_view(lot->source->mask, lot->source->maps, number, &desk->state->caps,
		desk->page);
	const struct fmt_image_stripe all = {desk->page, page.stride, page.height};
	int rc = fmt_image_writer_begin(desk->mask_writer, &page, err);
	if (rc == 0)
		rc = fmt_image_writer_rows(desk->mask_writer, &all, err);
	return rc == 0 ? write_file(&files, name, desk->mask_writer, err) : rc;
}

/* A view under its name, and its mask under the name that COLMAP seeks it by. */
static int
end_view(struct pv_desk *desk, const struct lot *lot, uint32_t i, struct fmt_err *err)
{
	const struct pv_source *source = lot->source;
	const struct pv_frame *frame = source->frame;
	const struct pv_files files = {desk->host, frame->unit, KILN_PRIMARY};
	const char *view = desk->state->views.views[lot->numbers[i]].name;
	const char *suffix = fmt_image_suffix(source->format);
	char *name;
	int rc =
		desk->state->flat
			? asprintf(&name, "masks/%s_%s%s.png", frame->stem, view, suffix)
			: asprintf(&name, "masks/%s/%s%s.png", view, frame->stem, suffix);
	if (rc < 0)
		return fmt_err_set(err, -ENOMEM, "no memory for a file name");
	/* The view's own name is within its mask's. */
	name[rc - (int)strlen(".png")] = '\0';
	rc = write_file(
		&files, name + strlen("masks/"), desk->writers[source->format][i], err);
	name[strlen(name)] = '.';
	if (rc == 0 && source->mask != NULL)
		rc = write_mask(desk, lot, lot->numbers[i], name, err);
	free(name);
	if (rc == 0 && frame->sheet_row > 0)
		pv_sheet_label(desk->sheet, frame->sheet_row - 1, lot->numbers[i]);
	return rc;
}

static int
make_lot(struct pv_desk *desk, const struct lot *lot, struct fmt_err *err)
{
	const uint32_t height = lot->map->height;
	const size_t wanted =
		STRIPE * lot->map->width * fmt_image_pixel(lot->source->type);
	int rc = 0;
	if (pv_files_room(&desk->page, &desk->page_room, wanted) == NULL)
		return fmt_err_set(err, -ENOMEM, "no memory for %d rows", STRIPE);
	for (uint32_t row = 0; rc == 0 && row < height; row += STRIPE) {
		const uint32_t left = height - row;
		if (desk->host->cancelled(desk->host))
			return fmt_err_set(err, -ECANCELED, "the host asked to stop");
		rc = make_stripe(desk, lot,
			(const uint32_t[]){row, row + (left < STRIPE ? left : STRIPE)},
			err);
	}
	for (uint32_t i = 0; rc == 0 && i < lot->count; i++)
		rc = end_view(desk, lot, i, err);
	return rc;
}

static int
write_views(struct pv_desk *desk, const struct pv_lot *wanted, const char *made,
	struct fmt_err *err)
{
	const struct pv_source *source = wanted->source;
	const struct fmt_image_info *info = source->info;
	struct lot lot = {
		.source = source,
		.map = &source->maps->maps[wanted->map],
		.channels = source->alpha && source->format != FMT_IMAGE_JPEG ? 4
			    : info->channels <= 2			      ? 1
									      : 3,
		.numbers = wanted->views,
		.made = made,
	};
	int rc = 0;
	while (rc == 0 && lot.count < wanted->count)
		rc = begin_view(desk, &lot, err);
	if (rc == 0)
		rc = make_lot(desk, &lot, err);
	for (uint32_t i = 0; i < lot.count; i++) {
		pv_extras_free(&lot.extras[i]);
		if (rc < 0 && source->frame->sheet_row > 0)
			pv_sheet_clear(desk->sheet, source->frame->sheet_row - 1,
				lot.numbers[i]);
	}
	return rc;
}

int
pv_lot_write(struct pv_desk *desk, const struct pv_lot *wanted, struct fmt_err *err)
{
	const struct pv_source *source = wanted->source;
	struct pv_lot part = {.source = source, .map = wanted->map};
	int rc = 0;
	if (source->there == NULL)
		return write_views(desk, wanted, NULL, err);
	const size_t fit =
		MADE_MOST / view_bytes(source, &source->maps->maps[wanted->map]);
	for (uint32_t at = 0; rc == 0 && at < wanted->count; at += part.count) {
		part.count = 0;
		while (part.count < wanted->count - at &&
			(part.count == 0 || part.count < fit)) {
			part.views[part.count] = wanted->views[at + part.count];
			part.count++;
		}
		rc = write_views(desk, &part, make_there(desk, &part), err);
	}
	return rc;
}
