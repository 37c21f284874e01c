/* SPDX-License-Identifier: BSD-2-Clause */
/* Tracks against a statement in double precision that searches every frame anew. */
#include "kernels/caps.h"
#include "kernels/curve.h"
#include "kernels/track.h"
#include "tests/kernels/ck.h"
#include "tests/kernels/through.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEYS   40
#define DENSE  64
#define FRAMES 67
#define STRIDE 71

/* One key; keys are drawn so and laid into planes, which end where the last key does:
 * whoever reads beyond is caught by the sanitizers. */
struct key {
	uint32_t frame;
	float move[3], rotate[4];
	uint8_t curve[4][4];
};

static void *
allocate(size_t count, size_t size)
{
	void *made = malloc(count * size + 1);
	if (made == NULL)
		abort();
	return made;
}

static struct kern_track_keys
lay_out(const struct key *keys, uint32_t count)
{
	uint32_t *frame = allocate(count, sizeof *frame);
	float *move = allocate(count * 3, sizeof *move);
	float *rotate = allocate(count * 4, sizeof *rotate);
	uint8_t(*curve)[4][4] = allocate(count, sizeof *curve);
	for (uint32_t k = 0; k < count; k++) {
		frame[k] = keys[k].frame;
		for (uint32_t c = 0; c < 3; c++)
			move[c * count + k] = keys[k].move[c];
		for (uint32_t c = 0; c < 4; c++)
			rotate[c * count + k] = keys[k].rotate[c];
		memcpy(curve[k], keys[k].curve, sizeof curve[k]);
	}
	return (struct kern_track_keys){
		count, count, frame, move, rotate, (const uint8_t(*)[4][4])curve};
}

static void
drop(const struct kern_track_keys *keys)
{
	free((void *)(uintptr_t)keys->frame);
	free((void *)(uintptr_t)keys->move);
	free((void *)(uintptr_t)keys->rotate);
	free((void *)(uintptr_t)keys->curve);
}

static struct kern_track_keys
random_keys(void)
{
	struct key keys[KEYS];
	uint32_t count = ck_random(4) == 0 ? ck_random(3) : ck_random(KEYS);
	uint32_t frame = ck_random(20);
	for (uint32_t i = 0; i < count; i++) {
		keys[i].frame = frame;
		frame += 1 + ck_random(ck_random(5) == 0 ? 100 : 5);
		for (int c = 0; c < 3; c++)
			keys[i].move[c] = (float)ck_uniform(-30, 30);
		ck_rotation(keys[i].rotate);
		for (int c = 0; c < 16; c++)
			keys[i].curve[c / 4][c % 4] = (uint8_t)ck_random(128);
	}
	return lay_out(keys, count);
}

static void
slerp(const float a[4], const float b[4], double t, double q[4])
{
	double dot = 0, length = 0;
	for (int c = 0; c < 4; c++)
		dot += (double)a[c] * b[c];
	double sign = dot < 0 ? -1 : 1, angle = acos(fmin(fabs(dot), 1.0));
	double from = 1 - t, to = t;
	if (angle > 1e-6) {
		from = sin((1 - t) * angle) / sin(angle);
		to = sin(t * angle) / sin(angle);
	}
	for (int c = 0; c < 4; c++)
		q[c] = from * a[c] + sign * to * b[c];
	for (int c = 0; c < 4; c++)
		length += q[c] * q[c];
	for (int c = 0; c < 4; c++)
		q[c] /= sqrt(length);
}

static void
restate(const struct kern_track *a, uint32_t frame, double move[3], double q[4])
{
	uint32_t last = 0;
	memset(move, 0, 3 * sizeof *move);
	q[0] = q[1] = q[2] = 0;
	q[3] = 1;
	const struct kern_track_keys *keys = &a->keys;
	if (keys->count == 0)
		return;
	while (last + 1 < keys->count && keys->frame[last + 1] <= frame)
		last++;
	uint32_t next = last;
	double t = 0;
	if (last + 1 < keys->count && keys->frame[last + 1] > keys->frame[last] + 1) {
		next = last + 1;
		t = fmax(0, (double)frame - keys->frame[last]) /
		    (keys->frame[next] - keys->frame[last]);
	}
	for (size_t c = 0; c < 3; c++) {
		double from = keys->move[c * keys->stride + last];
		double to = keys->move[c * keys->stride + next];
		move[c] = from + (to - from) * kern_curve_weight(keys->curve[next][c], t);
	}
	float from[4], to[4];
	for (size_t c = 0; c < 4; c++) {
		from[c] = keys->rotate[c * keys->stride + last];
		to[c] = keys->rotate[c * keys->stride + next];
	}
	slerp(from, to, kern_curve_weight(keys->curve[next][3], t), q);
	if (a->fixed_axis != NULL) {
		const float *axis = a->fixed_axis;
		double side = q[0] * axis[0] + q[1] * axis[1] + q[2] * axis[2];
		double angle =
			2 * atan2(sqrt(q[0] * q[0] + q[1] * q[1] + q[2] * q[2]), q[3]);
		for (int c = 0; c < 3; c++)
			q[c] = axis[c] * sin(angle / 2) * (side < 0 ? -1 : 1);
		q[3] = cos(angle / 2);
	}
}

struct worst {
	double move, rotate;
	int padding, guards, same;
};

static void
compare(const struct kern_track *a, struct worst *worst)
{
	for (uint32_t f = 0; f < a->frame_count; f++) {
		double move[3], q[4], near = 0, far = 0;
		restate(a, a->first_frame + f, move, q);
		for (size_t c = 0; c < 3; c++)
			ck_worst(
				&worst->move, fabs(a->move[c * a->stride + f] - move[c]));
		for (size_t c = 0; c < 4; c++) {
			ck_worst(&near, fabs(a->rotate[c * a->stride + f] - q[c]));
			ck_worst(&far, fabs(a->rotate[c * a->stride + f] + q[c]));
		}
		/* At a side of about 0 the fixed axis may turn either way. */
		ck_worst(&worst->rotate, fmin(near, far));
	}
	for (size_t c = 0; c < 3; c++)
		for (size_t f = a->frame_count; f < a->stride && c < 2; f++)
			worst->padding = worst->padding &&
					 ck_is_poison(a->move[c * a->stride + f]);
}

/* The same frames in two runs have the same bits. */
static void
compare_split(kern_track_fn *fn, const struct kern_track *whole, struct worst *worst)
{
	float move[3 * STRIDE], rotate[4 * STRIDE];
	uint32_t cut = ck_random(whole->frame_count);
	struct kern_track part = *whole;
	part.move = move;
	part.rotate = rotate;
	part.frame_count = cut;
	fn(&part, NULL);
	part.first_frame += cut;
	part.frame_count = whole->frame_count - cut;
	part.move = move + cut;
	part.rotate = rotate + cut;
	fn(&part, NULL);
	for (size_t c = 0; c < 4; c++) {
		size_t bytes = whole->frame_count * sizeof(float);
		worst->same = worst->same &&
			      memcmp(rotate + c * STRIDE, whole->rotate + c * STRIDE,
				      bytes) == 0 &&
			      (c == 3 || memcmp(move + c * STRIDE,
						 whole->move + c * STRIDE, bytes) == 0);
	}
}

static void
judge(kern_track_fn *fn, const char *name)
{
	const float axes[2][3] = {{0.6f, -0.8f, 0.0f}, {0.0f, 0.0f, 1.0f}};
	struct worst worst = {.padding = 1, .guards = 1, .same = 1};
	char text[80];
	for (int round = 0; round < 600; round++) {
		float *move = ck_floats(3 * STRIDE, round & 1);
		float *rotate = ck_floats(4 * STRIDE, round & 2);
		struct kern_track a = {.keys = random_keys(),
			.fixed_axis = ck_random(4) == 0 ? axes[ck_random(2)] : NULL,
			.first_frame = ck_random(120),
			.frame_count = 1 + ck_random(FRAMES),
			.stride = STRIDE,
			.rotate = rotate,
			.move = move};
		fn(&a, NULL);
		compare(&a, &worst);
		compare_split(fn, &a, &worst);
		drop(&a.keys);
		worst.guards = ck_release(move) && worst.guards;
		worst.guards = ck_release(rotate) && worst.guards;
	}
	snprintf(text, sizeof text, "track %s: moves", name);
	ck_judge(text, worst.move, 1e-5);
	snprintf(text, sizeof text, "track %s: rotations", name);
	ck_judge(text, worst.rotate, 1e-6);
	snprintf(text, sizeof text, "track %s: writes its frames only", name);
	ck_true(text, worst.padding && worst.guards);
	snprintf(text, sizeof text, "track %s: any split gives the same bits", name);
	ck_true(text, worst.same);
}

/* Keys as captured motions have them, runs at every frame with gaps between, or with a gap
 * behind each key; any bytes for curves or symmetric ones, and now and then a move or a
 * rotation that is not a number. */
static struct kern_track_keys
dense_keys(void)
{
	struct key keys[DENSE];
	uint32_t count = 1 + ck_random(DENSE), frame = ck_random(30);
	const uint32_t shares[4] = {1, 2, 16, 16};
	uint32_t gaps = shares[ck_random(4)], longest = 1 + ck_random(40);
	int symmetric = ck_random(3) == 0;
	for (uint32_t i = 0; i < count; i++) {
		struct key *key = &keys[i];
		key->frame = frame;
		frame += ck_random(gaps) == 0 ? 1 + ck_random(longest) : 1;
		for (int c = 0; c < 3; c++)
			key->move[c] = i > 0 && ck_random(2) == 0
					       ? keys[i - 1].move[c]
					       : (float)ck_uniform(-30, 30);
		ck_rotation(key->rotate);
		for (int c = 0; c < 16; c++)
			key->curve[c / 4][c % 4] =
				(uint8_t)ck_random(ck_random(40) == 0 ? 256 : 128);
		for (int c = 0; c < 8 && symmetric; c++)
			key->curve[c / 2][2 + c % 2] =
				127 - (key->curve[c / 2][c % 2] & 127);
		if (ck_random(60) == 0)
			key->move[ck_random(3)] = ck_random(2) == 0 ? NAN : -INFINITY;
		if (ck_random(60) == 0)
			key->rotate[ck_random(4)] = ck_random(2) == 0 ? NAN : -0.0f;
	}
	return lay_out(keys, count);
}

static int
same_plane(const float *got, const float *wanted)
{
	for (size_t f = 0; f < STRIDE; f++)
		if (memcmp(got + f, wanted + f, sizeof *got) != 0 &&
			(!isnan(got[f]) || !isnan(wanted[f]) || ck_is_poison(wanted[f])))
			return 0;
	return 1;
}

/* EXACT is the grade, and what lies behind the last frame stays. */
static void
judge_bits(kern_track_fn *fn, const char *name)
{
	const float axes[2][3] = {{0.6f, -0.8f, 0.0f}, {0.0f, 0.0f, 0.0f}};
	int same = 1;
	char text[80];
	for (int round = 0; round < 2000; round++) {
		float *got = ck_floats(7 * STRIDE, round & 1);
		float *wanted = ck_floats(7 * STRIDE, 0);
		struct kern_track a = {.keys = dense_keys(),
			.fixed_axis = ck_random(4) == 0 ? axes[ck_random(2)] : NULL,
			.first_frame = ck_random(round & 2 ? 60 : 600),
			.frame_count = 1 + ck_random(FRAMES),
			.stride = STRIDE,
			.rotate = got,
			.move = got + 4 * STRIDE};
		struct kern_track b = a;
		b.rotate = wanted;
		b.move = wanted + 4 * STRIDE;
		fn(&a, NULL);
		kern_track_c(&b, NULL);
		for (size_t plane = 0; plane < 7; plane++)
			same = same &&
			       same_plane(got + plane * STRIDE, wanted + plane * STRIDE);
		drop(&a.keys);
		same = ck_release(got) && same;
		same = ck_release(wanted) && same;
	}
	snprintf(text, sizeof text, "track %s: the bits of the plain C", name);
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
			ck_skip("track", text);
			continue;
		}
		judge(ck_through_track, name);
		judge_bits(ck_through_track, name);
	}
}

void
check_track(void)
{
	judge(kern_track_c, "c");
	for (int i = 0; i < CK_CAPS; i++) {
		kern_track_fn *fn = kern_track_pick(ck_caps[i].bit);
		if (fn == kern_track_c)
			continue;
		if (!(kern_caps_machine() & ck_caps[i].bit)) {
			ck_skip("track", ck_caps[i].name);
			continue;
		}
		judge(fn, ck_caps[i].name);
		judge_bits(fn, ck_caps[i].name);
	}
	check_through();
}

/* Random curves with a key every 8 frames, symmetric and straight ones, and a key at every
 * frame. */
void
bench_track(void)
{
	static struct key keys[512];
	static float move[3 * 512], rotate[4 * 512];
	const char *const kinds[] = {"curves", "symmetric", "straight", "keyed"};
	for (int kind = 0; kind < 4; kind++) {
		uint32_t apart = kind == 3 ? 1 : 8;
		for (uint32_t i = 0; i < 512; i++) {
			keys[i].frame = i * apart;
			for (int c = 0; c < 3; c++)
				keys[i].move[c] = (float)ck_uniform(-30, 30);
			ck_rotation(keys[i].rotate);
			for (int c = 0; c < 16; c++)
				keys[i].curve[c / 4][c % 4] =
					(uint8_t)(kind == 2 ? 20 : ck_random(128));
			for (int c = 0; c < 8 && kind == 1; c++)
				keys[i].curve[c / 2][2 + c % 2] =
					127 - keys[i].curve[c / 2][c % 2];
		}
		struct kern_track a = {.keys = lay_out(keys, 512),
			.frame_count = 512,
			.stride = 512,
			.rotate = rotate,
			.move = move};
		kern_track_fn *last = NULL;
		for (int i = -1; i < CK_CAPS; i++) {
			kern_track_fn *fn =
				i < 0 ? kern_track_c : kern_track_pick(ck_caps[i].bit);
			if (fn == last ||
				(i >= 0 && !(kern_caps_machine() & ck_caps[i].bit)))
				continue;
			last = fn;
			uint64_t frames = 0;
			double begin = ck_now(), seconds;
			do {
				fn(&a, NULL);
				frames += 512;
				seconds = ck_now() - begin;
			} while (seconds < 0.5);
			printf("track %-5s %-12s %8.2f ns per frame\n",
				i < 0 ? "c" : ck_caps[i].name, kinds[kind],
				seconds * 1e9 / (double)frames);
		}
		drop(&a.keys);
	}
}
