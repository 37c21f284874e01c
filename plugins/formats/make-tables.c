/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * make-tables - writes text_tables.c to standard output.  Runs on the build machine,
 * whose iconv knows the encodings.  The product cannot ask iconv itself: it runs where no
 * file can be opened, and glibc's iconv loads a shared object for each encoding.
 */
#include "plugins/formats/text_tables.h"

#include <iconv.h>
#include <stdio.h>
#include <stdlib.h>

static iconv_t
open_or_die(const char *to, const char *from)
{
	iconv_t cd = iconv_open(to, from);
	if (cd == (iconv_t)-1) {
		fprintf(stderr, "make-tables: this machine's iconv has no %s to %s\n",
			from, to);
		exit(1);
	}
	return cd;
}

/* Number of bytes written to out, 0 where the characters have no counterpart. */
static size_t
convert(iconv_t cd, const unsigned char *in, size_t in_length, unsigned char out[8])
{
	char *from = (char *)in, *to = (char *)out;
	size_t left = 8;
	iconv(cd, NULL, NULL, NULL, NULL);
	if (iconv(cd, &from, &in_length, &to, &left) != 0 || in_length != 0)
		return 0;
	return 8 - left;
}

static void
write_decoder(const char *name, const char *encoding, int leads, int trails)
{
	iconv_t cd = open_or_die("UTF-16LE", encoding);
	printf("const uint16_t %s[%d][%d] = {\n", name, leads, trails);
	for (int lead = 0; lead < leads; lead++) {
		printf("{");
		for (int trail = 0; trail < trails; trail++) {
			unsigned char in[2] = {
				(unsigned char)(lead + FMT_TEXT_FIRST_LEAD),
				(unsigned char)(trail + FMT_TEXT_FIRST_TRAIL)};
			unsigned char out[8];
			unsigned unicode = 0;
			if (convert(cd, in, 2, out) == 2)
				unicode = out[0] | out[1] << 8;
			if (unicode >= 0xe000 && unicode <= 0xf8ff)
				unicode = 0;
			printf("%u,", unicode);
		}
		printf("},\n");
	}
	printf("};\n");
	iconv_close(cd);
}

static void
write_encoder(const char *name, const char *encoding)
{
	iconv_t cd = open_or_die(encoding, "UTF-16LE");
	unsigned count = 0;
	printf("const struct fmt_text_pair %s[] = {\n", name);
	for (unsigned unicode = 0x80; unicode < 0x10000; unicode++) {
		if ((unicode >= 0xd800 && unicode <= 0xf8ff) || unicode == 0xfeff)
			continue;
		unsigned char in[2] = {
			(unsigned char)(unicode & 0xff), (unsigned char)(unicode >> 8)};
		unsigned char out[8];
		size_t length = convert(cd, in, 2, out);
		if (length != 1 && length != 2)
			continue;
		unsigned code = length == 1 ? out[0] : (unsigned)(out[0] << 8 | out[1]);
		printf("{%u,%u},%s", unicode, code, ++count % 8 == 0 ? "\n" : "");
	}
	printf("};\nconst size_t %s_count = %u;\n", name, count);
	iconv_close(cd);
}

int
main(void)
{
	printf("/* Written by make-tables; see there. */\n"
	       "#include \"plugins/formats/text_tables.h\"\n");
	write_decoder(
		"fmt_text_cp932", "CP932", FMT_TEXT_CP932_LEADS, FMT_TEXT_CP932_TRAILS);
	write_decoder("fmt_text_gbk", "GBK", FMT_TEXT_GBK_LEADS, FMT_TEXT_GBK_TRAILS);
	write_encoder("fmt_text_cp932_of", "CP932");
	return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}
