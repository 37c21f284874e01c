/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/kernels/subject.h"

#include "tests/kernels/ck.h"

#include <stdlib.h>
#include <string.h>

void
ck_subject_shuffle(uint32_t *list, uint32_t count)
{
	for (uint32_t i = count; i > 1; i--) {
		uint32_t j = ck_random(i), held = list[i - 1];
		list[i - 1] = list[j];
		list[j] = held;
	}
}

/* A random tree: the k-th of a random hierarchy hangs below an earlier one. */
static void
draw_bones(struct ck_subject *s, uint32_t bones)
{
	for (uint32_t i = 0; i < bones; i++)
		s->hierarchy[i] = s->order[i] = i;
	ck_subject_shuffle(s->hierarchy, bones);
	for (uint32_t k = 0; k < bones; k++) {
		uint32_t bone = s->hierarchy[k];
		s->parent[bone] =
			k == 0 || ck_random(12) == 0
				? -1
				: (int32_t)s->hierarchy[ck_random(3) == 0 ? ck_random(k)
									  : k - 1];
		s->chain_of[bone] = -1;
		for (int c = 0; c < 3; c++)
			s->rest[bone][c] = (float)ck_uniform(-10, 10);
	}
	s->skeleton = (struct kern_pose_skeleton){
		.bone_count = bones,
		.order_count = bones,
		.rest = (const float(*)[3])s->rest,
		.parent = s->parent,
		.order = s->order,
		.hierarchy = s->hierarchy,
		.flags = s->flags,
		.source = s->source,
		.ratio = s->ratio,
		.chain = s->chain_of,
		.chains = s->chains,
		.links = s->links,
	};
}

static void
draw_motion(struct ck_subject *s, uint32_t bones)
{
	for (size_t i = 0; i < bones; i++) {
		for (size_t f = 0; f < CK_FRAMES; f++) {
			float q[4];
			ck_rotation(q);
			for (size_t c = 0; c < 4; c++)
				s->rotate[(i * 4 + c) * CK_STRIDE + f] = q[c];
			for (size_t c = 0; c < 3; c++)
				s->move[(i * 3 + c) * CK_STRIDE + f] =
					(float)(ck_random(2) * ck_uniform(-2, 2));
		}
	}
	memset(s->enabled, 1, sizeof s->enabled);
}

void
ck_subject_draw(struct ck_subject *s, uint32_t bones)
{
	memset(s, 0, sizeof *s);
	draw_bones(s, bones);
	s->rotate = ck_floats((size_t)bones * 4 * CK_STRIDE, 1);
	s->move = ck_floats((size_t)bones * 3 * CK_STRIDE, 0);
	s->position = ck_floats((size_t)bones * 3 * CK_STRIDE, 1);
	s->world = ck_floats((size_t)bones * 4 * CK_STRIDE, 0);
	s->local = ck_floats((size_t)bones * 4 * CK_STRIDE, 1);
	draw_motion(s, bones);
	s->pose = (struct kern_pose){.skeleton = &s->skeleton,
		.frame_count = CK_FRAMES,
		.stride = CK_STRIDE,
		.rotate = s->rotate,
		.move = s->move,
		.ik_enabled = s->enabled,
		.position = s->position,
		.world_rotate = s->world,
		.local_rotate = s->local};
	s->pose.scratch = malloc(kern_pose_scratch(&s->pose));
	if (s->pose.scratch == NULL)
		abort();
}

void
ck_subject_append(struct ck_subject *s)
{
	uint32_t bones = s->skeleton.bone_count;
	for (uint32_t i = 0; i < bones; i++) {
		if (ck_random(4) != 0)
			continue;
		s->flags[i] = 1 + ck_random(7);
		s->source[i] = ck_random(bones);
		s->ratio[i] = (float)ck_uniform(-1.5, 2.0);
	}
}

/* Two bones and a target in a row, a goal of its own; the goal comes last. */
void
ck_subject_chain(struct ck_subject *s, uint32_t number, uint32_t base)
{
	struct kern_pose_chain *chain = &s->chains[number];
	for (uint32_t i = 0; i < 3; i++)
		s->parent[base + i] = i == 0 ? -1 : (int32_t)(base + i - 1);
	s->parent[base + 3] = -1;
	*chain = (struct kern_pose_chain){base + 3, base + 2, 100, 0.5f, number * 2, 2};
	s->links[number * 2] = (struct kern_pose_link){.bone = base + 1};
	s->links[number * 2 + 1] = (struct kern_pose_link){.bone = base};
	s->chain_of[base + 3] = (int32_t)number;
	s->skeleton.chain_count = number + 1;
}

int
ck_subject_release(struct ck_subject *s)
{
	int intact = 1;
	for (size_t plane = 0; plane < (size_t)s->skeleton.bone_count * 3; plane++)
		for (size_t f = CK_FRAMES; f < CK_STRIDE; f++)
			intact = intact &&
				 ck_is_poison(s->position[plane * CK_STRIDE + f]);
	intact = ck_release(s->rotate) && intact;
	intact = ck_release(s->move) && intact;
	intact = ck_release(s->position) && intact;
	intact = ck_release(s->world) && intact;
	intact = ck_release(s->local) && intact;
	free(s->pose.scratch);
	return intact;
}

void
ck_subject_take(
	const float *planes, size_t components, uint32_t bone, size_t frame, double *to)
{
	for (size_t c = 0; c < components; c++)
		to[c] = planes[((size_t)bone * components + c) * CK_STRIDE + frame];
}
