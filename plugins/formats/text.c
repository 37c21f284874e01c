/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/formats/text.h"
#include "plugins/formats/text_tables.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { REPLACEMENT = 0xfffd };

/* A decoder answers how many bytes it took and the code point: 0 bytes where the text is
 * cut in the middle of a character, REPLACEMENT where the bytes are none. */
struct step {
	size_t taken;
	uint32_t unicode;
};

static struct step
step_double(const uint16_t *table, int leads, int trails, const uint8_t *p, size_t left)
{
	int lead = p[0] - FMT_TEXT_FIRST_LEAD;
	if (lead < 0 || lead >= leads)
		return (struct step){1, REPLACEMENT};
	if (left < 2)
		return (struct step){0, 0};
	int trail = p[1] - FMT_TEXT_FIRST_TRAIL;
	if (trail < 0 || trail >= trails)
		return (struct step){1, REPLACEMENT};
	uint16_t unicode = table[lead * trails + trail];
	if (unicode == 0)
		return (struct step){2, REPLACEMENT};
	return (struct step){2, unicode};
}

static struct step
step_cp932(const uint8_t *p, size_t left)
{
	if (p[0] < 0x80)
		return (struct step){1, p[0]};
	if (p[0] >= 0xa1 && p[0] <= 0xdf) /* half-width katakana */
		return (struct step){1, 0xff61u + (p[0] - 0xa1u)};
	return step_double(
		fmt_text_cp932[0], FMT_TEXT_CP932_LEADS, FMT_TEXT_CP932_TRAILS, p, left);
}

static struct step
step_gbk(const uint8_t *p, size_t left)
{
	if (p[0] < 0x80)
		return (struct step){1, p[0]};
	return step_double(
		fmt_text_gbk[0], FMT_TEXT_GBK_LEADS, FMT_TEXT_GBK_TRAILS, p, left);
}

static struct step
step_utf8(const uint8_t *p, size_t left)
{
	if (p[0] < 0x80)
		return (struct step){1, p[0]};
	size_t length = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return (struct step){1, REPLACEMENT};
	uint32_t unicode = p[0] & (0x7fu >> length);
	for (size_t i = 1; i < length; i++) {
		if (i >= left)
			return (struct step){0, 0};
		if ((p[i] & 0xc0) != 0x80)
			return (struct step){1, REPLACEMENT};
		unicode = unicode << 6 | (p[i] & 0x3f);
	}
	static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
	if (unicode < least[length] || unicode > 0x10ffff ||
		(unicode >= 0xd800 && unicode <= 0xdfff))
		return (struct step){1, REPLACEMENT};
	return (struct step){length, unicode};
}

static struct step
step_utf16le(const uint8_t *p, size_t left)
{
	if (left < 2)
		return (struct step){0, 0};
	uint32_t unit = p[0] | (uint32_t)p[1] << 8;
	if (unit < 0xd800 || unit > 0xdfff)
		return (struct step){2, unit};
	if (unit >= 0xdc00)
		return (struct step){2, REPLACEMENT};
	if (left < 4)
		return (struct step){0, 0};
	uint32_t low = p[2] | (uint32_t)p[3] << 8;
	if (low < 0xdc00 || low > 0xdfff)
		return (struct step){2, REPLACEMENT};
	return (struct step){4, 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00)};
}

static size_t
put_utf8(char *to, uint32_t unicode)
{
	if (unicode < 0x80) {
		to[0] = (char)unicode;
		return 1;
	}
	size_t length = unicode < 0x800 ? 2 : unicode < 0x10000 ? 3 : 4;
	for (size_t i = length - 1; i > 0; i--) {
		to[i] = (char)(0x80 | (unicode & 0x3f));
		unicode >>= 6;
	}
	to[0] = (char)((0xf00u >> length & 0xff) | unicode);
	return length;
}

char *
fmt_text_decode(const void *bytes, size_t length, enum fmt_text_encoding encoding,
	unsigned *wrong)
{
	static struct step (*const steps[])(const uint8_t *, size_t) = {
		[FMT_TEXT_CP932] = step_cp932,
		[FMT_TEXT_GBK] = step_gbk,
		[FMT_TEXT_UTF8] = step_utf8,
		[FMT_TEXT_UTF16LE] = step_utf16le,
	};
	const uint8_t *p = bytes;
	size_t used = 0;
	unsigned replaced = 0;

	/* No encoding here turns one byte into more than three (U+FFFD for a bad byte).
	 */
	if (length > (SIZE_MAX - 1) / 3)
		return NULL;
	char *utf8 = malloc(3 * length + 1);
	if (utf8 == NULL)
		return NULL;
	while (length > 0) {
		struct step step = steps[encoding](p, length);
		if (step.taken == 0 || step.unicode == 0)
			break;
		replaced += step.unicode == REPLACEMENT;
		used += put_utf8(utf8 + used, step.unicode);
		p += step.taken;
		length -= step.taken;
	}
	utf8[used] = '\0';
	if (wrong != NULL)
		*wrong = replaced;
	char *fitted = realloc(utf8, used + 1);
	return fitted == NULL ? utf8 : fitted;
}

uint32_t
fmt_text_next(const char **utf8)
{
	const uint8_t *p = (const uint8_t *)*utf8;
	/* A terminating NUL is never a continuation byte, so 4 is safe to promise. */
	struct step step = step_utf8(p, 4);
	if (step.unicode != 0)
		*utf8 += step.taken;
	return step.unicode;
}

static int
compare_pairs(const void *key, const void *element)
{
	const struct fmt_text_pair *a = key, *b = element;
	return (a->unicode > b->unicode) - (a->unicode < b->unicode);
}

/* 0 where the character has no cp932 form. */
static unsigned
cp932_code(uint32_t unicode)
{
	if (unicode < 0x80)
		return unicode;
	if (unicode > 0xffff)
		return 0;
	struct fmt_text_pair wanted = {(uint16_t)unicode, 0};
	const struct fmt_text_pair *found = bsearch(&wanted, fmt_text_cp932_of,
		fmt_text_cp932_of_count, sizeof wanted, compare_pairs);
	return found == NULL ? 0 : found->code;
}

unsigned
fmt_text_to_cp932(const char *utf8, char *cp932, size_t size)
{
	unsigned missing = 0;
	size_t used = 0;

	memset(cp932, 0, size);
	for (uint32_t unicode; (unicode = fmt_text_next(&utf8)) != 0;) {
		unsigned code = cp932_code(unicode);
		if (code == 0) {
			missing++;
			code = '?';
		}
		if (code > 0xff && used + 1 < size)
			cp932[used++] = (char)(code >> 8);
		if (used + 1 < size)
			cp932[used++] = (char)(code & 0xff);
	}
	return missing;
}

int
fmt_text_vmd_name(const char *utf8, char name[16])
{
	if (fmt_text_to_cp932(utf8, name, 16) == 0)
		return 0;
	memset(name, 0, 16);
	return -EILSEQ;
}

void
fmt_text_clean_name(const void *bytes, size_t length, char name[16])
{
	size_t used = strnlen(bytes, length < 15 ? length : 15);
	memset(name, 0, 16);
	memcpy(name, bytes, used);
}

void
fmt_text_fold_name(char name[16])
{
	size_t length = strnlen(name, 15);
	for (size_t i = 0; i < length;) {
		struct step step = step_cp932((const uint8_t *)name + i, length - i);
		unsigned code = step.taken == 2 ? cp932_code(step.unicode) : 0;
		if (step.taken == 0)
			break;
		if (code > 0xff) {
			name[i] = (char)(code >> 8);
			name[i + 1] = (char)(code & 0xff);
		}
		i += step.taken;
	}
}
