/* SPDX-License-Identifier: BSD-2-Clause */
/* variant.h - which variants of the primitives this machine runs, and whether they may. */
#ifndef FK_VARIANT_H
#define FK_VARIANT_H

#include "plugins/kiln_plugin.h"
#include "plugins/vmd-fk/evaluate.h"

/* Gives the evaluator the fastest variants of this machine and tells the host their name.
 * Before, each proves itself on a small case against the plain C, bit by bit; one that
 * fails is logged, and the plain C serves instead.  [in open] */
void fk_variant_choose(const struct kiln_host *host, struct fk_evaluator *evaluator);

#endif
