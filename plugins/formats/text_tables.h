/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * text_tables.h - the tables behind text.c, written at build time by make-tables.c.
 *
 * The double-byte tables hold UCS-2 values by [lead - first lead][trail - 0x40]; 0 stands
 * for "no such character", and private-use characters count as none.
 */
#ifndef FMT_TEXT_TABLES_H
#define FMT_TEXT_TABLES_H

#include <stddef.h>
#include <stdint.h>

enum {
	FMT_TEXT_FIRST_LEAD = 0x81,
	FMT_TEXT_FIRST_TRAIL = 0x40,
	FMT_TEXT_CP932_LEADS = 0xfc - 0x81 + 1,
	FMT_TEXT_CP932_TRAILS = 0xfc - 0x40 + 1,
	FMT_TEXT_GBK_LEADS = 0xfe - 0x81 + 1,
	FMT_TEXT_GBK_TRAILS = 0xfe - 0x40 + 1,
};

extern const uint16_t fmt_text_cp932[FMT_TEXT_CP932_LEADS][FMT_TEXT_CP932_TRAILS];
extern const uint16_t fmt_text_gbk[FMT_TEXT_GBK_LEADS][FMT_TEXT_GBK_TRAILS];

/* Sorted by unicode; code is one byte below 0x100 and two bytes, lead first, above. */
struct fmt_text_pair {
	uint16_t unicode, code;
};
extern const struct fmt_text_pair fmt_text_cp932_of[];
extern const size_t fmt_text_cp932_of_count;

#endif
