/* SPDX-License-Identifier: BSD-2-Clause */
/* checkkern [SEED] | checkkern --bench [NAME] - judges the kernels: see ck.h. */
#include "tests/kernels/ck.h"

#include "kernels/caps.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define GUARD 32
/* A quiet NaN that no arithmetic makes. */
#define POISON UINT32_C(0x7fc0dead)

const struct ck_cap ck_caps[CK_CAPS] = {
	{KERN_CAP_AVX2, "avx2"}, {KERN_CAP_AVX512, "avx512"}};

static uint64_t state;
static int cases, failures;

static uint64_t
next(void)
{
	state += UINT64_C(0x9e3779b97f4a7c15);
	uint64_t z = state;
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

uint32_t
ck_random(uint32_t below)
{
	return (uint32_t)(next() % below);
}

double
ck_uniform(double low, double high)
{
	return low + (high - low) * (double)(next() >> 11) * 0x1p-53;
}

void
ck_rotation(float q[4])
{
	double axis[3], length = 0.0, half = ck_uniform(0.0, M_PI);
	switch (ck_random(8)) {
	case 0:
		half = 0.0;
		break;
	case 1:
		half = M_PI / 2;
		break;
	case 2:
		half = ck_uniform(0.0, 1e-4);
		break;
	}
	do {
		for (int i = 0; i < 3; i++)
			axis[i] = ck_uniform(-1.0, 1.0);
		length = sqrt(axis[0] * axis[0] + axis[1] * axis[1] + axis[2] * axis[2]);
	} while (length < 1e-3 || length > 1.0);
	for (int i = 0; i < 3; i++)
		q[i] = (float)(axis[i] / length * sin(half));
	q[3] = (float)cos(half);
}

/* Before the floats lie their count and the guard. */
float *
ck_floats(size_t count, int odd)
{
	size_t lead = GUARD + (odd ? 1 : 0);
	uint32_t *block = malloc((4 + 2 * GUARD + 1 + count) * sizeof *block);
	if (block == NULL)
		abort();
	uint32_t *floats = block + 4 + lead;
	for (size_t i = 4; i < 4 + 2 * GUARD + 1 + count; i++)
		block[i] = POISON;
	memcpy(floats - GUARD, &count, sizeof count);
	memcpy(floats - GUARD + 2, &block, sizeof block);
	return (float *)floats;
}

int
ck_release(float *floats)
{
	const uint32_t *words = (const uint32_t *)floats;
	uint32_t *block;
	size_t count;
	int intact = 1;
	memcpy(&count, words - GUARD, sizeof count);
	memcpy(&block, words - GUARD + 2, sizeof block);
	for (size_t i = 1; i <= GUARD - 4; i++)
		intact = intact && *(words - i) == POISON;
	for (size_t i = 0; i < GUARD; i++)
		intact = intact && words[count + i] == POISON;
	free(block);
	return intact;
}

int
ck_is_poison(float value)
{
	uint32_t bits;
	memcpy(&bits, &value, sizeof bits);
	return bits == POISON;
}

void
ck_worst(double *worst, double value)
{
	if (!(value <= *worst))
		*worst = isnan(value) ? INFINITY : value;
}

static void
say(int holds, const char *name)
{
	cases++;
	failures += !holds;
	printf("%s %d - %s\n", holds ? "ok" : "not ok", cases, name);
}

void
ck_judge(const char *name, double value, double limit)
{
	say(value <= limit, name);
	printf("# worst %.3g, at most %.3g\n", value, limit);
}

void
ck_true(const char *name, int holds)
{
	say(holds, name);
}

void
ck_skip(const char *name, const char *reason)
{
	cases++;
	printf("ok %d - %s # SKIP %s\n", cases, name, reason);
}

double
ck_now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static const struct {
	const char *name;
	void (*run)(void);
} benches[] = {
	{"pose", bench_pose},
	{"track", bench_track},
	{"morph", bench_track_weights},
	{"morph", bench_morph},
	{"remap", bench_view},
	{"remap", bench_remap},
	{"arrays", bench_arrays},
};

/* All, or those of one name. */
static int
bench(const char *only)
{
	int found = 0;
	state = 1;
	for (size_t i = 0; i < sizeof benches / sizeof benches[0]; i++) {
		if (only != NULL && strcmp(only, benches[i].name) != 0)
			continue;
		benches[i].run();
		found = 1;
	}
	if (!found)
		fprintf(stderr,
			"checkkern: there is no bench '%s'; there are pose, track, "
			"morph, remap and arrays\n",
			only);
	return found ? 0 : 2;
}

int
main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "--bench") == 0)
		return bench(argv[2]);
	state = argc > 1 ? strtoull(argv[1], NULL, 0) : (uint64_t)time(NULL);
	printf("# seed %llu\n", (unsigned long long)state);
	check_trig();
	check_curve();
	check_track();
	check_track_weights();
	check_morph();
	check_pose();
	check_arrays();
	check_view();
	check_remap();
	check_supersample();
	check_remap_walk();
	printf("1..%d\n", cases);
	return failures > 0;
}
