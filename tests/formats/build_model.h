/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * build_model.h - models of a few bones made in memory, whole, for tests to spoil.
 */
#ifndef TESTS_FORMATS_BUILD_MODEL_H
#define TESTS_FORMATS_BUILD_MODEL_H

#include "tests/formats/build.h"

/* Where a PMX has what a test wants to spoil: of what comes often, the last. */
struct build_places {
	size_t vertex_count, weight_type, bone_count, parent[3], position, ratio,
		ik_target, ik_limit, link_bone, morph_count, morph_type, morph_bone;
};

/* PMX 2.1 in UTF-8 with byte indices: every weight type, every morph type, three bones. */
void build_pmx(struct build *b, struct build_places *places);

/* A PMD of eight bones, one of every type that matters, two IKs and a morph. */
void build_pmd(struct build *b);
/* Where its bones begin: their count. */
enum { BUILD_PMD_BONES = 3 + 4 + 20 + 256 + 4 + 38 + 4 + 2 + 4 + 70 };

#endif
