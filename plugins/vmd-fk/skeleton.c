/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/vmd-fk/skeleton.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* An array that lives as long as the skeleton; NULL when there is no memory. */
static void *
keep_array(struct fk_skeleton *skeleton, size_t count, size_t size)
{
	void *block = calloc(count > 0 ? count : 1, size);
	if (block != NULL)
		skeleton->blocks[skeleton->block_count++] = block;
	return block;
}

/* The bone at a place. */
static struct fmt_bone *
bone_at(const struct fk_skeleton *skeleton, uint32_t place)
{
	return &skeleton->model.bones[skeleton->bones[place]];
}

/* The place of a bone that another one names; what is needed names only the needed. */
static int32_t
place_of(const struct fk_skeleton *skeleton, int32_t index)
{
	return index < 0 ? -1 : skeleton->places[index];
}

static int
build_places(struct fk_skeleton *skeleton, const uint8_t *needed)
{
	uint32_t count = skeleton->model.bone_count, place = 0;
	skeleton->bones = keep_array(skeleton, count, sizeof *skeleton->bones);
	skeleton->places = keep_array(skeleton, count, sizeof *skeleton->places);
	if (skeleton->bones == NULL || skeleton->places == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++) {
		skeleton->places[i] = needed[i] ? (int32_t)place : -1;
		if (needed[i])
			skeleton->bones[place++] = i;
	}
	skeleton->pose.bone_count = skeleton->pose.order_count = place;
	return 0;
}

static int
by_deform_order(const void *a, const void *b, void *context)
{
	const struct fk_skeleton *skeleton = context;
	uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
	const struct fmt_bone *left = bone_at(skeleton, i), *right = bone_at(skeleton, j);
	int left_after = (left->flags & FMT_BONE_AFTER_PHYSICS) != 0;
	int right_after = (right->flags & FMT_BONE_AFTER_PHYSICS) != 0;
	if (left_after != right_after)
		return left_after - right_after;
	if (left->layer != right->layer)
		return left->layer < right->layer ? -1 : 1;
	return (i > j) - (i < j);
}

static int
by_depth(const void *a, const void *b, void *context)
{
	const uint32_t *depth = context;
	uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
	if (depth[i] != depth[j])
		return depth[i] < depth[j] ? -1 : 1;
	return (i > j) - (i < j);
}

/* How many ancestors each place has.  Every line is climbed once to the first bone that
 * is known, and once more to write; 0 stands for unknown, hence the one too many. */
static void
measure_depths(const struct kern_pose_skeleton *pose, uint32_t *depth)
{
	for (uint32_t i = 0; i < pose->bone_count; i++) {
		uint32_t climbed = 0;
		int32_t at = (int32_t)i;
		while (at >= 0 && depth[at] == 0) {
			climbed++;
			at = pose->parent[at];
		}
		climbed += at >= 0 ? depth[at] : 0;
		for (at = (int32_t)i; at >= 0 && depth[at] == 0; at = pose->parent[at])
			depth[at] = climbed--;
	}
}

static int
build_orders(struct fk_skeleton *skeleton)
{
	uint32_t count = skeleton->pose.bone_count;
	uint32_t *order = keep_array(skeleton, count, sizeof *order);
	uint32_t *hierarchy = keep_array(skeleton, count, sizeof *hierarchy);
	uint32_t *depth = calloc(count > 0 ? count : 1, sizeof *depth);
	if (order == NULL || hierarchy == NULL || depth == NULL) {
		free(depth);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < count; i++)
		order[i] = hierarchy[i] = i;
	measure_depths(&skeleton->pose, depth);
	qsort_r(order, count, sizeof *order, by_deform_order, skeleton);
	qsort_r(hierarchy, count, sizeof *hierarchy, by_depth, depth);
	free(depth);
	skeleton->pose.order = order;
	skeleton->pose.hierarchy = hierarchy;
	return 0;
}

static uint32_t
append_flags(const struct fmt_bone *bone)
{
	uint32_t flags = 0;
	if (bone->flags & FMT_BONE_APPEND_ROTATE)
		flags |= KERN_POSE_APPEND_ROTATE;
	if (bone->flags & FMT_BONE_APPEND_MOVE)
		flags |= KERN_POSE_APPEND_MOVE;
	if (flags != 0 && (bone->flags & FMT_BONE_APPEND_LOCAL))
		flags |= KERN_POSE_APPEND_LOCAL;
	return flags;
}

static int
build_bones(struct fk_skeleton *skeleton, const struct fk_switches *switches)
{
	uint32_t count = skeleton->pose.bone_count;
	float(*rest)[3] = keep_array(skeleton, count, sizeof *rest);
	int32_t *parent = keep_array(skeleton, count, sizeof *parent);
	uint32_t *flags = keep_array(skeleton, count, sizeof *flags);
	uint32_t *source = keep_array(skeleton, count, sizeof *source);
	float *ratio = keep_array(skeleton, count, sizeof *ratio);
	const float **fixed = keep_array(skeleton, count, sizeof *fixed);
	if (rest == NULL || parent == NULL || flags == NULL || source == NULL ||
		ratio == NULL || fixed == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++) {
		struct fmt_bone *bone = bone_at(skeleton, i);
		memcpy(rest[i], bone->position, sizeof rest[i]);
		parent[i] = place_of(skeleton, bone->parent);
		if (switches->append && bone->append_source >= 0) {
			flags[i] = append_flags(bone);
			source[i] = (uint32_t)place_of(skeleton, bone->append_source);
			ratio[i] = bone->append_ratio;
		}
		if (bone->flags & FMT_BONE_FIXED_AXIS) {
			float *axis = bone->fixed_axis;
			float length = sqrtf(axis[0] * axis[0] + axis[1] * axis[1] +
					     axis[2] * axis[2]);
			for (int c = 0; c < 3; c++)
				axis[c] = length > 0.0f ? axis[c] / length : 0.0f;
			fixed[i] = axis;
		}
	}
	skeleton->pose.rest = (const float(*)[3])rest;
	skeleton->pose.parent = parent;
	skeleton->pose.flags = flags;
	skeleton->pose.source = source;
	skeleton->pose.ratio = ratio;
	skeleton->fixed_axis = fixed;
	return 0;
}

static void
copy_chain(const struct fk_skeleton *skeleton, const struct fmt_bone *bone,
	struct kern_pose_chain *chain, struct kern_pose_link *links)
{
	for (uint32_t i = 0; i < bone->ik_link_count; i++) {
		const struct fmt_ik_link *from = &bone->ik_links[i];
		if (from->bone < 0)
			continue;
		struct kern_pose_link *to =
			&links[chain->first_link + chain->link_count++];
		to->bone = (uint32_t)place_of(skeleton, from->bone);
		to->limited = from->has_limit != 0;
		/* Some models hold the two the wrong way round. */
		for (int axis = 0; axis < 3; axis++) {
			to->minimum[axis] =
				fminf(from->minimum[axis], from->maximum[axis]);
			to->maximum[axis] =
				fmaxf(from->minimum[axis], from->maximum[axis]);
		}
	}
}

/* A chain is needed whole or not at all; see needed.h. */
static int
has_chain(const struct fk_skeleton *skeleton, const struct fk_switches *switches,
	const struct fmt_bone *bone)
{
	return switches->ik && (bone->flags & FMT_BONE_IK) &&
	       place_of(skeleton, bone->ik_target) >= 0;
}

static int
build_ik_names(struct fk_skeleton *skeleton)
{
	const struct fmt_model *model = &skeleton->model;
	skeleton->ik_bones =
		keep_array(skeleton, model->bone_count, sizeof *skeleton->ik_bones);
	skeleton->ik_of =
		keep_array(skeleton, model->bone_count, sizeof *skeleton->ik_of);
	if (skeleton->ik_bones == NULL || skeleton->ik_of == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < model->bone_count; i++) {
		skeleton->ik_of[i] = -1;
		if (!(model->bones[i].flags & FMT_BONE_IK))
			continue;
		skeleton->ik_of[i] = (int32_t)skeleton->ik_count;
		skeleton->ik_bones[skeleton->ik_count++] = i;
	}
	return 0;
}

static int
build_chains(struct fk_skeleton *skeleton, const struct fk_switches *switches)
{
	uint32_t count = skeleton->pose.bone_count, chain = 0, link = 0;
	size_t chain_count = 0, link_count = 0;
	for (uint32_t i = 0; i < count; i++) {
		const struct fmt_bone *bone = bone_at(skeleton, i);
		if (!has_chain(skeleton, switches, bone))
			continue;
		chain_count++;
		link_count += bone->ik_link_count;
	}
	int32_t *chain_of = keep_array(skeleton, count, sizeof *chain_of);
	struct kern_pose_chain *chains =
		keep_array(skeleton, chain_count, sizeof *chains);
	struct kern_pose_link *links = keep_array(skeleton, link_count, sizeof *links);
	uint32_t *chain_ik = keep_array(skeleton, chain_count, sizeof *chain_ik);
	if (chain_of == NULL || chains == NULL || links == NULL || chain_ik == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++) {
		const struct fmt_bone *bone = bone_at(skeleton, i);
		chain_of[i] = -1;
		if (!has_chain(skeleton, switches, bone))
			continue;
		chains[chain].bone = i;
		chains[chain].target = (uint32_t)place_of(skeleton, bone->ik_target);
		chains[chain].loops = bone->ik_loops > 0 ? (uint32_t)bone->ik_loops : 0;
		chains[chain].step = bone->ik_limit;
		chains[chain].first_link = link;
		copy_chain(skeleton, bone, &chains[chain], links);
		link += chains[chain].link_count;
		chain_ik[chain] = (uint32_t)skeleton->ik_of[skeleton->bones[i]];
		chain_of[i] = (int32_t)chain++;
	}
	skeleton->pose.chain_count = chain;
	skeleton->pose.chain = chain_of;
	skeleton->pose.chains = chains;
	skeleton->pose.links = links;
	skeleton->chain_ik = chain_ik;
	return 0;
}

static uint8_t
morph_type(int32_t type)
{
	switch (type) {
	case FMT_MORPH_GROUP:
		return KERN_MORPH_GROUP;
	case FMT_MORPH_BONE:
		return KERN_MORPH_BONE;
	case FMT_MORPH_FLIP:
		return KERN_MORPH_FLIP;
	default:
		return KERN_MORPH_NONE;
	}
}

static int
build_morphs(struct fk_skeleton *skeleton, const struct fk_switches *switches)
{
	const struct fmt_model *model = &skeleton->model;
	uint32_t count =
		switches->morphs || switches->morph_weights ? model->morph_count : 0;
	size_t element_count = 0;
	for (uint32_t m = 0; m < count; m++)
		element_count += model->morphs[m].element_count;
	uint8_t *types = keep_array(skeleton, count, sizeof *types);
	uint32_t *first = keep_array(skeleton, (size_t)count + 1, sizeof *first);
	struct kern_morph_element *elements =
		keep_array(skeleton, element_count, sizeof *elements);
	if (types == NULL || first == NULL || elements == NULL)
		return -ENOMEM;
	uint32_t at = 0;
	for (uint32_t m = 0; m < count; m++) {
		const struct fmt_morph *morph = &model->morphs[m];
		types[m] = switches->morphs ? morph_type(morph->type) : KERN_MORPH_NONE;
		first[m] = at;
		for (uint32_t i = 0; i < morph->element_count; i++) {
			const struct fmt_morph_element *from = &morph->elements[i];
			int32_t index = types[m] == KERN_MORPH_BONE
						? place_of(skeleton, from->index)
						: from->index;
			if (types[m] == KERN_MORPH_NONE || index < 0)
				continue;
			struct kern_morph_element *to = &elements[at++];
			to->index = (uint32_t)index;
			to->weight = from->weight;
			memcpy(to->move, from->move, sizeof to->move);
			memcpy(to->rotate, from->rotate, sizeof to->rotate);
		}
	}
	first[count] = at;
	skeleton->morphs.morph_count = count;
	skeleton->morphs.types = types;
	skeleton->morphs.first = first;
	skeleton->morphs.elements = elements;
	return 0;
}

static int
build_names(struct fk_skeleton *skeleton)
{
	const struct fmt_model *model = &skeleton->model;
	struct fk_names bones = {.array = (const char *)model->bones,
		.stride = sizeof *model->bones,
		.offset = offsetof(struct fmt_bone, vmd_name),
		.in_place = 1,
		.count = model->bone_count};
	struct fk_names morphs = {.array = (const char *)model->morphs,
		.stride = sizeof *model->morphs,
		.offset = offsetof(struct fmt_morph, vmd_name),
		.in_place = 1,
		.count = model->morph_count};
	skeleton->bone_names = skeleton->bone_names_utf8 = bones;
	skeleton->bone_names_utf8.offset = offsetof(struct fmt_bone, name);
	skeleton->bone_names_utf8.in_place = 0;
	skeleton->morph_names = skeleton->morph_names_utf8 = morphs;
	skeleton->morph_names_utf8.offset = offsetof(struct fmt_morph, name);
	skeleton->morph_names_utf8.in_place = 0;
	int rc = fk_names_build(&skeleton->bone_names);
	rc = rc == 0 ? fk_names_build(&skeleton->bone_names_utf8) : rc;
	rc = rc == 0 ? fk_names_build(&skeleton->morph_names) : rc;
	return rc == 0 ? fk_names_build(&skeleton->morph_names_utf8) : rc;
}

int
fk_skeleton_take(struct fk_skeleton *skeleton, struct fmt_model *model)
{
	memset(skeleton, 0, sizeof *skeleton);
	skeleton->model = *model;
	memset(model, 0, sizeof *model);
	int rc = build_names(skeleton);
	if (rc < 0)
		fk_skeleton_free(skeleton);
	return rc;
}

int
fk_skeleton_build(struct fk_skeleton *skeleton, const struct fk_switches *switches,
	const uint8_t *needed)
{
	int rc = build_places(skeleton, needed);
	rc = rc == 0 ? build_bones(skeleton, switches) : rc;
	rc = rc == 0 ? build_orders(skeleton) : rc;
	rc = rc == 0 ? build_ik_names(skeleton) : rc;
	rc = rc == 0 ? build_chains(skeleton, switches) : rc;
	return rc == 0 ? build_morphs(skeleton, switches) : rc;
}

void
fk_skeleton_free(struct fk_skeleton *skeleton)
{
	fk_names_free(&skeleton->bone_names);
	fk_names_free(&skeleton->bone_names_utf8);
	fk_names_free(&skeleton->morph_names);
	fk_names_free(&skeleton->morph_names_utf8);
	while (skeleton->block_count > 0)
		free(skeleton->blocks[--skeleton->block_count]);
	fmt_model_free(&skeleton->model);
	memset(skeleton, 0, sizeof *skeleton);
}
