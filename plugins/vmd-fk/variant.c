/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/vmd-fk/variant.h"

#include "kernels/caps.h"
#include "plugins/vmd-fk/gpu.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#ifdef KILN_CUDA
const struct fk_device *fk_variant_device = &fk_device_cuda;
#else
const struct fk_device *fk_variant_device = NULL;
#endif

/* More frames than any variant takes at once, and not a multiple of that. */
#define FRAMES 37
#define BONES  6

#define MORPHS 3

/* What a case is made of and what comes out of it; rooms are planes of FRAMES. */
struct results {
	float weights[MORPHS * FRAMES];
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

static const struct kern_track_keys keys = {
	KEYS, KEYS, key_frame, key_move[0], key_rotate[0], key_curve};

/* Bone after bone takes the same keys, each some frames later. */
static int
sample(kern_track_fn *track, struct results *to, uint32_t later)
{
	int rc = 0;
	for (uint32_t bone = 0; bone < BONES && rc == 0; bone++) {
		struct kern_track a = {
			.keys = keys,
			.first_frame = bone * later,
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
static const struct kern_pose_skeleton skeleton = {BONES, BONES, 1, rest, parent, order,
	order, flags, source, ratio, chain, chains, links};

static int
pose(kern_pose_fn *fn, struct results *to)
{
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

/* A morph bends the thigh, a group that one and a flip, and the flip sets the first: now
 * to half, now to more than all. */
static const uint8_t morph_type[MORPHS] = {
	KERN_MORPH_BONE, KERN_MORPH_GROUP, KERN_MORPH_FLIP};
static const uint32_t morph_first[MORPHS + 1] = {0, 2, 4, 6};
static const struct kern_morph_element morph_elements[] = {
	{.index = 1, .move = {0.5f, 0, -1}, .rotate = {0, 0.6f, 0, 0.8f}},
	{.index = 3, .move = {0, 0, 0.25f}, .rotate = {0, 0, 0, 1}},
	{.index = 0, .weight = -0.75f},
	{.index = 2, .weight = 0.5f},
	{.index = 0, .weight = 0.5f},
	{.index = 0, .weight = 1.5f},
};
static const struct kern_morph_table morphs = {
	MORPHS, morph_type, morph_first, morph_elements};
static const struct kern_track_weight_key morph_keys[] = {{2, 0.0f}, {29, 1.25f},
	{0, 1.0f}, {1, 0.2f}, {11, -0.5f}, {20, 0.0f}, {30, 0.7f}};
static const struct fk_morph_track morph_tracks[MORPHS] = {
	{morph_keys, 2}, {morph_keys + 2, 4}, {morph_keys + 6, 1}};

static int
weigh(kern_track_weights_fn *fn, struct results *to)
{
	int rc = 0;
	for (uint32_t m = 0; m < MORPHS && rc == 0; m++) {
		struct kern_track_weights a = {
			.keys = morph_tracks[m].keys,
			.key_count = morph_tracks[m].count,
			.frame_count = FRAMES,
			.weight = to->weights + (size_t)m * FRAMES,
		};
		rc = fn(&a, NULL);
	}
	return rc;
}

/* The whole case by the evaluator's variants. */
static int
evaluate_here(const struct fk_evaluator *by, uint32_t later, struct results *to)
{
	struct kern_morph morph = {
		&morphs, FRAMES, FRAMES, to->weights, to->rotate, to->move};
	int rc = sample(by->track, to, later);
	rc = rc == 0 ? weigh(by->weight, to) : rc;
	rc = rc == 0 ? by->morph(&morph, NULL) : rc;
	return rc == 0 ? pose(by->pose, to) : rc;
}

int
fk_variant_is_proven(const struct fk_evaluator *by)
{
	struct fk_evaluator plain;
	struct results *got = calloc(1, sizeof *got), *wanted = calloc(1, sizeof *wanted);
	fk_evaluator_init(&plain, NULL, 0);
	int same = got != NULL && wanted != NULL && evaluate_here(by, 2, got) == 0 &&
		   evaluate_here(&plain, 2, wanted) == 0 &&
		   memcmp(got, wanted, sizeof *got) == 0;
	free(got);
	free(wanted);
	return same;
}

static int
evaluate_there(uint32_t number, struct results *to, struct fmt_err *err)
{
	const float *fixed_axis[BONES] = {NULL};
	const struct fk_skeleton leg = {
		.pose = skeleton, .morphs = morphs, .fixed_axis = fixed_axis};
	struct kern_track_keys bones[BONES];
	struct fk_morph_track tracks[MORPHS];
	struct fk_motion motion = {
		.bones = bones, .morphs = tracks, .matched_morphs = MORPHS};
	uint32_t frames[FRAMES];
	uint8_t enabled[FRAMES];
	struct fk_gpu *gpu = NULL;
	for (uint32_t i = 0; i < BONES; i++)
		bones[i] = keys;
	memcpy(tracks, morph_tracks, sizeof tracks);
	for (uint32_t f = 0; f < FRAMES; f++) {
		frames[f] = f;
		enabled[f] = 1;
	}
	struct fk_gpu_run run = {
		.frames = frames,
		.count = FRAMES,
		.stride = FRAMES,
		.ik_enabled = enabled,
		.position = to->position,
		.local_rotate = to->local,
		.world_rotate = to->world,
		.weights = to->weights,
	};
	int rc = fk_gpu_new(fk_variant_device, number, &leg, FRAMES, &gpu, err);
	rc = rc == 0 ? fk_gpu_bind(gpu, &motion, err) : rc;
	rc = rc == 0 ? fk_gpu_run(gpu, &run, err) : rc;
	fk_gpu_free(gpu);
	return rc;
}

int
fk_variant_prove(uint32_t number, struct fmt_err *err)
{
	if (fk_variant_device == NULL)
		return fmt_err_set(err, -ENODEV, "vmd-fk was built without CUDA");
	struct fk_evaluator plain;
	struct results *got = calloc(1, sizeof *got), *wanted = calloc(1, sizeof *wanted);
	fk_evaluator_init(&plain, NULL, 0);
	int rc = got == NULL || wanted == NULL || evaluate_here(&plain, 0, wanted) < 0
			 ? fmt_err_set(err, -ENOMEM, "no memory to prove it")
			 : evaluate_there(number, got, err);
	if (rc == 0) {
		/* A GPU keeps its tracks to itself. */
		memset(wanted->rotate, 0, sizeof wanted->rotate);
		memset(wanted->move, 0, sizeof wanted->move);
	}
	if (rc == 0 && memcmp(got, wanted, sizeof *got) != 0)
		rc = fmt_err_set(err, -EIO, "it disagrees with the plain C");
	free(got);
	free(wanted);
	return rc;
}

int
fk_variant_wants_gpu(const struct kiln_host *host, uint32_t *number)
{
	const long named = gpu_device_number(host->device);
	if (named < 0)
		return 0;
	*number = (uint32_t)named;
	return 1;
}

void
fk_variant_choose(const struct kiln_host *host, struct fk_evaluator *evaluator)
{
	unsigned caps = kern_caps_machine();
	struct fk_evaluator by = {
		.track = kern_track_pick(caps),
		.weight = kern_track_weights_pick(caps),
		.morph = kern_morph_pick(caps),
		.pose = kern_pose_pick(caps),
		.variant = caps & KERN_CAP_AVX512 ? "avx512"
			   : caps & KERN_CAP_AVX2 ? "avx2"
						  : "c",
	};
	if (!fk_variant_is_proven(&by)) {
		char text[160] = "the variant ";
		strcat(text, by.variant);
		strcat(text, " disagrees with the plain C on this machine; the plain C "
			     "serves instead");
		host->log(host, KILN_WARNING, text);
		fk_evaluator_init(&by, NULL, 0);
		by.variant = "c";
	}
	by.skeleton = evaluator->skeleton;
	by.world = evaluator->world;
	*evaluator = by;
	host->variant(host, evaluator->variant);
}
