/* SPDX-License-Identifier: BSD-2-Clause */
/* The meaning of a chain: see ik.h.  One link after the other, and what hangs below it in
 * the chain follows at once. */
#include "kernels/ik.h"

#include "kernels/ik_turn.h"
#include "kernels/pose_place.h"

/* Link number `from` was turned: the links before it follow, and the target's place. */
static void
follow_turn(const struct kern_pose_skeleton *skeleton,
	const struct kern_pose_chain *chain, struct kern_pose_bone *bones, uint32_t from)
{
	const struct kern_pose_link *links = skeleton->links + chain->first_link;
	kern_pose_place_rotation(skeleton, bones, links[from].bone);
	for (uint32_t i = from; i-- > 0;)
		kern_pose_place(skeleton, bones, links[i].bone);
	kern_pose_place_position(skeleton, bones, chain->target);
}

/* One step of one link; nothing happens where no turn would bring the target nearer. */
static void
turn_link(const struct kern_pose_skeleton *skeleton, const struct kern_pose_chain *chain,
	struct kern_pose_bone *bones, uint32_t place, int first_half)
{
	const struct kern_pose_link *link = &skeleton->links[chain->first_link + place];
	struct kern_pose_bone *bone = &bones[link->bone];
	int32_t parent = skeleton->parent[link->bone];
	struct kern_ik_turn step = {
		.link = bone->position,
		.target = bones[chain->target].position,
		.goal = bones[chain->bone].position,
		.parent = parent < 0 ? KERN_QUAT_IDENTITY : bones[parent].world,
		.saved = bone->saved,
		.most = kern_ik_link_step(chain, place),
		.first_half = first_half,
	};
	if (kern_ik_turn(link, &step, &bone->ik, &bone->local))
		follow_turn(skeleton, chain, bones, place);
}

static int
is_near(const struct kern_pose_chain *chain, const struct kern_pose_bone *bones)
{
	return kern_ik_turn_is_near(
		bones[chain->target].position, bones[chain->bone].position);
}

void
kern_ik_solve(const struct kern_pose_skeleton *skeleton,
	const struct kern_pose_chain *chain, struct kern_pose_bone *bones)
{
	const struct kern_pose_link *links = skeleton->links + chain->first_link;
	uint32_t loops = kern_ik_link_loops(chain);
	if (chain->link_count == 0)
		return;
	for (uint32_t i = 0; i < chain->link_count; i++) {
		struct kern_pose_bone *bone = &bones[links[i].bone];
		bone->ik = KERN_QUAT_IDENTITY;
		bone->local = bone->saved;
		bone->solved = 1;
	}
	for (uint32_t i = chain->link_count; i-- > 0;)
		kern_pose_place(skeleton, bones, links[i].bone);
	kern_pose_place_position(skeleton, bones, chain->target);
	for (uint32_t loop = 0; loop < loops && !is_near(chain, bones); loop++)
		for (uint32_t i = 0; i < chain->link_count; i++)
			turn_link(skeleton, chain, bones, i, loop < loops / 2);
	kern_pose_place_rotation(skeleton, bones, chain->target);
}
