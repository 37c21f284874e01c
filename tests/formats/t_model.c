/* SPDX-License-Identifier: BSD-2-Clause */
/* Goal: a PMX or PMD is read whole, both in PMX terms, or refused in words that name the place;
 * nothing in it leads out of it. */
#include "plugins/formats/model_read.h"
#include "tests/formats/build_model.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int
read_built(const struct build *b, struct fmt_model *model, struct fmt_err *err)
{
	uint8_t *copy = build_copy(b->data, b->length);
	memset(err, 0, sizeof *err);
	int rc = fmt_model_read(copy, b->length, model, err);
	free(copy);
	return rc;
}

static void
expect_refused(const struct build *b, const char *part)
{
	struct fmt_model model;
	struct fmt_err err;

	assert_int_equal(read_built(b, &model, &err), -EBADMSG);
	if (strstr(err.text, part) == NULL)
		fail_msg("'%s' was expected in '%s'", part, err.text);
}

static void
refuses_what_is_no_model(void **state)
{
	struct build b = {.length = 0};
	(void)state;

	expect_refused(&b, "empty");
	build_bytes(&b, "Vocaloid Motion Data 0002", 25);
	expect_refused(&b, "VMD");
	b.length = 0;
	build_bytes(&b, "oops", 4);
	expect_refused(&b, "bytes 6f 6f 70 73 were found");
	b.length = 0;
	build_bytes(&b, "PMX ", 4);
	build_f32(&b, 1);
	build_u8(&b, 8);
	build_zeros(&b, 8);
	expect_refused(&b, "version 2.0 or 2.1 was expected at byte 4, 1 was found");
}

/* A model is whole or refused; the end of what is kept is the end of the file here. */
static void
refuses_every_cut(void **state)
{
	struct build b;
	struct build_places places;
	struct fmt_model model;
	struct fmt_err err;
	(void)state;

	for (int kind = 0; kind < 2; kind++) {
		if (kind == 0)
			build_pmx(&b, &places);
		else
			build_pmd(&b);
		const size_t length = b.length;
		for (size_t cut = 0; cut < length; cut++) {
			b.length = cut;
			assert_int_equal(read_built(&b, &model, &err), -EBADMSG);
			assert_true(err.text[0] != '\0');
		}
		b.length = length;
		assert_int_equal(read_built(&b, &model, &err), 0);
		fmt_model_free(&model);
		fmt_model_free(&model); /* twice is nothing */
	}
}

static void
refuses_lying_counts(void **state)
{
	static const uint32_t lies[] = {0xffffffff, 0x7fffffff, 1000};
	struct build b;
	struct build_places places;
	(void)state;

	for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
		build_pmx(&b, &places);
		const size_t length = b.length;
		const size_t counts[3] = {
			places.vertex_count, places.bone_count, places.morph_count};
		static const char *const names[3] = {"vertices", "bones", "morphs"};
		for (int k = 0; k < 3; k++) {
			build_pmx(&b, &places);
			b.length = counts[k];
			build_u32(&b, lies[i]);
			b.length = length;
			expect_refused(&b, names[k]);
		}
	}
	build_pmx(&b, &places);
	b.data[places.weight_type] = 5;
	expect_refused(&b, "weight type 0 to 4");
	build_pmx(&b, &places);
	b.data[places.morph_type] = 11;
	expect_refused(&b, "morph type 0 to 10");
	build_pmd(&b);
	b.data[BUILD_PMD_BONES + 1] = 0x70;
	expect_refused(&b, "bones");
}

static void
refuses_numbers_that_are_none(void **state)
{
	struct build b;
	struct build_places places;
	(void)state;

	build_pmx(&b, &places);
	const size_t offsets[4] = {places.position + 4, places.ratio, places.ik_limit,
		places.morph_bone + 1};
	static const char *const names[4] = {
		"position", "append ratio", "step limit", "move"};
	const size_t length = b.length;
	for (int i = 0; i < 4; i++) {
		char place[32];
		build_pmx(&b, &places);
		b.length = offsets[i];
		build_f32(&b, NAN);
		b.length = length;
		expect_refused(&b, names[i]);
		snprintf(place, sizeof place, "byte %zu,", offsets[i]);
		expect_refused(&b, place);
	}
}

static void
refuses_parents_in_a_circle(void **state)
{
	struct build b;
	struct build_places places;
	(void)state;

	build_pmx(&b, &places);
	b.data[places.parent[0]] = 2;
	expect_refused(&b, "form a cycle: 0 '骨0' -> 2 '骨2' -> 1 '骨1' -> 0 '骨0'");
	build_pmx(&b, &places);
	b.data[places.parent[1]] = 1;
	expect_refused(&b, "form a cycle: 1 '骨1' -> 1 '骨1'");
	build_pmx(&b, &places);
	b.data[places.parent[2]] = 77;
	expect_refused(
		&b, "bone 2 '骨2': its parent is bone 77, but there are only 3 bones");
	build_pmd(&b);
	b.data[BUILD_PMD_BONES + 2 + 20] = 4;
	b.data[BUILD_PMD_BONES + 2 + 21] = 0;
	expect_refused(&b, "form a cycle");
}

static void
clears_what_points_nowhere(void **state)
{
	struct build b;
	struct build_places places;
	struct fmt_model model;
	struct fmt_err err;
	(void)state;

	build_pmx(&b, &places);
	b.data[places.ratio - 1] = 0xff;
	b.data[places.ik_target] = 9;
	b.data[places.link_bone] = 0xff;
	b.data[places.morph_bone] = 50;
	assert_int_equal(read_built(&b, &model, &err), 0);
	assert_int_equal(model.bones[1].flags, 0);
	assert_int_equal(model.bones[1].append_source, -1);
	assert_int_equal(model.bones[2].flags & FMT_BONE_IK, 0);
	assert_int_equal(model.bones[2].ik_target, -1);
	assert_int_equal(model.bones[2].ik_link_count, 1);
	assert_int_equal(model.bones[2].ik_links[0].bone, 1);
	assert_int_equal(model.morphs[2].element_count, 0);
	fmt_model_free(&model);
}

static void
reads_a_pmx(void **state)
{
	struct build b;
	struct build_places places;
	struct fmt_model model;
	struct fmt_err err;
	(void)state;

	build_pmx(&b, &places);
	assert_int_equal(read_built(&b, &model, &err), 0);
	assert_string_equal(model.name, "名");
	assert_string_equal(model.name_en, "name");
	assert_int_equal(model.vertex_count, 5);
	assert_int_equal(model.bone_count, 3);
	assert_int_equal(model.morph_count, 11);
	assert_string_equal(model.bones[2].name, "骨2");
	assert_memory_equal(model.bones[2].vmd_name,
		"\x8d\x9c"
		"2\0\0\0\0\0\0\0\0\0\0\0\0\0",
		16);
	assert_true(model.bones[1].append_ratio == -.5f);
	const struct fmt_bone *ik = &model.bones[2];
	assert_int_equal(ik->ik_loops, 40);
	assert_true(ik->ik_limit == 2);
	assert_int_equal(ik->ik_link_count, 2);
	assert_int_equal(ik->ik_links[0].has_limit, 1);
	assert_true(ik->ik_links[0].minimum[2] == 2);
	assert_true(ik->ik_links[0].maximum[2] == 5);
	assert_int_equal(ik->ik_links[1].has_limit, 0);
	for (int type = 0; type < 11; type++) {
		assert_int_equal(model.morphs[type].type, type);
		assert_int_equal(model.morphs[type].element_count,
			type == 0 || type == 2 || type == 9);
	}
	fmt_model_free(&model);
}

static void
turns_a_pmd_into_pmx_terms(void **state)
{
	static const int layers[9] = {0, 0, 0, 1, 1, 2, 2, 2, 1};
	struct build b;
	struct fmt_model model;
	struct fmt_err err;
	(void)state;

	build_pmd(&b);
	assert_int_equal(read_built(&b, &model, &err), 0);
	assert_int_equal(model.bone_count, 9);
	for (int i = 0; i < 9; i++)
		assert_int_equal(model.bones[i].layer, layers[i]);
	/* Tail 0 is no tail. */
	assert_int_equal(model.bones[0].tail_bone, 1);
	assert_int_equal(model.bones[2].tail_bone, -1);
	const struct fmt_bone *ik = &model.bones[3], *hidden = &model.bones[8];
	assert_true(ik->ik_limit == 2);
	assert_int_equal(ik->ik_target, 2);
	assert_int_equal(ik->ik_loops, 15);
	assert_int_equal(ik->ik_links[0].has_limit, 1);
	assert_float_equal(ik->ik_links[0].minimum[0], -M_PI, 1e-6);
	assert_float_equal(ik->ik_links[0].maximum[0], -.5 / 180 * M_PI, 1e-6);
	assert_true(ik->ik_links[0].minimum[1] == 0 && ik->ik_links[0].maximum[2] == 0);
	assert_int_equal(hidden->flags, FMT_BONE_IK);
	assert_int_equal(hidden->parent, 3);
	assert_int_equal(hidden->ik_links[0].has_limit, 0);
	assert_memory_equal(hidden->vmd_name, ik->vmd_name, 16);
	assert_memory_equal(hidden->position, ik->position, sizeof ik->position);
	assert_int_equal(model.bones[5].append_source, 1);
	assert_true(model.bones[5].append_ratio == 1);
	assert_int_equal(model.bones[6].append_source, 1);
	assert_true(model.bones[6].append_ratio == -.5f);
	assert_true(model.bones[7].flags & FMT_BONE_FIXED_AXIS);
	assert_true(model.bones[7].fixed_axis[1] ==
		    model.bones[1].position[1] - model.bones[7].position[1]);
	fmt_model_free(&model);
}

/* Facts of the shared models, from the README beside them. */
static void
reads_real_models(void **state)
{
	static const struct {
		const char *name;
		uint32_t bones, ik, append, fixed, late;
	} files[] = {
		{"gene/Gene.pmx", 224, 6, 11, 4, 38},
		{"gene/Gene.pmd", 224, 6, 11, 4, 0},
		{"yohawing/test_semi_basic_bone.pmx", 100, 4, 14, 4, 0},
		{"yohawing/test_given_bone_comprehensive.pmx", 23, 0, 10, 0, 0},
		{"yohawing/test_append_bone.pmx", 9, 0, 3, 0, 0},
		{"yohawing/test_fix_axis.pmx", 5, 0, 0, 2, 0},
		{"mmdanim/ik_multi_axis_limit.pmx", 3, 1, 0, 0, 0},
		{"babylon/bone_flag_test.pmx", 3, 0, 0, 0, 0},
		{"babylon/bone_hierarchy_test.pmx", 5, 0, 0, 0, 0},
		{"babylon/bone_hierarchy_test2.pmx", 3, 0, 0, 0, 0},
	};
	(void)state;

	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		struct fmt_model model;
		struct fmt_err err = {0};
		uint32_t ik = 0, append = 0, fixed = 0, late = 0;
		size_t length;
		uint8_t *bytes = build_read_shared(files[i].name, &length);
		assert_int_equal(fmt_model_read(bytes, length, &model, &err), 0);
		free(bytes);
		for (uint32_t k = 0; k < model.bone_count; k++) {
			uint32_t flags = model.bones[k].flags;
			ik += (flags & FMT_BONE_IK) != 0;
			append += (flags & (FMT_BONE_APPEND_ROTATE |
						   FMT_BONE_APPEND_MOVE)) != 0;
			fixed += (flags & FMT_BONE_FIXED_AXIS) != 0;
			late += (flags & FMT_BONE_AFTER_PHYSICS) != 0;
		}
		assert_int_equal(model.bone_count, files[i].bones);
		assert_int_equal(ik, files[i].ik);
		assert_int_equal(append, files[i].append);
		assert_int_equal(fixed, files[i].fixed);
		assert_int_equal(late, files[i].late);
		fmt_model_free(&model);
	}
}

/* Gene.pmx: three names share their first 15 bytes of cp932. */
static void
cuts_long_names_as_a_vmd_does(void **state)
{
	struct fmt_model model;
	struct fmt_err err = {0};
	size_t length;
	uint32_t same = 0;
	(void)state;

	uint8_t *bytes = build_read_shared("gene/Gene.pmx", &length);
	assert_int_equal(fmt_model_read(bytes, length, &model, &err), 0);
	free(bytes);
	for (uint32_t i = 0; i < model.bone_count; i++) {
		assert_true(model.bones[i].vmd_name[0] != '\0');
		same += memcmp(model.bones[i].vmd_name,
				"\x91\x4f\x83\x4e\x83\x8d\x81\x5b\x83\x4e\x32_1xc\0",
				16) == 0;
	}
	assert_int_equal(same, 3);
	fmt_model_free(&model);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_what_is_no_model),
		cmocka_unit_test(refuses_every_cut),
		cmocka_unit_test(refuses_lying_counts),
		cmocka_unit_test(refuses_numbers_that_are_none),
		cmocka_unit_test(refuses_parents_in_a_circle),
		cmocka_unit_test(clears_what_points_nowhere),
		cmocka_unit_test(reads_a_pmx),
		cmocka_unit_test(turns_a_pmd_into_pmx_terms),
		cmocka_unit_test(reads_real_models),
		cmocka_unit_test(cuts_long_names_as_a_vmd_does),
	};
	return cmocka_run_group_tests_name("model", tests, NULL, NULL);
}
