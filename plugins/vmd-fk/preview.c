/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/vmd-fk/preview.h"

#include "plugins/vmd-fk/canvas.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PANELS 12
/* The camera looks down by this angle, in radians. */
#define PITCH	     0.21f
#define GRID_SQUARE  5.0f
#define GRID_SQUARES 8

/* What a body is drawn of; a pair of which the model lacks one is left out. */
static const char *const limbs[][2] = {
	{"上半身", "上半身2"},
	{"上半身2", "首"},
	{"首", "頭"},
	{"左足", "右足"},
	{"上半身", "左足"},
	{"首", "左腕"},
	{"左腕", "左ひじ"},
	{"左ひじ", "左手首"},
	{"左手首", "左中指１"},
	{"左足", "左ひざ"},
	{"左ひざ", "左足首"},
	{"左足首", "左つま先"},
	{"上半身", "右足"},
	{"首", "右腕"},
	{"右腕", "右ひじ"},
	{"右ひじ", "右手首"},
	{"右手首", "右中指１"},
	{"右足", "右ひざ"},
	{"右ひざ", "右足首"},
	{"右足首", "右つま先"},
};
#define LIMBS (sizeof limbs / sizeof limbs[0])

static const struct fk_colour left_side = {255, 158, 74, 1.0f};
static const struct fk_colour right_side = {86, 178, 255, 1.0f};
static const struct fk_colour middle = {232, 238, 245, 1.0f};
static const struct fk_colour floor_line = {120, 150, 180, 1.0f};
static const struct fk_colour panel_top = {28, 35, 46, 1.0f};
static const struct fk_colour panel_bottom = {17, 21, 28, 1.0f};
static const struct fk_colour gap_colour = {9, 11, 15, 1.0f};
static const struct fk_colour label = {168, 184, 203, 1.0f};

struct point3 {
	float x, y, z;
};

/* Panels side by side and one below the other. */
struct grid {
	uint32_t columns, rows;
};

/* Everything that holds for all panels. */
struct sheet {
	const struct fk_skeleton *skeleton;
	uint32_t panel_count;
	struct grid grid;
	int width, height; /* of a panel, in pixels */
	float thickness;   /* of lines, against that of twelve panels */
	uint32_t frames[PANELS];
	struct point3 *positions; /* [panel][bone] */
	int32_t limb_bones[LIMBS][2];
	int limb_count; /* those with both ends */
	float scale;	/* pixels per unit */
	float low;	/* the lowest projected height that is shown */
	struct point3 centres[PANELS];
};

/* The fewer poses, the larger: one fills the sheet. */
static void
lay_out(struct sheet *sheet, uint32_t count)
{
	static const struct grid grids[] = {
		{1, 1}, {2, 1}, {2, 2}, {3, 2}, {3, 3}, {4, 3}};
	size_t i = 0;
	while (grids[i].columns * grids[i].rows < count && grids[i].columns < 4)
		i++;
	sheet->panel_count = count;
	sheet->grid = grids[i];
	sheet->width = FK_PREVIEW_WIDTH / (int)sheet->grid.columns;
	sheet->height = FK_PREVIEW_HEIGHT / (int)sheet->grid.rows;
	sheet->thickness = sqrtf(4.0f / (float)sheet->grid.columns);
}

static struct fk_colour
side_colour(const char *name, float opacity)
{
	struct fk_colour colour = middle;
	if (strncmp(name, "左", 3) == 0)
		colour = left_side;
	else if (strncmp(name, "右", 3) == 0)
		colour = right_side;
	colour.opacity = opacity;
	return colour;
}

/* Height on the picture, in units: what is farther away stands higher. */
static float
rise(struct point3 p, struct point3 centre)
{
	return p.y * cosf(PITCH) + (p.z - centre.z) * sinf(PITCH);
}

static struct fk_point
project(const struct sheet *sheet, struct point3 centre, struct point3 p)
{
	return (struct fk_point){
		0.5f * (float)sheet->width + (p.x - centre.x) * sheet->scale,
		0.90f * (float)sheet->height -
			(rise(p, centre) - sheet->low) * sheet->scale,
	};
}

static const struct point3 *
panel_positions(const struct sheet *sheet, uint32_t panel)
{
	return sheet->positions + (size_t)panel * sheet->skeleton->pose.bone_count;
}

/* Whether a bone is worth a thin line to its parent: shown to users, and part of what
 * deforms rather than a handle. */
static int
is_drawn(const struct fk_skeleton *skeleton, uint32_t bone)
{
	const struct fmt_bone *b = &skeleton->model.bones[bone];
	if (b->parent < 0 || (b->flags & FMT_BONE_IK))
		return 0;
	const struct fmt_bone *parent = &skeleton->model.bones[b->parent];
	/* Lines to a handle near the root would cross the whole body. */
	return (b->flags & FMT_BONE_VISIBLE) && !(parent->flags & FMT_BONE_IK) &&
	       (parent->parent >= 0 || skeleton->model.bone_count < 16);
}

static void
find_limbs(struct sheet *sheet)
{
	for (size_t i = 0; i < LIMBS; i++) {
		for (int end = 0; end < 2; end++)
			sheet->limb_bones[i][end] = (int32_t)fk_names_find(
				&sheet->skeleton->bone_names_utf8, limbs[i][end]);
		sheet->limb_count +=
			sheet->limb_bones[i][0] >= 0 && sheet->limb_bones[i][1] >= 0;
	}
}

/* Whether a bone counts for centre and scale: the body's where there is one. */
static int
is_framed(const struct sheet *sheet, uint32_t bone)
{
	if (sheet->limb_count < 8)
		return 1;
	for (size_t i = 0; i < LIMBS; i++)
		if (sheet->limb_bones[i][0] == (int32_t)bone ||
			sheet->limb_bones[i][1] == (int32_t)bone)
			return 1;
	return 0;
}

static void
choose_view(struct sheet *sheet)
{
	uint32_t bones = sheet->skeleton->pose.bone_count;
	float wide = 1.0f, low = -0.5f, high = 1.0f;
	for (uint32_t panel = 0; panel < sheet->panel_count; panel++) {
		const struct point3 *at = panel_positions(sheet, panel);
		struct point3 centre = {0.0f, 0.0f, 0.0f};
		float count = 0.0f;
		for (uint32_t i = 0; i < bones; i++) {
			if (!is_framed(sheet, i) ||
				!isfinite(at[i].x + at[i].y + at[i].z))
				continue;
			centre.x += at[i].x;
			centre.z += at[i].z;
			count += 1.0f;
		}
		centre.x /= fmaxf(count, 1.0f);
		centre.z /= fmaxf(count, 1.0f);
		sheet->centres[panel] = centre;
		for (uint32_t i = 0; i < bones; i++) {
			if (!is_framed(sheet, i) ||
				!isfinite(at[i].x + at[i].y + at[i].z))
				continue;
			wide = fmaxf(wide, fabsf(at[i].x - centre.x));
			low = fminf(low, rise(at[i], centre));
			high = fmaxf(high, rise(at[i], centre));
		}
	}
	/* Room for a head above the last bone. */
	high += 0.08f * (high - low);
	sheet->low = low;
	sheet->scale = fminf(0.45f * (float)sheet->width / wide,
		0.80f * (float)sheet->height / (high - low));
}

static void
draw_floor(const struct sheet *sheet, struct fk_canvas *canvas, struct point3 centre)
{
	float around = GRID_SQUARE * GRID_SQUARES;
	float x0 = GRID_SQUARE * roundf(centre.x / GRID_SQUARE);
	float z0 = GRID_SQUARE * roundf(centre.z / GRID_SQUARE);
	for (int i = -GRID_SQUARES; i <= GRID_SQUARES; i++) {
		float offset = GRID_SQUARE * (float)i;
		struct fk_colour colour = floor_line;
		colour.opacity = 0.42f * (1.0f - fabsf((float)i) / (GRID_SQUARES + 1));
		fk_canvas_line(canvas,
			project(sheet, centre,
				(struct point3){x0 - around, 0, z0 + offset}),
			project(sheet, centre,
				(struct point3){x0 + around, 0, z0 + offset}),
			1.0f, colour);
		fk_canvas_line(canvas,
			project(sheet, centre,
				(struct point3){x0 + offset, 0, z0 - around}),
			project(sheet, centre,
				(struct point3){x0 + offset, 0, z0 + around}),
			1.0f, colour);
	}
}

struct drawn_limb {
	size_t limb;
	float depth;
};

static int
farther_first(const void *a, const void *b)
{
	float left = ((const struct drawn_limb *)a)->depth;
	float right = ((const struct drawn_limb *)b)->depth;
	return (left < right) - (left > right);
}

static void
draw_head(const struct sheet *sheet, struct fk_canvas *canvas, uint32_t panel)
{
	const struct fk_names *names = &sheet->skeleton->bone_names_utf8;
	const struct point3 *at = panel_positions(sheet, panel);
	int64_t neck = fk_names_find(names, "首"), head = fk_names_find(names, "頭");
	if (neck < 0 || head < 0)
		return;
	struct fk_point low = project(sheet, sheet->centres[panel], at[neck]);
	struct fk_point high = project(sheet, sheet->centres[panel], at[head]);
	float length = fmaxf(hypotf(high.x - low.x, high.y - low.y), 1e-3f);
	/* Heads are drawn by the model's height: where the bone sits in them differs. */
	float radius =
		0.055f * sheet->skeleton->model.bones[head].position[1] * sheet->scale;
	radius = fminf(fmaxf(radius, 4.0f), 0.08f * (float)sheet->height);
	struct fk_point centre = {high.x + (high.x - low.x) / length * radius,
		high.y + (high.y - low.y) / length * radius};
	fk_canvas_ring(canvas, centre, radius, radius + 1.0f, panel_top);
	fk_canvas_ring(canvas, centre, radius, 2.5f * sheet->thickness, middle);
}

/* The hips join both sides. */
static struct fk_colour
limb_colour(size_t limb)
{
	return strcmp(limbs[limb][0], "左足") == 0 && strcmp(limbs[limb][1], "右足") == 0
		       ? middle
		       : side_colour(limbs[limb][1], 1.0f);
}

static void
draw_body(const struct sheet *sheet, struct fk_canvas *canvas, uint32_t panel)
{
	const struct point3 *at = panel_positions(sheet, panel);
	struct point3 centre = sheet->centres[panel];
	struct drawn_limb drawn[LIMBS];
	size_t count = 0;
	for (size_t i = 0; i < LIMBS; i++) {
		const int32_t *ends = sheet->limb_bones[i];
		if (ends[0] >= 0 && ends[1] >= 0)
			drawn[count++] = (struct drawn_limb){
				i, 0.5f * (at[ends[0]].z + at[ends[1]].z)};
	}
	qsort(drawn, count, sizeof drawn[0], farther_first);
	for (size_t i = 0; i < count; i++) {
		const int32_t *ends = sheet->limb_bones[drawn[i].limb];
		struct fk_point from = project(sheet, centre, at[ends[0]]);
		struct fk_point to = project(sheet, centre, at[ends[1]]);
		struct fk_colour edge = panel_bottom;
		edge.opacity = 0.75f;
		fk_canvas_line(canvas, from, to, 7.5f * sheet->thickness, edge);
		fk_canvas_line(canvas, from, to, 4.5f * sheet->thickness,
			limb_colour(drawn[i].limb));
	}
	if (sheet->limb_count >= 8)
		draw_head(sheet, canvas, panel);
}

static void
draw_panel(const struct sheet *sheet, struct fk_canvas *canvas, uint32_t panel)
{
	const struct fk_skeleton *skeleton = sheet->skeleton;
	const struct point3 *at = panel_positions(sheet, panel);
	struct point3 centre = sheet->centres[panel];
	float opacity = sheet->limb_count >= 8 ? 0.28f : 0.9f;
	canvas->left = (int)(panel % sheet->grid.columns) * sheet->width + 2;
	canvas->top = (int)(panel / sheet->grid.columns) * sheet->height + 2;
	canvas->right = canvas->left + sheet->width - 4;
	canvas->bottom = canvas->top + sheet->height - 4;
	fk_canvas_fill(canvas, panel_top, panel_bottom);
	draw_floor(sheet, canvas, centre);
	for (uint32_t i = 0; i < skeleton->pose.bone_count; i++) {
		if (!is_drawn(skeleton, i))
			continue;
		fk_canvas_line(canvas,
			project(sheet, centre, at[skeleton->model.bones[i].parent]),
			project(sheet, centre, at[i]), 1.5f * sheet->thickness,
			side_colour(skeleton->model.bones[i].name, opacity));
	}
	draw_body(sheet, canvas, panel);
	fk_canvas_number(canvas, (struct fk_point){10.0f, 10.0f}, 3.0f,
		sheet->frames[panel], label);
}

/* Evaluates the frames of the panels, spread over those that are written. */
static int
take_poses(struct sheet *sheet, const struct fk_evaluator *evaluator,
	const struct fk_motion *motion, struct fk_planes *planes)
{
	size_t stride = planes->room;
	uint32_t bones = sheet->skeleton->pose.bone_count;
	for (uint32_t panel = 0; panel < sheet->panel_count; panel++) {
		uint64_t last = motion->frames.count - 1;
		uint32_t number =
			sheet->panel_count < 2
				? 0
				: (uint32_t)(panel * last / (sheet->panel_count - 1));
		uint32_t frame = fk_frames_at(&motion->frames, number);
		struct fk_piece piece = {motion, &frame, 1};
		int rc = fk_evaluator_run(evaluator, &piece, planes);
		if (rc < 0)
			return rc;
		sheet->frames[panel] = frame;
		struct point3 *to = sheet->positions + (size_t)panel * bones;
		for (size_t i = 0; i < bones; i++) {
			const float *from = planes->position + i * 3 * stride;
			to[i] = (struct point3){from[0], from[stride], from[2 * stride]};
		}
	}
	return 0;
}

int
fk_preview_draw(const struct fk_evaluator *evaluator, const struct fk_motion *motion,
	struct fk_planes *planes, uint8_t *pixels)
{
	struct sheet sheet = {.skeleton = evaluator->skeleton};
	struct fk_canvas canvas = {.pixels = pixels,
		.width = FK_PREVIEW_WIDTH,
		.height = FK_PREVIEW_HEIGHT,
		.right = FK_PREVIEW_WIDTH,
		.bottom = FK_PREVIEW_HEIGHT};
	lay_out(&sheet, motion->frames.count < PANELS ? motion->frames.count : PANELS);
	sheet.positions =
		calloc((size_t)PANELS * evaluator->skeleton->pose.bone_count + 1,
			sizeof *sheet.positions);
	if (sheet.positions == NULL)
		return -ENOMEM;
	memset(pixels, 0, (size_t)FK_PREVIEW_WIDTH * FK_PREVIEW_HEIGHT * 3);
	int rc = take_poses(&sheet, evaluator, motion, planes);
	if (rc == 0) {
		find_limbs(&sheet);
		choose_view(&sheet);
		fk_canvas_fill(&canvas, gap_colour, gap_colour);
		for (uint32_t panel = 0; panel < sheet.panel_count; panel++)
			draw_panel(&sheet, &canvas, panel);
	}
	free(sheet.positions);
	return rc;
}
