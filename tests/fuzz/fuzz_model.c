/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/fuzz/fuzz_model.h"

#include <stdlib.h>

static void
check_index(int32_t index, uint32_t count)
{
	if (index < -1 || (index >= 0 && (uint32_t)index >= count))
		abort();
}

void
fuzz_model_check(const struct fmt_model *model)
{
	for (uint32_t i = 0; i < model->bone_count; i++) {
		const struct fmt_bone *bone = &model->bones[i];
		uint32_t steps = 0;
		for (int32_t at = (int32_t)i; at >= 0; at = model->bones[at].parent) {
			check_index(model->bones[at].parent, model->bone_count);
			if (steps++ > model->bone_count)
				abort();
		}
		check_index(bone->tail_bone, model->bone_count);
		check_index(bone->append_source, model->bone_count);
		check_index(bone->ik_target, model->bone_count);
		if ((bone->flags & FMT_BONE_IK) && bone->ik_target < 0)
			abort();
		if (bone->name == NULL || bone->name_en == NULL ||
			bone->vmd_name[15] != '\0')
			abort();
		for (uint32_t k = 0; k < bone->ik_link_count; k++) {
			if (bone->ik_links[k].bone < 0)
				abort();
			check_index(bone->ik_links[k].bone, model->bone_count);
		}
	}
	for (uint32_t i = 0; i < model->morph_count; i++) {
		const struct fmt_morph *morph = &model->morphs[i];
		for (uint32_t k = 0; k < morph->element_count; k++)
			check_index(morph->elements[k].index,
				morph->type == FMT_MORPH_BONE ? model->bone_count
							      : model->morph_count);
	}
}
