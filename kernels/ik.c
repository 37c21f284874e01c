/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernels/ik.h"

#define QUARTER_TURN 1.57079633f
/* Squared: a distance of 1e-4 units, and about 1e-4 radians. */
#define NEAR_ENOUGH 1e-8f
/* The middle Euler angle stays this far (88 degrees) from where the others would merge.
 */
#define MIDDLE_MAX 1.53588974f

enum freedom { FREEDOM_NONE = -1, FREEDOM_X, FREEDOM_Y, FREEDOM_Z, FREEDOM_ANY };

static const struct kern_vec units[3] = {
	{1.0f, 0.0f, 0.0f}, {0.0f, 1.0f, 0.0f}, {0.0f, 0.0f, 1.0f}};

/* A rotation as a product of turns about three axes: first * middle * last. */
struct euler_order {
	int first, middle, last;
};

static enum freedom
link_freedom(const struct kern_pose_link *link)
{
	int free_count = 0, free_axis = FREEDOM_NONE;
	if (!link->limited)
		return FREEDOM_ANY;
	for (int axis = 0; axis < 3; axis++) {
		if (link->minimum[axis] != 0.0f || link->maximum[axis] != 0.0f) {
			free_axis = axis;
			free_count++;
		}
	}
	return free_count > 1 ? FREEDOM_ANY : (enum freedom)free_axis;
}

/* An axis that stays within a quarter turn goes into the middle. */
static struct euler_order
choose_order(const struct kern_pose_link *link)
{
	if (link->minimum[0] > -QUARTER_TURN && link->maximum[0] < QUARTER_TURN)
		return (struct euler_order){1, 0, 2};
	if (link->minimum[1] > -QUARTER_TURN && link->maximum[1] < QUARTER_TURN)
		return (struct euler_order){2, 1, 0};
	return (struct euler_order){0, 2, 1};
}

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

/* The rotation whose Euler angles are q's, brought within the link's limits. */
static struct kern_quat
limit_rotation(const struct kern_pose_link *link, struct kern_quat q, int reflect)
{
	struct euler_order o = choose_order(link);
	float m[3][3], angle[3];
	to_matrix(q, m);
	/* All three orders are odd permutations of X Y Z, so one set of signs serves. */
	angle[o.middle] = clamp(
		asinf(clamp(-m[o.first][o.last], -1.0f, 1.0f)), -MIDDLE_MAX, MIDDLE_MAX);
	angle[o.first] = atan2f(m[o.middle][o.last], m[o.last][o.last]);
	angle[o.last] = atan2f(m[o.first][o.middle], m[o.first][o.first]);
	for (int axis = 0; axis < 3; axis++)
		angle[axis] = limit_angle(
			angle[axis], link->minimum[axis], link->maximum[axis], reflect);
	return kern_quat_mul(kern_quat_about(units[o.first], angle[o.first]),
		kern_quat_mul(kern_quat_about(units[o.middle], angle[o.middle]),
			kern_quat_about(units[o.last], angle[o.last])));
}

/* The link's axis of turning in its parent's space, from the one in model space. */
static struct kern_vec
turning_axis(struct kern_quat parent, struct kern_vec axis, enum freedom freedom)
{
	if (freedom == FREEDOM_ANY)
		return kern_vec_unit(kern_quat_rotate(kern_quat_conjugate(parent), axis));
	float side = kern_vec_dot(axis, kern_quat_rotate(parent, units[freedom]));
	return kern_vec_scale(units[freedom], side < 0.0f ? -1.0f : 1.0f);
}

/* Places links number `from` down to 0, and the target. */
static void
place_chain(const struct kern_pose_skeleton *skeleton,
	const struct kern_pose_chain *chain, struct kern_pose_bone *bones, uint32_t from)
{
	const struct kern_pose_link *links = skeleton->links + chain->first_link;
	for (uint32_t i = from + 1; i-- > 0;)
		kern_pose_place(skeleton, bones, links[i].bone);
	kern_pose_place(skeleton, bones, chain->target);
}

/* One step of one link; nothing happens where no turn would bring the target nearer. */
static void
turn_link(const struct kern_pose_skeleton *skeleton, const struct kern_pose_chain *chain,
	struct kern_pose_bone *bones, uint32_t place, int first_half)
{
	const struct kern_pose_link *link = &skeleton->links[chain->first_link + place];
	struct kern_pose_bone *bone = &bones[link->bone];
	enum freedom freedom = link_freedom(link);
	int32_t parent_index = skeleton->parent[link->bone];
	struct kern_quat parent =
		parent_index < 0 ? kern_quat_identity : bones[parent_index].world;
	if (freedom == FREEDOM_NONE)
		return;

	struct kern_vec from = kern_vec_unit(
		kern_vec_sub(bone->position, bones[chain->target].position));
	struct kern_vec to =
		kern_vec_unit(kern_vec_sub(bone->position, bones[chain->bone].position));
	struct kern_vec axis = kern_vec_cross(from, to);
	if (!(kern_vec_dot(axis, axis) >= NEAR_ENOUGH))
		return;
	/* The arc cosine of a single precision dot could not tell angles below 3e-4. */
	float angle = atan2f(sqrtf(kern_vec_dot(axis, axis)), kern_vec_dot(from, to));
	axis = turning_axis(parent, axis, first_half ? freedom : FREEDOM_ANY);
	float most = chain->step * (float)(place + 1);
	if (angle > most)
		angle = most;

	bone->ik = kern_quat_mul(kern_quat_about(axis, angle), bone->ik);
	if (link->limited) {
		struct kern_quat whole = limit_rotation(
			link, kern_quat_mul(bone->ik, bone->saved), first_half);
		bone->ik = kern_quat_mul(whole, kern_quat_conjugate(bone->saved));
	}
	/* Hundreds of products would let the length drift. */
	bone->ik = kern_quat_unit(bone->ik);
	bone->local = kern_quat_mul(bone->ik, bone->saved);
	place_chain(skeleton, chain, bones, place);
}

static int
is_near(const struct kern_pose_chain *chain, const struct kern_pose_bone *bones)
{
	struct kern_vec gap =
		kern_vec_sub(bones[chain->target].position, bones[chain->bone].position);
	return kern_vec_dot(gap, gap) < NEAR_ENOUGH;
}

void
kern_ik_solve(const struct kern_pose_skeleton *skeleton,
	const struct kern_pose_chain *chain, struct kern_pose_bone *bones)
{
	const struct kern_pose_link *links = skeleton->links + chain->first_link;
	uint32_t loops =
		chain->loops < KERN_POSE_LOOPS_MAX ? chain->loops : KERN_POSE_LOOPS_MAX;
	if (chain->link_count == 0)
		return;
	for (uint32_t i = 0; i < chain->link_count; i++) {
		bones[links[i].bone].ik = kern_quat_identity;
		bones[links[i].bone].local = bones[links[i].bone].saved;
	}
	place_chain(skeleton, chain, bones, chain->link_count - 1);
	for (uint32_t loop = 0; loop < loops && !is_near(chain, bones); loop++)
		for (uint32_t i = 0; i < chain->link_count; i++)
			turn_link(skeleton, chain, bones, i, loop < loops / 2);
}
