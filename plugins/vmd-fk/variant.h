/* SPDX-License-Identifier: BSD-2-Clause */
/* variant.h - which variants of the primitives this machine runs, and whether they may. */
#ifndef FK_VARIANT_H
#define FK_VARIANT_H

#include "plugins/formats/err.h"
#include "plugins/kiln_plugin.h"
#include "plugins/vmd-fk/device.h"
#include "plugins/vmd-fk/evaluate.h"

/* The GPU that there may be: CUDA's where that was built, else NULL.  A test puts an
 * imitation here before open(). */
extern const struct fk_device *fk_variant_device;

/* Whether the primitives give the plain C's bits on a small case of each: a leg with a knee,
 * bent by its tracks and by morphs of every kind.  Without memory they do not.  [in open] */
int fk_variant_is_proven(const struct fk_evaluator *by);

/* Gives the evaluator the fastest variants of this machine and tells the host their name.
 * Before, they prove themselves; if one does not, that is logged and the plain C serves
 * instead of them all.  [in open] */
void fk_variant_choose(const struct kiln_host *host, struct fk_evaluator *evaluator);

/* Whether the host wants a GPU, and of which number. */
int fk_variant_wants_gpu(const struct kiln_host *host, uint32_t *number);

/* Proves that GPU on a small case, likewise.  0, or a negative errno with *err. [in open] */
int fk_variant_prove(uint32_t number, struct fmt_err *err);

#endif
