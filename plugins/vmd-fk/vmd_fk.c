/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vmd-fk: MMD motions (VMD) on a model (PMX, PMD), evaluated at every frame: where each
 * bone is and how it is turned, with curves, append, fixed axes, morphs and IK as MMD has
 * them, and without physics.  The meaning stands in kernels/pose.h; here are only the
 * parameters and the way from files to arrays.
 */
#include "plugins/kiln_plugin.h"
#include "plugins/vmd-fk/describe.h"
#include "plugins/vmd-fk/state.h"
#include "plugins/vmd-fk/unit.h"

#include <errno.h>
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
	host->variant(host, "c");
	*state = made;
	return 0;
}

static int
vmd_fk_process(const struct kiln_host *host, void *state, const struct kiln_batch *batch)
{
	for (uint32_t number = 0; number < batch->unit_count; number++) {
		int rc = fk_unit_process(host, state, batch, number);
		if (rc < 0) {
			host->fail(host, "the host did not take the verdict on a unit");
			return rc;
		}
	}
	return 0;
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
