/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes first lose what is stuffed between them (0xff 0x00 stands for 0xff), window by
 * window, so that 56 bits and more are had by one load.  A symbol is then one look into a
 * table that also tells how many bits its value takes: what the next symbol waits for is
 * that look and one shift.
 */
#include "plugins/formats/jpeg_scan.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

enum {
	LOOK = FMT_JPEG_LOOK,
	PASS = FMT_JPEG_PASS,
	LONGEST = 16,
	DC_MOST = 11, /* bits of a difference in an 8-bit picture */
	AC_MOST = 10,
	END_STEP = 128,	    /* carries an index beyond all that runs can reach */
	STRANGER_STEP = 64, /* what bits that are no code pass over */
	/* More than a unit can take: 64 symbols of 26 bits in each block. */
	UNIT_BYTES = FMT_JPEG_UNIT_MOST * 64 * 26 / 8 + 16,
	WINDOW = 1 << 15,
	MARKER_END = 0xd9,
	MARKER_RESTART = 0xd0,
};

/* T.81, figure A.6, by row and column.  From 64 on: where what is beyond a block goes. */
static const uint8_t natural[64 + END_STEP] = {0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25,
	18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28, 35,
	42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38,
	31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63, [64 ... 64 + END_STEP - 1] = 64};

/* A symbol as four bytes: the bits of its code and value together, of its code, of its
 * value, and how many coefficients it goes on. */
static inline uint32_t
symbol(unsigned code, unsigned value, unsigned step)
{
	return (code + value) | code << 8 | value << 16 | step << 24;
}

static int
symbol_of(uint8_t byte, unsigned length, int of_dc, uint32_t *made)
{
	const unsigned run = byte >> 4, value = byte & 15;
	if (of_dc) {
		*made = symbol(length, byte, 0);
		return byte <= DC_MOST ? 0 : -ENOTSUP;
	}
	*made = symbol(length, value, run + 1);
	if (byte == 0)
		*made = symbol(length, 0, END_STEP);
	/* Of those without a value only the end and a run of 16 zeros have a meaning. */
	return value > AC_MOST || (value == 0 && run > 0 && run < 15) ? -ENOTSUP : 0;
}

int
fmt_jpeg_codes_make(struct fmt_jpeg_codes *codes, const uint8_t counts[17],
	const uint8_t values[256], int of_dc)
{
	uint32_t code = 0; /* in 16 bits, first bit highest */
	int32_t number = 0;
	memset(codes, 0, sizeof *codes);
	for (unsigned length = 1; length <= LONGEST; length++) {
		const uint32_t one = 1u << (LONGEST - length);
		codes->offset[length] = number - (int32_t)(code >> (LONGEST - length));
		for (unsigned i = 0; i < counts[length]; i++, number++, code += one) {
			if (number == 256 || code + one > 1u << LONGEST)
				return -EBADMSG;
			uint32_t *made = &codes->symbols[number];
			int rc = symbol_of(values[number], length, of_dc, made);
			if (rc < 0)
				return rc;
			for (uint32_t k = code; k < code + one;
				k += 1u << (LONGEST - LOOK))
				codes->look[k >> (LONGEST - LOOK)] =
					length <= LOOK ? *made : 0;
		}
		codes->past[length] = code;
	}
	codes->past[LONGEST + 1] = UINT32_MAX;
	return 0;
}

/* All whole symbols with their values that PASS bits begin with, up to a block's end, as
 * four bytes: their bits, 0, how many coefficients those before the last go on, and how
 * many all do. */
static uint32_t
symbols_in(const struct fmt_jpeg_codes *codes, uint32_t bits)
{
	unsigned used = 0, before = 0, all = 0;
	while (used < PASS && all < END_STEP) {
		const uint32_t rest = bits << used & ((1u << PASS) - 1);
		const uint32_t found = codes->look[rest >> (PASS - LOOK)];
		if (found == 0 || used + (found & 0xff) > PASS)
			break;
		used += found & 0xff;
		before = all;
		all += found >> 24;
	}
	/* Runs of 16 zeros may be many: what a byte does not hold is left to single looks. */
	return all < 256 ? used | before << 16 | all << 24 : 0;
}

void
fmt_jpeg_codes_pass(struct fmt_jpeg_codes *codes)
{
	for (uint32_t bits = 0; bits < 1u << PASS; bits++)
		codes->pass[bits] = symbols_in(codes, bits);
}

/* --- bytes ------------------------------------------------------------------- */

static void
empty_window(struct fmt_jpeg_scan *scan)
{
	scan->bits = (struct fmt_jpeg_bits){0, 0, scan->window};
	scan->have = scan->window;
	scan->is_last = 0;
}

/* Unstuffs as much as there is room for, up to the next marker. */
static void
fill_window(struct fmt_jpeg_scan *scan)
{
	uint8_t *to = scan->window;
	const size_t kept = (size_t)(scan->have - scan->bits.at);
	uint8_t *const full = scan->window + WINDOW;
	memmove(to, scan->bits.at, kept);
	to += kept;
	while (to < full && !scan->is_last) {
		size_t length = (size_t)(scan->end - scan->from);
		length = length < (size_t)(full - to) ? length : (size_t)(full - to);
		const uint8_t *mark = memchr(scan->from, 0xff, length);
		const size_t plain = mark != NULL ? (size_t)(mark - scan->from) : length;
		memcpy(to, scan->from, plain);
		to += plain;
		scan->from += plain;
		if (mark == NULL) {
			scan->is_last = scan->from == scan->end;
		} else if (scan->end - mark >= 2 && mark[1] == 0) {
			*to++ = 0xff;
			scan->from += 2;
		} else {
			scan->is_last = 1;
		}
	}
	/* What is read beyond the end is zeros, and found out after the unit. */
	if (scan->is_last)
		memset(to, 0, UNIT_BYTES);
	scan->bits.at = scan->window;
	scan->have = to;
}

/* The marker that follows, with what may be stuffed before it passed over; -1: none. */
static int
next_marker(struct fmt_jpeg_scan *scan)
{
	while (scan->end - scan->from >= 2 && scan->from[0] == 0xff &&
		scan->from[1] == 0xff)
		scan->from++;
	if (scan->end - scan->from < 2 || scan->from[0] != 0xff)
		return -1;
	scan->from += 2;
	return scan->from[-1];
}

static int
refuse(struct fmt_jpeg_scan *scan, const char *why)
{
	scan->why = why;
	return -EBADMSG;
}

/* Whole bytes that are in the window and not read, among them those in the register. */
static ptrdiff_t
unread(const struct fmt_jpeg_scan *scan)
{
	return scan->have - scan->bits.at + (ptrdiff_t)(scan->bits.count / 8);
}

/* What is left of the last byte is filled with ones; nothing else may stand there. */
static int
reach_marker(struct fmt_jpeg_scan *scan)
{
	if (!scan->is_last && unread(scan) <= 0)
		fill_window(scan);
	if (!scan->is_last || unread(scan) > 0)
		return refuse(scan, "bytes that belong to nothing");
	return 0;
}

static int
restart(struct fmt_jpeg_scan *scan)
{
	int rc = reach_marker(scan);
	if (rc < 0)
		return rc;
	if (next_marker(scan) != (int)(MARKER_RESTART + scan->restarts % 8))
		return refuse(scan, "a restart marker is missing");
	scan->restarts++;
	scan->left = scan->interval;
	for (unsigned i = 0; i < scan->component_count; i++)
		scan->components[i].predictor = 0;
	empty_window(scan);
	return 0;
}

/* --- symbols ----------------------------------------------------------------- */

/* At least 56 bits; those beyond count are right already and are loaded again. */
static inline __attribute__((always_inline)) void
fill_bits(struct fmt_jpeg_bits *b)
{
	uint64_t next;
	memcpy(&next, b->at, sizeof next);
	b->bits |= be64toh(next) >> b->count;
	b->at += (63 - b->count) >> 3;
	b->count |= 56;
}

static uint32_t
look_long(const struct fmt_jpeg_codes *codes, uint64_t bits)
{
	const uint32_t code = (uint32_t)(bits >> (64 - LONGEST));
	unsigned length = LOOK + 1;
	while (code >= codes->past[length])
		length++;
	if (length > LONGEST)
		return symbol(1, 0, STRANGER_STEP);
	return codes
		->symbols[codes->offset[length] + (int32_t)(code >> (LONGEST - length))];
}

static inline __attribute__((always_inline)) uint32_t
look(const struct fmt_jpeg_codes *codes, uint64_t bits)
{
	const uint32_t found = codes->look[bits >> (64 - LOOK)];
	return __builtin_expect(found != 0, 1) ? found : look_long(codes, bits);
}

/* T.81, figure F.12: a value that begins with 0 is negative. */
static inline __attribute__((always_inline)) int
value_of(uint32_t found, uint64_t bits)
{
	const unsigned length = found >> 16 & 0xff;
	const uint64_t rest = bits << (found >> 8 & 0xff);
	const int negative = (int)(rest >> 63) - 1;
	return (int)(rest >> 1 >> (63 - length)) - (negative & ((1 << length) - 1));
}

static inline __attribute__((always_inline)) void
drop(struct fmt_jpeg_bits *b, uint32_t found)
{
	b->bits <<= found & 0xff;
	b->count -= found & 0xff;
}

/* The next coefficient of a block after number k: the number of that one. */
static inline __attribute__((always_inline)) unsigned
next_ac(struct fmt_jpeg_bits *b, const struct fmt_jpeg_codes *codes, unsigned k,
	int16_t *block)
{
	const uint32_t found = look(codes, b->bits);
	k += found >> 24;
	if (block != NULL)
		block[natural[k]] = (int16_t)value_of(found, b->bits);
	drop(b, found);
	return k;
}

/* The same, or several of them, of a block that is passed over.  No symbol may be taken
 * that follows the block's last. */
static inline __attribute__((always_inline)) unsigned
pass_ac(struct fmt_jpeg_bits *b, const struct fmt_jpeg_codes *codes, unsigned k)
{
	const uint32_t found = codes->pass[b->bits >> (64 - PASS)];
	if (__builtin_expect(found == 0 || k + (found >> 16 & 0xff) >= 63, 0))
		return next_ac(b, codes, k, NULL);
	drop(b, found);
	return k + (found >> 24);
}

static inline __attribute__((always_inline)) unsigned
step(struct fmt_jpeg_bits *b, const struct fmt_jpeg_codes *codes, unsigned k,
	int16_t *block)
{
	return block != NULL ? next_ac(b, codes, k, block) : pass_ac(b, codes, k);
}

/* A block; bits hold 56 and more at each fill, a symbol and its value at most 27.  Not 0
 * when something was no code or went beyond the block. */
static inline __attribute__((always_inline)) unsigned
read_block(struct fmt_jpeg_bits *b, struct fmt_jpeg_component *component, int16_t *block)
{
	const struct fmt_jpeg_codes *ac = component->ac;
	fill_bits(b);
	const uint32_t found = look(component->dc, b->bits);
	component->predictor = (int16_t)(component->predictor + value_of(found, b->bits));
	drop(b, found);
	if (block != NULL)
		block[0] = component->predictor;
	unsigned k = step(b, ac, 0, block);
	while (k < 63) {
		fill_bits(b);
		k = step(b, ac, k, block);
		if (k >= 63)
			break;
		k = step(b, ac, k, block);
	}
	return (found >> 24) | (k > 63 && k < END_STEP);
}

/* A unit of whose bytes all are in the window; not 0 when something was wrong. */
static inline __attribute__((always_inline)) unsigned
read_unit(struct fmt_jpeg_scan *scan, struct fmt_jpeg_block *blocks)
{
	/* Copies, which nothing that is written can be taken for. */
	struct fmt_jpeg_bits bits = scan->bits;
	unsigned wrong = 0;
	for (unsigned i = 0; i < scan->component_count; i++) {
		struct fmt_jpeg_component component = scan->components[i];
		for (unsigned k = 0; k < component.blocks; k++)
			if (blocks != NULL)
				wrong |= read_block(&bits, &component, blocks++->at);
			else
				wrong |= read_block(&bits, &component, NULL);
		scan->components[i].predictor = component.predictor;
	}
	scan->bits = bits;
	return wrong;
}

static unsigned
read_unit_c(struct fmt_jpeg_scan *scan, struct fmt_jpeg_block *blocks)
{
	return read_unit(scan, blocks);
}

static unsigned
pass_unit_c(struct fmt_jpeg_scan *scan)
{
	return read_unit(scan, NULL);
}

#if defined(__x86_64__)
/* The same lines with shifts that leave the flags and need no certain register. */
__attribute__((target("bmi,bmi2"))) static unsigned
read_unit_bmi2(struct fmt_jpeg_scan *scan, struct fmt_jpeg_block *blocks)
{
	return read_unit(scan, blocks);
}

__attribute__((target("bmi,bmi2"))) static unsigned
pass_unit_bmi2(struct fmt_jpeg_scan *scan)
{
	return read_unit(scan, NULL);
}

static int
has_bmi2(void)
{
	__builtin_cpu_init();
	return __builtin_cpu_supports("bmi2") != 0;
}
#endif

void
fmt_jpeg_scan_begin(struct fmt_jpeg_scan *scan, const uint8_t *bytes, size_t length)
{
	scan->from = bytes;
	scan->end = bytes + length;
	scan->left = scan->interval;
	scan->restarts = 0;
	scan->why = NULL;
	for (unsigned i = 0; i < FMT_JPEG_COMPONENTS; i++)
		scan->components[i].predictor = 0;
	empty_window(scan);
	scan->read = read_unit_c;
	scan->pass = pass_unit_c;
#if defined(__x86_64__)
	if (has_bmi2()) {
		scan->read = read_unit_bmi2;
		scan->pass = pass_unit_bmi2;
	}
#endif
}

int
fmt_jpeg_scan_unit(struct fmt_jpeg_scan *scan, struct fmt_jpeg_block *blocks)
{
	int rc = scan->interval > 0 && scan->left == 0 ? restart(scan) : 0;
	if (rc < 0)
		return rc;
	if (!scan->is_last && scan->have - scan->bits.at < UNIT_BYTES)
		fill_window(scan);
	unsigned wrong = blocks != NULL ? scan->read(scan, blocks) : scan->pass(scan);
	scan->left--;
	if (scan->is_last && unread(scan) < 0)
		return refuse(scan, "the data end early");
	return wrong ? refuse(scan, "bits that are no code") : 0;
}

int
fmt_jpeg_scan_end(struct fmt_jpeg_scan *scan)
{
	int rc = reach_marker(scan);
	if (rc == 0 && next_marker(scan) != MARKER_END)
		rc = refuse(scan, "the end marker is missing");
	return rc;
}
