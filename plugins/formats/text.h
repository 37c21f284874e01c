/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * text.h - names as MMD's files write them, to UTF-8 and back.  No iconv and no locale:
 * the tables are part of the program (see make-tables.c).
 *
 * cp932 is Microsoft's Shift_JIS (with NEC's and IBM's extensions); private-use
 * characters count as wrong, so that text in another encoding is recognised as such.
 */
#ifndef FMT_TEXT_H
#define FMT_TEXT_H

#include <stddef.h>
#include <stdint.h>

enum fmt_text_encoding { FMT_TEXT_CP932, FMT_TEXT_GBK, FMT_TEXT_UTF8, FMT_TEXT_UTF16LE };

/* The text in UTF-8, NUL-terminated, for the caller to free; NULL only for want of
 * memory. Decoding stops at the first NUL character.  What is no character becomes U+FFFD
 * and is counted in *wrong (NULL is fine).  A character that the end of the bytes cuts in
 * two is dropped and is not counted: VMD cuts names at byte 15. */
char *fmt_text_decode(const void *bytes, size_t length, enum fmt_text_encoding encoding,
	unsigned *wrong);

/* The name of a bone or morph as a VMD key holds it: cp932, cut to 15 bytes wherever that
 * falls, NUL-padded.  0, or -EILSEQ and an empty name where a character of it has no
 * cp932 form: MMD writes a NUL first byte then, and no model's bone can be found by it.
 */
int fmt_text_vmd_name(const char *utf8, char name[16]);

/* Copies at most 15 bytes up to the first NUL and zeroes the rest: bytes after the first
 * NUL of a VMD name are garbage. */
void fmt_text_clean_name(const void *bytes, size_t length, char name[16]);

/* Writes each character of a cp932 name as fmt_text_vmd_name() does.  cp932 has some 400
 * twice: Windows and MMD write those of NEC's IBM rows as IBM's, other tools as NEC's. */
void fmt_text_fold_name(char name[16]);

/* cp932 of the UTF-8 text, cut to size - 1 bytes, NUL-padded; characters without cp932
 * form become '?'.  The number of such characters. */
unsigned fmt_text_to_cp932(const char *utf8, char *cp932, size_t size);

/* The next code point of a NUL-terminated UTF-8 text, moving *utf8 behind it; 0 at the
 * end. Ill-formed bytes give U+FFFD, one at a time. */
uint32_t fmt_text_next(const char **utf8);

#endif
