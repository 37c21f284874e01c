/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * jpeg_scan.h - the one scan of a baseline JPEG (ITU-T T.81, annex F): bits become blocks
 * of quantized coefficients, or are passed over.  Twice as fast as libjpeg-turbo 2.1,
 * which spends three quarters of decoding here.  Any thread; for image_jpeg*.c alone.
 */
#ifndef FMT_JPEG_SCAN_H
#define FMT_JPEG_SCAN_H

#include <stddef.h>
#include <stdint.h>

#define FMT_JPEG_LOOK	    10 /* bits that are looked up at once */
#define FMT_JPEG_PASS	    12 /* and where several symbols are passed over */
#define FMT_JPEG_COMPONENTS 3
#define FMT_JPEG_UNIT_MOST  6 /* blocks of a unit (MCU) that are read here */

/* 64 coefficients row by row, not in the file's zigzag; behind them goes what bad data
 * would write beyond. */
struct fmt_jpeg_block {
	_Alignas(32) int16_t at[64 + 16];
};

/* A Huffman table, made ready. */
struct fmt_jpeg_codes {
	uint32_t look[1 << FMT_JPEG_LOOK]; /* 0: the code is longer */
	uint32_t pass[1 << FMT_JPEG_PASS]; /* 0: not one symbol is whole, or not told */
	uint32_t past[18]; /* by length: the first 16 bits that are no such code */
	int32_t offset[17];
	uint32_t symbols[256];
};

/* counts[1..16]: codes of each length; values: their symbols, in order.  0; -EBADMSG for
 * what is no code; -ENOTSUP for symbols that 8-bit pictures do not have. */
int fmt_jpeg_codes_make(struct fmt_jpeg_codes *codes, const uint8_t counts[17],
	const uint8_t values[256], int of_dc);

/* Makes AC codes ready for units that are passed over: worth it where those are many. */
void fmt_jpeg_codes_pass(struct fmt_jpeg_codes *codes);

struct fmt_jpeg_component {
	const struct fmt_jpeg_codes *dc, *ac;
	unsigned blocks; /* of a unit */
	int16_t predictor;
};

struct fmt_jpeg_bits {
	uint64_t bits;	   /* the next ones, first bit highest */
	unsigned count;	   /* of them */
	const uint8_t *at; /* what follows them, in the window */
};

struct fmt_jpeg_scan {
	/* What this machine runs fastest; set by fmt_jpeg_scan_begin(). */
	unsigned (*read)(struct fmt_jpeg_scan *scan, struct fmt_jpeg_block *blocks);
	unsigned (*pass)(struct fmt_jpeg_scan *scan);
	struct fmt_jpeg_component components[FMT_JPEG_COMPONENTS];
	unsigned component_count;
	unsigned interval, left; /* units between restart markers, and to the next */
	unsigned restarts;
	const uint8_t *from, *end; /* of the file: what is not in the window yet */
	const char *why;	   /* what was wrong */
	struct fmt_jpeg_bits bits;
	const uint8_t *have; /* the window's end */
	int is_last;	     /* a marker or the file's end follows the window */
	uint8_t window[(1 << 15) + 4096];
};

/* Components and interval are set; the bytes are those after the scan's header and must
 * outlive it. */
void fmt_jpeg_scan_begin(struct fmt_jpeg_scan *scan, const uint8_t *bytes, size_t length);

/* The next unit: its blocks, component by component, or, where blocks is NULL, nothing.
 * 0, or -EBADMSG with scan->why. */
int fmt_jpeg_scan_unit(struct fmt_jpeg_scan *scan, struct fmt_jpeg_block *blocks);

/* After the last unit: 0 when the end marker follows, else -EBADMSG. */
int fmt_jpeg_scan_end(struct fmt_jpeg_scan *scan);

#endif
