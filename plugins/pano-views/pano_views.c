/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pano-views: frames of a 360 degree camera become perspective views.  The geometry
 * stands in kernels/view.h, the filters in kernels/remap.h; here are the parameters and
 * the way from files to files.
 */
#include "plugins/kiln_plugin.h"
#include "plugins/pano-views/offload.h"
#include "plugins/pano-views/state.h"
#include "plugins/pano-views/unit.h"

#include <errno.h>

static int
pano_views_open(
	const struct kiln_host *host, const struct kiln_params *params, void **state)
{
	struct fmt_err err = {0};
	struct pv_state *made = NULL;
	int rc = pv_state_new(params, &made, &err);
	if (rc < 0) {
		host->fail(host, err.text);
		return rc;
	}
	made->variant = pv_variant_choose(host, made->filter, made->weights);
	pv_maps_cache_draw_by(made->maps, made->variant.places);
	if (pv_offload_open(made, host) < 0) {
		host->fail(host, "no memory for a GPU");
		pv_state_free(made);
		return -ENOMEM;
	}
	*state = made;
	return 0;
}

static int
pano_views_process(
	const struct kiln_host *host, void *state, const struct kiln_batch *batch)
{
	for (uint32_t number = 0; number < batch->unit_count; number++) {
		int rc = pv_unit_process(host, state, batch, number);
		if (rc < 0) {
			host->fail(host, "the host did not take the verdict on a unit");
			return rc;
		}
	}
	return 0;
}

static void
pano_views_close(const struct kiln_host *host, void *state)
{
	(void)host;
	pv_state_free(state);
}

static const struct kiln_param param_views = {
	.size = sizeof(struct kiln_param),
	.type = KILN_JSON,
	.name = "views",
	.default_text = "\"ring8\"",
	.help = "Which views to cut: \"ring8\", \"cube6\", \"dome16\", \"colmap12\", "
		"\"cardinal4\", or a list of tables with name, yaw, pitch, roll, hfov, "
		"width and height, of which only yaw is needed.",
};
static const struct kiln_param param_width = {
	.size = sizeof(struct kiln_param),
	.type = KILN_INTEGER,
	.name = "width",
	.default_text = "0",
	.maximum = PV_VIEW_SIDE,
	.unit = "pixels",
	.help = "Width of the views; 0: what the preset has.",
};
static const struct kiln_param param_height = {
	.size = sizeof(struct kiln_param),
	.type = KILN_INTEGER,
	.name = "height",
	.default_text = "0",
	.maximum = PV_VIEW_SIDE,
	.unit = "pixels",
	.help = "Height of the views; 0: what the preset has.",
};
static const struct kiln_param param_hfov = {
	.size = sizeof(struct kiln_param),
	.type = KILN_NUMBER,
	.name = "hfov",
	.default_text = "0",
	.maximum = 170,
	.unit = "degrees",
	.help = "Horizontal field of view, pixels being square; 0: what the preset has.",
};
static const char *const filters[] = {"nearest", "bilinear", "bicubic", "lanczos3", NULL};
static const struct kiln_param param_filter = {
	.size = sizeof(struct kiln_param),
	.type = KILN_STRING,
	.name = "filter",
	.default_text = "\"bilinear\"",
	.choices = filters,
	.help = "How the panorama is sampled.",
};
static const struct kiln_param param_aa = {
	.size = sizeof(struct kiln_param),
	.type = KILN_BOOL,
	.name = "aa",
	.default_text = "false",
	.help = "Take more samples of a pixel where a view shows the panorama smaller "
		"than it "
		"is.",
};
static const struct kiln_param param_linear_light = {
	.size = sizeof(struct kiln_param),
	.type = KILN_BOOL,
	.name = "linear_light",
	.default_text = "false",
	.help = "Filter light, not sRGB values: finest patterns keep their brightness.",
};
static const char *const formats[] = {"same", "jpeg", "png", "tiff", "exr", NULL};
static const struct kiln_param param_format = {
	.size = sizeof(struct kiln_param),
	.type = KILN_STRING,
	.name = "format",
	.default_text = "\"same\"",
	.choices = formats,
	.help = "Format of the views: the frame's own, JPEG (8 bits), PNG (8 or 16), "
		"TIFF "
		"(8, 16, half or float) or OpenEXR (half or float).",
};
static const struct kiln_param param_quality = {
	.size = sizeof(struct kiln_param),
	.type = KILN_INTEGER,
	.name = "quality",
	.default_text = "95",
	.minimum = 1,
	.maximum = 100,
	.help = "Quality of JPEG views.",
};
static const char *const layouts[] = {"by_camera", "flat", NULL};
static const struct kiln_param param_layout = {
	.size = sizeof(struct kiln_param),
	.type = KILN_STRING,
	.name = "layout",
	.default_text = "\"by_camera\"",
	.choices = layouts,
	.help = "A folder for each view, cam_00/FRAME.jpg, as COLMAP's rigs have it, or "
		"\"flat\": FRAME_cam_00.jpg.",
};
static const char *const masks[] = {"auto", "off", NULL};
static const struct kiln_param param_masks = {
	.size = sizeof(struct kiln_param),
	.type = KILN_STRING,
	.name = "masks",
	.default_text = "\"auto\"",
	.choices = masks,
	.help = "Split FRAME_mask.png, where black is to be ignored, and the frame's "
		"alpha into masks for the views.",
};
static const struct kiln_param param_nadir = {
	.size = sizeof(struct kiln_param),
	.type = KILN_NUMBER,
	.name = "nadir",
	.default_text = "0",
	.maximum = 90,
	.unit = "degrees",
	.help = "Mask out so much around the lower pole, where the tripod is.",
};
static const struct kiln_param param_zenith = {
	.size = sizeof(struct kiln_param),
	.type = KILN_NUMBER,
	.name = "zenith",
	.default_text = "0",
	.maximum = 90,
	.unit = "degrees",
	.help = "Mask out so much around the upper pole.",
};
static const struct kiln_param param_preview = {
	.size = sizeof(struct kiln_param),
	.type = KILN_BOOL,
	.name = "preview",
	.default_text = "true",
	.help = "Draw contact-sheet.png: all views of the first, the middle and the last "
		"frame.",
};

/* In the order of enum pv_parameter. */
static const struct kiln_param *const params[] = {
	[PV_VIEWS] = &param_views,
	[PV_WIDTH] = &param_width,
	[PV_HEIGHT] = &param_height,
	[PV_HFOV] = &param_hfov,
	[PV_FILTER] = &param_filter,
	[PV_AA] = &param_aa,
	[PV_LINEAR_LIGHT] = &param_linear_light,
	[PV_FORMAT] = &param_format,
	[PV_QUALITY] = &param_quality,
	[PV_LAYOUT] = &param_layout,
	[PV_MASKS] = &param_masks,
	[PV_NADIR] = &param_nadir,
	[PV_ZENITH] = &param_zenith,
	[PV_PREVIEW] = &param_preview,
	[PV_PARAMETERS] = NULL,
};

static const struct kiln_kernel kernel = {
	.size = sizeof(struct kiln_kernel),
	.accepts = KILN_FILE | KILN_DIRECTORY | KILN_SEQUENCE,
	.makes = KILN_MAKES_DIRECTORY,
	.name = "pano-views",
	.summary = "360 degree frames to perspective views",
	.params = params,
	.open = pano_views_open,
	.process = pano_views_process,
	.close = pano_views_close,
};
static const struct kiln_kernel *const kernels[] = {&kernel, NULL};

KILN_EXPORT const struct kiln_plugin kiln_plugin = {
	.magic = KILN_MAGIC,
	.abi_major = KILN_ABI_MAJOR,
	.abi_minor = KILN_ABI_MINOR,
	.size = sizeof(struct kiln_plugin),
	.name = "pano-views",
	.version = "0.1.0",
	.kernels = kernels,
};
