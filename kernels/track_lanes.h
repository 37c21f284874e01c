/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * track_lanes.h - track.c and curve.c over again for LANES frames at a time.  Included by
 * one file a variant, which says how many LANES are.
 *
 * A key's first 32 bytes are its frame, its move and its rotation: where every frame has
 * a key (captured motions), eight keys are turned into planes by one transposition and
 * nothing is computed.  Elsewhere each lane looks up its own segment, and the curves of
 * one channel are solved together; a channel in which nothing moves is not solved.
 */
#ifndef KERN_TRACK_LANES_H
#define KERN_TRACK_LANES_H

#include "kernels/curve.h"
#include "kernels/lanes_quat.h"
#include "kernels/track.h"
#include "kernels/wide.h"

#define TRACK_LANES_KEYED 8

/* The segments that a group of frames lies in, [component][lane]. */
struct track_lanes_group {
	float from_move[3][LANES], to_move[3][LANES];
	float from_rotate[4][LANES], to_rotate[4][LANES];
	float move[3][LANES], weight[LANES];
	uint32_t curve[4][LANES]; /* x1 y1 x2 y2, the first in the lowest byte */
	double t[LANES];
	uint8_t held[LANES]; /* the frame is the key's own, or after the last */
	uint32_t held_count;
};

/* kern_curve_weight() in the middle of its work. */
struct track_lanes_solver {
	wide x_1st, x_2nd, x_3rd, y_1st, y_2nd, y_3rd;
	wide t, s, y_low, y_high, y;
	wide_mask done;
};

/* Lanes in `known` take t. */
static inline struct track_lanes_solver
track_lanes_begin(const uint32_t *curve, wide t, wide_mask known)
{
	wide control[4], one = wide_all(1.0), three = wide_all(3.0);
	for (int i = 0; i < 4; i++) {
		wide byte = wide_bytes(curve, i), most = wide_all(127.0);
		control[i] = wide_select(wide_less(most, byte), most, byte) / most;
	}
	wide x1 = control[0], y1 = control[1], x2 = control[2], y2 = control[3];
	struct track_lanes_solver v = {.t = t, .y = t, .s = wide_all(0.5), .y_high = one};
	v.x_1st = three * x1;
	v.x_2nd = three * (x2 - x1) - v.x_1st;
	v.x_3rd = one - v.x_1st - v.x_2nd;
	v.y_1st = three * y1;
	v.y_2nd = three * (y2 - y1) - v.y_1st;
	v.y_3rd = one - v.y_1st - v.y_2nd;
	v.y_low = wide_all(0.0);
	v.done = known | (wide_equal(x1, y1) & wide_equal(x2, y2));
	return v;
}

static inline void
track_lanes_halve(struct track_lanes_solver *v, wide step)
{
	wide s = v->s;
	wide error = ((v->x_3rd * s + v->x_2nd) * s + v->x_1st) * s - v->t;
	wide y = ((v->y_3rd * s + v->y_2nd) * s + v->y_1st) * s;
	wide_mask low = wide_less(error, wide_all(0.0));
	wide unsure = wide_select(low, v->y_high - y, y - v->y_low);
	v->y = wide_select(v->done, v->y, y);
	v->done = v->done | (wide_less(wide_abs(error), wide_all(KERN_CURVE_X_ENOUGH)) &
				    wide_less(unsure, wide_all(KERN_CURVE_Y_ENOUGH)));
	v->y_low = wide_select(low, y, v->y_low);
	v->y_high = wide_select(low, v->y_high, y);
	v->s = wide_select(low, s + step, s - step);
}

/* The weights of all lanes, both halves in step: each waits for itself only. */
static inline void
track_lanes_weights(const struct track_lanes_group *g, int channel,
	const wide_mask known[2], wide weights[2])
{
	const uint32_t *curve = g->curve[channel];
	struct track_lanes_solver low =
		track_lanes_begin(curve, wide_load(g->t), known[0]);
	struct track_lanes_solver high =
		track_lanes_begin(curve + WIDE, wide_load(g->t + WIDE), known[1]);
	double step = 0.25;
	for (int i = 0; i < KERN_CURVE_HALVINGS; i++, step *= 0.5) {
		if (wide_every(low.done & high.done))
			break;
		track_lanes_halve(&low, wide_all(step));
		track_lanes_halve(&high, wide_all(step));
	}
	weights[0] = low.y;
	weights[1] = high.y;
}

/* Where the axis does not move, any weight does. */
static inline void
track_lanes_move(struct track_lanes_group *g, int axis)
{
	wide from[2], to[2], weight[2];
	wide_mask still[2];
	for (int i = 0; i < 2; i++) {
		from[i] = wide_of_floats(g->from_move[axis] + i * WIDE);
		to[i] = wide_of_floats(g->to_move[axis] + i * WIDE);
		still[i] = wide_equal(from[i], to[i]);
	}
	track_lanes_weights(g, axis, still, weight);
	for (int i = 0; i < 2; i++)
		wide_to_floats(g->move[axis] + i * WIDE,
			from[i] + (to[i] - from[i]) * weight[i]);
}

static inline struct lanes_quat
track_lanes_load_quat(float planes[4][LANES])
{
	lanes_mask all = lanes_first(LANES);
	return (struct lanes_quat){lanes_load(planes[0], all), lanes_load(planes[1], all),
		lanes_load(planes[2], all), lanes_load(planes[3], all)};
}

/* Fills lane i from the segment that key number `end` ends. */
static inline void
track_lanes_fill(struct track_lanes_group *g, uint32_t i, const struct kern_track *a,
	uint32_t end, uint32_t frame)
{
	const struct kern_track_key *from = &a->keys[end - 1], *to = from + 1;
	g->held[i] = end == a->key_count || to->frame - from->frame == 1;
	g->t[i] = 0.0;
	if (g->held[i]) {
		to = from;
		g->held_count++;
	} else {
		g->t[i] =
			(double)(frame - from->frame) / (double)(to->frame - from->frame);
	}
	for (int c = 0; c < 3; c++) {
		g->from_move[c][i] = from->move[c];
		g->to_move[c][i] = to->move[c];
	}
	for (int c = 0; c < 4; c++) {
		g->from_rotate[c][i] = from->rotate[c];
		g->to_rotate[c][i] = to->rotate[c];
		memcpy(&g->curve[c][i], to->curve[c], sizeof g->curve[c][i]);
	}
}

static inline void
track_lanes_store(const struct kern_track *a, uint32_t first, lanes_mask mask,
	const struct track_lanes_group *g, struct lanes_quat q)
{
	float *rotate = a->rotate + first, *move = a->move + first;
	lanes_mask held = lanes_of_bytes(g->held, LANES), all = lanes_first(LANES);
	for (size_t c = 0; c < 3; c++)
		lanes_store(move + c * a->stride, mask,
			lanes_select(held, lanes_load(g->from_move[c], all),
				lanes_load(g->move[c], all)));
	lanes_store(rotate, mask, q.x);
	lanes_store(rotate + a->stride, mask, q.y);
	lanes_store(rotate + 2 * a->stride, mask, q.z);
	lanes_store(rotate + 3 * a->stride, mask, q.w);
}

/* The frames first .. first + count - 1 of the run; *end is the number of the key that
 * ends the first one's segment, and is left at the last one's. */
static inline void
track_lanes_sample(
	const struct kern_track *a, uint32_t first, uint32_t count, uint32_t *end)
{
	struct track_lanes_group g;
	uint32_t begin = a->keys[0].frame;
	g.held_count = 0;
	for (uint32_t i = 0; i < LANES; i++) {
		/* Lanes behind the last frame repeat it. */
		uint32_t frame = a->first_frame + first + (i < count ? i : count - 1);
		if (frame < begin)
			frame = begin;
		while (*end < a->key_count && a->keys[*end].frame <= frame)
			++*end;
		track_lanes_fill(&g, i, a, *end, frame);
	}
	struct lanes_quat from = track_lanes_load_quat(g.from_rotate), q = from;
	if (g.held_count < LANES) {
		for (int axis = 0; axis < 3; axis++)
			track_lanes_move(&g, axis);
		wide_mask none = wide_less(wide_all(0.0), wide_all(0.0));
		wide_mask known[2] = {none, none};
		wide weights[2];
		track_lanes_weights(&g, KERN_TRACK_ROTATE, known, weights);
		wide_to_floats(g.weight, weights[0]);
		wide_to_floats(g.weight + WIDE, weights[1]);
		q = lanes_quat_slerp(from, track_lanes_load_quat(g.to_rotate),
			lanes_load(g.weight, lanes_first(LANES)));
		q = lanes_quat_select(lanes_of_bytes(g.held, LANES), from, q);
	} else {
		memcpy(g.move, g.from_move, sizeof g.move);
	}
	track_lanes_store(a, first, lanes_first(count), &g, q);
}

/* Rows of eight floats become columns. */
static inline void
track_lanes_transpose(__m256 r[8])
{
	__m256 a[8], b[8];
	for (int i = 0; i < 8; i += 2) {
		a[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
		a[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
	}
	for (int i = 0; i < 8; i += 4) {
		b[i] = _mm256_shuffle_ps(a[i], a[i + 2], 0x44);
		b[i + 1] = _mm256_shuffle_ps(a[i], a[i + 2], 0xee);
		b[i + 2] = _mm256_shuffle_ps(a[i + 1], a[i + 3], 0x44);
		b[i + 3] = _mm256_shuffle_ps(a[i + 1], a[i + 3], 0xee);
	}
	for (int i = 0; i < 4; i++) {
		r[i] = _mm256_permute2f128_ps(b[i], b[i + 4], 0x20);
		r[i + 4] = _mm256_permute2f128_ps(b[i], b[i + 4], 0x31);
	}
}

/* Copies eight keys of frames that follow each other.  A caller goes on with the next
 * track and comes back for the next run: its keys are asked for now, since memory that is
 * far away is most of what a copy costs. */
static inline void
track_lanes_copy(
	const struct kern_track *a, uint32_t first, const struct kern_track_key *keys)
{
	_Static_assert(offsetof(struct kern_track_key, move) == 4 &&
			       offsetof(struct kern_track_key, rotate) == 16,
		"a key begins with frame, move and rotation");
	__m256 r[8];
	uintptr_t ahead = (uintptr_t)keys + a->frame_count * sizeof *keys;
	for (size_t i = 0; i < 8 * sizeof *keys; i += 64)
		_mm_prefetch((const char *)(ahead + i), _MM_HINT_T1);
	for (int i = 0; i < 8; i++)
		r[i] = _mm256_loadu_ps((const float *)(const void *)&keys[i]);
	track_lanes_transpose(r);
	for (size_t c = 0; c < 3; c++)
		_mm256_storeu_ps(a->move + c * a->stride + first, r[1 + c]);
	for (size_t c = 0; c < 4; c++)
		_mm256_storeu_ps(a->rotate + c * a->stride + first, r[4 + c]);
}

/* Turns the whole run's rotations about the fixed axis: see about_fixed_axis(). */
static inline void
track_lanes_fix(const struct kern_track *a)
{
	struct kern_vec fixed = {a->fixed_axis[0], a->fixed_axis[1], a->fixed_axis[2]};
	struct lanes_vec along = lanes_vec_all(fixed);
	for (uint32_t f = 0; f < a->frame_count; f += LANES) {
		lanes_mask mask = lanes_first(a->frame_count - f);
		float *x = a->rotate + f, *y = x + a->stride, *z = y + a->stride;
		struct lanes_vec axis = {
			lanes_load(x, mask), lanes_load(y, mask), lanes_load(z, mask)};
		lanes sine = lanes_sqrt(lanes_vec_dot(axis, axis));
		lanes side = lanes_vec_dot(axis, along), zero = lanes_all(0.0f);
		lanes s = lanes_select(lanes_less(side, zero), lanes_negate(sine), sine);
		axis = lanes_vec_scale(along, s);
		if (kern_vec_dot(fixed, fixed) == 0.0f) {
			axis = (struct lanes_vec){zero, zero, zero};
			lanes_store(z + a->stride, mask, lanes_all(1.0f));
		}
		lanes_store(x, mask, axis.x);
		lanes_store(y, mask, axis.y);
		lanes_store(z, mask, axis.z);
	}
}

static inline int
track_lanes_run(const struct kern_track *a)
{
	if (a->key_count == 0)
		return kern_track_c(a, NULL);
	uint32_t end = kern_track_keys_until(a, a->first_frame);
	for (uint32_t f = 0; f < a->frame_count;) {
		uint32_t frame = a->first_frame + f, left = a->frame_count - f;
		while (end < a->key_count && a->keys[end].frame <= frame)
			end++;
		/* Keys ascend strictly, so the eighth's distance tells of all between. */
		if (left >= TRACK_LANES_KEYED && end > 0 &&
			a->keys[end - 1].frame == frame &&
			a->key_count - end >= TRACK_LANES_KEYED &&
			a->keys[end - 1 + TRACK_LANES_KEYED].frame ==
				frame + TRACK_LANES_KEYED) {
			track_lanes_copy(a, f, &a->keys[end - 1]);
			end += TRACK_LANES_KEYED - 1;
			f += TRACK_LANES_KEYED;
			continue;
		}
		uint32_t count = left < LANES ? left : LANES;
		track_lanes_sample(a, f, count, &end);
		f += count;
	}
	if (a->fixed_axis != NULL)
		track_lanes_fix(a);
	return 0;
}

#endif
