/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/vmd-fk/arrays.h"

#include "kernels/quat.h"

#include <math.h>

#define FRAME_RATE 30.0f

static struct kern_vec
vector_at(const float *planes, size_t stride, int32_t place, uint32_t frame)
{
	const float *from = planes + (size_t)place * 3 * stride + frame;
	return (struct kern_vec){from[0], from[stride], from[2 * stride]};
}

static struct kern_quat
quat_at(const float *planes, size_t stride, int32_t place, uint32_t frame)
{
	const float *from = planes + (size_t)place * 4 * stride + frame;
	return (struct kern_quat){
		from[0], from[stride], from[2 * stride], from[3 * stride]};
}

static void
put_vector(float *to, struct kern_vec v)
{
	to[0] = v.x;
	to[1] = v.y;
	to[2] = v.z;
}

static void
fill_positions(const struct fk_filling *filling, float *rows)
{
	const struct fk_state *state = filling->state;
	const struct fk_columns *columns = &state->columns;
	const struct fk_planes *planes = filling->planes;
	const struct fk_run *run = filling->run;
	for (uint32_t f = 0; f < run->written; f++) {
		for (uint32_t m = 0; m < columns->count; m++, rows += 3) {
			int32_t place = columns->places[m];
			struct kern_vec v = {NAN, NAN, NAN};
			if (place >= 0)
				v = vector_at(planes->position, planes->room, place,
					run->at[f]);
			put_vector(rows, kern_vec_scale(v, state->layout.scale));
		}
	}
}

/* w is never negative, so that one rotation has one form. */
static void
fill_quaternions(const struct fk_filling *filling, const float *planes, float *rows)
{
	const struct fk_state *state = filling->state;
	const struct fk_run *run = filling->run;
	const struct fk_columns *columns = &state->columns;
	unsigned x = state->layout.w_first ? 1 : 0, w = state->layout.w_first ? 0 : 3;
	for (uint32_t f = 0; f < run->written; f++) {
		for (uint32_t m = 0; m < columns->count; m++, rows += 4) {
			int32_t place = columns->places[m];
			struct kern_quat q = {NAN, NAN, NAN, NAN};
			if (place >= 0)
				q = quat_at(
					planes, filling->planes->room, place, run->at[f]);
			if (q.w < 0.0f)
				q = kern_quat_negate(q);
			put_vector(rows + x, (struct kern_vec){q.x, q.y, q.z});
			rows[w] = q.w;
		}
	}
}

static void
fill_local(const struct fk_filling *filling, float *rows)
{
	fill_quaternions(filling, filling->planes->local_rotate, rows);
}

static void
fill_world(const struct fk_filling *filling, float *rows)
{
	fill_quaternions(filling, filling->planes->world_rotate, rows);
}

/* How often the way between a frame's neighbours fits into a second; 0 where the motion
 * has but one frame. */
static float
rate(const struct fk_run *run, uint32_t f)
{
	uint32_t way = run->after[f] - run->before[f];
	return way > 0 ? FRAME_RATE / (float)way : 0.0f;
}

static void
fill_linear(const struct fk_filling *filling, float *rows)
{
	const struct fk_state *state = filling->state;
	const struct fk_columns *columns = &state->columns;
	const struct fk_planes *planes = filling->planes;
	const struct fk_run *run = filling->run;
	for (uint32_t f = 0; f < run->written; f++) {
		float factor = rate(run, f) * state->layout.scale;
		for (uint32_t m = 0; m < columns->count; m++, rows += 3) {
			int32_t place = columns->places[m];
			struct kern_vec v = {NAN, NAN, NAN};
			if (place >= 0)
				v = kern_vec_sub(vector_at(planes->position, planes->room,
							 place, run->after[f]),
					vector_at(planes->position, planes->room, place,
						run->before[f]));
			put_vector(rows, kern_vec_scale(v, factor));
		}
	}
}

/* The rotation vector of a turn, the short way: its axis, as long as its angle. */
static struct kern_vec
rotation_vector(struct kern_quat turn)
{
	if (turn.w < 0.0f)
		turn = kern_quat_negate(turn);
	struct kern_vec v = {turn.x, turn.y, turn.z};
	float sine = sqrtf(kern_vec_dot(v, v));
	return sine > 0.0f ? kern_vec_scale(v, 2.0f * atan2f(sine, turn.w) / sine) : v;
}

static void
fill_angular(const struct fk_filling *filling, float *rows)
{
	const struct fk_state *state = filling->state;
	const struct fk_columns *columns = &state->columns;
	const struct fk_planes *planes = filling->planes;
	const struct fk_run *run = filling->run;
	for (uint32_t f = 0; f < run->written; f++) {
		for (uint32_t m = 0; m < columns->count; m++, rows += 3) {
			int32_t place = columns->places[m];
			struct kern_vec v = {NAN, NAN, NAN};
			if (place >= 0)
				v = rotation_vector(kern_quat_mul(
					quat_at(planes->world_rotate, planes->room, place,
						run->after[f]),
					kern_quat_conjugate(quat_at(planes->world_rotate,
						planes->room, place, run->before[f]))));
			put_vector(rows, kern_vec_scale(v, rate(run, f)));
		}
	}
}

static void
fill_weights(const struct fk_filling *filling, float *rows)
{
	const struct fk_planes *planes = filling->planes;
	const struct fk_run *run = filling->run;
	uint32_t count = filling->state->skeleton.morphs.morph_count;
	for (uint32_t f = 0; f < run->written; f++)
		for (size_t m = 0; m < count; m++)
			*rows++ = planes->weights[m * planes->room + run->at[f]];
}

unsigned
fk_arrays_list(const struct fk_state *state, struct fk_array *arrays)
{
	const struct fk_layout *layout = &state->layout;
	uint32_t bones = state->columns.count;
	unsigned count = 0;
	arrays[count++] = (struct fk_array){"positions", bones, 3, fill_positions};
	arrays[count++] = (struct fk_array){"quaternions", bones, 4,
		layout->space == FK_WORLD ? fill_world : fill_local};
	if (layout->space == FK_BOTH)
		arrays[count++] =
			(struct fk_array){"world_quaternions", bones, 4, fill_world};
	if (layout->velocities) {
		arrays[count++] =
			(struct fk_array){"linear_velocities", bones, 3, fill_linear};
		arrays[count++] =
			(struct fk_array){"angular_velocities", bones, 3, fill_angular};
	}
	if (layout->morph_weights)
		arrays[count++] = (struct fk_array){"morph_weights",
			state->skeleton.morphs.morph_count, 0, fill_weights};
	return count;
}
