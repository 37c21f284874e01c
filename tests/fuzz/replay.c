/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * replay [--mutate N] [--seed S] FILE... - feeds files to a harness, as they are and then
 * N times spoilt, each time by a few drawn changes: bytes, words that look like counts,
 * cuts and repeats.  The same seed spoils alike, so what is found can be found again.
 */
#include "tests/fuzz/fuzz.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LARGEST = 1 << 20 };

static uint64_t state = 1;

/* splitmix64 */
static uint32_t
draw(uint32_t below)
{
	uint64_t z = state += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return (uint32_t)((z ^ z >> 31) % below);
}

/* In a block of its own size, so that a sanitizer sees a read of one byte more. */
static void
feed(const uint8_t *data, size_t size)
{
	uint8_t *exact = malloc(size + (size == 0));
	if (exact == NULL)
		exit(1);
	memcpy(exact, data, size);
	LLVMFuzzerTestOneInput(exact, size);
	free(exact);
}

static size_t
spoil(uint8_t *data, size_t size)
{
	static const uint32_t words[] = {0, 1, 0x7f, 0xff, 0x7fff, 0xffff, 0x10000,
		0x7fffffff, 0x80000000, 0xffffffff, 0x7fc00000 /* NaN */,
		0xff800000 /* -infinity */};

	for (uint32_t changes = 1 + draw(4); changes > 0 && size >= 8; changes--) {
		/* Headers and counts sit at the front: half of all changes go there. */
		size_t reach = draw(2) && size > 400 ? 400 : size;
		size_t at = draw((uint32_t)(reach - 4));
		switch (draw(5)) {
		case 0:
			data[at] = (uint8_t)draw(256);
			break;
		case 1:
			data[at] ^= (uint8_t)(1u << draw(8));
			break;
		case 2:
			memcpy(data + at, &words[draw(sizeof words / sizeof *words)], 4);
			break;
		case 3:
			size = at + draw(4);
			break;
		default: {
			size_t from = draw((uint32_t)size), length = 1 + draw(64);
			if (length > size - from)
				length = size - from;
			if (length > size - at)
				length = size - at;
			memmove(data + at, data + from, length);
		}
		}
	}
	return size;
}

static size_t
load(const char *path, uint8_t *data)
{
	FILE *file = fopen(path, "rb");
	if (file == NULL) {
		perror(path);
		exit(1);
	}
	size_t size = fread(data, 1, LARGEST, file);
	fclose(file);
	return size;
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {{"mutate", required_argument, NULL, 'm'},
		{"seed", required_argument, NULL, 's'}, {NULL, 0, NULL, 0}};
	static uint8_t seed_file[LARGEST], mutant[LARGEST];
	unsigned long mutants = 0, fed = 0;

	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		if (c == 'm')
			mutants = strtoul(optarg, NULL, 10);
		else if (c == 's')
			state = strtoull(optarg, NULL, 10);
		else
			return 2;
	}
	for (int i = optind; i < argc; i++) {
		size_t size = load(argv[i], seed_file);
		feed(seed_file, size);
		fed++;
		for (unsigned long k = 0; k < mutants; k++) {
			memcpy(mutant, seed_file, size);
			feed(mutant, spoil(mutant, size));
			fed++;
		}
	}
	printf("# %lu inputs were fed\n", fed);
	return fed == 0;
}
