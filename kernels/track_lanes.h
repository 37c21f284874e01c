/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * track_lanes.h - track_sample.h over again for LANES frames at a time.  Included by one
 * file a variant, which says how many LANES are.
 *
 * Where every frame has a key (captured motions), planes of keys are copied.  Where one
 * key holds, it is spread.  Elsewhere each lane looks up its segment: LANES frames that
 * follow each other lie in at most LANES segments, so the keys of all of them are one load
 * a plane and a permutation.  The curves of one channel are solved together; a channel in
 * which nothing moves is not solved, nor one with the rotation's curves.
 */
#ifndef KERN_TRACK_LANES_H
#define KERN_TRACK_LANES_H

#include "kernels/curve_lanes.h"
#include "kernels/lanes_quat.h"
#include "kernels/track.h"

/* Of `count` lanes as many as there are. */
static inline lanes_mask
track_lanes_mask(uint32_t count)
{
	return lanes_first(count < LANES ? count : LANES);
}

/* The segments that a group of frames lies in. */
struct track_lanes_group {
	const struct kern_track_keys *keys;
	uint32_t base;	     /* the key before the first frame */
	lanes_bits place;    /* the key before each frame, counted from base */
	lanes_mask from, to; /* keys that exist: from base on, and from the next on */
	lanes_mask held;     /* the frame is the key's own and exact, or after the last */
	wide t[2];
	struct lanes_quat from_rotate, to_rotate;
	lanes from_move[3], to_move[3];
};

static inline lanes
track_lanes_from(const struct track_lanes_group *g, const float *plane)
{
	return lanes_permute(lanes_load(plane + g->base, g->from), g->place);
}

static inline lanes
track_lanes_to(const struct track_lanes_group *g, const float *plane)
{
	return lanes_permute(lanes_load(plane + g->base + 1, g->to), g->place);
}

static inline lanes_bits
track_lanes_curve(const struct track_lanes_group *g, enum kern_track_channel channel)
{
	lanes_bits twice = lanes_bits_add(g->place, g->place);
	return lanes_bits_gather(&g->keys->curve[g->base + 1][channel],
		lanes_bits_add(twice, twice), ~g->held & lanes_first(LANES));
}

/* Finds the segments of `count` frames from `frame` on, which the keys before *end precede
 * or begin; *end moves on to the first key behind them.  Lanes behind the last frame
 * repeat it. */
static inline struct track_lanes_group
track_lanes_find(
	const struct kern_track_keys *keys, uint32_t frame, uint32_t count, uint32_t *end)
{
	struct track_lanes_group g = {.keys = keys, .base = *end - 1};
	uint32_t behind = keys->count - *end;
	lanes_bits at =
		lanes_bits_less_of(lanes_bits_count_up(), lanes_bits_all(count - 1));
	g.place = lanes_bits_all(0);
	for (; *end < keys->count && keys->frame[*end] - frame < count; ++*end)
		g.place = lanes_bits_increase(
			g.place, lanes_bits_at_least(
					 at, lanes_bits_all(keys->frame[*end] - frame)));
	g.from = track_lanes_mask(behind + 1);
	g.to = track_lanes_mask(behind);
	lanes_bits from = lanes_bits_permute(
		lanes_bits_load(keys->frame + g.base, g.from), g.place);
	lanes_bits to = lanes_bits_permute(
		lanes_bits_load(keys->frame + g.base + 1, g.to), g.place);
	lanes_bits span = lanes_bits_sub(to, from);
	lanes_bits since =
		lanes_bits_add(lanes_bits_sub(lanes_bits_all(frame), from), at);
	g.held = lanes_bits_equal(span, lanes_bits_all(1)) |
		 lanes_bits_at_least(
			 g.place, lanes_bits_all(behind < LANES ? behind : LANES));
	for (int i = 0; i < 2; i++)
		g.t[i] = wide_of_bits(since, i) / wide_of_bits(span, i);
	return g;
}

static inline void
track_lanes_look_up(struct track_lanes_group *g)
{
	const float *move = g->keys->move, *rotate = g->keys->rotate;
	size_t stride = g->keys->stride;
	for (size_t axis = 0; axis < 3; axis++) {
		g->from_move[axis] = track_lanes_from(g, move + axis * stride);
		g->to_move[axis] = track_lanes_to(g, move + axis * stride);
	}
	g->from_rotate = (struct lanes_quat){track_lanes_from(g, rotate),
		track_lanes_from(g, rotate + stride),
		track_lanes_from(g, rotate + 2 * stride),
		track_lanes_from(g, rotate + 3 * stride)};
	g->to_rotate = (struct lanes_quat){track_lanes_to(g, rotate),
		track_lanes_to(g, rotate + stride),
		track_lanes_to(g, rotate + 2 * stride),
		track_lanes_to(g, rotate + 3 * stride)};
}

/* What there is to solve: the rotation first, then the axes that move by curves other than
 * its.  number[axis] says whose weights an axis takes.  Where it does not move any do. */
static inline unsigned
track_lanes_channels(const struct track_lanes_group *g,
	struct curve_lanes_channel channels[CURVE_LANES_CHANNELS], unsigned number[3])
{
	unsigned count = 1;
	channels[0].curve = track_lanes_curve(g, KERN_TRACK_ROTATE);
	channels[0].known = g->held;
	for (unsigned axis = 0; axis < 3; axis++) {
		lanes_mask still =
			g->held | lanes_equal(g->from_move[axis], g->to_move[axis]);
		number[axis] = 0;
		if (lanes_every(still))
			continue;
		lanes_bits curve = track_lanes_curve(g, axis);
		if (lanes_every(still | lanes_bits_equal(curve, channels[0].curve)))
			continue;
		channels[count].curve = curve;
		channels[count].known = still;
		number[axis] = count++;
	}
	return count;
}

static inline lanes
track_lanes_move(const struct track_lanes_group *g, unsigned axis, const wide weights[2])
{
	wide moved[2];
	for (int i = 0; i < 2; i++) {
		wide from = wide_of_lanes(g->from_move[axis], i);
		wide to = wide_of_lanes(g->to_move[axis], i);
		moved[i] = from + (to - from) * weights[i];
	}
	return lanes_select(
		g->held, g->from_move[axis], wide_to_lanes(moved[0], moved[1]));
}

static inline void
track_lanes_store_quat(float *to, size_t stride, lanes_mask mask, struct lanes_quat q)
{
	lanes_store(to, mask, q.x);
	lanes_store(to + stride, mask, q.y);
	lanes_store(to + 2 * stride, mask, q.z);
	lanes_store(to + 3 * stride, mask, q.w);
}

/* The frames first .. first + count - 1 of the run, count <= LANES: see
 * track_lanes_find(). */
static inline void
track_lanes_sample(
	const struct kern_track *a, uint32_t first, uint32_t count, uint32_t *end)
{
	uint32_t frame = a->first_frame + first, begin = a->keys.frame[0];
	float *rotate = a->rotate + first, *move = a->move + first;
	lanes_mask mask = lanes_first(count);
	struct track_lanes_group g =
		track_lanes_find(&a->keys, frame < begin ? begin : frame, count, end);
	track_lanes_look_up(&g);
	if (lanes_every(g.held)) {
		track_lanes_store_quat(rotate, a->stride, mask, g.from_rotate);
		for (unsigned axis = 0; axis < 3; axis++)
			lanes_store(move + axis * a->stride, mask, g.from_move[axis]);
		return;
	}
	struct curve_lanes_channel channels[CURVE_LANES_CHANNELS];
	unsigned number[3];
	unsigned channel_count = track_lanes_channels(&g, channels, number);
	curve_lanes_solve(channels, channel_count, g.t);
	const wide *weights = channels[0].weights;
	struct lanes_quat q = lanes_quat_slerp(
		g.from_rotate, g.to_rotate, wide_to_lanes(weights[0], weights[1]));
	track_lanes_store_quat(
		rotate, a->stride, mask, lanes_quat_select(g.held, g.from_rotate, q));
	for (unsigned axis = 0; axis < 3; axis++)
		lanes_store(move + axis * a->stride, mask,
			track_lanes_move(&g, axis, channels[number[axis]].weights));
}

static inline void
track_lanes_spread_plane(float *to, uint32_t count, float value)
{
	lanes all = lanes_all(value);
	for (uint32_t f = 0; f < count; f += LANES)
		lanes_store(to + f, track_lanes_mask(count - f), all);
}

/* The pose of the run's frame `first` becomes that of all count frames from there on. */
static inline void
track_lanes_spread(const struct kern_track *a, uint32_t first, uint32_t count)
{
	for (size_t c = 0; c < 3; c++) {
		float *plane = a->move + c * a->stride + first;
		track_lanes_spread_plane(plane, count, *plane);
	}
	for (size_t c = 0; c < 4; c++) {
		float *plane = a->rotate + c * a->stride + first;
		track_lanes_spread_plane(plane, count, *plane);
	}
}

/* A caller goes on with the next track and comes back for the next run: its keys are asked
 * for now, since memory that is far away is most of what a copy costs. */
static inline void
track_lanes_copy_plane(float *to, const float *from, uint32_t count)
{
	enum { LINE = 64 / sizeof(float) };
	for (uint32_t f = 0; f < count; f += LANES) {
		lanes_mask mask = track_lanes_mask(count - f);
		if (f % LINE == 0)
			_mm_prefetch((const char *)((uintptr_t)(from + f) +
						    count * sizeof *from),
				_MM_HINT_T1);
		lanes_store(to + f, mask, lanes_load(from + f, mask));
	}
}

/* The run's frames from `first` on become the keys from `key` on. */
static inline void
track_lanes_copy(const struct kern_track *a, uint32_t first, uint32_t count, uint32_t key)
{
	const struct kern_track_keys *keys = &a->keys;
	_mm_prefetch((const char *)((uintptr_t)(keys->frame + key) +
				    2 * count * sizeof *keys->frame),
		_MM_HINT_T1);
	for (size_t c = 0; c < 3; c++)
		track_lanes_copy_plane(a->move + c * a->stride + first,
			keys->move + c * keys->stride + key, count);
	for (size_t c = 0; c < 4; c++)
		track_lanes_copy_plane(a->rotate + c * a->stride + first,
			keys->rotate + c * keys->stride + key, count);
}

/* How many frames from `frame` on, at most `most`, have a key each and another behind it;
 * `key` is the last at or before frame.  Keys ascend strictly, so the distance of one
 * tells of all between. */
static inline uint32_t
track_lanes_keyed(
	const struct kern_track_keys *keys, uint32_t key, uint32_t frame, uint32_t most)
{
	uint32_t low = 0, high = keys->count - 1 - key;
	if (high > most)
		high = most;
	if (keys->frame[key] != frame || keys->frame[key + high] - frame == high)
		return keys->frame[key] == frame ? high : 0;
	while (high > low + 1) {
		uint32_t middle = low + (high - low) / 2;
		if (keys->frame[key + middle] - frame == middle)
			low = middle;
		else
			high = middle;
	}
	return low;
}

/* Turns the whole run's rotations about the fixed axis: see about_fixed_axis(). */
static inline void
track_lanes_fix(const struct kern_track *a)
{
	struct kern_vec fixed = {a->fixed_axis[0], a->fixed_axis[1], a->fixed_axis[2]};
	struct lanes_vec along = lanes_vec_all(fixed);
	for (uint32_t f = 0; f < a->frame_count; f += LANES) {
		lanes_mask mask = track_lanes_mask(a->frame_count - f);
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
track_lanes_empty(const struct kern_track *a)
{
	for (size_t c = 0; c < 3; c++)
		track_lanes_spread_plane(a->move + c * a->stride, a->frame_count, 0.0f);
	for (size_t c = 0; c < 4; c++)
		track_lanes_spread_plane(
			a->rotate + c * a->stride, a->frame_count, c == 3 ? 1.0f : 0.0f);
	return 0;
}

/* Some frames from `first` on, as many as one of the ways takes at once. */
static inline uint32_t
track_lanes_step(const struct kern_track *a, uint32_t first, uint32_t *end)
{
	const struct kern_track_keys *keys = &a->keys;
	uint32_t frame = a->first_frame + first, left = a->frame_count - first;
	while (*end < keys->count && keys->frame[*end] <= frame)
		++*end;
	if (*end == keys->count) {
		track_lanes_copy(a, first, 1, *end - 1);
		track_lanes_spread(a, first, left);
		return left;
	}
	if (*end == 0) {
		uint32_t before = keys->frame[0] - frame;
		uint32_t count = before < left ? before : left;
		*end = 1;
		track_lanes_sample(a, first, 1, end);
		track_lanes_spread(a, first, count);
		*end = 0;
		return count;
	}
	uint32_t keyed = track_lanes_keyed(keys, *end - 1, frame, left);
	if (keyed >= LANES / 2 || keyed == left) {
		track_lanes_copy(a, first, keyed, *end - 1);
		return keyed;
	}
	uint32_t count = left < LANES ? left : LANES;
	track_lanes_sample(a, first, count, end);
	return count;
}

static inline int
track_lanes_run(const struct kern_track *a)
{
	uint32_t end = kern_track_keys_until(&a->keys, a->first_frame);
	if (a->keys.count == 0)
		track_lanes_empty(a);
	for (uint32_t f = 0; a->keys.count > 0 && f < a->frame_count;)
		f += track_lanes_step(a, f, &end);
	if (a->fixed_axis != NULL)
		track_lanes_fix(a);
	return 0;
}

#endif
