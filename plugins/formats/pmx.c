/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A PMX has no table of contents: to reach the bones one walks vertices, faces, textures
 * and materials, each record as long as its own bytes say.
 */
#include "plugins/formats/pmx.h"
#include "plugins/formats/bytes.h"
#include "plugins/formats/model_check.h"
#include "plugins/formats/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct reader {
	struct fmt_bytes bytes;
	struct fmt_model *model;
	struct fmt_err *err;
	enum fmt_text_encoding encoding;
	/* Bytes an index takes in this file. */
	uint8_t vertex_index, texture_index, material_index, bone_index, morph_index,
		rigid_index;
	uint8_t extra_uvs;
};

static int
check(struct reader *r, const char *section, uint32_t number)
{
	char what[64];

	if (r->bytes.wanted == 0)
		return 0;
	snprintf(what, sizeof what, "%s %u", section, number);
	return fmt_bytes_check(&r->bytes, what, r->err);
}

/* A count of records that take at least size bytes each. */
static int
read_count(struct reader *r, const char *section, size_t size, uint32_t *count)
{
	size_t offset = fmt_bytes_offset(&r->bytes);
	int32_t stated = fmt_bytes_i32(&r->bytes);

	if (r->bytes.wanted != 0) {
		char what[64];
		snprintf(what, sizeof what, "the count of %s", section);
		return fmt_bytes_check(&r->bytes, what, r->err);
	}
	if (stated < 0 || !fmt_bytes_holds(&r->bytes, (uint32_t)stated, size))
		return fmt_err_set(r->err, -EBADMSG,
			"byte %zu states %d %s of at least %zu bytes, but only %zu bytes "
			"follow",
			offset, stated, section, size, fmt_bytes_left(&r->bytes));
	*count = (uint32_t)stated;
	return 0;
}

/* Vertex indices are unsigned, all others signed with -1 for none. */
static int32_t
read_index(struct fmt_bytes *bytes, uint8_t size)
{
	if (size == 1)
		return (int8_t)fmt_bytes_u8(bytes);
	if (size == 2)
		return (int16_t)fmt_bytes_u16(bytes);
	return fmt_bytes_i32(bytes);
}

static void
skip_text(struct fmt_bytes *bytes)
{
	fmt_bytes_take(bytes, fmt_bytes_u32(bytes));
}

static int
read_text(struct reader *r, char **text)
{
	uint32_t length = fmt_bytes_u32(&r->bytes);
	const uint8_t *p = fmt_bytes_take(&r->bytes, length);

	*text = fmt_text_decode(p == NULL ? (const uint8_t *)"" : p,
		p == NULL ? 0 : length, r->encoding, NULL);
	return *text == NULL ? fmt_err_set(r->err, -ENOMEM, "no memory for a name") : 0;
}

static int
read_names(struct reader *r, char **name, char **name_en)
{
	int rc = read_text(r, name);
	return rc < 0 ? rc : read_text(r, name_en);
}

static int
is_index_size(uint8_t size)
{
	return size == 1 || size == 2 || size == 4;
}

static int
read_header(struct reader *r)
{
	fmt_bytes_take(&r->bytes, 4);
	float version = fmt_bytes_f32(&r->bytes);
	uint8_t global_count = fmt_bytes_u8(&r->bytes);
	const uint8_t *globals = fmt_bytes_take(&r->bytes, global_count);
	int rc = fmt_bytes_check(&r->bytes, "the header", r->err);
	if (rc < 0)
		return rc;
	/* Written as floats: 2.1 is not exact. */
	if (!(version > 1.99f && version < 2.11f))
		return fmt_err_set(r->err, -EBADMSG,
			"PMX version 2.0 or 2.1 was expected at byte 4, %g was found",
			(double)version);
	if (global_count < 8)
		return fmt_err_set(r->err, -EBADMSG,
			"at least 8 settings were expected at byte 8, %u were found",
			global_count);
	if (globals[0] > 1)
		return fmt_err_set(r->err, -EBADMSG,
			"text encoding 0 or 1 was expected at byte 9, %u was found",
			globals[0]);
	if (globals[1] > 4)
		return fmt_err_set(r->err, -EBADMSG,
			"0 to 4 extra UVs were expected at byte 10, %u were found",
			globals[1]);
	for (int i = 2; i < 8; i++) {
		if (!is_index_size(globals[i]))
			return fmt_err_set(r->err, -EBADMSG,
				"an index size of 1, 2 or 4 was expected at byte %d, %u "
				"was found",
				9 + i, globals[i]);
	}
	r->model->version = version;
	r->encoding = globals[0] == 0 ? FMT_TEXT_UTF16LE : FMT_TEXT_UTF8;
	r->extra_uvs = globals[1];
	r->vertex_index = globals[2];
	r->texture_index = globals[3];
	r->material_index = globals[4];
	r->bone_index = globals[5];
	r->morph_index = globals[6];
	r->rigid_index = globals[7];
	rc = read_names(r, &r->model->name, &r->model->name_en);
	if (rc < 0)
		return rc;
	skip_text(&r->bytes);
	skip_text(&r->bytes);
	return fmt_bytes_check(&r->bytes, "the model's name and comment", r->err);
}

static int
walk_vertices(struct reader *r)
{
	const size_t fixed = 32 + 16 * (size_t)r->extra_uvs;
	const size_t bone = r->bone_index;
	const size_t weights[5] = {
		bone, 2 * bone + 4, 4 * bone + 16, 2 * bone + 4 + 36, 4 * bone + 16};
	uint32_t count = 0;

	int rc = read_count(r, "vertices", fixed + 1 + bone + 4, &count);
	if (rc < 0)
		return rc;
	for (uint32_t i = 0; i < count; i++) {
		fmt_bytes_take(&r->bytes, fixed);
		uint8_t type = fmt_bytes_u8(&r->bytes);
		if (type > 4)
			return fmt_err_set(r->err, -EBADMSG,
				"vertex %u: weight type 0 to 4 was expected at byte %zu, "
				"%u was "
				"found",
				i, fmt_bytes_offset(&r->bytes) - 1, type);
		fmt_bytes_take(&r->bytes, weights[type] + 4);
		rc = check(r, "vertex", i);
		if (rc < 0)
			return rc;
	}
	r->model->vertex_count = count;
	return 0;
}

static int
walk_faces(struct reader *r)
{
	uint32_t count = 0;

	int rc = read_count(r, "face indices", r->vertex_index, &count);
	if (rc == 0)
		fmt_bytes_take(&r->bytes, (size_t)count * r->vertex_index);
	return rc;
}

static int
walk_textures(struct reader *r)
{
	uint32_t count = 0;

	int rc = read_count(r, "textures", 4, &count);
	for (uint32_t i = 0; rc == 0 && i < count; i++) {
		skip_text(&r->bytes);
		rc = check(r, "texture", i);
	}
	return rc;
}

static int
walk_materials(struct reader *r)
{
	uint32_t count = 0;

	int rc = read_count(r, "materials", 4 + 4 + 65 + 4 + 2 + 1 + 4 + 4, &count);
	for (uint32_t i = 0; rc == 0 && i < count; i++) {
		skip_text(&r->bytes);
		skip_text(&r->bytes);
		fmt_bytes_take(&r->bytes, 65); /* colours, flags, edge */
		fmt_bytes_take(&r->bytes, 2 * (size_t)r->texture_index + 1);
		uint8_t shared_toon = fmt_bytes_u8(&r->bytes);
		fmt_bytes_take(&r->bytes, shared_toon ? 1 : r->texture_index);
		skip_text(&r->bytes);
		fmt_bytes_take(&r->bytes, 4);
		rc = check(r, "material", i);
	}
	return rc;
}

/* Floats that must be finite, since they move bones. */
static int
read_finite(struct reader *r, float *values, size_t count, const char *what)
{
	fmt_bytes_floats(&r->bytes, values, count);
	if (r->bytes.wanted != 0)
		return 0; /* The caller's check says so, with the record's number. */
	return fmt_bytes_finite(values, count, fmt_bytes_offset(&r->bytes), what, r->err);
}

static int
read_ik(struct reader *r, struct fmt_bone *bone)
{
	uint32_t count = 0;

	bone->ik_target = read_index(&r->bytes, r->bone_index);
	bone->ik_loops = fmt_bytes_i32(&r->bytes);
	int rc = read_finite(r, &bone->ik_limit, 1, "step limit of an IK bone");
	if (rc == 0)
		rc = read_count(r, "IK links", r->bone_index + 1u, &count);
	if (rc < 0 || count == 0)
		return rc;
	bone->ik_links = calloc(count, sizeof *bone->ik_links);
	if (bone->ik_links == NULL)
		return fmt_err_set(r->err, -ENOMEM, "no memory for %u IK links", count);
	bone->ik_link_count = count;
	for (uint32_t i = 0; rc == 0 && i < count; i++) {
		struct fmt_ik_link *link = &bone->ik_links[i];
		link->bone = read_index(&r->bytes, r->bone_index);
		link->has_limit = fmt_bytes_u8(&r->bytes) != 0;
		if (!link->has_limit)
			continue;
		rc = read_finite(r, link->minimum, 3, "limit of an IK link");
		if (rc == 0)
			rc = read_finite(r, link->maximum, 3, "limit of an IK link");
	}
	return rc;
}

static int
read_bone(struct reader *r, struct fmt_bone *bone)
{
	struct fmt_bytes *bytes = &r->bytes;

	bone->tail_bone = bone->append_source = bone->ik_target = -1;
	int rc = read_names(r, &bone->name, &bone->name_en);
	if (rc == 0)
		rc = read_finite(r, bone->position, 3, "position of a bone");
	if (rc < 0)
		return rc;
	bone->parent = read_index(bytes, r->bone_index);
	bone->layer = fmt_bytes_i32(bytes);
	bone->flags = fmt_bytes_u16(bytes);
	if (bone->flags & FMT_BONE_TAIL_IS_BONE)
		bone->tail_bone = read_index(bytes, r->bone_index);
	else
		rc = read_finite(r, bone->tail_offset, 3, "tail of a bone");
	if (rc == 0 && (bone->flags & (FMT_BONE_APPEND_ROTATE | FMT_BONE_APPEND_MOVE))) {
		bone->append_source = read_index(bytes, r->bone_index);
		rc = read_finite(r, &bone->append_ratio, 1, "append ratio of a bone");
	}
	if (rc == 0 && (bone->flags & FMT_BONE_FIXED_AXIS))
		rc = read_finite(r, bone->fixed_axis, 3, "fixed axis of a bone");
	if (rc == 0 && (bone->flags & FMT_BONE_LOCAL_AXES)) {
		rc = read_finite(r, bone->local_x, 3, "local axis of a bone");
		if (rc == 0)
			rc = read_finite(r, bone->local_z, 3, "local axis of a bone");
	}
	if (bone->flags & FMT_BONE_EXTERNAL_PARENT)
		bone->external_key = fmt_bytes_i32(bytes);
	if (rc == 0 && (bone->flags & FMT_BONE_IK))
		rc = read_ik(r, bone);
	return rc;
}

static int
read_bones(struct reader *r)
{
	struct fmt_model *model = r->model;
	uint32_t count = 0;

	int rc = read_count(r, "bones", 4 + 4 + 12 + 2u * r->bone_index + 4 + 2, &count);
	if (rc < 0 || count == 0)
		return rc;
	model->bones = calloc(count, sizeof *model->bones);
	if (model->bones == NULL)
		return fmt_err_set(r->err, -ENOMEM, "no memory for %u bones", count);
	model->bone_count = count;
	for (uint32_t i = 0; rc == 0 && i < count; i++) {
		rc = read_bone(r, &model->bones[i]);
		if (rc == 0)
			rc = check(r, "bone", i);
	}
	return rc;
}

/* Bytes of one element of a morph that moves no bone; 0 for an unknown type. */
static size_t
element_size(const struct reader *r, uint8_t type)
{
	if (type == 1)
		return r->vertex_index + 12u;
	if (type >= 3 && type <= 7)
		return r->vertex_index + 16u;
	if (type == 8)
		return r->material_index + 1u + 28 * 4;
	if (type == 10)
		return r->rigid_index + 1u + 24;
	return 0;
}

static int
read_element(struct reader *r, struct fmt_morph *morph, struct fmt_morph_element *element)
{
	if (morph->type == FMT_MORPH_BONE) {
		element->index = read_index(&r->bytes, r->bone_index);
		int rc = read_finite(r, element->move, 3, "move of a bone morph");
		if (rc < 0)
			return rc;
		return read_finite(r, element->rotate, 4, "rotation of a bone morph");
	}
	element->index = read_index(&r->bytes, r->morph_index);
	return read_finite(r, &element->weight, 1, "weight of a group morph");
}

static int
read_morph(struct reader *r, struct fmt_morph *morph)
{
	int rc = read_names(r, &morph->name, &morph->name_en);
	if (rc < 0)
		return rc;
	fmt_bytes_u8(&r->bytes); /* the panel of the editor that shows it */
	uint8_t type = fmt_bytes_u8(&r->bytes);
	const int is_bone = type == FMT_MORPH_BONE;
	const int is_kept = is_bone || type == FMT_MORPH_GROUP || type == FMT_MORPH_FLIP;
	size_t size = is_bone	? r->bone_index + 28u
		      : is_kept ? r->morph_index + 4u
				: element_size(r, type);
	uint32_t count = 0;

	morph->type = type;
	if (size == 0)
		return fmt_err_set(r->err, -EBADMSG,
			"morph type 0 to 10 was expected at byte %zu, %u was found",
			fmt_bytes_offset(&r->bytes) - 1, type);
	rc = read_count(r, "elements of a morph", size, &count);
	if (rc < 0 || count == 0)
		return rc;
	if (!is_kept) {
		fmt_bytes_take(&r->bytes, count * size);
		return 0;
	}
	morph->elements = calloc(count, sizeof *morph->elements);
	if (morph->elements == NULL)
		return fmt_err_set(r->err, -ENOMEM, "no memory for %u elements", count);
	morph->element_count = count;
	for (uint32_t i = 0; rc == 0 && i < count; i++)
		rc = read_element(r, morph, &morph->elements[i]);
	return rc;
}

static int
read_morphs(struct reader *r)
{
	struct fmt_model *model = r->model;
	uint32_t count = 0;

	int rc = read_count(r, "morphs", 4 + 4 + 2 + 4, &count);
	if (rc < 0 || count == 0)
		return rc;
	model->morphs = calloc(count, sizeof *model->morphs);
	if (model->morphs == NULL)
		return fmt_err_set(r->err, -ENOMEM, "no memory for %u morphs", count);
	model->morph_count = count;
	for (uint32_t i = 0; rc == 0 && i < count; i++) {
		rc = read_morph(r, &model->morphs[i]);
		if (rc == 0)
			rc = check(r, "morph", i);
	}
	return rc;
}

int
fmt_pmx_read(
	const void *bytes, size_t length, struct fmt_model *model, struct fmt_err *err)
{
	struct fmt_model read = {0};
	struct reader r = {.model = &read, .err = err};

	fmt_bytes_init(&r.bytes, bytes, length);
	int rc = read_header(&r);
	if (rc == 0)
		rc = walk_vertices(&r);
	if (rc == 0)
		rc = walk_faces(&r);
	if (rc == 0)
		rc = walk_textures(&r);
	if (rc == 0)
		rc = walk_materials(&r);
	if (rc == 0)
		rc = read_bones(&r);
	if (rc == 0)
		rc = read_morphs(&r);
	if (rc == 0)
		rc = fmt_model_check(&read, err);
	if (rc < 0) {
		fmt_model_free(&read);
		return rc;
	}
	*model = read;
	return 0;
}
