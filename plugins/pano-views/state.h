/* SPDX-License-Identifier: BSD-2-Clause */
/* state.h - what pano-views keeps between batches: the parameters, read, and the maps. */
#ifndef PV_STATE_H
#define PV_STATE_H

#include "kernels/remap.h"
#include "plugins/formats/image.h"
#include "plugins/kiln_plugin.h"
#include "plugins/pano-views/gpu.h"
#include "plugins/pano-views/light.h"
#include "plugins/pano-views/maps.h"
#include "plugins/pano-views/mask.h"
#include "plugins/pano-views/variant.h"
#include "plugins/pano-views/views.h"

/* In the order of the schema. */
enum pv_parameter {
	PV_VIEWS,
	PV_WIDTH,
	PV_HEIGHT,
	PV_HFOV,
	PV_FILTER,
	PV_AA,
	PV_LINEAR_LIGHT,
	PV_FORMAT,
	PV_QUALITY,
	PV_LAYOUT,
	PV_MASKS,
	PV_NADIR,
	PV_ZENITH,
	PV_PREVIEW,
	PV_PARAMETERS,
};

struct pv_state {
	struct pv_views views;
	struct pv_maps_cache *maps;
	enum kern_remap_filter filter;
	struct kern_remap_weights *weights; /* NULL for nearest and bilinear */
	struct pv_variant variant;	    /* the processor's; set by whoever opens it */
	int format; /* enum fmt_image_format; -1: the frame's own */
	unsigned quality;
	int masks; /* what frames bring of them is split, too */
	struct pv_caps caps;
	int preview;
	struct pv_light *light; /* NULL: values are filtered as they are */
	struct pv_gpu *gpu;	/* NULL: there is none; set as remap is */
	char *no_gpu;		/* why not, where that is worth a warning; or NULL */
	int flat;		/* layout: STEM_cam_00.jpg in place of cam_00/STEM.jpg */
};

/* 0 with *state, or a negative errno with *err. */
int pv_state_new(
	const struct kiln_params *params, struct pv_state **state, struct fmt_err *err);
void pv_state_free(struct pv_state *state);

#endif
