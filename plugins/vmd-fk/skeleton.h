/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * skeleton.h - a model made ready for motion: what kernels/pose.h and kernels/morph.h
 * want, as arrays, and the names by which a motion finds its bones.  Built once, constant
 * afterwards.
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
};

struct fk_skeleton {
	struct fmt_model model; /* owned */
	struct kern_pose_skeleton pose;
	struct kern_morph_table morphs;
	/* Per bone; NULL: no fixed axis, else three floats of unit length or all zero. */
	const float **fixed_axis;
	struct fk_names bone_names, bone_names_utf8, morph_names, morph_names_utf8;
	void *blocks[16]; /* what the arrays above lie in */
	uint32_t block_count;
};

/* Takes *model, on failure too.  0 or -ENOMEM. */
int fk_skeleton_build(struct fk_skeleton *skeleton, struct fmt_model *model,
	const struct fk_switches *switches);

/* A skeleton of zeros or one half built is fine. */
void fk_skeleton_free(struct fk_skeleton *skeleton);

#endif
