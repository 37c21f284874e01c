/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * state.h - what open() makes of the parameters and process() works with: a model, warm,
 * and what is wanted of its motions.
 */
#ifndef FK_STATE_H
#define FK_STATE_H

#include "plugins/formats/vmd.h"
#include "plugins/kiln_plugin.h"
#include "plugins/vmd-fk/evaluate.h"
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
	FK_PARAMETERS,
};

/* The output's bones, in order. */
struct fk_columns {
	uint32_t count;
	int32_t *bones; /* -1: the model has none of that name */
	const char **names;
	char *copies; /* what the names lie in, where they are not the model's */
	uint32_t missing;
};

struct fk_state {
	struct fk_skeleton skeleton;
	struct fk_columns columns;
	struct fk_evaluator evaluator;
	struct fmt_vmd_options reading;
	int preview;
	uint64_t budget;
};

/* Reads all of fd, at most FK_FILE_MAX bytes.  0 with *bytes (the caller frees it) and
 * *length, or a negative errno with *err. */
int fk_state_read_all(int fd, void **bytes, size_t *length, struct fmt_err *err);

/* Opens and reads the model that the parameter names. */
int fk_state_read_model(const struct kiln_host *host, const struct kiln_params *params,
	struct fmt_model *model, struct fmt_err *err);

/* 0 with *made, or a negative errno with *err. */
int fk_state_new(const struct kiln_host *host, const struct kiln_params *params,
	struct fk_state **made, struct fmt_err *err);
void fk_state_free(struct fk_state *state);

#endif
