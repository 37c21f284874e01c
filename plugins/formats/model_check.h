/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * model_check.h - what pmx.c and pmd.c share: the last step of reading, after which a
 * model keeps the promises of model.h.
 */
#ifndef FMT_MODEL_CHECK_H
#define FMT_MODEL_CHECK_H

#include "plugins/formats/err.h"
#include "plugins/formats/model.h"

/*
 * Refuses parents that do not exist or that form a cycle; clears what else points nowhere
 * (tails, appends, IK targets and links, elements of morphs); fills vmd_name where it is
 * still empty.  0 or a negative errno with *err; the model stays the caller's to free.
 */
int fmt_model_check(struct fmt_model *model, struct fmt_err *err);

#endif
