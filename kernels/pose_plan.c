/* SPDX-License-Identifier: BSD-2-Clause */
/* Walks the order once, as pose.c does in every frame, and writes down what it meets. */
#include "kernels/pose_plan.h"

#include "kernels/ik_link.h"

#include <string.h>

#define PLAN_MAX ((size_t)1 << 30)

/* The plan that grows, with its lists as arrays. */
struct draft {
	const struct kern_pose_skeleton *skeleton;
	struct kern_pose_plan *plan;
	struct kern_pose_plan_bone *bones;
	struct kern_pose_plan_chain *chains;
	struct kern_pose_plan_link *links;
	uint32_t *order, *await, *early, *follow;
};

/* Links may be shared and may not be; what chains say counts. */
static size_t
count_links(const struct kern_pose_skeleton *skeleton)
{
	size_t count = 0;
	for (uint32_t i = 0; i < skeleton->chain_count; i++)
		count += skeleton->chains[i].link_count;
	return count;
}

size_t
kern_pose_plan_bytes(const struct kern_pose_skeleton *skeleton)
{
	size_t bones = skeleton->bone_count, chains = skeleton->chain_count;
	size_t links = count_links(skeleton), solvers = 0, follows;
	for (size_t i = 0; i < bones; i++)
		solvers += skeleton->chain[i] >= 0;
	if (__builtin_mul_overflow(bones, solvers, &follows) || follows > PLAN_MAX / 8 ||
		bones > PLAN_MAX / 128 || links > PLAN_MAX / 128 ||
		chains > PLAN_MAX / 128)
		return 0;
	size_t bytes = sizeof(struct kern_pose_plan) +
		       bones * (sizeof(struct kern_pose_plan_bone) + 12) +
		       chains * sizeof(struct kern_pose_plan_chain) +
		       links * sizeof(struct kern_pose_plan_link) + follows * 4;
	return bytes <= PLAN_MAX ? bytes : 0;
}

/* The next list begins where the last one ends. */
static void *
place_list(struct kern_pose_plan *plan, struct kern_pose_plan_list *list, size_t count,
	size_t size)
{
	*list = (struct kern_pose_plan_list){plan->bytes, (uint32_t)count};
	plan->bytes += (uint32_t)(count * size);
	return (char *)plan + list->at;
}

static void
begin(struct draft *d)
{
	const struct kern_pose_skeleton *skeleton = d->skeleton;
	struct kern_pose_plan *plan = d->plan;
	size_t bones = skeleton->bone_count, links = count_links(skeleton);
	*plan = (struct kern_pose_plan){.bytes = sizeof *plan};
	d->bones = place_list(plan, &plan->bones, bones, sizeof *d->bones);
	d->chains =
		place_list(plan, &plan->chains, skeleton->chain_count, sizeof *d->chains);
	d->links = place_list(plan, &plan->links, links, sizeof *d->links);
	d->order =
		place_list(plan, &plan->order, skeleton->order_count, sizeof *d->order);
	d->await = place_list(plan, &plan->await, bones, sizeof *d->await);
	d->early = place_list(plan, &plan->early, bones, sizeof *d->early);
	d->follow = place_list(plan, &plan->follow, 0, sizeof *d->follow);
	plan->await.count = plan->early.count = 0;
	plan->links.count = 0;
	if (skeleton->order_count > 0)
		memcpy(d->order, skeleton->order,
			skeleton->order_count * sizeof *d->order);
}

static void
take_bone(struct draft *d, uint32_t index)
{
	const struct kern_pose_skeleton *skeleton = d->skeleton;
	struct kern_pose_plan_bone *bone = &d->bones[index];
	int32_t parent = skeleton->parent[index];
	*bone = (struct kern_pose_plan_bone){
		.parent = parent,
		.flags = skeleton->flags[index],
		.chain = skeleton->chain[index],
		.saved = KERN_POSE_PLAN_NONE,
		.ik = KERN_POSE_PLAN_NONE,
	};
	for (int c = 0; c < 3; c++) {
		bone->rest[c] = skeleton->rest[index][c];
		if (parent >= 0)
			bone->away[c] = bone->rest[c] - skeleton->rest[parent][c];
	}
	if ((bone->flags & (KERN_POSE_APPEND_ROTATE | KERN_POSE_APPEND_MOVE)) == 0)
		return;
	bone->source = skeleton->source[index];
	bone->ratio = skeleton->ratio[index];
	bone->saved = d->plan->scratch_planes;
	d->plan->scratch_planes += 7;
}

static void
take_chain(struct draft *d, uint32_t number)
{
	const struct kern_pose_chain *chain = &d->skeleton->chains[number];
	struct kern_pose_plan *plan = d->plan;
	d->chains[number] = (struct kern_pose_plan_chain){
		.bone = chain->bone,
		.target = chain->target,
		.loops = kern_ik_link_loops(chain),
		.first_link = plan->links.count,
		.link_count = chain->link_count,
	};
	for (uint32_t i = 0; i < chain->link_count; i++) {
		struct kern_pose_plan_link *link = &d->links[plan->links.count++];
		link->link = d->skeleton->links[chain->first_link + i];
		link->most = kern_ik_link_step(chain, i);
		struct kern_pose_plan_bone *bone = &d->bones[link->link.bone];
		bone->marks |= KERN_POSE_PLAN_RAW;
		if (bone->ik == KERN_POSE_PLAN_NONE) {
			bone->ik = plan->scratch_planes;
			plan->scratch_planes += 5;
		}
	}
	d->bones[chain->target].marks |= KERN_POSE_PLAN_RAW;
}

static void
await(struct draft *d, int32_t index)
{
	if (index < 0)
		return;
	struct kern_pose_plan_bone *bone = &d->bones[index];
	if ((bone->marks & (KERN_POSE_PLAN_PLACED | KERN_POSE_PLAN_AWAITED)) != 0)
		return;
	bone->marks |= KERN_POSE_PLAN_AWAITED;
	d->await[d->plan->await.count++] = (uint32_t)index;
}

/* Whom the chain reads, and who hangs below its links and is placed already. */
static void
solve(struct draft *d, struct kern_pose_plan_bone *solver)
{
	const struct kern_pose_skeleton *skeleton = d->skeleton;
	const struct kern_pose_plan_chain *chain = &d->chains[solver->chain];
	await(d, (int32_t)chain->bone);
	await(d, (int32_t)chain->target);
	await(d, skeleton->parent[chain->target]);
	for (uint32_t i = 0; i < skeleton->bone_count; i++)
		d->bones[i].marks &= ~(uint32_t)KERN_POSE_PLAN_MOVED;
	for (uint32_t i = 0; i < chain->link_count; i++) {
		uint32_t link = d->links[chain->first_link + i].link.bone;
		await(d, (int32_t)link);
		await(d, skeleton->parent[link]);
		d->bones[link].marks |= KERN_POSE_PLAN_MOVED;
	}
	solver->first_follow = d->plan->follow.count;
	for (uint32_t i = 0; i < skeleton->bone_count; i++) {
		uint32_t index = skeleton->hierarchy[i];
		struct kern_pose_plan_bone *bone = &d->bones[index];
		if (bone->parent < 0 ||
			!(d->bones[bone->parent].marks & KERN_POSE_PLAN_MOVED))
			continue;
		if (bone->marks & KERN_POSE_PLAN_PLACED) {
			d->follow[d->plan->follow.count++] = index;
			bone->marks |= KERN_POSE_PLAN_RAW;
		}
		bone->marks |= KERN_POSE_PLAN_MOVED;
	}
	solver->follow_count = d->plan->follow.count - solver->first_follow;
}

static void
take_turn(struct draft *d, uint32_t index)
{
	struct kern_pose_plan_bone *bone = &d->bones[index];
	if (bone->saved != KERN_POSE_PLAN_NONE) {
		await(d, (int32_t)bone->source);
		d->bones[bone->source].marks |= KERN_POSE_PLAN_RAW;
	}
	await(d, bone->parent);
	if (bone->parent >= 0) {
		uint32_t parent = d->bones[bone->parent].marks;
		if (!(parent & KERN_POSE_PLAN_PLACED) || (parent & KERN_POSE_PLAN_EARLY))
			bone->marks |= KERN_POSE_PLAN_EARLY | KERN_POSE_PLAN_RAW;
	}
	bone->marks |= KERN_POSE_PLAN_PLACED;
	if (bone->chain >= 0 && d->chains[bone->chain].link_count > 0)
		solve(d, bone);
}

void
kern_pose_plan_make(
	const struct kern_pose_skeleton *skeleton, struct kern_pose_plan *plan)
{
	struct draft d = {.skeleton = skeleton, .plan = plan};
	begin(&d);
	for (uint32_t i = 0; i < skeleton->bone_count; i++)
		take_bone(&d, i);
	for (uint32_t i = 0; i < skeleton->chain_count; i++)
		take_chain(&d, i);
	for (uint32_t i = 0; i < skeleton->order_count; i++)
		take_turn(&d, skeleton->order[i]);
	for (uint32_t i = 0; i < skeleton->bone_count; i++) {
		uint32_t index = skeleton->hierarchy[i];
		if (d.bones[index].marks & KERN_POSE_PLAN_EARLY)
			d.early[plan->early.count++] = index;
	}
	plan->bytes += plan->follow.count * (uint32_t)sizeof *d.follow;
}
