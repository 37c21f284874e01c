/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * make-sample [--random FRAMES [--motions N]] [--seed N] FOLDER
 *
 * Without --random: dancer.pmx, waltz.vmd, salute.vmd and broken.vmd, which is cut in the
 * middle of its header.  With it: dancer.pmx and random.vmd, every bone keyed at every
 * frame with curves of its own, for benchmarks; with --motions, random-00001.vmd and on,
 * all different.  The same call writes the same bytes.
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
write_random(const char *folder, const struct sample_dancer *dancer, uint32_t frames,
	uint64_t seed)
{
	FILE *file = open_file(folder, "random.vmd");
	sample_write_random(file, dancer, frames, seed);
	close_file(file, "random.vmd");
}

static void
write_motions(const char *folder, const struct sample_dancer *dancer, uint32_t frames,
	uint32_t motions, uint64_t seed)
{
	char name[32];
	for (uint32_t i = 1; i <= motions; i++) {
		snprintf(name, sizeof name, "random-%05u.vmd", i);
		FILE *file = open_file(folder, name);
		sample_write_random(file, dancer, frames, seed + i);
		close_file(file, name);
	}
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {{"random", required_argument, NULL, 'r'},
		{"motions", required_argument, NULL, 'm'},
		{"seed", required_argument, NULL, 's'}, {NULL, 0, NULL, 0}};
	static struct sample_dancer dancer;
	uint32_t frames = 0, motions = 0;
	uint64_t seed = 1;

	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		if (c == 'r')
			frames = (uint32_t)parse_number(
				optarg, UINT32_MAX / SAMPLE_BONES_MAX);
		else if (c == 'm')
			motions = (uint32_t)parse_number(optarg, 99999);
		else if (c == 's')
			seed = parse_number(optarg, ULLONG_MAX);
		else
			return 2;
	}
	if (optind != argc - 1) {
		fprintf(stderr,
			"usage: make-sample [--random FRAMES [--motions N]] [--seed N] "
			"FOLDER\n");
		return 2;
	}
	sample_make_dancer(&dancer);
	FILE *file = open_file(argv[optind], "dancer.pmx");
	sample_write_pmx(file, &dancer);
	close_file(file, "dancer.pmx");
	if (frames == 0)
		write_dances(argv[optind]);
	else if (motions == 0)
		write_random(argv[optind], &dancer, frames, seed);
	else
		write_motions(argv[optind], &dancer, frames, motions, seed);
	return 0;
}
