/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/vmd-fk/core_bones.h"

#include <string.h>

const char *const fk_core_bones[FK_CORE_BONES] = {
	/* The trunk: mother of all, centre, groove, waist, upper body, lower body. */
	"全ての親",
	"センター",
	"グルーブ",
	"腰",
	"上半身",
	"上半身2",
	"上半身3",
	"下半身",
	/* Neck, head, eyes. */
	"首",
	"頭",
	"両目",
	"左目",
	"右目",
	/* Shoulder (and its parent), arm, arm twist, elbow, hand twist, wrist. */
	"左肩P",
	"左肩",
	"左腕",
	"左腕捩",
	"左ひじ",
	"左手捩",
	"左手首",
	"右肩P",
	"右肩",
	"右腕",
	"右腕捩",
	"右ひじ",
	"右手捩",
	"右手首",
	/* Roots of thumb, index, middle, ring and little finger. */
	"左親指１",
	"左人指１",
	"左中指１",
	"左薬指１",
	"左小指１",
	"右親指１",
	"右人指１",
	"右中指１",
	"右薬指１",
	"右小指１",
	/* Leg, knee, ankle, toe, toe tip of the D bones. */
	"左足",
	"左ひざ",
	"左足首",
	"左つま先",
	"左足先EX",
	"右足",
	"右ひざ",
	"右足首",
	"右つま先",
	"右足先EX",
	/* What the legs reach for. */
	"左足ＩＫ",
	"左つま先ＩＫ",
	"右足ＩＫ",
	"右つま先ＩＫ",
};

int
fk_core_bones_has(const char *name)
{
	for (int i = 0; i < FK_CORE_BONES; i++)
		if (strcmp(fk_core_bones[i], name) == 0)
			return 1;
	return 0;
}
