/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * make-sample [--random FRAMES [--every N] [--motions N]] [--seed N] FOLDER
 * make-sample --pano WIDTH FOLDER
 *
 * Without --random: dancer.pmx, waltz.vmd, salute.vmd and broken.vmd, which is cut in the
 * middle of its header.  With it: dancer.pmx and random.vmd, every bone keyed at every
 * frame, or every N-th and the last, with curves of its own, for benchmarks; with
 * --motions, random-00001.vmd and on, all different.  With --pano: compass.png, a panorama
 * of that width or a little less, a multiple of 24.  The same call writes the same bytes.
 */
#include "contrib/make-sample.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static FILE *
open_file(const char *folder, const char *name)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path) {
		fprintf(stderr, "make-sample: '%s' is too long\n", folder);
		exit(1);
	}
	FILE *file = fopen(path, "wb");
	if (file == NULL) {
		fprintf(stderr, "make-sample: cannot write '%s' (%s)\n", path,
			strerror(errno));
		exit(1);
	}
	return file;
}

static void
close_file(FILE *file, const char *name)
{
	int failed = ferror(file);
	if (fclose(file) != 0 || failed) {
		fprintf(stderr, "make-sample: cannot write '%s' (%s)\n", name,
			strerror(errno));
		exit(1);
	}
}

static unsigned long long
parse_number(const char *text, unsigned long long most)
{
	char *end;

	errno = 0;
	unsigned long long value = strtoull(text, &end, 10);
	if (errno != 0 || *text < '0' || *text > '9' || *end != '\0' || value > most) {
		fprintf(stderr,
			"make-sample: a number up to %llu was expected, not '%s'\n", most,
			text);
		exit(2);
	}
	return value;
}

static void
write_dances(const char *folder)
{
	FILE *file = open_file(folder, "waltz.vmd");
	sample_write_waltz(file);
	close_file(file, "waltz.vmd");
	file = open_file(folder, "salute.vmd");
	sample_write_salute(file);
	close_file(file, "salute.vmd");
	file = open_file(folder, "broken.vmd");
	fwrite("Vocaloid Motion Data 0002\0\0\0\0\0bro", 1, 33, file);
	close_file(file, "broken.vmd");
}

static void
write_random(const char *folder, const struct sample_dancer *dancer,
	const struct sample_random *random)
{
	FILE *file = open_file(folder, "random.vmd");
	sample_write_random(file, dancer, random);
	close_file(file, "random.vmd");
}

static void
write_motions(const char *folder, const struct sample_dancer *dancer,
	const struct sample_random *random, uint32_t motions)
{
	char name[32];
	for (uint32_t i = 1; i <= motions; i++) {
		struct sample_random one = *random;
		one.seed += i;
		snprintf(name, sizeof name, "random-%05u.vmd", i);
		FILE *file = open_file(folder, name);
		sample_write_random(file, dancer, &one);
		close_file(file, name);
	}
}

static void
write_pano(const char *folder, uint32_t width)
{
	FILE *file = open_file(folder, "compass.png");
	int rc = sample_write_pano(file, width);
	if (rc < 0) {
		fprintf(stderr, "make-sample: cannot write 'compass.png' (%s)\n",
			strerror(-rc));
		exit(1);
	}
	close_file(file, "compass.png");
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {{"random", required_argument, NULL, 'r'},
		{"every", required_argument, NULL, 'e'},
		{"motions", required_argument, NULL, 'm'},
		{"pano", required_argument, NULL, 'p'},
		{"seed", required_argument, NULL, 's'}, {NULL, 0, NULL, 0}};
	static struct sample_dancer dancer;
	struct sample_random random = {.every = 1, .seed = 1};
	uint32_t motions = 0, pano = 0;
	int is_tiny = 0;

	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		if (c == 'r')
			random.frames = (uint32_t)parse_number(
				optarg, UINT32_MAX / SAMPLE_BONES_MAX);
		else if (c == 'e')
			random.every = (uint32_t)parse_number(optarg, 100000);
		else if (c == 'm')
			motions = (uint32_t)parse_number(optarg, 99999);
		else if (c == 'p') {
			pano = (uint32_t)parse_number(optarg, 16384) / 24 * 24;
			is_tiny = pano == 0;
		} else if (c == 's')
			random.seed = parse_number(optarg, ULLONG_MAX);
		else
			return 2;
	}
	if (optind != argc - 1 || random.every == 0 || is_tiny) {
		fprintf(stderr,
			"usage: make-sample [--random FRAMES [--every N] [--motions N]] "
			"[--seed N] FOLDER\n"
			"       make-sample --pano WIDTH FOLDER\n");
		return 2;
	}
	if (pano > 0) {
		write_pano(argv[optind], pano);
		return 0;
	}
	sample_make_dancer(&dancer);
	FILE *file = open_file(argv[optind], "dancer.pmx");
	sample_write_pmx(file, &dancer);
	close_file(file, "dancer.pmx");
	if (random.frames == 0)
		write_dances(argv[optind]);
	else if (motions == 0)
		write_random(argv[optind], &dancer, &random);
	else
		write_motions(argv[optind], &dancer, &random, motions);
	return 0;
}
