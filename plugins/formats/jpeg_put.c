/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/formats/jpeg_put.h"

#include <endian.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

void
fmt_jpeg_symbols_make(
	struct fmt_jpeg_symbols *symbols, const uint8_t counts[17], const uint8_t *values)
{
	uint32_t code = 0;
	memset(symbols, 0, sizeof *symbols);
	for (unsigned length = 1; length <= 16; length++, code <<= 1)
		for (unsigned i = 0; i < counts[length]; i++, values++, code++) {
			const unsigned extra = *values & 15;
			symbols->of[*values] = (code << extra) << 5 | (length + extra);
		}
}

/* At most 56 bits. */
INLINE void
put_bits(struct fmt_jpeg_put *put, uint64_t bits, unsigned count)
{
	const unsigned all = put->count + count;
	put->bits |= bits << (64 - all);
	const uint64_t big = htobe64(put->bits);
	memcpy(put->to, &big, sizeof big);
	put->to += all / 8;
	put->bits <<= all / 8 * 8;
	put->count = all % 8;
}

INLINE void
put_item(struct fmt_jpeg_put *put, const uint32_t *symbols, unsigned run, uint32_t item)
{
	const uint32_t symbol = symbols[run << 4 | item >> FMT_JPEG_PUT_LENGTH];
	put_bits(put, symbol >> 5 | (uint16_t)item, symbol & 31);
}

INLINE void
put_block(struct fmt_jpeg_put *to, const struct fmt_jpeg_tables *tables,
	const uint32_t *items, uint64_t set)
{
	/* A copy, which no byte that is written can be taken for. */
	struct fmt_jpeg_put put = *to;
	const uint32_t *ac = tables->ac->of;
	unsigned last = 0;
	put_item(&put, tables->dc->of, 0, items[0]);
	for (set &= ~UINT64_C(1); set != 0; set &= set - 1) {
		const unsigned at = (unsigned)__builtin_ctzll(set);
		unsigned run = at - last - 1;
		for (; __builtin_expect(run > 15, 0); run -= 16)
			put_bits(&put, ac[0xf0] >> 5, ac[0xf0] & 31);
		put_item(&put, ac, run, items[at]);
		last = at;
	}
	if (last < 63)
		put_bits(&put, ac[0] >> 5, ac[0] & 31);
	*to = put;
}

static void
put_block_c(struct fmt_jpeg_put *put, const struct fmt_jpeg_tables *tables,
	const uint32_t *items, uint64_t set)
{
	put_block(put, tables, items, set);
}

#if defined(__x86_64__)
/* The same lines with shifts that leave the flags and need no certain register. */
__attribute__((target("bmi,bmi2"))) static void
put_block_bmi2(struct fmt_jpeg_put *put, const struct fmt_jpeg_tables *tables,
	const uint32_t *items, uint64_t set)
{
	put_block(put, tables, items, set);
}
#endif

void
fmt_jpeg_put_block(struct fmt_jpeg_put *put, const struct fmt_jpeg_tables *tables,
	const uint32_t *items, uint64_t set)
{
#if defined(__x86_64__)
	__builtin_cpu_init();
	if (__builtin_cpu_supports("bmi2")) {
		put_block_bmi2(put, tables, items, set);
		return;
	}
#endif
	put_block_c(put, tables, items, set);
}

void
fmt_jpeg_put_end(struct fmt_jpeg_put *put)
{
	const unsigned ones = 8 - put->count;
	if (ones < 8)
		put_bits(put, (1u << ones) - 1, ones);
}

uint8_t *
fmt_jpeg_put_stuffed(const uint8_t *from, const uint8_t *end, uint8_t *to)
{
	while (from < end) {
		const uint8_t *mark = memchr(from, 0xff, (size_t)(end - from));
		const size_t length = (size_t)((mark != NULL ? mark + 1 : end) - from);
		memcpy(to, from, length);
		to += length;
		from += length;
		if (mark != NULL)
			*to++ = 0;
	}
	return to;
}
