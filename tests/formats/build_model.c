/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/formats/build_model.h"

#include "plugins/formats/model.h"

#include <stdio.h>
#include <string.h>

#define LEFT_KNEE "\x8d\xb6\x82\xd0\x82\xb4" /* 左ひざ in cp932 */

static void
text(struct build *b, const char *utf8)
{
	build_u32(b, (uint32_t)strlen(utf8));
	build_bytes(b, utf8, strlen(utf8));
}

static void
pmx_bone(struct build *b, struct build_places *places, int number, int parent,
	unsigned flags)
{
	char name[16];

	snprintf(name, sizeof name, "骨%d", number);
	text(b, name);
	text(b, "");
	places->position = b->length;
	build_zeros(b, 12);
	places->parent[number] = b->length;
	build_u8(b, (unsigned)parent);
	build_u32(b, 0);
	build_u16(b, flags);
	build_zeros(b, 12);
	if (flags & FMT_BONE_APPEND_ROTATE) {
		build_u8(b, 0);
		places->ratio = b->length;
		build_f32(b, -.5f);
	}
	if (flags & FMT_BONE_IK) {
		places->ik_target = b->length;
		build_u8(b, 1);
		build_u32(b, 40);
		places->ik_limit = b->length;
		build_f32(b, 2);
		build_u32(b, 2);
		places->link_bone = b->length;
		build_u8(b, 0);
		build_u8(b, 1);
		for (int i = 0; i < 6; i++)
			build_f32(b, (float)i);
		build_u8(b, 1);
		build_u8(b, 0);
	}
}

void
build_pmx(struct build *b, struct build_places *places)
{
	static const unsigned weights[5] = {1, 2 + 4, 4 + 16, 2 + 4 + 36, 4 + 16};
	static const unsigned elements[11] = {
		5, 13, 29, 17, 17, 17, 17, 17, 1 + 1 + 112, 5, 1 + 1 + 24};

	memset(b, 0, sizeof *b);
	build_bytes(b, "PMX ", 4);
	build_f32(b, 2.1f);
	build_bytes(b, "\x08\x01\x01\x01\x01\x01\x01\x01\x01", 9);
	text(b, "名");
	text(b, "name");
	text(b, "");
	text(b, "");
	places->vertex_count = b->length;
	build_u32(b, 5);
	for (unsigned type = 0; type < 5; type++) {
		build_zeros(b, 32 + 16);
		places->weight_type = b->length;
		build_u8(b, type);
		build_zeros(b, weights[type] + 4);
	}
	build_u32(b, 3);
	build_zeros(b, 3);
	build_u32(b, 1);
	text(b, "a.png");
	build_u32(b, 2);
	for (unsigned shared = 0; shared < 2; shared++) {
		text(b, "m");
		text(b, "");
		build_zeros(b, 65 + 3);
		build_u8(b, shared);
		build_u8(b, 0);
		text(b, "memo");
		build_u32(b, 3);
	}
	places->bone_count = b->length;
	build_u32(b, 3);
	pmx_bone(b, places, 0, -1, FMT_BONE_ROTATABLE);
	pmx_bone(b, places, 1, 0, FMT_BONE_APPEND_ROTATE | FMT_BONE_APPEND_LOCAL);
	pmx_bone(b, places, 2, 1, FMT_BONE_IK);
	places->morph_count = b->length;
	build_u32(b, 11);
	for (unsigned type = 0; type < 11; type++) {
		text(b, "表");
		text(b, "");
		build_u8(b, 4);
		places->morph_type = b->length;
		build_u8(b, type);
		build_u32(b, 1);
		if (type == 2)
			places->morph_bone = b->length;
		build_u8(b, type % 3);
		build_zeros(b, elements[type] - 1);
	}
}

static void
pmd_bone(struct build *b, const char *name, int parent, int tail, unsigned type, int ik)
{
	build_name(b, name, 20);
	build_u16(b, (unsigned)parent);
	build_u16(b, (unsigned)tail);
	build_u8(b, type);
	build_u16(b, (unsigned)ik);
	build_f32(b, 1);
	build_f32(b, (float)(b->length % 97));
	build_f32(b, 0);
}

static void
pmd_ik(struct build *b, unsigned bone, unsigned target, unsigned link)
{
	build_u16(b, bone);
	build_u16(b, target);
	build_u8(b, 1);
	build_u16(b, 15);
	build_f32(b, .5f);
	build_u16(b, link);
}

void
build_pmd(struct build *b)
{
	memset(b, 0, sizeof *b);
	build_bytes(b, "Pmd", 3);
	build_f32(b, 1);
	build_name(b, "model", 20);
	build_zeros(b, 256);
	build_u32(b, 1);
	build_zeros(b, 38);
	build_u32(b, 1);
	build_zeros(b, 2);
	build_u32(b, 1);
	build_zeros(b, 70);
	build_u16(b, 8);
	pmd_bone(b, "root", -1, 1, 1, 0);
	pmd_bone(b, LEFT_KNEE, 0, 2, 4, 0);
	pmd_bone(b, "ankle", 1, 0, 6, 0);
	pmd_bone(b, "ik", 0, 0, 2, 0);
	pmd_bone(b, "ikchild", 3, 0, 0, 0);
	pmd_bone(b, "influenced", 0, 0, 5, 1);
	pmd_bone(b, "linked", 5, 1, 9, -50);
	pmd_bone(b, "twist", 6, 1, 8, 0);
	build_u16(b, 2);
	pmd_ik(b, 3, 2, 1);
	pmd_ik(b, 3, 2, 0);
	build_u16(b, 1);
	build_name(b, "base", 20);
	build_u32(b, 1);
	build_u8(b, 0);
	build_zeros(b, 16);
}
