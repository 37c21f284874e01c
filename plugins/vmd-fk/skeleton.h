/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * skeleton.h - a model made ready for motion: what kernels/pose.h and kernels/morph.h
 * want, as arrays, and the names by which a motion finds its bones.  Built once, constant
 * afterwards.
 *
 * Two numberings.  A bone's index is the model's; its place is its number in the pose,
 * which holds only the bones that are needed, in the model's order.
 */
#ifndef FK_SKELETON_H
#define FK_SKELETON_H

#include "kernels/morph.h"
#include "kernels/pose.h"
#include "plugins/formats/model.h"
#include "plugins/vmd-fk/names.h"

/* What takes part in the evaluation. */
struct fk_switches {
	int ik, append, morphs;
	int morph_weights; /* morphs' weights are wanted, whether or not they act */
};

struct fk_skeleton {
	struct fmt_model model; /* owned */
	struct kern_pose_skeleton pose;
	struct kern_morph_table morphs;
	uint32_t *bones; /* by place: the index */
	int32_t *places; /* by index: the place; -1: not evaluated */
	/* By place; NULL: no fixed axis, else three floats of unit length or all zero. */
	const float **fixed_axis;
	/* All IK bones of the model, evaluated or not. */
	uint32_t ik_count;
	uint32_t *ik_bones; /* their indices */
	int32_t *ik_of;	    /* by index: the number among ik_bones; -1: no IK bone */
	uint32_t *chain_ik; /* by chain: the number among ik_bones */
	struct fk_names bone_names, bone_names_utf8, morph_names, morph_names_utf8;
	void *blocks[20]; /* what the arrays above lie in */
	uint32_t block_count;
};

/* Takes *model, on failure too, and makes the names; the rest is zero still.  0 or
 * -ENOMEM. */
int fk_skeleton_take(struct fk_skeleton *skeleton, struct fmt_model *model);

/* Builds the rest, from the bones whose byte in needed is not 0; see needed.h.  0 or
 * -ENOMEM. */
int fk_skeleton_build(struct fk_skeleton *skeleton, const struct fk_switches *switches,
	const uint8_t *needed);

/* A skeleton of zeros or one half built is fine. */
void fk_skeleton_free(struct fk_skeleton *skeleton);

#endif
