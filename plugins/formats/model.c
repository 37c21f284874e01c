/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/formats/model.h"

#include <stdlib.h>
#include <string.h>

void
fmt_model_free(struct fmt_model *model)
{
	if (model == NULL)
		return;
	for (uint32_t i = 0; i < model->bone_count; i++) {
		free(model->bones[i].name);
		free(model->bones[i].name_en);
		free(model->bones[i].ik_links);
	}
	for (uint32_t i = 0; i < model->morph_count; i++) {
		free(model->morphs[i].name);
		free(model->morphs[i].name_en);
		free(model->morphs[i].elements);
	}
	free(model->bones);
	free(model->morphs);
	free(model->name);
	free(model->name_en);
	memset(model, 0, sizeof *model);
}
