/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/formats/pmd.h"
#include "plugins/formats/bytes.h"
#include "plugins/formats/model_check.h"
#include "plugins/formats/text.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	VERTEX_SIZE = 38,
	FACE_INDEX_SIZE = 2,
	MATERIAL_SIZE = 70,
	BONE_SIZE = 39,
	IK_SIZE = 11, /* without its chain */
	MORPH_SIZE = 25,
	MORPH_VERTEX_SIZE = 16,
};

enum bone_type {
	TYPE_ROTATE = 0,
	TYPE_MOVE = 1,
	TYPE_IK = 2,
	TYPE_INFLUENCED = 5,
	TYPE_IK_TARGET = 6,
	TYPE_HIDDEN = 7,
	TYPE_TWIST = 8,
	TYPE_LINKED = 9,
};

struct reader {
	struct fmt_bytes bytes;
	struct fmt_model *model;
	struct fmt_err *err;
	uint32_t file_bones; /* bones of the file, before extra ones for IK */
};

static int
no_memory(struct reader *r, const char *what)
{
	return fmt_err_set(r->err, -ENOMEM, "no memory for %s", what);
}

/* Compares a count just read with the bytes that are left. */
static int
check_count(struct reader *r, const char *section, uint32_t count, size_t size)
{
	int rc = fmt_bytes_check(&r->bytes, section, r->err);
	if (rc < 0 || fmt_bytes_holds(&r->bytes, count, size))
		return rc;
	return fmt_err_set(r->err, -EBADMSG,
		"the count before byte %zu states %u %s of at least %zu bytes, but only "
		"%zu "
		"bytes follow",
		fmt_bytes_offset(&r->bytes), count, section, size,
		fmt_bytes_left(&r->bytes));
}

/* A 20-byte cp932 name; vmd_name may be NULL. */
static int
read_name(struct reader *r, char **name, char *vmd_name)
{
	const uint8_t *p = fmt_bytes_take(&r->bytes, 20);
	if (p == NULL)
		return fmt_bytes_check(&r->bytes, "a name", r->err);
	if (vmd_name != NULL)
		fmt_text_clean_name(p, 20, vmd_name);
	char *decoded = fmt_text_decode(p, 20, FMT_TEXT_CP932, NULL);
	if (decoded == NULL)
		return no_memory(r, "a name");
	free(*name);
	*name = decoded;
	return 0;
}

static int
empty_name(struct reader *r, char **name)
{
	*name = calloc(1, 1);
	return *name == NULL ? no_memory(r, "a name") : 0;
}

static int
read_header(struct reader *r)
{
	fmt_bytes_take(&r->bytes, 3);
	float version = fmt_bytes_f32(&r->bytes);
	int rc = fmt_bytes_check(&r->bytes, "the header", r->err);
	if (rc < 0)
		return rc;
	if (!(version > 0.99f && version < 1.01f))
		return fmt_err_set(r->err, -EBADMSG,
			"PMD version 1.0 was expected at byte 3, %g was found",
			(double)version);
	r->model->version = version;
	rc = read_name(r, &r->model->name, NULL);
	if (rc == 0)
		rc = empty_name(r, &r->model->name_en);
	fmt_bytes_take(&r->bytes, 256);
	return rc < 0 ? rc : fmt_bytes_check(&r->bytes, "the model's comment", r->err);
}

static int
skip_section(struct reader *r, const char *section, size_t size, uint32_t *count)
{
	*count = fmt_bytes_u32(&r->bytes);
	int rc = check_count(r, section, *count, size);
	if (rc == 0)
		fmt_bytes_take(&r->bytes, *count * size);
	return rc;
}

/* What types say by indices is kept raw here and given its meaning in convert_bone(),
 * when all bones are known: the tail in tail_bone, the IK field in external_key and the
 * type in layer. */
static int
read_bone(struct reader *r, struct fmt_bone *bone)
{
	bone->append_source = bone->ik_target = -1;
	int rc = read_name(r, &bone->name, bone->vmd_name);
	if (rc == 0)
		rc = empty_name(r, &bone->name_en);
	if (rc < 0)
		return rc;
	bone->parent = (int16_t)fmt_bytes_u16(&r->bytes);
	bone->tail_bone = (int16_t)fmt_bytes_u16(&r->bytes);
	bone->layer = fmt_bytes_u8(&r->bytes);
	bone->external_key = (int16_t)fmt_bytes_u16(&r->bytes);
	fmt_bytes_floats(&r->bytes, bone->position, 3);
	return fmt_bytes_finite(bone->position, 3, fmt_bytes_offset(&r->bytes),
		"position of a bone", r->err);
}

static void
convert_bone(const struct fmt_model *model, struct fmt_bone *bone)
{
	const int type = bone->layer, ik_field = bone->external_key;
	int32_t tail = bone->tail_bone;

	bone->layer = bone->external_key = 0;
	if (tail <= 0 || (uint32_t)tail >= model->bone_count)
		tail = -1;
	bone->tail_bone = tail;
	bone->flags = FMT_BONE_ROTATABLE | FMT_BONE_OPERABLE | FMT_BONE_VISIBLE;
	switch (type) {
	case TYPE_MOVE:
	case TYPE_IK:
		bone->flags |= FMT_BONE_MOVABLE;
		break;
	case TYPE_INFLUENCED:
		bone->flags |= FMT_BONE_APPEND_ROTATE;
		bone->append_source = ik_field;
		bone->append_ratio = 1;
		bone->layer = 2;
		break;
	case TYPE_LINKED:
		bone->flags |= FMT_BONE_APPEND_ROTATE;
		bone->flags &= ~(uint32_t)FMT_BONE_VISIBLE;
		bone->append_source = tail;
		bone->append_ratio = (float)ik_field * 0.01f;
		bone->layer = 2;
		bone->tail_bone = -1; /* It names the source and is no tail. */
		break;
	case TYPE_TWIST:
		if (tail < 0)
			break;
		bone->flags |= FMT_BONE_FIXED_AXIS;
		for (int i = 0; i < 3; i++)
			bone->fixed_axis[i] =
				model->bones[tail].position[i] - bone->position[i];
		break;
	case TYPE_IK_TARGET:
	case TYPE_HIDDEN:
		bone->flags &= ~(uint32_t)(FMT_BONE_VISIBLE | FMT_BONE_OPERABLE);
		break;
	default:
		break;
	}
	if (bone->tail_bone >= 0)
		bone->flags |= FMT_BONE_TAIL_IS_BONE;
}

static int
read_bones(struct reader *r)
{
	struct fmt_model *model = r->model;
	uint16_t count = fmt_bytes_u16(&r->bytes);

	int rc = check_count(r, "bones", count, BONE_SIZE);
	if (rc < 0 || count == 0)
		return rc;
	model->bones = calloc(count, sizeof *model->bones);
	if (model->bones == NULL)
		return no_memory(r, "bones");
	model->bone_count = r->file_bones = count;
	for (uint32_t i = 0; rc == 0 && i < count; i++)
		rc = read_bone(r, &model->bones[i]);
	for (uint32_t i = 0; rc == 0 && i < count; i++)
		convert_bone(model, &model->bones[i]);
	return rc;
}

/* A hidden bone that hangs from the bone `of` and carries one more IK. */
static int
add_hidden_bone(struct reader *r, uint32_t of, uint32_t *index)
{
	struct fmt_model *model = r->model;
	struct fmt_bone *bones =
		reallocarray(model->bones, model->bone_count + 1u, sizeof *bones);
	if (bones == NULL)
		return no_memory(r, "bones");
	model->bones = bones;
	*index = model->bone_count++;
	struct fmt_bone *bone = &bones[*index];
	memset(bone, 0, sizeof *bone);
	memcpy(bone->position, bones[of].position, sizeof bone->position);
	memcpy(bone->vmd_name, bones[of].vmd_name, sizeof bone->vmd_name);
	bone->parent = (int32_t)of;
	bone->tail_bone = bone->append_source = -1;
	if (asprintf(&bone->name, "%s+%u", bones[of].name, *index) < 0) {
		bone->name = NULL;
		return no_memory(r, "a name");
	}
	return empty_name(r, &bone->name_en);
}

static int
is_knee(const struct fmt_model *model, int32_t bone)
{
	if (bone < 0 || (uint32_t)bone >= model->bone_count)
		return 0;
	const char *name = model->bones[bone].name;
	return strcmp(name, "左ひざ") == 0 || strcmp(name, "右ひざ") == 0;
}

static int
read_links(struct reader *r, struct fmt_bone *bone, uint8_t count)
{
	if (count == 0)
		return 0;
	bone->ik_links = calloc(count, sizeof *bone->ik_links);
	if (bone->ik_links == NULL)
		return no_memory(r, "IK links");
	bone->ik_link_count = count;
	for (int i = 0; i < count; i++) {
		struct fmt_ik_link *link = &bone->ik_links[i];
		link->bone = (int16_t)fmt_bytes_u16(&r->bytes);
		if (!is_knee(r->model, link->bone))
			continue;
		link->has_limit = 1;
		link->minimum[0] = (float)-M_PI;
		link->maximum[0] = (float)(-0.5 / 180 * M_PI);
	}
	return fmt_bytes_check(&r->bytes, "the chain of an IK", r->err);
}

static int
read_ik(struct reader *r)
{
	uint32_t index = fmt_bytes_u16(&r->bytes);
	int32_t target = (int16_t)fmt_bytes_u16(&r->bytes);
	uint8_t link_count = fmt_bytes_u8(&r->bytes);
	uint16_t loops = fmt_bytes_u16(&r->bytes);
	float limit = fmt_bytes_f32(&r->bytes);

	int rc = check_count(r, "IK links", link_count, 2);
	if (rc == 0)
		rc = fmt_bytes_finite(&limit, 1, fmt_bytes_offset(&r->bytes),
			"step limit of an IK", r->err);
	if (rc < 0)
		return rc;
	if (index >= r->file_bones) {
		/* An IK without a bone solves nothing: walked, not kept. */
		fmt_bytes_take(&r->bytes, 2 * (size_t)link_count);
		return 0;
	}
	if (r->model->bones[index].flags & FMT_BONE_IK) {
		rc = add_hidden_bone(r, index, &index);
		if (rc < 0)
			return rc;
	}
	struct fmt_bone *bone = &r->model->bones[index];
	bone->flags |= FMT_BONE_IK;
	bone->ik_target = target;
	bone->ik_loops = loops;
	bone->ik_limit = 4 * limit;
	if (bone->layer < 1)
		bone->layer = 1;
	return read_links(r, bone, link_count);
}

static int
read_iks(struct reader *r)
{
	uint16_t count = fmt_bytes_u16(&r->bytes);

	int rc = check_count(r, "IKs", count, IK_SIZE);
	for (uint32_t i = 0; rc == 0 && i < count; i++)
		rc = read_ik(r);
	return rc;
}

static int
read_morphs(struct reader *r)
{
	struct fmt_model *model = r->model;
	uint16_t count = fmt_bytes_u16(&r->bytes);

	int rc = check_count(r, "morphs", count, MORPH_SIZE);
	if (rc < 0 || count == 0)
		return rc;
	model->morphs = calloc(count, sizeof *model->morphs);
	if (model->morphs == NULL)
		return no_memory(r, "morphs");
	model->morph_count = count;
	for (uint32_t i = 0; rc == 0 && i < count; i++) {
		struct fmt_morph *morph = &model->morphs[i];
		morph->type = 1; /* of vertices */
		rc = read_name(r, &morph->name, morph->vmd_name);
		if (rc == 0)
			rc = empty_name(r, &morph->name_en);
		if (rc < 0)
			break;
		uint32_t vertices = fmt_bytes_u32(&r->bytes);
		fmt_bytes_u8(&r->bytes); /* the panel of the editor that shows it */
		rc = check_count(r, "vertices of a morph", vertices, MORPH_VERTEX_SIZE);
		if (rc == 0)
			fmt_bytes_take(&r->bytes, (size_t)vertices * MORPH_VERTEX_SIZE);
	}
	return rc;
}

/* English names come last and are often missing; a file that ends there is whole. */
static int
read_english(struct reader *r)
{
	struct fmt_bytes *bytes = &r->bytes;
	struct fmt_model *model = r->model;

	fmt_bytes_take(bytes, 2 * (size_t)fmt_bytes_u8(bytes)); /* morphs shown */
	uint8_t groups = fmt_bytes_u8(bytes);
	fmt_bytes_take(bytes, 50 * (size_t)groups);
	uint32_t shown = fmt_bytes_u32(bytes);
	if (bytes->wanted != 0 || !fmt_bytes_holds(bytes, shown, 3))
		return 0;
	fmt_bytes_take(bytes, 3 * (size_t)shown);
	if (fmt_bytes_u8(bytes) != 1)
		return 0;
	/* The first morph is "base" and has no English name. */
	size_t morphs = model->morph_count > 0 ? model->morph_count - 1 : 0;
	if (fmt_bytes_left(bytes) < 20 + 256 + 20 * (r->file_bones + morphs))
		return 0;
	int rc = read_name(r, &model->name_en, NULL);
	fmt_bytes_take(bytes, 256);
	for (uint32_t i = 0; rc == 0 && i < r->file_bones; i++)
		rc = read_name(r, &model->bones[i].name_en, NULL);
	for (uint32_t i = 1; rc == 0 && i < model->morph_count; i++)
		rc = read_name(r, &model->morphs[i].name_en, NULL);
	return rc;
}

/* What hangs from an IK bone or a rotation-influenced bone comes no earlier than it. Each
 * bone is settled once: the path up to a settled one is walked, then walked back. */
static int
spread_layers(struct reader *r)
{
	struct fmt_model *model = r->model;
	uint32_t count = model->bone_count;
	int32_t *path = calloc((size_t)count + 1, sizeof *path);
	uint8_t *settled = calloc((size_t)count + 1, 1);
	int rc = 0;

	if (path == NULL || settled == NULL) {
		rc = no_memory(r, "bones");
		goto done;
	}
	for (uint32_t i = 0; i < count; i++) {
		uint32_t length = 0;
		int32_t at = (int32_t)i;
		for (; at >= 0 && !settled[at]; at = model->bones[at].parent) {
			settled[at] = 1;
			path[length++] = at;
		}
		int32_t layer = at < 0 ? 0 : model->bones[at].layer;
		while (length > 0) {
			struct fmt_bone *bone = &model->bones[path[--length]];
			if (bone->layer < layer)
				bone->layer = layer;
			layer = bone->layer;
		}
	}
done:
	free(path);
	free(settled);
	return rc;
}

int
fmt_pmd_read(
	const void *bytes, size_t length, struct fmt_model *model, struct fmt_err *err)
{
	struct fmt_model read = {0};
	struct reader r = {.model = &read, .err = err};
	uint32_t ignored;

	fmt_bytes_init(&r.bytes, bytes, length);
	int rc = read_header(&r);
	if (rc == 0)
		rc = skip_section(&r, "vertices", VERTEX_SIZE, &read.vertex_count);
	if (rc == 0)
		rc = skip_section(&r, "face indices", FACE_INDEX_SIZE, &ignored);
	if (rc == 0)
		rc = skip_section(&r, "materials", MATERIAL_SIZE, &ignored);
	if (rc == 0)
		rc = read_bones(&r);
	if (rc == 0)
		rc = read_iks(&r);
	if (rc == 0)
		rc = read_morphs(&r);
	if (rc == 0)
		rc = read_english(&r);
	if (rc == 0)
		rc = fmt_model_check(&read, err);
	if (rc == 0)
		rc = spread_layers(&r);
	if (rc < 0) {
		fmt_model_free(&read);
		return rc;
	}
	*model = read;
	return 0;
}
