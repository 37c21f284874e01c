/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The dancer: a humanoid with the bones that MMD motions expect.  Names of one side carry
 * an 'L' in place of 左; the table is walked once for the middle and both sides, so
 * parents come before their children.
 */
#include "contrib/make-sample.h"
#include "plugins/formats/model.h"

#include <string.h>

enum {
	SHOWN = FMT_BONE_ROTATABLE | FMT_BONE_VISIBLE | FMT_BONE_OPERABLE,
	MOVED = SHOWN | FMT_BONE_MOVABLE,
	HIDDEN = FMT_BONE_ROTATABLE,
	APPEND = FMT_BONE_APPEND_ROTATE,
	AXIS = FMT_BONE_FIXED_AXIS,
	IK = FMT_BONE_IK,
	LATE = FMT_BONE_AFTER_PHYSICS,
};

struct plan {
	const char *name, *name_en, *parent, *tail;
	float x, y, z;
	unsigned flags;
	int layer;
	const char *source; /* of the append */
	float ratio;
};

static const struct plan plans[] = {
	{"全ての親", "root", NULL, "センター", 0, 0, 0, MOVED, 0, NULL, 0},
	{"センター", "center", "全ての親", NULL, 0, 8, 0, MOVED, 0, NULL, 0},
	{"グルーブ", "groove", "センター", NULL, 0, 8.2f, 0, MOVED, 0, NULL, 0},
	{"腰", "waist", "グルーブ", NULL, 0, 11.5f, .2f, SHOWN, 0, NULL, 0},
	{"上半身", "upper body", "腰", "上半身2", 0, 12, 0, SHOWN, 0, NULL, 0},
	{"上半身2", "upper body 2", "上半身", "首", 0, 13.6f, 0, SHOWN, 0, NULL, 0},
	{"首", "neck", "上半身2", "頭", 0, 16.2f, .1f, SHOWN, 0, NULL, 0},
	{"頭", "head", "首", NULL, 0, 16.9f, 0, SHOWN, 0, NULL, 0},
	{"両目", "eyes", "頭", NULL, 0, 19.5f, -.4f, SHOWN, 0, NULL, 0},
	{"L目", "eye_L", "頭", NULL, .42f, 18, -.6f, SHOWN | APPEND, 0, "両目", 1},
	{"下半身", "lower body", "腰", NULL, 0, 12, 0, SHOWN, 0, NULL, 0},
	{"L肩P", "shoulderP_L", "上半身2", NULL, .3f, 15.7f, .1f, SHOWN, 0, NULL, 0},
	{"L肩", "shoulder_L", "L肩P", "L腕", .3f, 15.7f, .1f, SHOWN, 0, NULL, 0},
	{"L肩C", "shoulderC_L", "L肩", NULL, 1.4f, 15.5f, .1f, HIDDEN | APPEND, 0, "L肩P",
		-1},
	{"L腕", "arm_L", "L肩C", "Lひじ", 1.4f, 15.5f, .1f, SHOWN, 0, NULL, 0},
	{"L腕捩", "arm twist_L", "L腕", "Lひじ", 2.6f, 14.5f, .1f, SHOWN | AXIS, 0, NULL,
		0},
	{"L腕捩1", "arm twist 1_L", "L腕", NULL, 2.2f, 14.8f, .1f, HIDDEN | APPEND, 0,
		"L腕捩", .5f},
	{"Lひじ", "elbow_L", "L腕捩", "L手首", 3.8f, 13.5f, .1f, SHOWN, 0, NULL, 0},
	{"L手捩", "wrist twist_L", "Lひじ", "L手首", 4.9f, 12.6f, 0, SHOWN | AXIS, 0,
		NULL, 0},
	{"L手捩1", "wrist twist 1_L", "Lひじ", NULL, 4.5f, 12.9f, 0, HIDDEN | APPEND, 0,
		"L手捩", .5f},
	{"L手首", "wrist_L", "L手捩", "L中指１", 5.9f, 11.8f, 0, SHOWN, 0, NULL, 0},
	{"L親指１", "thumb1_L", "L手首", NULL, 6.1f, 11.5f, -.4f, SHOWN, 0, NULL, 0},
	{"L人指１", "fore1_L", "L手首", "L人指２", 6.6f, 11.2f, -.2f, SHOWN, 0, NULL, 0},
	{"L人指２", "fore2_L", "L人指１", NULL, 6.9f, 10.9f, -.2f, SHOWN, 0, NULL, 0},
	{"L中指１", "middle1_L", "L手首", "L中指２", 6.6f, 11.2f, 0, SHOWN, 0, NULL, 0},
	{"L中指２", "middle2_L", "L中指１", NULL, 6.9f, 10.9f, 0, SHOWN, 0, NULL, 0},
	{"L薬指１", "third1_L", "L手首", NULL, 6.6f, 11.2f, .2f, SHOWN, 0, NULL, 0},
	{"L小指１", "little1_L", "L手首", NULL, 6.5f, 11.3f, .4f, SHOWN, 0, NULL, 0},
	{"腰キャンセルL", "waist cancel_L", "下半身", NULL, 1, 11, 0, HIDDEN | APPEND, 0,
		"腰", -1},
	{"L足", "leg_L", "腰キャンセルL", "Lひざ", 1, 11, 0, SHOWN, 0, NULL, 0},
	{"Lひざ", "knee_L", "L足", "L足首", 1, 6, -.1f, SHOWN, 0, NULL, 0},
	{"L足首", "ankle_L", "Lひざ", "Lつま先", 1, 1.1f, .2f, SHOWN, 0, NULL, 0},
	{"Lつま先", "toe_L", "L足首", NULL, 1, 0, -1.2f, HIDDEN, 0, NULL, 0},
	{"L足IK親", "leg IK parent_L", "全ての親", "L足ＩＫ", 1, 0, .2f, MOVED, 0, NULL,
		0},
	{"L足ＩＫ", "leg IK_L", "L足IK親", NULL, 1, 1.1f, .2f, MOVED | IK, 0, NULL, 0},
	{"Lつま先ＩＫ", "toe IK_L", "L足ＩＫ", NULL, 1, 0, -1.2f, MOVED | IK, 0, NULL, 0},
	{"L足D", "legD_L", "腰キャンセルL", "LひざD", 1, 11, 0, SHOWN | APPEND, 1, "L足",
		1},
	{"LひざD", "kneeD_L", "L足D", "L足首D", 1, 6, -.1f, SHOWN | APPEND, 1, "Lひざ",
		1},
	{"L足首D", "ankleD_L", "LひざD", "L足先EX", 1, 1.1f, .2f, SHOWN | APPEND, 1,
		"L足首", 1},
	{"L足先EX", "toeEX_L", "L足首D", NULL, 1, .4f, -.5f, SHOWN, 1, NULL, 0},
	{"後髪", "back hair", "頭", "後髪先", 0, 18.5f, .9f, SHOWN | LATE, 0, NULL, 0},
	{"後髪先", "back hair tip", "後髪", NULL, 0, 15.5f, 1.5f, HIDDEN | LATE, 0, NULL,
		0},
};

/* The plan's name with its 'L' turned into a side.  English names end in _L or _R. */
static void
name_side(const char *plan, const char *side, char name[32])
{
	size_t used = 0;

	for (; *plan != '\0' && used < 28; plan++) {
		if (*plan != 'L') {
			name[used++] = *plan;
			continue;
		}
		memcpy(name + used, side, strlen(side));
		used += strlen(side);
	}
	name[used] = '\0';
}

int
sample_find_bone(const struct sample_dancer *dancer, const char *name)
{
	for (int i = 0; i < dancer->count; i++) {
		if (strcmp(dancer->bones[i].name, name) == 0)
			return i;
	}
	return -1;
}

static int
find_side(const struct sample_dancer *dancer, const char *plan, const char *side)
{
	char name[32];

	if (plan == NULL)
		return -1;
	name_side(plan, side, name);
	return sample_find_bone(dancer, name);
}

static void
add_bone(struct sample_dancer *dancer, const struct plan *plan, int right)
{
	const char *side = right ? "右" : "左";
	struct sample_bone *bone = &dancer->bones[dancer->count++];

	memset(bone, 0, sizeof *bone);
	name_side(plan->name, side, bone->name);
	name_side(plan->name_en, right ? "R" : "L", bone->name_en);
	bone->position[0] = right ? -plan->x : plan->x;
	bone->position[1] = plan->y;
	bone->position[2] = plan->z;
	bone->layer = plan->layer;
	bone->flags = plan->flags;
	bone->append_ratio = plan->ratio;
	bone->tail = bone->append_source = bone->ik_target = bone->knee_link = -1;
	bone->parent = find_side(dancer, plan->parent, side);
}

/* Tails, sources and axes may name bones that come later. */
static void
link_bone(struct sample_dancer *dancer, const struct plan *plan, int right)
{
	const char *side = right ? "右" : "左";
	struct sample_bone *bone = &dancer->bones[find_side(dancer, plan->name, side)];

	bone->tail = find_side(dancer, plan->tail, side);
	bone->append_source = find_side(dancer, plan->source, side);
	if (bone->tail < 0)
		return;
	bone->flags |= FMT_BONE_TAIL_IS_BONE;
	for (int i = 0; i < 3; i++)
		bone->axis[i] = dancer->bones[bone->tail].position[i] - bone->position[i];
}

static void
give_ik(struct sample_dancer *dancer, const char *side)
{
	struct sample_bone *leg = &dancer->bones[find_side(dancer, "L足ＩＫ", side)];
	struct sample_bone *toe = &dancer->bones[find_side(dancer, "Lつま先ＩＫ", side)];

	leg->ik_target = find_side(dancer, "L足首", side);
	leg->ik_loops = 40;
	leg->ik_limit = 2; /* 114.59 degrees, what MMD's own models have */
	leg->ik_links[0] = find_side(dancer, "Lひざ", side);
	leg->ik_links[1] = find_side(dancer, "L足", side);
	leg->ik_link_count = 2;
	leg->knee_link = 0;
	toe->ik_target = find_side(dancer, "Lつま先", side);
	toe->ik_loops = 3;
	toe->ik_limit = 4;
	toe->ik_links[0] = leg->ik_target;
	toe->ik_link_count = 1;
}

void
sample_make_dancer(struct sample_dancer *dancer)
{
	const size_t count = sizeof plans / sizeof *plans;

	dancer->count = 0;
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < count; i++) {
			int sides = strchr(plans[i].name, 'L') != NULL ? 2 : 1;
			for (int right = 0; right < sides; right++) {
				if (pass == 0)
					add_bone(dancer, &plans[i], right);
				else
					link_bone(dancer, &plans[i], right);
			}
		}
	}
	give_ik(dancer, "左");
	give_ik(dancer, "右");
}
