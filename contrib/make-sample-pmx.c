/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes the dancer as PMX 2.0, with a mesh of spindles along the bones, so that any
 * program that opens models shows it. */
#include "contrib/make-sample.h"
#include "plugins/formats/model.h"
#include "plugins/formats/text.h"

#include <math.h>

enum {
	INDEX_SIZE = 2,
	SPINDLE_VERTICES = 6,
	SPINDLE_FACES = 8,
	GROUP_MORPH = 0,
	VERTEX_MORPH = 1,
	BONE_MORPH = 2,
	MORPHS = 4,
};

static void
write_text(FILE *file, const char *utf8)
{
	uint32_t units = 0;
	const char *p = utf8;

	for (uint32_t unicode; (unicode = fmt_text_next(&p)) != 0;)
		units += unicode > 0xffff ? 2 : 1;
	sample_u32(file, 2 * units);
	for (uint32_t unicode; (unicode = fmt_text_next(&utf8)) != 0;) {
		if (unicode <= 0xffff) {
			sample_u16(file, unicode);
			continue;
		}
		unicode -= 0x10000;
		sample_u16(file, 0xd800 + (unicode >> 10));
		sample_u16(file, 0xdc00 + (unicode & 0x3ff));
	}
}

static void
write_header(FILE *file)
{
	fwrite("PMX ", 1, 4, file);
	sample_f32(file, 2.0f);
	sample_u8(file, 8);
	sample_u8(file, 0); /* UTF-16LE */
	sample_u8(file, 0); /* extra UVs */
	for (int i = 0; i < 6; i++)
		sample_u8(file, INDEX_SIZE);
	write_text(file, "見本の踊り手");
	write_text(file, "sample dancer");
	write_text(file, "kiln の見本。");
	write_text(file, "A sample of kiln's, made by make-sample.");
}

/* Where the bone's spindle ends. */
static void
find_tail(const struct sample_dancer *dancer, int i, float tail[3])
{
	const struct sample_bone *bone = &dancer->bones[i];

	for (int k = 0; k < 3; k++)
		tail[k] = bone->tail >= 0 ? dancer->bones[bone->tail].position[k]
					  : bone->position[k];
	if (bone->tail < 0)
		tail[1] += .4f;
}

static void
write_vertex(FILE *file, const float position[3], const float centre[3], int bone)
{
	float normal[3], length = 0;

	for (int k = 0; k < 3; k++) {
		normal[k] = position[k] - centre[k];
		length += normal[k] * normal[k];
	}
	length = length > 0 ? sqrtf(length) : 1;
	sample_floats(file, position, 3);
	for (int k = 0; k < 3; k++)
		sample_f32(file, normal[k] / length);
	sample_f32(file, 0);
	sample_f32(file, 0);
	sample_u8(file, 0); /* one bone */
	sample_u16(file, (unsigned)bone);
	sample_f32(file, 1);
}

static void
write_mesh(FILE *file, const struct sample_dancer *dancer)
{
	/* Both ends and a square between them: triangles by corner. */
	static const int faces[SPINDLE_FACES][3] = {{0, 2, 3}, {0, 3, 4}, {0, 4, 5},
		{0, 5, 2}, {1, 3, 2}, {1, 4, 3}, {1, 5, 4}, {1, 2, 5}};
	static const float square[4][2] = {{1, 0}, {0, 1}, {-1, 0}, {0, -1}};

	sample_u32(file, (uint32_t)dancer->count * SPINDLE_VERTICES);
	for (int i = 0; i < dancer->count; i++) {
		const float *head = dancer->bones[i].position;
		float tail[3], centre[3];
		find_tail(dancer, i, tail);
		for (int k = 0; k < 3; k++)
			centre[k] = .75f * head[k] + .25f * tail[k];
		write_vertex(file, head, centre, i);
		write_vertex(file, tail, centre, i);
		for (int corner = 0; corner < 4; corner++) {
			float position[3] = {centre[0] + .25f * square[corner][0],
				centre[1], centre[2] + .25f * square[corner][1]};
			write_vertex(file, position, centre, i);
		}
	}
	sample_u32(file, (uint32_t)dancer->count * SPINDLE_FACES * 3);
	for (int i = 0; i < dancer->count; i++) {
		for (int face = 0; face < SPINDLE_FACES; face++) {
			for (int k = 0; k < 3; k++)
				sample_u16(file, (unsigned)(i * SPINDLE_VERTICES +
							    faces[face][k]));
		}
	}
}

static void
write_material(FILE *file, const struct sample_dancer *dancer)
{
	static const float colours[11] = {
		.8f, .6f, .4f, 1, .2f, .2f, .2f, 5, .4f, .3f, .2f};
	static const float edge[5] = {0, 0, 0, 1, 1};

	sample_u32(file, 0); /* textures */
	sample_u32(file, 1);
	write_text(file, "粘土");
	write_text(file, "clay");
	sample_floats(file, colours, 11);
	sample_u8(file, 0x01 | 0x10); /* both sides, with an edge */
	sample_floats(file, edge, 5);
	sample_u16(file, 0xffff);
	sample_u16(file, 0xffff);
	sample_u8(file, 0);
	sample_u8(file, 1); /* a shared toon: the first */
	sample_u8(file, 0);
	write_text(file, "");
	sample_u32(file, (uint32_t)dancer->count * SPINDLE_FACES * 3);
}

static void
write_ik(FILE *file, const struct sample_bone *bone)
{
	static const float knee_limits[6] = {
		(float)-M_PI, 0, 0, (float)(-.5 / 180 * M_PI), 0, 0};

	sample_u16(file, (unsigned)bone->ik_target);
	sample_u32(file, (uint32_t)bone->ik_loops);
	sample_f32(file, bone->ik_limit);
	sample_u32(file, (uint32_t)bone->ik_link_count);
	for (int i = 0; i < bone->ik_link_count; i++) {
		sample_u16(file, (unsigned)bone->ik_links[i]);
		sample_u8(file, i == bone->knee_link);
		if (i == bone->knee_link)
			sample_floats(file, knee_limits, 6);
	}
}

static void
write_bone(FILE *file, const struct sample_bone *bone)
{
	static const float tail[3] = {0, .4f, 0};

	write_text(file, bone->name);
	write_text(file, bone->name_en);
	sample_floats(file, bone->position, 3);
	sample_u16(file, (unsigned)bone->parent);
	sample_u32(file, (uint32_t)bone->layer);
	sample_u16(file, bone->flags);
	if (bone->flags & FMT_BONE_TAIL_IS_BONE)
		sample_u16(file, (unsigned)bone->tail);
	else
		sample_floats(file, tail, 3);
	if (bone->flags & FMT_BONE_APPEND_ROTATE) {
		sample_u16(file, (unsigned)bone->append_source);
		sample_f32(file, bone->append_ratio);
	}
	if (bone->flags & FMT_BONE_FIXED_AXIS)
		sample_floats(file, bone->axis, 3);
	if (bone->flags & FMT_BONE_IK)
		write_ik(file, bone);
}

static void
write_morph_head(
	FILE *file, const char *name, const char *name_en, int type, uint32_t count)
{
	write_text(file, name);
	write_text(file, name_en);
	sample_u8(file, 4); /* the panel "others" */
	sample_u8(file, (unsigned)type);
	sample_u32(file, count);
}

static void
write_bone_element(FILE *file, int bone, const float move[3], const float degrees[3])
{
	float rotate[4];

	sample_euler(degrees, rotate);
	sample_u16(file, (unsigned)bone);
	sample_floats(file, move, 3);
	sample_floats(file, rotate, 4);
}

static void
write_morphs(FILE *file, const struct sample_dancer *dancer)
{
	static const float still[3] = {0, 0, 0}, up[3] = {0, .3f, 0},
			   lean[3] = {-8, 0, 0};
	static const float shrug[2][3] = {{0, 0, 12}, {0, 0, -12}};

	sample_u32(file, MORPHS);
	write_morph_head(file, "肩すくめ", "shrug", BONE_MORPH, 2);
	write_bone_element(file, sample_find_bone(dancer, "左肩"), still, shrug[0]);
	write_bone_element(file, sample_find_bone(dancer, "右肩"), still, shrug[1]);
	write_morph_head(file, "背伸び", "stretch", BONE_MORPH, 2);
	write_bone_element(file, sample_find_bone(dancer, "グルーブ"), up, still);
	write_bone_element(file, sample_find_bone(dancer, "上半身2"), still, lean);
	write_morph_head(file, "元気", "lively", GROUP_MORPH, 2);
	for (unsigned i = 0; i < 2; i++) {
		sample_u16(file, i);
		sample_f32(file, .5f);
	}
	write_morph_head(file, "面長", "long face", VERTEX_MORPH, 1);
	sample_u16(file, (unsigned)sample_find_bone(dancer, "頭") * SPINDLE_VERTICES + 1);
	sample_floats(file, up, 3);
}

/* MMD does not open a model without its two special frames. */
static void
write_frames(FILE *file, const struct sample_dancer *dancer)
{
	sample_u32(file, 3);
	write_text(file, "Root");
	write_text(file, "Root");
	sample_u8(file, 1);
	sample_u32(file, 1);
	sample_u8(file, 0);
	sample_u16(file, 0);
	write_text(file, "表情");
	write_text(file, "Exp");
	sample_u8(file, 1);
	sample_u32(file, MORPHS);
	for (unsigned i = 0; i < MORPHS; i++) {
		sample_u8(file, 1);
		sample_u16(file, i);
	}
	write_text(file, "体");
	write_text(file, "body");
	sample_u8(file, 0);
	sample_u32(file, (uint32_t)dancer->count - 1);
	for (int i = 1; i < dancer->count; i++) {
		sample_u8(file, 0);
		sample_u16(file, (unsigned)i);
	}
}

void
sample_write_pmx(FILE *file, const struct sample_dancer *dancer)
{
	write_header(file);
	write_mesh(file, dancer);
	write_material(file, dancer);
	sample_u32(file, (uint32_t)dancer->count);
	for (int i = 0; i < dancer->count; i++)
		write_bone(file, &dancer->bones[i]);
	write_morphs(file, dancer);
	write_frames(file, dancer);
	sample_u32(file, 0); /* rigid bodies */
	sample_u32(file, 0); /* joints */
}
