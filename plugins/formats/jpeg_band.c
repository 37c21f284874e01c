/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Samples are kept for two rows of units (MCUs): the last row of pixels of one waits for
 * the chroma of the next.
 */
#include "plugins/formats/jpeg_band.h"

#include "plugins/formats/jpeg_rows.h"
#include "plugins/formats/jpeg_scan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK  8 /* samples a side */
#define TABLES NUM_HUFF_TBLS
/* To pass over so many takes as long as to prepare for it. */
#define MANY_UNITS 500

struct plane {
	unsigned across, down; /* blocks of a unit */
	uint8_t *samples;      /* rows of two units, one after the other over and over */
	size_t stride;
	_Alignas(32) int16_t quantum[64];
};

struct fmt_jpeg_band {
	const struct fmt_jpeg_rows *ops;
	uint32_t width, height;
	unsigned across, down;		/* pixels of a unit */
	uint32_t unit_count, unit_rows; /* units of a row, rows of units */
	struct plane planes[FMT_JPEG_COMPONENTS];
	unsigned plane_count;
	uint8_t *samples, *chroma[2]; /* of a row of pixels */
	uint16_t *blend;
	struct fmt_jpeg_block blocks[FMT_JPEG_UNIT_MOST];
	const uint8_t *bytes;
	size_t length;
	struct fmt_jpeg_scan scan;
	struct fmt_jpeg_codes codes[2][TABLES]; /* of DC, of AC */
};

/* --- what the head says ------------------------------------------------------ */

/* The numbers are the file's, and not looked at yet. */
static int
has_tables(const struct jpeg_decompress_struct *jpeg, const jpeg_component_info *c)
{
	return c->quant_tbl_no >= 0 && c->quant_tbl_no < NUM_QUANT_TBLS &&
	       c->dc_tbl_no >= 0 && c->dc_tbl_no < TABLES && c->ac_tbl_no >= 0 &&
	       c->ac_tbl_no < TABLES && jpeg->quant_tbl_ptrs[c->quant_tbl_no] != NULL &&
	       jpeg->dc_huff_tbl_ptrs[c->dc_tbl_no] != NULL &&
	       jpeg->ac_huff_tbl_ptrs[c->ac_tbl_no] != NULL;
}

static int
is_common(const struct jpeg_decompress_struct *jpeg)
{
	const jpeg_component_info *luma = &jpeg->comp_info[0];
	const J_COLOR_SPACE space = jpeg->num_components == 1 ? JCS_GRAYSCALE : JCS_YCbCr;
	if (jpeg->progressive_mode || jpeg->arith_code || jpeg->data_precision != 8 ||
		(jpeg->num_components != 1 && jpeg->num_components != 3) ||
		jpeg->jpeg_color_space != space ||
		jpeg->comps_in_scan != jpeg->num_components || jpeg->Ss != 0 ||
		jpeg->Se != DCTSIZE2 - 1 || jpeg->Ah != 0 || jpeg->Al != 0)
		return 0;
	for (int i = 0; i < jpeg->num_components; i++) {
		const jpeg_component_info *c = &jpeg->comp_info[i];
		if (jpeg->cur_comp_info[i] != c || !has_tables(jpeg, c))
			return 0;
		if (i > 0 && (c->h_samp_factor != 1 || c->v_samp_factor != 1))
			return 0;
	}
	/* A lone component is never interleaved, whatever its factors.  Chroma of narrow
	 * pictures libjpeg does not smooth. */
	return jpeg->num_components == 1 ||
	       (luma->h_samp_factor <= 2 && luma->v_samp_factor <= luma->h_samp_factor &&
		       jpeg->image_width > 2 * BLOCK);
}

static int
take_codes(struct fmt_jpeg_band *band, const struct jpeg_decompress_struct *jpeg,
	const jpeg_component_info *from, struct fmt_jpeg_component *to)
{
	struct fmt_jpeg_codes *dc = &band->codes[0][from->dc_tbl_no];
	struct fmt_jpeg_codes *ac = &band->codes[1][from->ac_tbl_no];
	const JHUFF_TBL *table = jpeg->dc_huff_tbl_ptrs[from->dc_tbl_no];
	int rc = fmt_jpeg_codes_make(dc, table->bits, table->huffval, 1);
	table = jpeg->ac_huff_tbl_ptrs[from->ac_tbl_no];
	if (rc == 0)
		rc = fmt_jpeg_codes_make(ac, table->bits, table->huffval, 0);
	to->dc = dc;
	to->ac = ac;
	return rc;
}

static int
take_head(struct fmt_jpeg_band *band, const struct jpeg_decompress_struct *jpeg)
{
	band->width = jpeg->image_width;
	band->height = jpeg->image_height;
	band->bytes = jpeg->src->next_input_byte;
	band->length = jpeg->src->bytes_in_buffer;
	band->plane_count = band->scan.component_count = (unsigned)jpeg->num_components;
	band->scan.interval = jpeg->restart_interval;
	for (unsigned i = 0; i < band->plane_count; i++) {
		const jpeg_component_info *from = &jpeg->comp_info[i];
		const JQUANT_TBL *table = jpeg->quant_tbl_ptrs[from->quant_tbl_no];
		struct plane *plane = &band->planes[i];
		const int alone = band->plane_count == 1;
		plane->across = alone ? 1 : (unsigned)from->h_samp_factor;
		plane->down = alone ? 1 : (unsigned)from->v_samp_factor;
		band->scan.components[i].blocks = plane->across * plane->down;
		for (int k = 0; k < DCTSIZE2; k++)
			plane->quantum[k] = (int16_t)table->quantval[k];
		if (take_codes(band, jpeg, from, &band->scan.components[i]) < 0)
			return -1;
	}
	return 0;
}

static int
make_rooms(struct fmt_jpeg_band *band)
{
	size_t room = 0;
	band->across = BLOCK * band->planes[0].across;
	band->down = BLOCK * band->planes[0].down;
	band->unit_count = (band->width + band->across - 1) / band->across;
	band->unit_rows = (band->height + band->down - 1) / band->down;
	for (unsigned i = 0; i < band->plane_count; i++) {
		struct plane *plane = &band->planes[i];
		plane->stride = (size_t)band->unit_count * plane->across * BLOCK +
				FMT_JPEG_ROWS_SLACK;
		room += 2 * plane->down * BLOCK * plane->stride;
	}
	const size_t row = band->width + 2 * (size_t)FMT_JPEG_ROWS_SLACK;
	band->samples = malloc(room + 2 * row);
	band->blend = malloc((row + 2) * sizeof *band->blend);
	if (band->samples == NULL || band->blend == NULL)
		return -1;
	uint8_t *at = band->samples;
	for (unsigned i = 0; i < band->plane_count; i++) {
		band->planes[i].samples = at;
		at += 2 * band->planes[i].down * BLOCK * band->planes[i].stride;
	}
	for (unsigned i = 0; i < 2; i++)
		band->chroma[i] = at + i * row;
	/* What a grey picture has. */
	memset(at, 128, 2 * row);
	return 0;
}

int
fmt_jpeg_band_new(const struct jpeg_decompress_struct *jpeg, struct fmt_jpeg_band **band)
{
	if (!is_common(jpeg))
		return 0;
	/* A multiple of what blocks and quanta are aligned to. */
	struct fmt_jpeg_band *made = aligned_alloc(32, sizeof *made);
	if (made == NULL)
		return 0;
	memset(made, 0, sizeof *made);
	made->ops = fmt_jpeg_rows_variant(0);
	if (take_head(made, jpeg) < 0 || make_rooms(made) < 0) {
		fmt_jpeg_band_free(made);
		return 0;
	}
	*band = made;
	return 1;
}

void
fmt_jpeg_band_free(struct fmt_jpeg_band *band)
{
	if (band == NULL)
		return;
	free(band->samples);
	free(band->blend);
	free(band);
}

/* --- rows -------------------------------------------------------------------- */

static uint8_t *
row_of(const struct plane *plane, uint32_t row)
{
	return plane->samples + row % (2 * plane->down * BLOCK) * plane->stride;
}

static int
read_units(struct fmt_jpeg_band *band, uint32_t unit_row)
{
	for (uint32_t unit = 0; unit < band->unit_count; unit++) {
		const struct fmt_jpeg_block *block = band->blocks;
		memset(band->blocks, 0, sizeof band->blocks);
		int rc = fmt_jpeg_scan_unit(&band->scan, band->blocks);
		if (rc < 0)
			return rc;
		for (unsigned i = 0; i < band->plane_count; i++) {
			const struct plane *plane = &band->planes[i];
			for (unsigned k = 0; k < plane->across * plane->down; k++) {
				const uint32_t down =
					unit_row * plane->down + k / plane->across;
				const uint32_t across =
					unit * plane->across + k % plane->across;
				band->ops->idct(block++->at, plane->quantum,
					row_of(plane, down * BLOCK) +
						(size_t)across * BLOCK,
					plane->stride);
			}
		}
	}
	return 0;
}

/* A row of chroma as wide as the picture. */
static const uint8_t *
widen(const struct fmt_jpeg_band *band, unsigned number, uint32_t row)
{
	static const uint16_t biases[2][2] = {{4, 8}, {8, 7}};
	const struct plane *plane = &band->planes[number];
	const unsigned halved = band->down / BLOCK - 1;
	const uint32_t near = row >> halved, last = (band->height - 1) >> halved;
	const uint32_t count = (band->width + 1) / 2;
	uint32_t far = near;
	if (band->across == BLOCK)
		return row_of(plane, near);
	if (halved && row % 2 == 0)
		far = near > 0 ? near - 1 : 0;
	else if (halved)
		far = near < last ? near + 1 : last;
	uint16_t *blend = band->blend + 1;
	band->ops->blend(row_of(plane, near), row_of(plane, far), count, blend);
	blend[-1] = blend[0];
	blend[count] = blend[count - 1];
	band->ops->spread(blend, count, biases[halved], band->chroma[number - 1]);
	return band->chroma[number - 1];
}

static void
put_row(const struct fmt_jpeg_band *band, uint32_t row, uint8_t *to)
{
	const uint8_t *chroma[2] = {band->chroma[0], band->chroma[1]};
	for (unsigned i = 1; i < band->plane_count; i++)
		chroma[i - 1] = widen(band, i, row);
	band->ops->color(
		row_of(&band->planes[0], row), chroma[0], chroma[1], band->width, to);
}

static int
pass_over(struct fmt_jpeg_band *band, uint32_t unit_rows)
{
	const uint64_t count = (uint64_t)unit_rows * band->unit_count;
	int rc = 0;
	for (int i = 0; count > MANY_UNITS && i < TABLES; i++)
		fmt_jpeg_codes_pass(&band->codes[1][i]);
	for (uint64_t i = 0; rc == 0 && i < count; i++)
		rc = fmt_jpeg_scan_unit(&band->scan, NULL);
	return rc;
}

static int
read_rows(struct fmt_jpeg_band *band, const struct fmt_image_rows *rows, uint32_t *at)
{
	const uint32_t waiting = band->down > BLOCK ? 1 : 0;
	const uint32_t past = rows->first + rows->count;
	uint32_t row = rows->first;
	uint32_t unit_row = (row > 0 ? row - waiting : 0) / band->down;
	int rc = pass_over(band, unit_row);
	for (; rc == 0 && row < past; unit_row++) {
		rc = read_units(band, unit_row);
		*at = unit_row * band->down;
		uint32_t ready = (unit_row + 1) * band->down - waiting;
		if (unit_row + 1 == band->unit_rows)
			ready = band->height;
		for (; rc == 0 && row < past && row < ready; row++)
			put_row(band, row,
				(uint8_t *)rows->to +
					(size_t)(row - rows->first) * rows->stride);
	}
	return rc == 0 && past == band->height ? fmt_jpeg_scan_end(&band->scan) : rc;
}

int
fmt_jpeg_band_read(struct fmt_jpeg_band *band, const struct fmt_image_rows *rows,
	struct fmt_err *err)
{
	uint32_t at = 0;
	fmt_jpeg_scan_begin(&band->scan, band->bytes, band->length);
	int rc = read_rows(band, rows, &at);
	return rc == 0 ? 0
		       : fmt_err_set(err, rc, "the JPEG is broken near row %u of %u (%s)",
				 at, band->height, band->scan.why);
}
