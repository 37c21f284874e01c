/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernels/ik.h"

#include "kernels/ik_link.h"

/* Rows of the matrix that turns column vectors as q does. */
static void
to_matrix(struct kern_quat q, float m[3][3])
{
	m[0][0] = 1.0f - 2.0f * (q.y * q.y + q.z * q.z);
	m[0][1] = 2.0f * (q.x * q.y - q.w * q.z);
	m[0][2] = 2.0f * (q.x * q.z + q.w * q.y);
	m[1][0] = 2.0f * (q.x * q.y + q.w * q.z);
	m[1][1] = 1.0f - 2.0f * (q.x * q.x + q.z * q.z);
	m[1][2] = 2.0f * (q.y * q.z - q.w * q.x);
	m[2][0] = 2.0f * (q.x * q.z - q.w * q.y);
	m[2][1] = 2.0f * (q.y * q.z + q.w * q.x);
	m[2][2] = 1.0f - 2.0f * (q.x * q.x + q.y * q.y);
}

static float
clamp(float value, float low, float high)
{
	return value < low ? low : value > high ? high : value;
}

static float
limit_angle(float angle, float low, float high, int reflect)
{
	if (angle < low) {
		float mirrored = 2.0f * low - angle;
		return reflect && mirrored <= high ? mirrored : low;
	}
	if (angle > high) {
		float mirrored = 2.0f * high - angle;
		return reflect && mirrored >= low ? mirrored : high;
	}
	return angle;
}

/* The Euler angle of m about one axis of the order.  All three orders are odd permutations
 * of X Y Z, so one set of signs serves. */
static float
euler_angle(float m[3][3], struct kern_ik_order o, int axis)
{
	if (axis == o.first)
		return kern_trig_atan2(m[o.middle][o.last], m[o.last][o.last]);
	if (axis == o.last)
		return kern_trig_atan2(m[o.first][o.middle], m[o.first][o.first]);
	float sine = clamp(-m[o.first][o.last], -1.0f, 1.0f);
	float angle = kern_trig_atan2(sine, sqrtf((1.0f - sine) * (1.0f + sine)));
	return clamp(angle, -KERN_IK_MIDDLE_MAX, KERN_IK_MIDDLE_MAX);
}

/* The rotation whose Euler angles are q's, brought within the link's limits.  Of a hinge
 * two angles are 0 whatever they were. */
static struct kern_quat
limit_rotation(const struct kern_pose_link *link, struct kern_quat q, int reflect)
{
	struct kern_ik_order o = kern_ik_link_order(link);
	enum kern_ik_freedom freedom = kern_ik_link_freedom(link);
	struct kern_quat turns[3];
	float m[3][3];
	to_matrix(q, m);
	for (int axis = 0; axis < 3; axis++) {
		if (freedom != KERN_IK_FREE && axis != (int)freedom)
			continue;
		float angle = limit_angle(euler_angle(m, o, axis), link->minimum[axis],
			link->maximum[axis], reflect);
		turns[axis] = kern_quat_about(kern_ik_units[axis], angle);
	}
	if (freedom != KERN_IK_FREE)
		return turns[freedom];
	return kern_quat_mul(
		turns[o.first], kern_quat_mul(turns[o.middle], turns[o.last]));
}

/* The turn by which the unit vector `from` comes to lie on `to`, cut off at an angle of
 * twice that of `most`; axis is from x to, of the length `sine`, and `about` the unit axis
 * to turn about.  Halving the angle by square roots takes no arc and no sine; of the
 * two roots the greater is taken, which is exact at either end. */
static struct kern_quat
turn_between(
	float sine, float cosine, struct kern_vec about, struct kern_trig_sincos most)
{
	float root = sqrtf(0.5f + 0.5f * fabsf(cosine));
	float other = 0.5f * sine / root;
	float s = cosine < 0.0f ? root : other, c = cosine < 0.0f ? other : root;
	if (s > most.sine) {
		s = most.sine;
		c = most.cosine;
	}
	return (struct kern_quat){about.x * s, about.y * s, about.z * s, c};
}

/* The link's axis of turning in its parent's space, from the one in model space. */
static struct kern_vec
turning_axis(struct kern_quat parent, struct kern_vec axis, enum kern_ik_freedom freedom)
{
	if (freedom == KERN_IK_FREE)
		return kern_vec_unit(kern_quat_rotate(kern_quat_conjugate(parent), axis));
	float side = kern_vec_dot(axis, kern_quat_rotate(parent, kern_ik_units[freedom]));
	return kern_vec_scale(kern_ik_units[freedom], side < 0.0f ? -1.0f : 1.0f);
}

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
	enum kern_ik_freedom freedom = kern_ik_link_freedom(link);
	int32_t parent_index = skeleton->parent[link->bone];
	struct kern_quat parent =
		parent_index < 0 ? kern_quat_identity : bones[parent_index].world;
	if (freedom == KERN_IK_LOCKED)
		return;

	struct kern_vec from = kern_vec_unit(
		kern_vec_sub(bone->position, bones[chain->target].position));
	struct kern_vec to =
		kern_vec_unit(kern_vec_sub(bone->position, bones[chain->bone].position));
	struct kern_vec axis = kern_vec_cross(from, to);
	if (!(kern_vec_dot(axis, axis) >= KERN_IK_NEAR))
		return;
	float sine = sqrtf(kern_vec_dot(axis, axis)), cosine = kern_vec_dot(from, to);
	axis = turning_axis(parent, axis, first_half ? freedom : KERN_IK_FREE);
	bone->ik = kern_quat_mul(
		turn_between(sine, cosine, axis, kern_ik_link_step(chain, place)),
		bone->ik);
	if (link->limited) {
		struct kern_quat whole = limit_rotation(
			link, kern_quat_mul(bone->ik, bone->saved), first_half);
		bone->ik = kern_quat_mul(whole, kern_quat_conjugate(bone->saved));
	}
	/* Hundreds of products would let the length drift. */
	bone->ik = kern_quat_unit(bone->ik);
	bone->local = kern_quat_mul(bone->ik, bone->saved);
	follow_turn(skeleton, chain, bones, place);
}

static int
is_near(const struct kern_pose_chain *chain, const struct kern_pose_bone *bones)
{
	struct kern_vec gap =
		kern_vec_sub(bones[chain->target].position, bones[chain->bone].position);
	return kern_vec_dot(gap, gap) < KERN_IK_NEAR;
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
		bone->ik = kern_quat_identity;
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
