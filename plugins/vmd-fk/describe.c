/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/vmd-fk/describe.h"

#include "plugins/vmd-fk/core_bones.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>

static const struct {
	uint32_t flag;
	const char *word;
} words[] = {
	{FMT_BONE_ROTATABLE, "rotate"},
	{FMT_BONE_MOVABLE, "move"},
	{FMT_BONE_VISIBLE, "visible"},
	{FMT_BONE_IK, "ik"},
	{FMT_BONE_APPEND_ROTATE, "append-rotate"},
	{FMT_BONE_APPEND_MOVE, "append-move"},
	{FMT_BONE_APPEND_LOCAL, "append-local"},
	{FMT_BONE_FIXED_AXIS, "fixed-axis"},
	{FMT_BONE_LOCAL_AXES, "local-axes"},
	{FMT_BONE_AFTER_PHYSICS, "after-physics"},
	{FMT_BONE_EXTERNAL_PARENT, "external-parent"},
};

static json_t *
describe_bone(const struct fmt_model *model, uint32_t index)
{
	const struct fmt_bone *bone = &model->bones[index];
	json_t *flags = json_array();
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (bone->flags & words[i].flag)
			json_array_append_new(flags, json_string(words[i].word));
	return json_pack("{s:i, s:s, s:s, s:i, s:i, s:o, s:b}", "index", (int)index,
		"name", bone->name, "name_en", bone->name_en, "parent", (int)bone->parent,
		"layer", (int)bone->layer, "flags", flags, "core",
		fk_core_bones_has(bone->name));
}

static int
tell(const struct kiln_host *host, const char *key, json_t *value)
{
	char *text = value != NULL ? json_dumps(value, JSON_COMPACT) : NULL;
	json_decref(value);
	if (text == NULL)
		return -ENOMEM;
	host->meta(host, KILN_WHOLE, key, text);
	free(text);
	return 0;
}

int
fk_describe(const struct kiln_host *host, const struct fmt_model *model)
{
	json_t *bones = json_array();
	for (uint32_t i = 0; i < model->bone_count; i++) {
		if (json_array_append_new(bones, describe_bone(model, i)) < 0) {
			json_decref(bones);
			return -ENOMEM;
		}
	}
	int rc = tell(host, "model",
		json_pack("{s:s, s:s, s:f, s:i, s:i, s:i}", "name", model->name,
			"name_en", model->name_en, "version", (double)model->version,
			"bones", (int)model->bone_count, "morphs",
			(int)model->morph_count, "vertices", (int)model->vertex_count));
	if (rc < 0) {
		json_decref(bones);
		return rc;
	}
	return tell(host, "bones", bones);
}
