/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes are gathered into blocks.  A block is looked through once, which finds what is
 * matched and counts symbols, and then written: with codes of its own, or as it is where
 * that is shorter.  Everything goes by words of four bytes; only the end of a stream may
 * hold less than one.
 */
#include "plugins/formats/deflate.h"
#include "plugins/formats/deflate_codes.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

enum {
	WORD = 4,
	WINDOW = FMT_DEFLATE_FAR,
	BLOCK = FMT_DEFLATE_PART,
	STORED_MOST = 65535,
	MATCH_MOST = 64, /* words */
	END = 256,	 /* the symbol of a block's end */
	DISTANCES = 30,
	/* Four codes, and seven bits that wait, fit a register. */
	LONGEST = 14,
	ORDERS = 19, /* symbols of the code that codes are written in */
	ORDER_LONGEST = 7,
	COUNTS = 8,
};

struct output {
	uint64_t bits;	/* that wait for a whole byte */
	unsigned count; /* of them, < 8 between writes */
	uint8_t *at;	/* where the next byte goes */
};

/* So many words as they are, then so many as in the row before. */
struct run {
	uint32_t literal, matched;
};

struct bits {
	uint64_t value;
	unsigned count;
};

/* The codes of a block, written down: symbols 0 to 18 and what follows some of them. */
struct preamble {
	unsigned literals, distances; /* lengths that are told */
	unsigned count, orders;
	struct {
		uint8_t symbol, extra;
	} items[FMT_DEFLATE_SYMBOLS + DISTANCES];
	struct fmt_deflate_code codes[ORDERS];
};

struct fmt_deflate {
	size_t distance;
	uint32_t least;	      /* words of a match */
	size_t history, have; /* bytes before the block, and of it */
	const uint8_t *block; /* while it is compressed */
	struct output to;
	uint32_t run_count;
	struct run runs[BLOCK / WORD + 1];
	uint32_t counts[COUNTS][FMT_DEFLATE_SYMBOLS];
	struct fmt_deflate_code codes[FMT_DEFLATE_SYMBOLS];
	uint16_t symbols[MATCH_MOST + 1];    /* of the lengths, by words */
	struct bits matches[MATCH_MOST + 1]; /* length and distance, by words */
	uint8_t window[WINDOW + BLOCK];
	uint8_t out[FMT_DEFLATE_PART_ROOM];
};

/* RFC 1951, 3.2.5: the first length or distance of each symbol, and its extra bits. */
struct range {
	uint16_t first;
	uint8_t extra;
};

static struct range
length_range(unsigned symbol) /* from 257 on, without the last */
{
	unsigned n = symbol - 257, extra = n < 8 ? 0 : n / 4 - 1;
	return (struct range){
		(uint16_t)(n < 8 ? 3 + n : 3 + ((4 + n % 4) << extra)), (uint8_t)extra};
}

static struct range
distance_range(unsigned symbol)
{
	unsigned extra = symbol < 4 ? 0 : symbol / 2 - 1;
	return (struct range){
		(uint16_t)(symbol < 4 ? 1 + symbol : 1 + ((2 + symbol % 2) << extra)),
		(uint8_t)extra};
}

static unsigned
length_symbol(unsigned length)
{
	unsigned symbol = 284;
	while (length_range(symbol).first > length)
		symbol--;
	return symbol;
}

static unsigned
distance_symbol(size_t distance)
{
	unsigned symbol = DISTANCES - 1;
	while (distance_range(symbol).first > distance)
		symbol--;
	return symbol;
}

struct fmt_deflate *
fmt_deflate_new(void)
{
	struct fmt_deflate *d = malloc(sizeof *d);
	for (unsigned words = 1; d != NULL && words <= MATCH_MOST; words++)
		d->symbols[words] = (uint16_t)length_symbol(words * WORD);
	return d;
}

void
fmt_deflate_free(struct fmt_deflate *d)
{
	free(d);
}

void
fmt_deflate_begin(struct fmt_deflate *d, size_t distance, uint32_t least)
{
	d->distance = distance <= WINDOW ? distance : 0;
	d->least = least;
	d->history = d->have = 0;
	d->to.bits = 0;
	d->to.count = 0;
}

size_t
fmt_deflate_take(struct fmt_deflate *d, const void *bytes, size_t length)
{
	size_t room = BLOCK - d->have;
	size_t taken = length < room ? length : room;
	memcpy(d->window + d->history + d->have, bytes, taken);
	d->have += taken;
	return taken;
}

int
fmt_deflate_full(const struct fmt_deflate *d)
{
	return d->have == BLOCK;
}

/* At most 56 bits. */
static inline void
add_bits(struct output *to, uint64_t value, unsigned count)
{
	to->bits |= value << to->count;
	to->count += count;
	uint64_t little = htole64(to->bits);
	memcpy(to->at, &little, sizeof little);
	to->at += to->count / 8;
	to->bits >>= to->count / 8 * 8;
	to->count %= 8;
}

static void
put(struct fmt_deflate *d, uint64_t value, unsigned count)
{
	add_bits(&d->to, value, count);
}

static inline int
same_word(const uint8_t *at, size_t distance)
{
	return memcmp(at, at - distance, WORD) == 0;
}

/* Eight counts, lest a byte that repeats, as the high ones of numbers do, waits for
 * itself. */
static void
count_literals(struct fmt_deflate *d, const uint8_t *at, uint32_t words)
{
	const uint8_t *end = at + words * WORD;
	for (; end - at >= COUNTS; at += COUNTS)
		for (int i = 0; i < COUNTS; i++)
			d->counts[i][at[i]]++;
	for (int i = 0; at < end; at++, i++)
		d->counts[i][*at]++;
}

static void
add_run(struct fmt_deflate *d, const uint8_t *literals, uint32_t literal,
	uint32_t matched)
{
	count_literals(d, literals, literal);
	d->runs[d->run_count++] = (struct run){literal, matched};
	for (; matched > 0; matched -= matched < MATCH_MOST ? matched : MATCH_MOST) {
		uint32_t length = matched < MATCH_MOST ? matched : MATCH_MOST;
		d->counts[0][d->symbols[length]]++;
	}
}

/* Finds the runs of the block's whole words. */
static void
find_runs(struct fmt_deflate *d)
{
	const uint8_t *block = d->block;
	uint32_t words = (uint32_t)(d->have / WORD), literal = 0, at = 0;
	if (d->distance > 0 && d->distance > d->history)
		at = (uint32_t)((d->distance - d->history + WORD - 1) / WORD);
	if (d->distance == 0 || at > words)
		at = words;
	for (; at < words; at++) {
		uint32_t end = at;
		while (end < words && same_word(block + end * WORD, d->distance))
			end++;
		if (end - at < d->least) {
			at = end;
			continue;
		}
		add_run(d, block + literal * WORD, at - literal, end - at);
		literal = at = end;
	}
	add_run(d, block + literal * WORD, words - literal, 0);
}

/* The lengths of all codes as the symbols of RFC 1951, 3.2.7. */
static void
tell_lengths(const uint8_t *lengths, unsigned count, struct preamble *p)
{
	p->count = 0;
	for (unsigned i = 0, same; i < count; i += same) {
		uint8_t length = lengths[i], symbol = length, extra = 0;
		unsigned most = length == 0 ? 138 : 6;
		for (same = 1; i + same < count && lengths[i + same] == length; same++)
			if (same == most)
				break;
		if (length == 0 && same >= 3) {
			symbol = same < 11 ? 17 : 18;
			extra = (uint8_t)(same < 11 ? same - 3 : same - 11);
		} else if (i > 0 && lengths[i - 1] == length && same >= 3) {
			symbol = 16;
			extra = (uint8_t)(same - 3);
		} else {
			same = 1;
		}
		p->items[p->count].symbol = symbol;
		p->items[p->count++].extra = extra;
	}
}

static const uint8_t extra_bits[ORDERS] = {[16] = 2, [17] = 3, [18] = 7};
static const uint8_t order[ORDERS] = {
	16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};

/* Makes the preamble; how many bits it takes. */
static uint64_t
plan_preamble(const struct fmt_deflate *d, int matches, struct preamble *p)
{
	uint8_t lengths[FMT_DEFLATE_SYMBOLS + DISTANCES] = {0};
	uint32_t frequencies[ORDERS] = {0};
	p->literals = FMT_DEFLATE_SYMBOLS;
	while (d->codes[p->literals - 1].length == 0)
		p->literals--;
	for (unsigned i = 0; i < p->literals; i++)
		lengths[i] = (uint8_t)d->codes[i].length;
	p->distances = matches ? distance_symbol(d->distance) + 1 : 1;
	lengths[p->literals + p->distances - 1] = matches ? 1 : 0;
	tell_lengths(lengths, p->literals + p->distances, p);
	for (unsigned i = 0; i < p->count; i++)
		frequencies[p->items[i].symbol]++;
	fmt_deflate_codes(frequencies, ORDERS, ORDER_LONGEST, p->codes);
	p->orders = ORDERS;
	while (p->orders > 4 && p->codes[order[p->orders - 1]].length == 0)
		p->orders--;
	uint64_t bits = 3 + 5 + 5 + 4 + 3 * p->orders;
	for (unsigned i = 0; i < ORDERS; i++)
		bits += frequencies[i] * (uint64_t)(p->codes[i].length + extra_bits[i]);
	return bits;
}

static void
write_preamble(struct fmt_deflate *d, const struct preamble *p, int last)
{
	put(d, (unsigned)last | 2 << 1, 3);
	put(d, p->literals - 257, 5);
	put(d, p->distances - 1, 5);
	put(d, p->orders - 4, 4);
	for (unsigned i = 0; i < p->orders; i++)
		put(d, p->codes[order[i]].length, 3);
	for (unsigned i = 0; i < p->count; i++) {
		unsigned symbol = p->items[i].symbol;
		put(d, p->codes[symbol].bits, p->codes[symbol].length);
		put(d, p->items[i].extra, extra_bits[symbol]);
	}
}

/* Sums the counts up and makes the codes; how many bits the block's symbols take. */
static uint64_t
plan_codes(struct fmt_deflate *d)
{
	uint64_t bits = 0;
	for (unsigned i = 0; i < FMT_DEFLATE_SYMBOLS; i++)
		for (unsigned k = 1; k < COUNTS; k++)
			d->counts[0][i] += d->counts[k][i];
	fmt_deflate_codes(d->counts[0], FMT_DEFLATE_SYMBOLS, LONGEST, d->codes);
	for (unsigned i = 0; i <= END; i++)
		bits += (uint64_t)d->counts[0][i] * d->codes[i].length;
	if (d->distance == 0)
		return bits;
	struct range far = distance_range(distance_symbol(d->distance));
	uint64_t distance = (d->distance - far.first) << 1; /* behind its symbol, a 0 */
	for (unsigned words = 1; words <= MATCH_MOST; words++) {
		unsigned symbol = d->symbols[words];
		struct range near = length_range(symbol);
		const struct fmt_deflate_code *code = &d->codes[symbol];
		d->matches[words].value = code->bits |
					  (uint64_t)(words * WORD - near.first)
						  << code->length |
					  distance << (code->length + near.extra);
		d->matches[words].count = code->length + near.extra + 1u + far.extra;
	}
	for (unsigned symbol = END + 1; symbol < FMT_DEFLATE_SYMBOLS; symbol++)
		bits += (uint64_t)d->counts[0][symbol] *
			(d->codes[symbol].length + length_range(symbol).extra + 1u +
				far.extra);
	return bits;
}

static void
write_literals(struct fmt_deflate *d, const uint8_t *at, uint32_t words)
{
	const struct fmt_deflate_code *codes = d->codes;
	/* A copy, which no byte that is written can be taken for. */
	struct output to = d->to;
	for (const uint8_t *end = at + words * WORD; at < end; at += WORD) {
		struct fmt_deflate_code a = codes[at[0]], b = codes[at[1]];
		struct fmt_deflate_code c = codes[at[2]], e = codes[at[3]];
		uint64_t low = a.bits | (uint64_t)b.bits << a.length;
		uint64_t high = c.bits | (uint64_t)e.bits << c.length;
		unsigned half = a.length + b.length;
		add_bits(&to, low | high << half, half + c.length + e.length);
	}
	d->to = to;
}

static void
write_symbols(struct fmt_deflate *d)
{
	const uint8_t *at = d->block, *end = at + d->have;
	for (uint32_t i = 0; i < d->run_count; i++) {
		write_literals(d, at, d->runs[i].literal);
		at += ((size_t)d->runs[i].literal + d->runs[i].matched) * WORD;
		for (uint32_t left = d->runs[i].matched; left > 0;) {
			uint32_t words = left < MATCH_MOST ? left : MATCH_MOST;
			put(d, d->matches[words].value, d->matches[words].count);
			left -= words;
		}
	}
	for (; at < end; at++)
		put(d, d->codes[*at].bits, d->codes[*at].length);
	put(d, d->codes[END].bits, d->codes[END].length);
}

static void
write_stored(struct fmt_deflate *d, int last)
{
	const uint8_t *at = d->block;
	size_t left = d->have, length;
	do {
		length = left < STORED_MOST ? left : STORED_MOST;
		left -= length;
		put(d, last && left == 0, 3);
		put(d, 0, (8 - d->to.count) % 8);
		put(d, length | (length ^ 0xffff) << 16, 32);
		memcpy(d->to.at, at, length);
		d->to.at += length;
		at += length;
	} while (left > 0);
}

/* What the next block may refer to moves to the front. */
static void
move_on(struct fmt_deflate *d)
{
	size_t all = d->history + d->have;
	size_t kept = all < d->distance ? all : d->distance;
	memmove(d->window, d->window + all - kept, kept);
	d->history = kept;
	d->have = 0;
}

/* Writes the block to d->to. */
static void
write_block(struct fmt_deflate *d, int last)
{
	struct preamble preamble;
	d->run_count = 0;
	memset(d->counts, 0, sizeof d->counts);
	find_runs(d);
	for (size_t i = d->have / WORD * WORD; i < d->have; i++)
		d->counts[0][d->block[i]]++;
	d->counts[0][END] = 1;
	uint64_t bits = plan_codes(d);
	bits += plan_preamble(d, d->run_count > 1, &preamble);
	if (bits / 8 < d->have + 5 * (d->have / STORED_MOST + 1)) {
		write_preamble(d, &preamble, last);
		write_symbols(d);
	} else {
		write_stored(d, last);
	}
	if (last)
		put(d, 0, (8 - d->to.count) % 8);
}

size_t
fmt_deflate_make(struct fmt_deflate *d, int last, const uint8_t **out)
{
	d->to.at = d->out;
	d->block = d->window + d->history;
	write_block(d, last);
	move_on(d);
	*out = d->out;
	return (size_t)(d->to.at - d->out);
}

size_t
fmt_deflate_alone(
	struct fmt_deflate *d, const struct fmt_deflate_part *part, uint8_t *out)
{
	d->block = part->bytes;
	d->history = part->history;
	d->have = part->length;
	d->to = (struct output){.at = out};
	write_block(d, part->last);
	/* Up to a whole byte: an empty block that is stored. */
	if (d->to.count > 0) {
		put(d, 0, 3);
		put(d, 0, (8 - d->to.count) % 8);
		put(d, 0xffff0000u, 32);
	}
	d->history = d->have = 0;
	d->to.count = 0;
	return (size_t)(d->to.at - out);
}
