/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pmx.h - PMX 2.0 and 2.1 models, after the specification by Kyokuhoku-P.  See model.h
 * for what is kept; textures, rigid bodies, joints and soft bodies are not even walked.
 */
#ifndef FMT_PMX_H
#define FMT_PMX_H

#include "plugins/formats/err.h"
#include "plugins/formats/model.h"

/* As fmt_model_read(), for bytes that begin with "PMX ". */
int fmt_pmx_read(
	const void *bytes, size_t length, struct fmt_model *model, struct fmt_err *err);

#endif
