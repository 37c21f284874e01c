/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * state.h - what open() makes of the parameters and process() works with: a model, warm,
 * and what is wanted of its motions.
 */
#ifndef FK_STATE_H
#define FK_STATE_H

#include "plugins/formats/npz.h"
#include "plugins/formats/vmd.h"
#include "plugins/kiln_plugin.h"
#include "plugins/vmd-fk/crew.h"
#include "plugins/vmd-fk/evaluate.h"
#include "plugins/vmd-fk/offload.h"
#include "plugins/vmd-fk/skeleton.h"

/* A VMD of this size holds 9.6 million keys; a model of it, 25 times the largest known.
 */
#define FK_FILE_MAX (UINT64_C(1) << 30)
/* What is assumed where the host names no budget. */
#define FK_BUDGET_DEFAULT (UINT64_C(2) << 30)

/* The parameters, in the schema's order. */
enum fk_parameter {
	FK_MODEL,
	FK_BONES,
	FK_IK,
	FK_APPEND,
	FK_MORPHS,
	FK_PREVIEW,
	FK_ENCODING,
	FK_STRICT,
	FK_BONES_FILE,
	FK_FRAMES,
	FK_SPACE,
	FK_QUATERNION_ORDER,
	FK_QUATERNION_SPACE,
	FK_VELOCITIES,
	FK_MORPH_WEIGHTS,
	FK_IK_ENABLED,
	FK_COMPRESSION,
	FK_CHUNK,
	FK_PARAMETERS,
};

/* The most frames of one chunk that may be asked for: a chunk should end soon enough to be
 * cancelled. */
#define FK_CHUNK_MAX 1024

/* The output's bones, in order. */
struct fk_columns {
	uint32_t count;
	int32_t *bones;	 /* indices; -1: the model has none of that name */
	int32_t *places; /* the same in the pose */
	const char **names;
	char *copies; /* what the names lie in, where they are not the model's */
	uint32_t missing;
};

enum fk_quaternion_space { FK_LOCAL, FK_WORLD, FK_BOTH };

/* How the output's arrays look, and which there are. */
struct fk_layout {
	float scale; /* of lengths: 1, or 0.08 for metres */
	int w_first; /* quaternions are w x y z, not x y z w */
	enum fk_quaternion_space space;
	int velocities, morph_weights, ik_enabled;
	enum fmt_npz_compression compression;
};

struct fk_state {
	struct fk_skeleton skeleton;
	struct fk_columns columns;
	struct fk_evaluator evaluator;
	struct fk_crew crew;
	struct fk_wishes wishes;
	struct fk_layout layout;
	int preview;
	uint32_t chunk; /* as asked for; 0: auto */
	uint64_t budget;
	struct fk_offload *offload; /* NULL: the CPU evaluates everything */
	char *no_gpu; /* why a GPU that was asked for by name does not serve; NULL: it
			 does, or was not asked for */
};

/* How long fd is: a regular file of at most FK_FILE_MAX bytes.  0 or a negative errno
 * with *err. */
int fk_state_measure(int fd, size_t *length, struct fmt_err *err);

/* Reads all of fd, at most FK_FILE_MAX bytes.  0 with *bytes (the caller frees it) and
 * *length, or a negative errno with *err. */
int fk_state_read_all(int fd, void **bytes, size_t *length, struct fmt_err *err);

/* Opens and reads the model that the parameter names. */
int fk_state_read_model(const struct kiln_host *host, const struct kiln_params *params,
	struct fmt_model *model, struct fmt_err *err);

/* The layout and what is wanted of motions.  0, or -EINVAL with *err. */
int fk_state_parse(
	struct fk_state *state, const struct kiln_params *params, struct fmt_err *err);

/* 0 with *made, or a negative errno with *err. */
int fk_state_new(const struct kiln_host *host, const struct kiln_params *params,
	struct fk_state **made, struct fmt_err *err);
void fk_state_free(struct fk_state *state);

#endif
