/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vmd-fk: MMD motions (VMD) and poses (VPD) on a model (PMX, PMD), evaluated frame by
 * frame: where each bone is and how it is turned, with curves, append, fixed axes, morphs
 * and IK as MMD has them, and without physics.  The meaning stands in kernels/pose.h;
 * here are only the parameters and the way from files to arrays.
 */
#include "plugins/kiln_plugin.h"
#include "plugins/vmd-fk/describe.h"
#include "plugins/vmd-fk/state.h"
#include "plugins/vmd-fk/unit.h"
#include "plugins/vmd-fk/variant.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int
vmd_fk_open(const struct kiln_host *host, const struct kiln_params *params, void **state)
{
	struct fmt_err err = {0};
	struct fk_state *made = NULL;
	int rc = fk_state_new(host, params, &made, &err);
	if (rc < 0) {
		host->fail(host, err.text);
		return rc;
	}
	fk_variant_choose(host, &made->evaluator);
	*state = made;
	return 0;
}

/* A unit of more bytes than this has enough frames for all threads to share; smaller ones
 * are spread over them as they are: reading and writing then go side by side, too. */
#define SHARED_FROM (UINT64_C(8) << 20)

static int
is_shared(const struct kiln_unit *unit)
{
	return unit->input_count > 0 && unit->inputs[0]->bytes >= SHARED_FROM;
}

/* Units that each worker takes alone: numbers into the batch. */
struct spread {
	struct fk_job job;
	const uint32_t *units;
};

static int
process_alone(void *context, uint32_t part, uint32_t worker)
{
	const struct spread *spread = context;
	struct fk_job job = spread->job;
	job.unit = spread->units[part];
	job.worker = worker;
	return fk_unit_process(&job);
}

static int
process_together(const struct fk_job *whole, uint32_t unit)
{
	struct fk_job job = *whole;
	job.unit = unit;
	job.together = 1;
	return fk_unit_process(&job);
}

/* A unit's result is the same whoever has it, and with whom. */
static int
vmd_fk_process(const struct kiln_host *host, void *state, const struct kiln_batch *batch)
{
	const struct fk_state *made = state;
	uint32_t *units = calloc((size_t)batch->unit_count + 1, sizeof *units);
	struct spread spread = {
		.job = {.host = host, .state = made, .batch = batch}, .units = units};
	uint32_t count = 0;
	int rc = 0;
	if (units == NULL) {
		host->fail(host, "no memory for a list of units");
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < batch->unit_count; i++)
		if (!is_shared(batch->units[i]))
			units[count++] = i;
	/* Several at once are the CPU's, see output.c. */
	if (count > 1 && made->offload != NULL)
		host->variant(host, made->evaluator.variant);
	if (count == 1)
		rc = process_together(&spread.job, units[0]);
	else if (count > 1)
		rc = fk_team_run(made->crew.team, process_alone, &spread, count);
	for (uint32_t i = 0; rc == 0 && i < batch->unit_count; i++)
		if (is_shared(batch->units[i]))
			rc = process_together(&spread.job, i);
	free(units);
	if (rc < 0)
		host->fail(host, "the host did not take the verdict on a unit");
	return rc;
}

static void
vmd_fk_close(const struct kiln_host *host, void *state)
{
	(void)host;
	fk_state_free(state);
}

static int
vmd_fk_inspect(const struct kiln_host *host, const struct kiln_params *params)
{
	struct fmt_err err = {0};
	struct fmt_model model = {0};
	int rc = fk_state_read_model(host, params, &model, &err);
	if (rc == 0)
		rc = fk_describe(host, &model);
	if (rc < 0) {
		fmt_err_set(
			&err, rc, "the model's bones cannot be told (%s)", strerror(-rc));
		host->fail(host, err.text);
	}
	fmt_model_free(&model);
	return rc;
}

static const struct kiln_param param_model = {
	.size = sizeof(struct kiln_param),
	.type = KILN_PATH,
	.flags = KILN_REQUIRED,
	.name = "model",
	.help = "The model whose bones the motions move: PMX 2.0, PMX 2.1 or PMD.",
};
static const struct kiln_param param_bones = {
	.size = sizeof(struct kiln_param),
	.type = KILN_LIST,
	.name = "bones",
	.default_text = "\"all\"",
	.help = "Which bones to write: \"all\" of the model in its order, \"core\" (51 "
		"of the "
		"body), or a list of names; what the model lacks becomes NaN.",
};
static const struct kiln_param param_ik = {
	.size = sizeof(struct kiln_param),
	.type = KILN_BOOL,
	.name = "ik",
	.default_text = "true",
	.help = "Solve IK where the motion's property keys have it on.",
};
static const struct kiln_param param_append = {
	.size = sizeof(struct kiln_param),
	.type = KILN_BOOL,
	.name = "append",
	.default_text = "true",
	.help = "Let bones take over rotation and move of their append sources.",
};
static const struct kiln_param param_morphs = {
	.size = sizeof(struct kiln_param),
	.type = KILN_BOOL,
	.name = "morphs",
	.default_text = "true",
	.help = "Apply bone, group and flip morphs.",
};
static const struct kiln_param param_preview = {
	.size = sizeof(struct kiln_param),
	.type = KILN_BOOL,
	.name = "preview",
	.default_text = "false",
	.help = "Draw a contact sheet of the moving skeleton beside each output.",
};
static const char *const encodings[] = {"cp932", "gbk", "utf-8", NULL};
static const struct kiln_param param_encoding = {
	.size = sizeof(struct kiln_param),
	.type = KILN_STRING,
	.name = "encoding",
	.default_text = "\"cp932\"",
	.choices = encodings,
	.help = "How to read names in a motion that are not cp932.",
};
static const struct kiln_param param_strict = {
	.size = sizeof(struct kiln_param),
	.type = KILN_BOOL,
	.name = "strict",
	.default_text = "false",
	.help = "Refuse a motion that ends inside a section; otherwise what is whole "
		"counts.",
};

static const struct kiln_param param_bones_file = {
	.size = sizeof(struct kiln_param),
	.type = KILN_PATH,
	.name = "bones_file",
	.help = "In place of bones: a text file of names, UTF-8, one a line, # begins a "
		"comment line.",
};
static const struct kiln_param param_frames = {
	.size = sizeof(struct kiln_param),
	.type = KILN_STRING,
	.name = "frames",
	.default_text = "\"all\"",
	.help = "Which frames to write: \"all\" from 0 to the last bone or morph key, "
		"\"keyed\" where a bone key stands, \"every:N\" from 0 on, or "
		"\"A..B\".",
};
static const char *const spaces[] = {"mmd", "meters", NULL};
static const struct kiln_param param_space = {
	.size = sizeof(struct kiln_param),
	.type = KILN_STRING,
	.name = "space",
	.default_text = "\"mmd\"",
	.choices = spaces,
	.help = "Lengths in MMD units, or in metres (times 0.08); the axes stay MMD's, "
		"left-handed, Y up.",
};
static const char *const quaternion_orders[] = {"xyzw", "wxyz", NULL};
static const struct kiln_param param_quaternion_order = {
	.size = sizeof(struct kiln_param),
	.type = KILN_STRING,
	.name = "quaternion_order",
	.default_text = "\"xyzw\"",
	.choices = quaternion_orders,
	.help = "Where w stands in all quaternions.",
};
static const char *const quaternion_spaces[] = {"local", "world", "both", NULL};
static const struct kiln_param param_quaternion_space = {
	.size = sizeof(struct kiln_param),
	.type = KILN_STRING,
	.name = "quaternion_space",
	.default_text = "\"local\"",
	.choices = quaternion_spaces,
	.help = "Rotations against the parent, in the world, or both (then "
		"world_quaternions "
		"is added).",
};
static const struct kiln_param param_velocities = {
	.size = sizeof(struct kiln_param),
	.type = KILN_BOOL,
	.name = "velocities",
	.default_text = "false",
	.help = "Add linear_velocities (lengths per second) and angular_velocities "
		"(rad/s, "
		"world axes): central differences at 30 frames per second.",
};
static const struct kiln_param param_morph_weights = {
	.size = sizeof(struct kiln_param),
	.type = KILN_BOOL,
	.name = "morph_weights",
	.default_text = "false",
	.help = "Add morph_weights and morph_names: all morphs of the model, after "
		"groups "
		"and flips where morphs is on.",
};
static const struct kiln_param param_ik_enabled = {
	.size = sizeof(struct kiln_param),
	.type = KILN_BOOL,
	.name = "ik_enabled",
	.default_text = "false",
	.help = "Add ik_enabled and ik_names: which IK the motion has on, frame by "
		"frame.",
};
static const char *const compressions[] = {"fast", "none", "small", NULL};
static const struct kiln_param param_compression = {
	.size = sizeof(struct kiln_param),
	.type = KILN_STRING,
	.name = "compression",
	.default_text = "\"fast\"",
	.choices = compressions,
	.help = "How hard to compress the output.",
};
static const struct kiln_param param_chunk = {
	.size = sizeof(struct kiln_param),
	.type = KILN_JSON,
	.name = "chunk",
	.default_text = "\"auto\"",
	.unit = "frames",
	.help = "How many frames are evaluated and written together: \"auto\" or "
		"1..1024; "
		"changes speed and memory, never a result.",
};

/* In the order of enum fk_parameter. */
static const struct kiln_param *const params[] = {
	[FK_MODEL] = &param_model,
	[FK_BONES] = &param_bones,
	[FK_IK] = &param_ik,
	[FK_APPEND] = &param_append,
	[FK_MORPHS] = &param_morphs,
	[FK_PREVIEW] = &param_preview,
	[FK_ENCODING] = &param_encoding,
	[FK_STRICT] = &param_strict,
	[FK_BONES_FILE] = &param_bones_file,
	[FK_FRAMES] = &param_frames,
	[FK_SPACE] = &param_space,
	[FK_QUATERNION_ORDER] = &param_quaternion_order,
	[FK_QUATERNION_SPACE] = &param_quaternion_space,
	[FK_VELOCITIES] = &param_velocities,
	[FK_MORPH_WEIGHTS] = &param_morph_weights,
	[FK_IK_ENABLED] = &param_ik_enabled,
	[FK_COMPRESSION] = &param_compression,
	[FK_CHUNK] = &param_chunk,
	[FK_PARAMETERS] = NULL,
};

static const struct kiln_kernel kernel = {
	.size = sizeof(struct kiln_kernel),
	.accepts = KILN_FILE,
	.makes = KILN_MAKES_FILE,
	.name = "vmd-fk",
	.summary = "MMD motions to bone positions and rotations (.npz)",
	.params = params,
	.open = vmd_fk_open,
	.process = vmd_fk_process,
	.close = vmd_fk_close,
	.inspect = vmd_fk_inspect,
};
static const struct kiln_kernel *const kernels[] = {&kernel, NULL};

KILN_EXPORT const struct kiln_plugin kiln_plugin = {
	.magic = KILN_MAGIC,
	.abi_major = KILN_ABI_MAJOR,
	.abi_minor = KILN_ABI_MINOR,
	.size = sizeof(struct kiln_plugin),
	.name = "vmd-fk",
	.version = "0.1.0",
	.kernels = kernels,
};
