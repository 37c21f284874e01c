/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * model_read.h - a model out of a file of either kind.
 */
#ifndef FMT_MODEL_READ_H
#define FMT_MODEL_READ_H

#include "plugins/formats/err.h"
#include "plugins/formats/model.h"

/* Reads a PMX or a PMD, told apart by their magic.  0 or a negative errno with *err.
 * *model is untouched on failure. */
int fmt_model_read(
	const void *bytes, size_t length, struct fmt_model *model, struct fmt_err *err);

#endif
