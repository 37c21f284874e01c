/* SPDX-License-Identifier: BSD-2-Clause */
/* Morphs' weights: numbers worked out by hand, and the variants against the plain C on any
 * keys. */
#include "kernels/caps.h"
#include "kernels/track.h"
#include "tests/kernels/ck.h"
#include "tests/kernels/through.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEYS   90
#define FRAMES 70

static void
judge(kern_track_weights_fn *fn, const char *name)
{
	struct kern_track_weight_key keys[3] = {{5, 0.25f}, {9, 1.0f}, {30, -2.0f}};
	const double expected[] = {
		0.25, 0.25, 0.4375, 0.625, 0.8125, 1.0, 1.0 - 3.0 / 21};
	float *weight = ck_floats(7, 1);
	struct kern_track_weights a = {keys, 3, 4, 7, weight};
	double worst = 0;
	char text[80];
	fn(&a, NULL);
	for (int f = 0; f < 7; f++)
		ck_worst(&worst, fabs(weight[f] - expected[f]));
	a.first_frame = 1000;
	a.frame_count = 1;
	fn(&a, NULL);
	ck_worst(&worst, fabs(weight[0] + 2.0));
	a.key_count = 0;
	fn(&a, NULL);
	ck_worst(&worst, fabs(weight[0]));
	snprintf(text, sizeof text, "weights %s: linear, held at both ends", name);
	ck_judge(text, ck_release(weight) ? worst : INFINITY, 1e-7);
}

static float
hostile(void)
{
	static const float any[] = {0.0f, -0.0f, INFINITY, -INFINITY, NAN, 1e-42f, 3e38f};
	if (ck_random(8) > 0)
		return (float)ck_uniform(-2, 2);
	return any[ck_random(sizeof any / sizeof any[0])];
}

/* Runs of keys at every frame, gaps, and frames from 0 to the last there is.  Allocated
 * for their count: whoever reads beyond is caught by the sanitizers. */
static struct kern_track_weight_key *
random_keys(uint32_t *count, uint32_t *first_frame)
{
	struct kern_track_weight_key *keys;
	uint32_t gaps = ck_random(3) == 0 ? 1 : 8;
	uint32_t frame = ck_random(4) == 0 ? UINT32_MAX - 3000 : ck_random(50);
	uint32_t begin = frame;
	*count = ck_random(4) == 0 ? ck_random(3) : ck_random(KEYS + 1);
	keys = malloc(*count * sizeof *keys + 1);
	if (keys == NULL)
		abort();
	for (uint32_t i = 0; i < *count; i++) {
		keys[i] = (struct kern_track_weight_key){frame, hostile()};
		frame += ck_random(gaps) == 0 ? 1 : 1 + ck_random(30);
	}
	/* A little before the first key, between them, or behind the last. */
	begin -= begin < 40 ? begin : 40;
	*first_frame = begin + ck_random(frame - begin + 20);
	return keys;
}

static void
judge_bits(kern_track_weights_fn *fn, const char *name)
{
	int same = 1;
	char text[80];
	for (int round = 0; round < 4000; round++) {
		uint32_t count, first;
		struct kern_track_weight_key *keys = random_keys(&count, &first);
		float *got = ck_floats(FRAMES, round & 1);
		float *wanted = ck_floats(FRAMES, 0);
		struct kern_track_weights a = {
			keys, count, first, 1 + ck_random(FRAMES), got};
		struct kern_track_weights b = a;
		b.weight = wanted;
		fn(&a, NULL);
		kern_track_weights_c(&b, NULL);
		for (size_t f = 0; f < FRAMES; f++)
			same = same && (memcmp(&got[f], &wanted[f], sizeof *got) == 0 ||
					       (isnan(got[f]) && isnan(wanted[f]) &&
						       !ck_is_poison(wanted[f])));
		same = ck_release(got) && same;
		same = ck_release(wanted) && same;
		free(keys);
	}
	snprintf(text, sizeof text, "weights %s: the bits of the plain C", name);
	ck_true(text, same);
}

/* CUDA, and its imitation by the same lines. */
static void
check_through(void)
{
	for (int i = 0; i < CK_THROUGH_DEVICES; i++) {
		const char *name = ck_through_devices[i].name;
		char why[256], text[300];
		if (ck_through_use(ck_through_devices[i].device, why, sizeof why) < 0) {
			snprintf(text, sizeof text, "%s: %s", name, why);
			ck_skip("weights", text);
			continue;
		}
		judge(ck_through_weights, name);
		judge_bits(ck_through_weights, name);
	}
}

void
check_track_weights(void)
{
	judge(kern_track_weights_c, "c");
	for (int i = 0; i < CK_CAPS; i++) {
		kern_track_weights_fn *fn = kern_track_weights_pick(ck_caps[i].bit);
		if (fn == kern_track_weights_c)
			continue;
		if (!(kern_caps_machine() & ck_caps[i].bit)) {
			ck_skip("weights", ck_caps[i].name);
			continue;
		}
		judge(fn, ck_caps[i].name);
		judge_bits(fn, ck_caps[i].name);
	}
	check_through();
}

/* Runs of 64 frames, as vmd-fk takes them. */
static void
bench(kern_track_weights_fn *fn, const char *variant, const char *kind, uint32_t apart)
{
	static struct kern_track_weight_key keys[512];
	float weight[64];
	uint64_t frames = 0;
	double begin = ck_now(), seconds;
	for (uint32_t i = 0; i < 512; i++)
		keys[i] = (struct kern_track_weight_key){
			i * apart, (float)ck_uniform(0, 1)};
	uint32_t end = apart == 0 ? 512 : 511 * apart;
	struct kern_track_weights a = {keys, apart == 0 ? 1 : 512, 0, 64, weight};
	do {
		for (int round = 0; round < 20; round++, frames += a.first_frame)
			for (a.first_frame = 0; a.first_frame + 64 <= end;
				a.first_frame += 64)
				fn(&a, NULL);
		seconds = ck_now() - begin;
	} while (seconds < 0.2);
	printf("weights %-7s %-24s %8.3f ns a frame\n", variant, kind,
		seconds * 1e9 / (double)frames);
}

void
bench_track_weights(void)
{
	static const struct {
		const char *name;
		uint32_t apart;
	} kinds[] = {{"at rest", 0}, {"a key every 30 frames", 30},
		{"a key every 3 frames", 3}, {"a key at every frame", 1}};
	for (size_t kind = 0; kind < sizeof kinds / sizeof kinds[0]; kind++) {
		bench(kern_track_weights_c, "c", kinds[kind].name, kinds[kind].apart);
		for (int i = 0; i < CK_CAPS; i++)
			if (kern_caps_machine() & ck_caps[i].bit)
				bench(kern_track_weights_pick(ck_caps[i].bit),
					ck_caps[i].name, kinds[kind].name,
					kinds[kind].apart);
	}
}
