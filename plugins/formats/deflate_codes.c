/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lengths come from Huffman's tree, by two queues over the sorted frequencies.  Where the
 * tree is too deep, lengths are cut and then given back from the rarest symbols that can
 * spare a bit, until the code is one again (Kraft's sum is 1).
 */
#include "plugins/formats/deflate_codes.h"

#include <stdlib.h>
#include <string.h>

enum { DEEPEST = 32 };

/* What the tree is made of: symbols first, then their parents, all by weight. */
struct node {
	uint32_t weight;
	uint16_t parent;
	uint16_t symbol;
};

static int
by_weight(const void *a, const void *b)
{
	const struct node *left = a, *right = b;
	if (left->weight != right->weight)
		return left->weight < right->weight ? -1 : 1;
	return (int)left->symbol - (int)right->symbol;
}

static unsigned
collect(const uint32_t *frequencies, unsigned count, struct node *nodes)
{
	unsigned leaves = 0;
	for (unsigned i = 0; i < count; i++)
		if (frequencies[i] > 0)
			nodes[leaves++] = (struct node){frequencies[i], 0, (uint16_t)i};
	qsort(nodes, leaves, sizeof *nodes, by_weight);
	return leaves;
}

/* Both queues ascend, so the lightest node heads one of them. */
static void
join(struct node *nodes, unsigned leaves)
{
	unsigned leaf = 0, inner = leaves;
	for (unsigned made = leaves; made < 2 * leaves - 1; made++) {
		uint32_t weight = 0;
		for (int i = 0; i < 2; i++) {
			unsigned child =
				inner < made && (leaf >= leaves ||
							nodes[inner].weight <
								nodes[leaf].weight)
					? inner++
					: leaf++;
			weight += nodes[child].weight;
			nodes[child].parent = (uint16_t)made;
		}
		nodes[made].weight = weight;
	}
}

/* How many codes there are of each length, none longer than `longest`. */
static void
count_lengths(
	struct node *nodes, unsigned leaves, unsigned longest, uint32_t counts[DEEPEST])
{
	unsigned top = 2 * leaves - 2;
	uint32_t sum = 0;
	memset(counts, 0, DEEPEST * sizeof *counts);
	nodes[top].weight = 0; /* from here on a node's depth */
	for (unsigned i = top; i-- > 0;) {
		nodes[i].weight = nodes[nodes[i].parent].weight + 1;
		if (i >= leaves)
			continue;
		unsigned length = nodes[i].weight < longest ? nodes[i].weight : longest;
		counts[length]++;
		sum += 1u << (longest - length);
	}
	/* Each step takes one code from the longest and splits the code above it. */
	for (; sum > 1u << longest; sum--) {
		unsigned length = longest - 1;
		while (counts[length] == 0)
			length--;
		counts[longest]--;
		counts[length]--;
		counts[length + 1] += 2;
	}
}

static uint16_t
reversed(unsigned code, unsigned length)
{
	unsigned bits = 0;
	for (unsigned i = 0; i < length; i++)
		bits |= (code >> i & 1) << (length - 1 - i);
	return (uint16_t)bits;
}

/* Codes of one length count up in the symbols' order (RFC 1951, 3.2.2). */
static void
number(const uint32_t counts[DEEPEST], unsigned count, unsigned longest,
	struct fmt_deflate_code *codes)
{
	unsigned next[DEEPEST] = {0};
	for (unsigned length = 1; length < longest; length++)
		next[length + 1] = (next[length] + counts[length]) << 1;
	for (unsigned i = 0; i < count; i++)
		if (codes[i].length > 0)
			codes[i].bits =
				reversed(next[codes[i].length]++, codes[i].length);
}

void
fmt_deflate_codes(const uint32_t *frequencies, unsigned count, unsigned longest,
	struct fmt_deflate_code *codes)
{
	struct node nodes[2 * FMT_DEFLATE_SYMBOLS];
	uint32_t counts[DEEPEST] = {0};
	unsigned leaves = collect(frequencies, count, nodes), leaf = 0;
	memset(codes, 0, count * sizeof *codes);
	if (leaves == 0)
		return;
	if (leaves == 1) {
		codes[nodes[0].symbol].length = 1;
		return;
	}
	join(nodes, leaves);
	count_lengths(nodes, leaves, longest, counts);
	for (unsigned length = longest; length > 0; length--)
		for (uint32_t i = 0; i < counts[length]; i++)
			codes[nodes[leaf++].symbol].length = (uint16_t)length;
	number(counts, count, longest, codes);
}
