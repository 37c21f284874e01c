/* SPDX-License-Identifier: BSD-2-Clause */
/* deflate_codes.h - Huffman codes as DEFLATE wants them.  For deflate.c only. */
#ifndef FMT_DEFLATE_CODES_H
#define FMT_DEFLATE_CODES_H

#include <stdint.h>

enum { FMT_DEFLATE_SYMBOLS = 286 }; /* the most in one alphabet */

/* The code of a symbol, first bit lowest, and its length; 0: the symbol does not occur. */
struct fmt_deflate_code {
	uint16_t bits;
	uint16_t length;
};

/* Codes of at most `longest` bits for count symbols that occur so often; 2^longest must
 * not be less than the symbols that occur.  A lone symbol has one bit. */
void fmt_deflate_codes(const uint32_t *frequencies, unsigned count, unsigned longest,
	struct fmt_deflate_code *codes);

#endif
