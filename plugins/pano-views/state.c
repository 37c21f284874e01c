/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/pano-views/state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int
read_filter(struct pv_state *state, const char *name, struct fmt_err *err)
{
	static const char *const names[] = {"nearest", "bilinear", "bicubic", "lanczos3"};
	int filter = KERN_REMAP_NEAREST;
	while (strcmp(names[filter], name) != 0)
		filter++; /* the schema allows no other */
	state->filter = (enum kern_remap_filter)filter;
	if (kern_remap_taps(state->filter) <= 2)
		return 0;
	state->weights = malloc(sizeof *state->weights);
	if (state->weights == NULL)
		return fmt_err_set(err, -ENOMEM, "no memory for the filter's weights");
	kern_remap_fill(state->filter, state->weights);
	return 0;
}

/* One of enum fmt_image_format, or -1 for the frame's own. */
static int
read_format(const char *name)
{
	static const char *const names[FMT_IMAGE_FORMATS] = {[FMT_IMAGE_JPEG] = "jpeg",
		[FMT_IMAGE_PNG] = "png",
		[FMT_IMAGE_TIFF] = "tiff",
		[FMT_IMAGE_EXR] = "exr"};
	int format = FMT_IMAGE_FORMATS - 1;
	while (format >= 0 && strcmp(names[format], name) != 0)
		format--;
	return format;
}

static int
read_params(struct pv_state *state, const struct kiln_params *params, struct fmt_err *err)
{
	const struct kiln_value *const *value = params->values;
	const struct pv_sizes sizes = {(uint32_t)value[PV_WIDTH]->integer,
		(uint32_t)value[PV_HEIGHT]->integer, value[PV_HFOV]->number};
	int rc = pv_views_read(value[PV_VIEWS]->text, &sizes, &state->views, err);
	if (rc == 0)
		rc = read_filter(state, value[PV_FILTER]->text, err);
	if (rc < 0)
		return rc;
	state->format = read_format(value[PV_FORMAT]->text);
	state->quality = (unsigned)value[PV_QUALITY]->integer;
	state->masks = strcmp(value[PV_MASKS]->text, "auto") == 0;
	state->caps.nadir = value[PV_NADIR]->number;
	state->caps.zenith = value[PV_ZENITH]->number;
	if (value[PV_LINEAR_LIGHT]->integer != 0) {
		state->light = pv_light_new();
		if (state->light == NULL)
			return fmt_err_set(err, -ENOMEM, "no memory for tables of light");
	}
	state->preview = (int)value[PV_PREVIEW]->integer;
	state->flat = strcmp(value[PV_LAYOUT]->text, "flat") == 0;
	state->maps = pv_maps_cache_new(&state->views, (int)value[PV_AA]->integer);
	return state->maps != NULL ? 0 : fmt_err_set(err, -ENOMEM, "no memory for maps");
}

int
pv_state_new(
	const struct kiln_params *params, struct pv_state **state, struct fmt_err *err)
{
	struct pv_state *made = calloc(1, sizeof *made);
	if (made == NULL)
		return fmt_err_set(err, -ENOMEM, "no memory for the parameters");
	int rc = read_params(made, params, err);
	if (rc < 0)
		pv_state_free(made);
	else
		*state = made;
	return rc;
}

void
pv_state_free(struct pv_state *state)
{
	if (state == NULL)
		return;
	pv_gpu_free(state->gpu);
	free(state->no_gpu);
	pv_maps_cache_free(state->maps);
	pv_views_free(&state->views);
	pv_light_free(state->light);
	free(state->weights);
	free(state);
}
