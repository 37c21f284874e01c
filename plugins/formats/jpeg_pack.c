/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sixteen rows are a row of units (MCUs): each unit has four blocks of luma, one of Cb and
 * one of Cr, which lie side by side, so that all are transformed two by two.
 */
#include "plugins/formats/jpeg_pack.h"

#include "plugins/formats/jpeg_make.h"
#include "plugins/formats/jpeg_put.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 8, UNIT = 16, BLOCKS = 6 };

struct fmt_jpeg_pack {
	const struct fmt_jpeg_make *ops;
	uint32_t width, height, row; /* row: the next */
	uint32_t units;		     /* of a row */
	uint8_t *samples;	     /* memory of the next five */
	size_t room, stride;
	uint8_t *luma;	   /* [UNIT][stride] */
	uint8_t *whole[2]; /* [2][stride] each: chroma that is not halved yet */
	uint8_t *chroma;   /* [BLOCK][stride]: for each unit 8 Cb, 8 Cr */
	uint8_t *bits;	   /* of a row of units, not stuffed yet */
	struct fmt_jpeg_put put;
	int16_t last[3];		  /* DC of the component's last block */
	struct fmt_jpeg_tables tables[2]; /* of luma, of chroma */
	struct fmt_jpeg_symbols symbols[2][2];
	struct fmt_jpeg_divisors divisors[2];
};

struct fmt_jpeg_pack *
fmt_jpeg_pack_new(void)
{
	/* The alignment of divisors. */
	struct fmt_jpeg_pack *pack = aligned_alloc(32, sizeof *pack);
	if (pack == NULL)
		return NULL;
	memset(pack, 0, sizeof *pack);
	pack->ops = fmt_jpeg_make_variant(0);
	return pack;
}

void
fmt_jpeg_pack_free(struct fmt_jpeg_pack *pack)
{
	if (pack == NULL)
		return;
	free(pack->samples);
	free(pack);
}

int
fmt_jpeg_pack_suits(const struct jpeg_compress_struct *jpeg)
{
	const jpeg_component_info *luma = jpeg->comp_info;
	if (jpeg->num_components != 3 || jpeg->jpeg_color_space != JCS_YCbCr ||
		jpeg->data_precision != 8 || jpeg->scan_info != NULL ||
		jpeg->arith_code || jpeg->optimize_coding || jpeg->raw_data_in ||
		jpeg->restart_interval != 0 || jpeg->restart_in_rows != 0 ||
		jpeg->smoothing_factor != 0 || jpeg->dct_method != JDCT_ISLOW ||
		luma->h_samp_factor != 2 || luma->v_samp_factor != 2)
		return 0;
	for (int i = 1; i < 3; i++)
		if (luma[i].h_samp_factor != 1 || luma[i].v_samp_factor != 1 ||
			luma[i].quant_tbl_no != luma[1].quant_tbl_no ||
			luma[i].dc_tbl_no != luma[1].dc_tbl_no ||
			luma[i].ac_tbl_no != luma[1].ac_tbl_no)
			return 0;
	return 1;
}

/* The most bytes of a row of units, before they are stuffed. */
static size_t
bits_most(const struct fmt_jpeg_pack *pack)
{
	return ((size_t)pack->units * BLOCKS + 1) * FMT_JPEG_PUT_MOST;
}

static int
make_rooms(struct fmt_jpeg_pack *pack)
{
	const size_t stride = (size_t)pack->units * UNIT + FMT_JPEG_MAKE_SLACK;
	const size_t wanted = (UNIT + 2 * 2 + BLOCK) * stride + bits_most(pack);
	if (pack->room < wanted) {
		free(pack->samples);
		pack->samples = malloc(wanted);
		pack->room = pack->samples != NULL ? wanted : 0;
	}
	if (pack->samples == NULL)
		return -ENOMEM;
	pack->stride = stride;
	pack->luma = pack->samples;
	pack->whole[0] = pack->luma + UNIT * stride;
	pack->whole[1] = pack->whole[0] + 2 * stride;
	pack->chroma = pack->whole[1] + 2 * stride;
	pack->bits = pack->chroma + BLOCK * stride;
	return 0;
}

int
fmt_jpeg_pack_begin(struct fmt_jpeg_pack *pack, const struct jpeg_compress_struct *jpeg)
{
	pack->width = jpeg->image_width;
	pack->height = jpeg->image_height;
	pack->row = 0;
	pack->units = (pack->width + UNIT - 1) / UNIT;
	pack->put = (struct fmt_jpeg_put){0};
	memset(pack->last, 0, sizeof pack->last);
	for (int i = 0; i < 2; i++) {
		const jpeg_component_info *of = &jpeg->comp_info[i];
		const JHUFF_TBL *dc = jpeg->dc_huff_tbl_ptrs[of->dc_tbl_no];
		const JHUFF_TBL *ac = jpeg->ac_huff_tbl_ptrs[of->ac_tbl_no];
		fmt_jpeg_symbols_make(&pack->symbols[i][0], dc->bits, dc->huffval);
		fmt_jpeg_symbols_make(&pack->symbols[i][1], ac->bits, ac->huffval);
		pack->tables[i] = (struct fmt_jpeg_tables){
			&pack->symbols[i][0], &pack->symbols[i][1]};
		fmt_jpeg_make_divisors(jpeg->quant_tbl_ptrs[of->quant_tbl_no]->quantval,
			&pack->divisors[i]);
	}
	return make_rooms(pack);
}

size_t
fmt_jpeg_pack_most(const struct fmt_jpeg_pack *pack)
{
	return 2 * bits_most(pack);
}

static void
put_one(struct fmt_jpeg_pack *pack, int component, int16_t *block)
{
	_Alignas(64) uint32_t items[64];
	const int16_t dc = block[0];
	block[0] = (int16_t)(dc - pack->last[component]);
	pack->last[component] = dc;
	const uint64_t set = pack->ops->order(block, items);
	fmt_jpeg_put_block(&pack->put, &pack->tables[component > 0], items, set);
}

/* Blocks outside the picture have nothing but the level of the one before. */
static void
put_luma(struct fmt_jpeg_pack *pack, uint32_t unit, uint32_t top)
{
	_Alignas(32) int16_t blocks[4][64];
	for (uint32_t i = 0; i < 4; i += 2)
		pack->ops->transform(
			pack->luma + i / 2 * BLOCK * pack->stride + (size_t)unit * UNIT,
			pack->stride, &pack->divisors[0], blocks[i]);
	for (uint32_t i = 0; i < 4; i++) {
		if (unit * UNIT + i % 2 * BLOCK >= pack->width ||
			top + i / 2 * BLOCK >= pack->height) {
			memset(blocks[i], 0, sizeof blocks[i]);
			blocks[i][0] = pack->last[0];
		}
		put_one(pack, 0, blocks[i]);
	}
}

static void
put_units(struct fmt_jpeg_pack *pack, uint32_t top)
{
	_Alignas(32) int16_t blocks[2][64];
	pack->put.to = pack->bits;
	for (uint32_t unit = 0; unit < pack->units; unit++) {
		put_luma(pack, unit, top);
		pack->ops->transform(pack->chroma + (size_t)unit * UNIT, pack->stride,
			&pack->divisors[1], blocks[0]);
		put_one(pack, 1, blocks[0]);
		put_one(pack, 2, blocks[1]);
	}
}

/* The last sample goes on to the end of the last unit. */
static void
extend(const struct fmt_jpeg_pack *pack, uint8_t *row)
{
	const size_t whole = (size_t)pack->units * UNIT;
	memset(row + pack->width, row[pack->width - 1], whole - pack->width);
}

/* The two rows of chroma that are there become one. */
static void
halve(struct fmt_jpeg_pack *pack, uint32_t row)
{
	uint8_t *const *whole = pack->whole;
	pack->ops->halve((const uint8_t *const[]){whole[0], whole[0] + pack->stride},
		(const uint8_t *const[]){whole[1], whole[1] + pack->stride}, pack->units,
		pack->chroma + row / 2 * pack->stride);
}

size_t
fmt_jpeg_pack_row(struct fmt_jpeg_pack *pack, const uint8_t *pixels, uint8_t *to)
{
	const uint32_t row = pack->row++ % UNIT;
	uint8_t *luma = pack->luma + row * pack->stride;
	uint8_t *cb = pack->whole[0] + row % 2 * pack->stride;
	uint8_t *cr = pack->whole[1] + row % 2 * pack->stride;
	pack->ops->color(pixels, pack->width, luma, cb, cr);
	extend(pack, luma);
	extend(pack, cb);
	extend(pack, cr);
	if (row % 2 == 1)
		halve(pack, row);
	if (row < UNIT - 1)
		return 0;
	put_units(pack, pack->row - UNIT);
	return (size_t)(fmt_jpeg_put_stuffed(pack->bits, pack->put.to, to) - to);
}

size_t
fmt_jpeg_pack_end(struct fmt_jpeg_pack *pack, uint8_t *to)
{
	const uint32_t rows = pack->row % UNIT;
	pack->put.to = pack->bits;
	if (rows % 2 == 1) {
		for (int i = 0; i < 2; i++)
			memcpy(pack->whole[i] + pack->stride, pack->whole[i],
				pack->stride);
		halve(pack, rows);
	}
	/* The last rows go on to the end of the last units. */
	for (uint32_t row = rows; rows > 0 && row < UNIT; row++)
		memcpy(pack->luma + row * pack->stride,
			pack->luma + (rows - 1) * pack->stride, pack->stride);
	for (uint32_t row = (rows + 1) / 2; rows > 0 && row < BLOCK; row++)
		memcpy(pack->chroma + row * pack->stride,
			pack->chroma + ((rows + 1) / 2 - 1) * pack->stride, pack->stride);
	if (rows > 0)
		put_units(pack, pack->row - rows);
	fmt_jpeg_put_end(&pack->put);
	return (size_t)(fmt_jpeg_put_stuffed(pack->bits, pack->put.to, to) - to);
}
