/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/pano-views/cameras.h"

#include "kernels/view.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void
transpose(const double from[9], double to[9])
{
	for (int row = 0; row < 3; row++)
		for (int column = 0; column < 3; column++)
			to[column * 3 + row] = from[row * 3 + column];
}

/* w x y z of a rotation, w >= 0: by the greatest of the four, so that nothing small is
 * divided by (Shepperd, Quaternion from Rotation Matrix, 1978). */
static void
to_quaternion(const double r[9], double q[4])
{
	const double squares[4] = {1 + r[0] + r[4] + r[8], 1 + r[0] - r[4] - r[8],
		1 - r[0] + r[4] - r[8], 1 - r[0] - r[4] + r[8]};
	const double pairs[4][4] = {{squares[0], r[7] - r[5], r[2] - r[6], r[3] - r[1]},
		{r[7] - r[5], squares[1], r[1] + r[3], r[2] + r[6]},
		{r[2] - r[6], r[1] + r[3], squares[2], r[5] + r[7]},
		{r[3] - r[1], r[2] + r[6], r[5] + r[7], squares[3]}};
	int greatest = 0;
	for (int i = 1; i < 4; i++)
		greatest = squares[i] > squares[greatest] ? i : greatest;
	double scale = 0.5 / sqrt(squares[greatest]);
	if (pairs[greatest][0] < 0)
		scale = -scale;
	for (int i = 0; i < 4; i++)
		q[i] = pairs[greatest][i] * scale + 0.0;
}

static json_t *
camera_of(const struct pv_view *view, const struct pv_view *reference, uint32_t quarter)
{
	uint32_t width = view->width > 0 ? view->width : quarter;
	uint32_t height = view->height > 0 ? view->height : quarter;
	double focal = kern_view_focal(width, view->hfov);
	double own[9], camera_from_panorama[9], panorama_from_reference[9], turn[9], q[4];
	json_t *camera = json_pack("{s:s+, s:s, s:[f, f, f, f]}", "image_prefix",
		view->name, "/", "camera_model_name", "PINHOLE", "camera_params", focal,
		focal, width / 2.0, height / 2.0);
	if (view == reference) {
		json_object_set_new(camera, "ref_sensor", json_true());
		return camera;
	}
	kern_view_rotation(view->yaw, view->pitch, view->roll, own);
	transpose(own, camera_from_panorama);
	kern_view_rotation(reference->yaw, reference->pitch, reference->roll,
		panorama_from_reference);
	kern_view_multiply(camera_from_panorama, panorama_from_reference, turn);
	to_quaternion(turn, q);
	json_object_set_new(camera, "cam_from_rig_rotation",
		json_pack("[f, f, f, f]", q[0], q[1], q[2], q[3]));
	json_object_set_new(camera, "cam_from_rig_translation",
		json_pack("[f, f, f]", 0.0, 0.0, 0.0));
	return camera;
}

char *
pv_cameras_rig(const struct pv_views *views, uint32_t panorama_width)
{
	json_t *cameras = json_array();
	for (uint32_t i = 0; i < views->count; i++)
		json_array_append_new(
			cameras, camera_of(&views->views[i], &views->views[0],
					 panorama_width / 4));
	json_t *rigs = json_pack("[{s:o}]", "cameras", cameras);
	char *text = rigs != NULL ? json_dumps(rigs, JSON_INDENT(1)) : NULL;
	json_decref(rigs);
	return text;
}

char *
pv_cameras_list(const struct pv_views *views, uint32_t panorama_width)
{
	char *text = NULL;
	size_t length;
	FILE *to = open_memstream(&text, &length);
	if (to == NULL)
		return NULL;
	fprintf(to,
		"# Camera list with one line of data per camera:\n"
		"#   CAMERA_ID, MODEL, WIDTH, HEIGHT, PARAMS[]\n"
		"# Number of cameras: %u\n",
		views->count);
	for (uint32_t i = 0; i < views->count; i++) {
		const struct pv_view *view = &views->views[i];
		uint32_t width = view->width > 0 ? view->width : panorama_width / 4;
		uint32_t height = view->height > 0 ? view->height : panorama_width / 4;
		double focal = kern_view_focal(width, view->hfov);
		fprintf(to, "%u PINHOLE %u %u %.17g %.17g %.17g %.17g\n", i + 1, width,
			height, focal, focal, width / 2.0, height / 2.0);
	}
	return fclose(to) == 0 ? text : (free(text), NULL);
}

/* 4 x 4, rows first: camera to world.  Turning y and z over on both sides changes the
 * sign of what couples either of them with x. */
static json_t *
matrix_of(const struct pv_view *view)
{
	double r[9];
	kern_view_rotation(view->yaw, view->pitch, view->roll, r);
	return json_pack("[[ffff][ffff][ffff][ffff]]", r[0] + 0.0, -r[1] + 0.0,
		-r[2] + 0.0, 0.0, -r[3] + 0.0, r[4] + 0.0, r[5] + 0.0, 0.0, -r[6] + 0.0,
		r[7] + 0.0, r[8] + 0.0, 0.0, 0.0, 0.0, 0.0, 1.0);
}

static json_t *
transform_of(const struct pv_view *view, const struct pv_frame *frame, int has_masks)
{
	const uint32_t width = view->width > 0 ? view->width : frame->width / 4;
	const uint32_t height = view->height > 0 ? view->height : frame->width / 4;
	const double focal = kern_view_focal(width, view->hfov);
	json_t *path = json_sprintf("%s/%s%s", view->name, frame->stem, frame->suffix);
	if (path == NULL)
		return NULL;
	json_t *made = json_pack("{s:o, s:f, s:f, s:f, s:f, s:i, s:i, s:o}", "file_path",
		path, "fl_x", focal, "fl_y", focal, "cx", width / 2.0, "cy", height / 2.0,
		"w", (int)width, "h", (int)height, "transform_matrix", matrix_of(view));
	if (has_masks)
		json_object_set_new(made, "mask_path",
			json_sprintf("masks/%s/%s%s.png", view->name, frame->stem,
				frame->suffix));
	return made;
}

void
pv_cameras_transforms(FILE *to, const struct pv_views *views,
	const struct pv_frame *frames, uint32_t count)
{
	const char *between = "";
	/* nerfstudio takes masks for all pictures or for none. */
	int has_masks = 1;
	for (uint32_t i = 0; i < count; i++)
		has_masks &= frames[i].suffix == NULL || frames[i].has_mask;
	fprintf(to, "{\"camera_model\": \"OPENCV\", \"frames\": [");
	for (uint32_t i = 0; i < count; i++)
		for (uint32_t k = 0; frames[i].suffix != NULL && k < views->count; k++) {
			json_t *made =
				transform_of(&views->views[k], &frames[i], has_masks);
			/* JSON cannot tell of a name that is not UTF-8. */
			if (made == NULL)
				continue;
			fprintf(to, "%s\n", between);
			json_dumpf(made, to, JSON_COMPACT);
			json_decref(made);
			between = ",";
		}
	fprintf(to, "\n]}\n");
}
