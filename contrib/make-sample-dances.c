/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Choreography.  The waltz is computed, frame by frame, as a capture would be; the salute
 * is set by hand with few keys and curves, as an animator would do it.
 */
#include "contrib/make-sample.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
	WALTZ_FRAMES = 600,
	BEAT = 20, /* frames: 90 beats a minute */
	BAR = 3 * BEAT,
};

static const uint8_t linear_curve[4] = {20, 20, 107, 107};
static const uint8_t ease_curve[4] = {64, 0, 64, 127};

static void
set_curves(struct sample_key *key, const uint8_t curve[4])
{
	for (int channel = 0; channel < 4; channel++)
		memcpy(key->curve[channel], curve, 4);
}

static float
ease(float t)
{
	return t <= 0 ? 0 : t >= 1 ? 1 : t * t * (3 - 2 * t);
}

/* The box step: where a foot stands after each of six beats, as steps to its own left
 * (x) and forward (z), and whether it moves on that beat. */
static const struct {
	float x, z;
	int moves;
} box[2][6] = {
	{{0, -2.4f, 1}, {0, -2.4f, 0}, {-1.6f, -2.4f, 1}, {-1.6f, -2.4f, 0}, {0, 0, 1},
		{0, 0, 0}},
	{{0, 0, 0}, {-1.6f, -2.4f, 1}, {-1.6f, -2.4f, 0}, {-1.6f, 0, 1}, {-1.6f, 0, 0},
		{0, 0, 1}},
};

static void
place_foot(uint32_t frame, int foot, float move[3])
{
	int beat = (int)(frame / BEAT) % 6, before = (beat + 5) % 6;
	float t = ease((float)(frame % BEAT) / BEAT);

	move[0] = box[foot][before].x + t * (box[foot][beat].x - box[foot][before].x);
	move[2] = box[foot][before].z + t * (box[foot][beat].z - box[foot][before].z);
	move[1] = box[foot][beat].moves
			  ? .6f * sinf((float)M_PI * (float)(frame % BEAT) / BEAT)
			  : 0;
}

/* One bone of the waltz at one frame; 0 where the table has ended. */
static int
waltz_key(uint32_t frame, int which, struct sample_key *key)
{
	static const char *const bones[] = {"全ての親", "センター", "グルーブ", "上半身",
		"上半身2", "首", "頭", "両目", "下半身", "左腕", "右腕", "左腕捩",
		"右腕捩", "左ひじ", "右ひじ", "左手首", "右手首", "左足ＩＫ", "右足ＩＫ"};
	const float bar = (float)frame / BAR * 2 * (float)M_PI;
	const float sway = sinf(bar / 2), rise = .5f - .5f * cosf(bar);
	const float turn = 360.0f * (float)frame / WALTZ_FRAMES;
	const float rotations[][3] = {{0, turn, 0}, {0, 0, 0}, {0, 0, 0},
		{-3, 6 * sway, 4 * sway}, {-2, 4 * sway, 3 * sway},
		{0, -4 * sway, -3 * sway}, {-4, -8 * sway, -5 * sway}, {0, 12 * sway, 0},
		{0, -5 * sway, 0}, {0, 20, 38 + 6 * rise}, {0, -35, -25 - 6 * rise},
		{20 * sway, 0, 0}, {-20 * sway, 0, 0}, {0, 40 + 8 * sway, 10},
		{0, -75 - 8 * sway, -10}, {0, 0, -15 + 8 * rise}, {0, 0, 15 - 8 * rise},
		{0, 0, 0}, {0, 0, 0}};
	float left[3], right[3];

	if ((size_t)which >= sizeof bones / sizeof *bones)
		return 0;
	memset(key, 0, sizeof *key);
	key->bone = bones[which];
	key->frame = frame;
	set_curves(key, linear_curve);
	sample_euler(rotations[which], key->rotate);
	place_foot(frame, 0, left);
	place_foot(frame, 1, right);
	if (strcmp(key->bone, "センター") == 0) {
		key->move[0] = (left[0] + right[0]) / 2;
		key->move[1] = -.7f;
		key->move[2] = (left[2] + right[2]) / 2;
	} else if (strcmp(key->bone, "グルーブ") == 0) {
		key->move[1] = .5f * rise;
	} else if (strcmp(key->bone, "左足ＩＫ") == 0) {
		memcpy(key->move, left, sizeof left);
	} else if (strcmp(key->bone, "右足ＩＫ") == 0) {
		memcpy(key->move, right, sizeof right);
	}
	return 1;
}

void
sample_write_waltz(FILE *file)
{
	static const struct sample_switch on = {0, {1, 1}};
	struct sample_key key;
	int bones = 0;

	while (waltz_key(0, bones, &key))
		bones++;
	sample_write_vmd_head(file, (uint32_t)bones * WALTZ_FRAMES);
	for (uint32_t frame = 0; frame < WALTZ_FRAMES; frame++) {
		for (int i = 0; i < bones; i++) {
			waltz_key(frame, i, &key);
			sample_write_vmd_key(file, &key);
		}
	}
	sample_write_vmd_tail(file, &on, 1);
}

/* Degrees about X Y Z.  Raised arms turn about Z: to the plus on the left side. */
static const struct {
	const char *bone;
	uint32_t frame;
	float move[3], degrees[3];
} salute[] = {
	{"センター", 0, {0, -.3f, 0}, {0, 0, 0}},
	{"センター", 30, {1.1f, -.8f, 0}, {0, 0, 0}},
	{"センター", 60, {-1.1f, -.8f, 0}, {0, 0, 0}},
	{"センター", 90, {1.1f, -.8f, 0}, {0, 0, 0}},
	{"センター", 120, {-1.1f, -.8f, 0}, {0, 0, 0}},
	{"センター", 150, {0, -.3f, -1.5f}, {0, 0, 0}},
	{"センター", 185, {-.9f, -.4f, -1.5f}, {0, 0, 0}},
	{"センター", 245, {-.9f, -.4f, -1.5f}, {0, 0, 0}},
	{"センター", 270, {0, -.6f, 0}, {0, 0, 0}},
	{"センター", 299, {0, -.3f, 0}, {0, 0, 0}},
	{"上半身", 0, {0, 0, 0}, {0, 0, 0}},
	{"上半身", 30, {0, 0, 0}, {-4, 0, -9}},
	{"上半身", 60, {0, 0, 0}, {-4, 0, 9}},
	{"上半身", 90, {0, 0, 0}, {-4, 0, -9}},
	{"上半身", 120, {0, 0, 0}, {-4, 0, 9}},
	{"上半身", 150, {0, 0, 0}, {6, 0, 0}},
	{"上半身", 270, {0, 0, 0}, {-22, 0, 0}},
	{"上半身", 299, {0, 0, 0}, {0, 0, 0}},
	{"頭", 0, {0, 0, 0}, {0, 0, 0}},
	{"頭", 30, {0, 0, 0}, {0, -18, 6}},
	{"頭", 60, {0, 0, 0}, {0, 18, -6}},
	{"頭", 150, {0, 0, 0}, {8, 0, 0}},
	{"頭", 270, {0, 0, 0}, {-15, 0, 0}},
	{"頭", 299, {0, 0, 0}, {0, 0, 0}},
	{"左腕", 0, {0, 0, 0}, {0, 0, 0}},
	{"左腕", 30, {0, 0, 0}, {0, 0, 105}},
	{"左腕", 60, {0, 0, 0}, {0, 0, 60}},
	{"左腕", 90, {0, 0, 0}, {0, 0, 105}},
	{"左腕", 120, {0, 0, 0}, {0, 0, 60}},
	{"左腕", 150, {0, 0, 0}, {0, 0, 110}},
	{"左腕", 200, {0, 0, 0}, {0, 25, 40}},
	{"左腕", 270, {0, 0, 0}, {0, 30, -30}},
	{"左腕", 299, {0, 0, 0}, {0, 0, 0}},
	{"右腕", 0, {0, 0, 0}, {0, 0, 0}},
	{"右腕", 30, {0, 0, 0}, {0, 0, -60}},
	{"右腕", 60, {0, 0, 0}, {0, 0, -105}},
	{"右腕", 90, {0, 0, 0}, {0, 0, -60}},
	{"右腕", 120, {0, 0, 0}, {0, 0, -105}},
	{"右腕", 150, {0, 0, 0}, {0, 0, -110}},
	{"右腕", 200, {0, 0, 0}, {0, -25, -40}},
	{"右腕", 245, {0, 0, 0}, {0, -60, -35}},
	{"右腕", 299, {0, 0, 0}, {0, -60, -35}},
	{"右ひじ", 0, {0, 0, 0}, {0, 0, 0}},
	{"右ひじ", 200, {0, 0, 0}, {0, -10, 0}},
	{"右ひじ", 245, {0, 0, 0}, {0, -60, -100}},
	{"右ひじ", 299, {0, 0, 0}, {0, -60, -100}},
	{"左腕捩", 0, {0, 0, 0}, {0, 0, 0}},
	{"左腕捩", 150, {0, 0, 0}, {22, -18, 0}},
	{"左腕捩", 299, {0, 0, 0}, {0, 0, 0}},
	{"左手首", 30, {0, 0, 0}, {0, 0, 25}},
	{"左手首", 45, {0, 0, 0}, {0, 0, -25}},
	{"左手首", 60, {0, 0, 0}, {0, 0, 25}},
	{"左手首", 75, {0, 0, 0}, {0, 0, -25}},
	{"左手首", 90, {0, 0, 0}, {0, 0, 0}},
	{"左足ＩＫ", 0, {0, 0, 0}, {0, 0, 0}},
	{"左足ＩＫ", 15, {.9f, .8f, 0}, {0, 0, 0}},
	{"左足ＩＫ", 30, {1.6f, 0, 0}, {0, 12, 0}},
	{"左足ＩＫ", 135, {1.6f, 0, 0}, {0, 12, 0}},
	{"左足ＩＫ", 143, {.8f, 1, -.8f}, {0, 6, 0}},
	{"左足ＩＫ", 150, {0, 0, -1.5f}, {0, 0, 0}},
	{"左足ＩＫ", 250, {0, 0, -1.5f}, {0, 0, 0}},
	{"左足ＩＫ", 270, {0, 0, 0}, {0, 0, 0}},
	{"右足ＩＫ", 0, {0, 0, 0}, {0, 0, 0}},
	{"右足ＩＫ", 38, {0, 0, 0}, {0, 0, 0}},
	{"右足ＩＫ", 48, {-.9f, .8f, 0}, {0, 0, 0}},
	{"右足ＩＫ", 60, {-1.6f, 0, 0}, {0, -12, 0}},
	{"右足ＩＫ", 150, {0, 0, -1.5f}, {0, 0, 0}},
	{"右足ＩＫ", 250, {0, 0, -1.5f}, {0, 0, 0}},
	{"右足ＩＫ", 270, {0, 0, 0}, {0, 0, 0}},
	/* The kick: the left leg's IK is off from 190 to 240, these turn the leg itself.
	 */
	{"左足", 190, {0, 0, 0}, {0, 0, 0}},
	{"左足", 210, {0, 0, 0}, {75, 0, 0}},
	{"左足", 240, {0, 0, 0}, {5, 0, 0}},
	{"左ひざ", 190, {0, 0, 0}, {-5, 0, 0}},
	{"左ひざ", 200, {0, 0, 0}, {-60, 0, 0}},
	{"左ひざ", 210, {0, 0, 0}, {-5, 0, 0}},
	{"左ひざ", 240, {0, 0, 0}, {-10, 0, 0}},
};

void
sample_write_salute(FILE *file)
{
	static const struct sample_switch switches[] = {
		{0, {1, 1}}, {190, {0, 1}}, {240, {1, 1}}};
	const size_t count = sizeof salute / sizeof *salute;

	sample_write_vmd_head(file, (uint32_t)count);
	for (size_t i = 0; i < count; i++) {
		struct sample_key key = {
			.bone = salute[i].bone, .frame = salute[i].frame};
		memcpy(key.move, salute[i].move, sizeof key.move);
		sample_euler(salute[i].degrees, key.rotate);
		set_curves(&key, ease_curve);
		/* What is thrown up leaves fast and arrives slowly. */
		memcpy(key.curve[1], (const uint8_t[4]){20, 60, 70, 127}, 4);
		sample_write_vmd_key(file, &key);
	}
	sample_write_vmd_tail(file, switches, sizeof switches / sizeof *switches);
}

/* splitmix64 */
static uint64_t
draw(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/* Uniform in [-1, 1]. */
static float
draw_unit(uint64_t *state)
{
	return (float)(draw(state) >> 40) / (float)(1 << 23) - 1;
}

static void
write_random_frame(
	FILE *file, const struct sample_dancer *dancer, uint32_t frame, uint64_t *seed)
{
	for (int i = 0; i < dancer->count; i++) {
		struct sample_key key = {.bone = dancer->bones[i].name, .frame = frame};
		float degrees[3];
		for (int k = 0; k < 3; k++) {
			key.move[k] = .5f * draw_unit(seed);
			degrees[k] = 30 * draw_unit(seed);
		}
		for (int k = 0; k < 16; k++)
			key.curve[k / 4][k % 4] = (uint8_t)(draw(seed) % 128);
		sample_euler(degrees, key.rotate);
		sample_write_vmd_key(file, &key);
	}
}

void
sample_write_random(FILE *file, const struct sample_dancer *dancer,
	const struct sample_random *random)
{
	uint64_t seed = random->seed;
	uint32_t last = random->frames - 1, keyed = last / random->every + 1;

	keyed += last % random->every > 0;
	sample_write_vmd_head(file, keyed * (uint32_t)dancer->count);
	for (uint32_t frame = 0; frame < last; frame += random->every)
		write_random_frame(file, dancer, frame, &seed);
	write_random_frame(file, dancer, last, &seed);
	sample_write_vmd_tail(file, NULL, 0);
}
