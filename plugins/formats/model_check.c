/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/formats/model_check.h"
#include "plugins/formats/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static int
is_bone(const struct fmt_model *model, int32_t index)
{
	return index >= 0 && (uint32_t)index < model->bone_count;
}

static int
check_parents(const struct fmt_model *model, struct fmt_err *err)
{
	for (uint32_t i = 0; i < model->bone_count; i++) {
		const struct fmt_bone *bone = &model->bones[i];
		if (bone->parent == -1 || is_bone(model, bone->parent))
			continue;
		return fmt_err_set(err, -EBADMSG,
			"bone %u '%s': its parent is bone %d, but there are only %u "
			"bones",
			i, bone->name, bone->parent, model->bone_count);
	}
	return 0;
}

/* Names the bones of the cycle that `first` is on, as many as fit. */
static int
refuse_cycle(const struct fmt_model *model, int32_t first, struct fmt_err *err)
{
	char names[768];
	size_t used = 0;
	int32_t i = first;

	names[0] = '\0';
	do {
		int length = snprintf(names + used, sizeof names - used, "%d '%s' -> ", i,
			model->bones[i].name);
		if (length < 0 || (size_t)length >= sizeof names - used) {
			names[used] = '\0';
			return fmt_err_set(err, -EBADMSG,
				"the parents of bones form a cycle: %s...", names);
		}
		used += (size_t)length;
		i = model->bones[i].parent;
	} while (i != first);
	return fmt_err_set(err, -EBADMSG, "the parents of bones form a cycle: %s%d '%s'",
		names, first, model->bones[first].name);
}

/* Every walk towards the root leaves its number behind, and stops where an earlier one
 * has been; who meets his own number goes in circles. */
static int
check_cycles(const struct fmt_model *model, struct fmt_err *err)
{
	uint32_t *walk = calloc((size_t)model->bone_count + 1, sizeof *walk);
	if (walk == NULL)
		return fmt_err_set(
			err, -ENOMEM, "no memory for %u bones", model->bone_count);
	for (uint32_t i = 0; i < model->bone_count; i++) {
		int32_t at = (int32_t)i;
		while (at >= 0 && walk[at] == 0) {
			walk[at] = i + 1;
			at = model->bones[at].parent;
		}
		if (at >= 0 && walk[at] == i + 1) {
			free(walk);
			return refuse_cycle(model, at, err);
		}
	}
	free(walk);
	return 0;
}

static void
clear_dangling(const struct fmt_model *model, struct fmt_bone *bone)
{
	uint32_t kept = 0;

	if (!is_bone(model, bone->tail_bone))
		bone->tail_bone = -1;
	if (!is_bone(model, bone->append_source)) {
		bone->append_source = -1;
		bone->flags &= ~(uint32_t)(FMT_BONE_APPEND_ROTATE | FMT_BONE_APPEND_MOVE |
					   FMT_BONE_APPEND_LOCAL);
	}
	if (!is_bone(model, bone->ik_target)) {
		bone->ik_target = -1;
		bone->flags &= ~(uint32_t)FMT_BONE_IK;
	}
	for (uint32_t i = 0; i < bone->ik_link_count; i++) {
		if (is_bone(model, bone->ik_links[i].bone))
			bone->ik_links[kept++] = bone->ik_links[i];
	}
	bone->ik_link_count = kept;
	if (bone->ik_loops < 0)
		bone->ik_loops = 0;
}

static void
clear_elements(const struct fmt_model *model, struct fmt_morph *morph)
{
	const uint32_t limit =
		morph->type == FMT_MORPH_BONE ? model->bone_count : model->morph_count;
	uint32_t kept = 0;

	for (uint32_t i = 0; i < morph->element_count; i++) {
		int32_t index = morph->elements[i].index;
		if (index >= 0 && (uint32_t)index < limit)
			morph->elements[kept++] = morph->elements[i];
	}
	morph->element_count = kept;
}

int
fmt_model_check(struct fmt_model *model, struct fmt_err *err)
{
	int rc = check_parents(model, err);
	if (rc == 0)
		rc = check_cycles(model, err);
	if (rc < 0)
		return rc;
	for (uint32_t i = 0; i < model->bone_count; i++) {
		struct fmt_bone *bone = &model->bones[i];
		clear_dangling(model, bone);
		if (bone->vmd_name[0] == '\0')
			fmt_text_vmd_name(bone->name, bone->vmd_name);
	}
	for (uint32_t i = 0; i < model->morph_count; i++) {
		struct fmt_morph *morph = &model->morphs[i];
		clear_elements(model, morph);
		if (morph->vmd_name[0] == '\0')
			fmt_text_vmd_name(morph->name, morph->vmd_name);
	}
	return 0;
}
