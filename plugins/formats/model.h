/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * model.h - what motion needs of an MMD model (PMX 2.0, 2.1 or PMD): its bones and the
 * morphs that move bones.  Geometry is walked and not kept.
 *
 * Units are MMD's (about 8 cm), axes MMD's own: left-handed, Y up, the model faces -Z.
 * Angles are radians.  A PMD is turned into PMX terms by pmd.c.
 *
 * All arrays belong to the model and go with fmt_model_free().  Every index is checked:
 * it is -1 or names an element; the parents form no cycle.  IK links and morph elements
 * that named nothing are gone.  Numbers that move bones are finite.
 */
#ifndef FMT_MODEL_H
#define FMT_MODEL_H

#include <stddef.h>
#include <stdint.h>

enum fmt_bone_flags { /* PMX 2.1 specification, bone flags */
	FMT_BONE_TAIL_IS_BONE = 0x0001,
	FMT_BONE_ROTATABLE = 0x0002,
	FMT_BONE_MOVABLE = 0x0004,
	FMT_BONE_VISIBLE = 0x0008,
	FMT_BONE_OPERABLE = 0x0010,
	FMT_BONE_IK = 0x0020,
	FMT_BONE_APPEND_LOCAL = 0x0080,
	FMT_BONE_APPEND_ROTATE = 0x0100,
	FMT_BONE_APPEND_MOVE = 0x0200,
	FMT_BONE_FIXED_AXIS = 0x0400,
	FMT_BONE_LOCAL_AXES = 0x0800,
	FMT_BONE_AFTER_PHYSICS = 0x1000,
	FMT_BONE_EXTERNAL_PARENT = 0x2000,
};

struct fmt_ik_link {
	int32_t bone;
	int32_t has_limit;
	float minimum[3], maximum[3];
};

struct fmt_bone {
	char *name;	   /* UTF-8 */
	char *name_en;	   /* UTF-8, may be "" */
	char vmd_name[16]; /* the name as a VMD key holds it: cp932, cut to 15 bytes,
			      NUL-padded; empty where the name has no cp932 form at all */
	float position[3]; /* at rest, model space */
	int32_t parent;
	int32_t layer;
	uint32_t flags;	   /* set of enum fmt_bone_flags; an append flag without a valid
			      source is cleared, an IK flag without a valid target too */
	int32_t tail_bone; /* -1: tail_offset holds */
	float tail_offset[3];
	int32_t append_source;
	float append_ratio;
	float fixed_axis[3]; /* as in the file, not normalised */
	float local_x[3], local_z[3];
	int32_t external_key;
	int32_t ik_target;
	int32_t ik_loops;
	float ik_limit; /* radians a step */
	uint32_t ik_link_count;
	struct fmt_ik_link *ik_links; /* nearest the target first */
};

enum fmt_morph_type {
	FMT_MORPH_GROUP = 0,
	FMT_MORPH_BONE = 2,
	FMT_MORPH_FLIP = 9,
	/* Others are kept by name, with no elements: they move no bone. */
};

struct fmt_morph_element {
	int32_t index;	 /* a bone (BONE) or a morph (GROUP, FLIP) */
	float weight;	 /* GROUP, FLIP */
	float move[3];	 /* BONE */
	float rotate[4]; /* BONE: quaternion x y z w */
};

struct fmt_morph {
	char *name, *name_en;
	char vmd_name[16];
	int32_t type;
	uint32_t element_count;
	struct fmt_morph_element *elements;
};

struct fmt_model {
	char *name, *name_en;
	float version; /* 2.0, 2.1; 1.0 for a PMD */
	uint32_t bone_count, morph_count, vertex_count;
	struct fmt_bone *bones;
	struct fmt_morph *morphs;
};

void fmt_model_free(struct fmt_model *model);

#endif
