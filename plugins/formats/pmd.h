/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pmd.h - PMD 1.0 models, turned into PMX terms as PMX Editor does it:
 *
 * - type 5 appends the whole rotation of the bone in its IK field, type 9 that of its
 * tail bone times its IK field in percent, type 8 (twist) gets the axis towards its tail;
 * - the step limit of an IK times 4 is PMX's in radians; the knees called 左ひざ and
 * 右ひざ turn about X only, from -180 to -0.5 degrees;
 * - IK bones and what hangs from them are layer 1, rotation-influenced bones (types 5 and
 *   9) and what hangs from them layer 2;
 * - where a bone has several IKs, the second and later ones become hidden bones at the
 * end that hang from it and share its vmd_name, so that its IK switch finds all of them.
 *
 * Expressions move vertices only: morphs come without elements.
 */
#ifndef FMT_PMD_H
#define FMT_PMD_H

#include "plugins/formats/err.h"
#include "plugins/formats/model.h"

/* As fmt_model_read(), for bytes that begin with "Pmd". */
int fmt_pmd_read(
	const void *bytes, size_t length, struct fmt_model *model, struct fmt_err *err);

#endif
