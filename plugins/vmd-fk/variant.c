/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/vmd-fk/variant.h"

#include "kernels/caps.h"

#include <stdlib.h>
#include <string.h>

/* More frames than any variant takes at once, and not a multiple of that. */
#define FRAMES 37
#define BONES  6

/* What a case is made of and what comes out of it; rooms are planes of FRAMES. */
struct results {
	float rotate[BONES * 4 * FRAMES], move[BONES * 3 * FRAMES];
	float position[BONES * 3 * FRAMES];
	float world[BONES * 4 * FRAMES], local[BONES * 4 * FRAMES];
};

/* Two turns and a hold, one of them half round, with curves of all kinds. */
#define KEYS 4
static const uint32_t key_frame[KEYS] = {0, 13, 14, 31};
static const float key_move[3][KEYS] = {
	{0, 1, 3, 3},
	{0, -2, 0, 0},
	{0, 0.5f, 0, 7},
};
static const float key_rotate[4][KEYS] = {
	{0, 0.6f, 0, 0},
	{0, 0, 0.8f, 0.28f},
	{0, 0, 0, 0},
	{1, 0.8f, 0.6f, -0.96f},
};
static const uint8_t key_curve[KEYS][4][4] = {
	{{0}},
	{{20, 20, 107, 107}, {0, 127, 0, 127}, {64, 0, 64, 127}, {10, 90, 30, 127}},
	{{0}},
	{{1, 2, 3, 4}, {127, 0, 127, 0}, {127, 127, 0, 0}, {70, 0, 127, 50}},
};

/* Bone after bone takes the same keys, each some frames later. */
static int
sample(kern_track_fn *track, struct results *to)
{
	int rc = 0;
	for (uint32_t bone = 0; bone < BONES && rc == 0; bone++) {
		struct kern_track a = {
			.keys = {KEYS, KEYS, key_frame, key_move[0], key_rotate[0],
				key_curve},
			.first_frame = bone * 2,
			.frame_count = FRAMES,
			.stride = FRAMES,
			.rotate = to->rotate + (size_t)bone * 4 * FRAMES,
			.move = to->move + (size_t)bone * 3 * FRAMES,
		};
		rc = track(&a, NULL);
	}
	return rc;
}

/* A leg with a knee that is a hinge, its goal, and a bone that follows the thigh. */
static int
pose(kern_pose_fn *fn, struct results *to)
{
	static const float rest[BONES][3] = {
		{0, 12, 0}, {1, 10, 0}, {1, 5, -0.2f}, {1, 0, 0}, {1, 0, 0}, {2, 11, 0}};
	static const int32_t parent[BONES] = {-1, 0, 1, 2, -1, 0};
	static const uint32_t order[BONES] = {0, 1, 2, 3, 4, 5};
	static const uint32_t flags[BONES] = {[5] = KERN_POSE_APPEND_ROTATE};
	static const uint32_t source[BONES] = {[5] = 1};
	static const float ratio[BONES] = {[5] = 0.5f};
	static const int32_t chain[BONES] = {-1, -1, -1, -1, 0, -1};
	static const struct kern_pose_chain chains[] = {{4, 3, 20, 0.5f, 0, 2}};
	static const struct kern_pose_link links[] = {
		{.bone = 2, .limited = 1, .minimum = {-3.0f}, .maximum = {-0.01f}},
		{.bone = 1, .limited = 1, .minimum = {-1, -1, -1}, .maximum = {1, 1, 2}}};
	static const struct kern_pose_skeleton skeleton = {BONES, BONES, 1, rest, parent,
		order, order, flags, source, ratio, chain, chains, links};
	struct kern_pose a = {
		.skeleton = &skeleton,
		.frame_count = FRAMES,
		.stride = FRAMES,
		.rotate = to->rotate,
		.move = to->move,
		.position = to->position,
		.world_rotate = to->world,
		.local_rotate = to->local,
	};
	a.scratch = malloc(kern_pose_scratch(&a));
	int rc = a.scratch != NULL ? fn(&a, NULL) : -1;
	free(a.scratch);
	return rc;
}

/* Whether the variants give the plain C's bits; the poses are of the plain C's tracks. */
static int
proven(kern_track_fn *track, kern_pose_fn *fn)
{
	struct results *got = calloc(1, sizeof *got), *wanted = calloc(1, sizeof *wanted);
	int same = got != NULL && wanted != NULL && sample(track, got) == 0 &&
		   sample(kern_track_c, wanted) == 0 && pose(fn, got) == 0 &&
		   pose(kern_pose_c, wanted) == 0 &&
		   memcmp(got, wanted, sizeof *got) == 0;
	free(got);
	free(wanted);
	return same;
}

static unsigned
machine(void)
{
	unsigned caps = 0;
#if defined(__x86_64__)
	__builtin_cpu_init();
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
		caps |= KERN_CAP_AVX2;
	if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
		__builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
		caps |= KERN_CAP_AVX512;
#endif
	return caps;
}

void
fk_variant_choose(const struct kiln_host *host, struct fk_evaluator *evaluator)
{
	unsigned caps = machine();
	kern_track_fn *track = kern_track_pick(caps);
	kern_pose_fn *fn = kern_pose_pick(caps);
	const char *name = caps & KERN_CAP_AVX512 ? "avx512"
			   : caps & KERN_CAP_AVX2 ? "avx2"
						  : "c";
	if (!proven(track, fn)) {
		char text[160] = "the variant ";
		strcat(text, name);
		strcat(text, " disagrees with the plain C on this machine; the plain C "
			     "serves instead");
		host->log(host, KILN_WARNING, text);
		name = "c";
		track = kern_track_c;
		fn = kern_pose_c;
	}
	evaluator->track = track;
	evaluator->pose = fn;
	host->variant(host, name);
}
