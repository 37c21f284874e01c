/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * track_lanes.h - track_sample.h over again for LANES frames at a time.  Included by one
 * file a variant, which says how many LANES are.
 *
 * Where every frame has a key (captured motions), planes of keys are copied.  Where one
 * key holds, it is spread.  Elsewhere each lane looks up its segment: LANES frames that
 * follow each other lie in at most LANES segments, so the keys of all of them are one load
 * a plane and a permutation.  Curves are solved for some such groups side by side; a
 * channel in which nothing moves is not solved, nor one with the rotation's curves.
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

/* LANES frames or fewer that follow each other, and the segments they lie in. */
struct track_lanes_group {
	uint32_t first, count; /* in the run */
	uint32_t base;	       /* the key before the first frame */
	uint32_t segments;
	lanes_bits place;    /* the key before each frame, counted from base */
	lanes_mask from, to; /* keys that exist: from base on, and from the next on */
	lanes_mask held;     /* the frame is the key's own and exact, or after the last */
	unsigned rotate, move[3]; /* whose weights they take, of the batch's channels */
	struct curve_lanes_time time;
	struct lanes_quat_slerp way;
};

/* Groups whose curves are solved side by side. */
enum { TRACK_LANES_GROUPS = 64 / LANES, TRACK_LANES_CURVES = KERN_TRACK_ROTATE + 1 };
struct track_lanes_batch {
	unsigned group_count, channel_count;
	struct track_lanes_group groups[TRACK_LANES_GROUPS];
	struct curve_lanes_table tables[TRACK_LANES_GROUPS];
	struct curve_lanes_channel channels[TRACK_LANES_GROUPS * TRACK_LANES_CURVES];
	struct curve_lanes_table gathered[TRACK_LANES_GROUPS * TRACK_LANES_CURVES];
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

/* Curves that one register holds: those of all channels, of so many segments. */
enum { TRACK_LANES_HELD = LANES / TRACK_LANES_CURVES };

static inline lanes_bits
track_lanes_curves(const struct kern_track_keys *keys, const struct track_lanes_group *g)
{
	uint32_t behind = keys->count - 1 - g->base;
	uint32_t held = behind < TRACK_LANES_HELD ? behind : TRACK_LANES_HELD;
	return lanes_bits_load(
		keys->curve[g->base + 1], lanes_first(TRACK_LANES_CURVES * held));
}

/* Finds the segments of g->count frames from `frame` on, which the keys before *end precede
 * or begin; *end moves on to the first key behind them.  Lanes behind the last frame
 * repeat it. */
static inline void
track_lanes_find(struct track_lanes_group *g, const struct kern_track_keys *keys,
	uint32_t frame, uint32_t *end)
{
	uint32_t behind = keys->count - *end;
	lanes_bits at =
		lanes_bits_less_of(lanes_bits_count_up(), lanes_bits_all(g->count - 1));
	g->base = *end - 1;
	g->place = lanes_bits_all(0);
	for (; *end < keys->count && keys->frame[*end] - frame < g->count; ++*end)
		g->place = lanes_bits_increase(
			g->place, lanes_bits_at_least(
					  at, lanes_bits_all(keys->frame[*end] - frame)));
	g->segments = *end - g->base;
	g->from = track_lanes_mask(behind + 1);
	g->to = track_lanes_mask(behind);
	lanes_bits from = lanes_bits_permute(
		lanes_bits_load(keys->frame + g->base, g->from), g->place);
	lanes_bits to = lanes_bits_permute(
		lanes_bits_load(keys->frame + g->base + 1, g->to), g->place);
	lanes_bits span = lanes_bits_sub(to, from);
	lanes_bits since =
		lanes_bits_add(lanes_bits_sub(lanes_bits_all(frame), from), at);
	g->held = lanes_bits_equal(span, lanes_bits_all(1)) |
		  lanes_bits_at_least(
			  g->place, lanes_bits_all(behind < LANES ? behind : LANES));
	g->time = curve_lanes_time(wide_of_bits(since, 0) / wide_of_bits(span, 0),
		wide_of_bits(since, 1) / wide_of_bits(span, 1));
}

/* One channel's curves: of the group's table where that holds all segments, else gathered
 * lane by lane. */
static inline struct curve_lanes_channel *
track_lanes_channel(const struct kern_track_keys *keys, struct track_lanes_batch *batch,
	const struct track_lanes_group *g, enum kern_track_channel channel)
{
	struct curve_lanes_channel *c = &batch->channels[batch->channel_count];
	lanes_bits twice = lanes_bits_add(g->place, g->place);
	lanes_bits place = lanes_bits_add(twice, twice);
	c->time = &g->time;
	if (g->segments <= TRACK_LANES_HELD) {
		c->table = &batch->tables[g - batch->groups];
		c->place = lanes_bits_add(place, lanes_bits_all(channel));
		return c;
	}
	c->table = &batch->gathered[batch->channel_count];
	c->place = lanes_bits_count_up();
	curve_lanes_table(c->table, lanes_bits_gather(keys->curve[g->base + 1][channel],
					    place, ~g->held & lanes_first(LANES)));
	return c;
}

/* Adds what there is to solve: the rotation first, then the axes that move by curves other
 * than its.  Where an axis does not move any weights do. */
static inline void
track_lanes_channels(const struct kern_track_keys *keys, struct track_lanes_batch *batch,
	struct track_lanes_group *g)
{
	curve_lanes_table(&batch->tables[g - batch->groups], track_lanes_curves(keys, g));
	struct curve_lanes_channel *c =
		track_lanes_channel(keys, batch, g, KERN_TRACK_ROTATE);
	lanes_bits rotate = curve_lanes_curve(c);
	c->known = g->held;
	g->rotate = batch->channel_count++;
	for (unsigned axis = 0; axis < 3; axis++) {
		const float *move = keys->move + axis * keys->stride;
		lanes_mask still = g->held | lanes_equal(track_lanes_from(g, move),
						     track_lanes_to(g, move));
		g->move[axis] = g->rotate;
		if (lanes_every(still))
			continue;
		c = track_lanes_channel(keys, batch, g, axis);
		c->known = still;
		if (!lanes_every(still | lanes_bits_equal(curve_lanes_curve(c), rotate)))
			g->move[axis] = batch->channel_count++;
	}
}

static inline void
track_lanes_move(const struct kern_track *a, const struct track_lanes_group *g,
	unsigned axis, const wide weights[2])
{
	const float *plane = a->keys.move + axis * a->keys.stride;
	lanes before = track_lanes_from(g, plane), behind = track_lanes_to(g, plane);
	wide moved[2];
	for (int i = 0; i < 2; i++) {
		wide from = wide_of_lanes(before, i), to = wide_of_lanes(behind, i);
		moved[i] = from + (to - from) * weights[i];
	}
	lanes_store(a->move + axis * a->stride + g->first, lanes_first(g->count),
		lanes_select(g->held, before, wide_to_lanes(moved[0], moved[1])));
}

static inline void
track_lanes_rotations(const struct kern_track_keys *keys,
	const struct track_lanes_group *g, struct lanes_quat rotations[2])
{
	const float *plane = keys->rotate;
	size_t apart = keys->stride;
	rotations[0] = (struct lanes_quat){track_lanes_from(g, plane),
		track_lanes_from(g, plane + apart),
		track_lanes_from(g, plane + 2 * apart),
		track_lanes_from(g, plane + 3 * apart)};
	rotations[1] = (struct lanes_quat){track_lanes_to(g, plane),
		track_lanes_to(g, plane + apart), track_lanes_to(g, plane + 2 * apart),
		track_lanes_to(g, plane + 3 * apart)};
}

static inline void
track_lanes_rotate(const struct kern_track *a, const struct track_lanes_group *g)
{
	struct lanes_quat keys[2];
	track_lanes_rotations(&a->keys, g, keys);
	struct lanes_quat q = lanes_quat_select(
		g->held, keys[0], lanes_quat_slerp_sum(&g->way, keys[0], keys[1]));
	lanes_quat_store(a->rotate + g->first, a->stride, lanes_first(g->count), q);
}

/* Solves the batch and writes its frames; it is empty then. */
static inline void
track_lanes_finish(const struct kern_track *a, struct track_lanes_batch *batch)
{
	struct track_lanes_group *g, *end = batch->groups + batch->group_count;
	const struct curve_lanes_channel *channels = batch->channels;
	curve_lanes_solve(batch->channels, batch->channel_count);
	for (g = batch->groups; g < end; g++) {
		struct lanes_quat keys[2];
		track_lanes_rotations(&a->keys, g, keys);
		lanes_quat_slerp_angle(&g->way, keys[0], keys[1]);
	}
	for (g = batch->groups; g < end; g++) {
		const wide *weights = channels[g->rotate].weights;
		lanes_quat_slerp_shares(&g->way, wide_to_lanes(weights[0], weights[1]));
	}
	for (g = batch->groups; g < end; g++)
		track_lanes_rotate(a, g);
	for (g = batch->groups; g < end; g++)
		for (unsigned axis = 0; axis < 3; axis++)
			track_lanes_move(a, g, axis, channels[g->move[axis]].weights);
	batch->group_count = batch->channel_count = 0;
}

/* Takes up the frames first .. first + count - 1 of the run, count <= LANES: see
 * track_lanes_find(). */
static inline void
track_lanes_sample(const struct kern_track *a, struct track_lanes_batch *batch,
	uint32_t first, uint32_t count, uint32_t *end)
{
	uint32_t frame = a->first_frame + first, begin = a->keys.frame[0];
	struct track_lanes_group *g = &batch->groups[batch->group_count++];
	g->first = first;
	g->count = count;
	track_lanes_find(g, &a->keys, frame < begin ? begin : frame, end);
	track_lanes_channels(&a->keys, batch, g);
	if (batch->group_count == TRACK_LANES_GROUPS)
		track_lanes_finish(a, batch);
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
 * `key` is the last at or before frame, and there is one behind it.  Keys ascend strictly,
 * so the distance of one tells of all between. */
static inline uint32_t
track_lanes_keyed(
	const struct kern_track_keys *keys, uint32_t key, uint32_t frame, uint32_t most)
{
	uint32_t low = 0, high = keys->count - 1 - key;
	if (keys->frame[key] != frame || keys->frame[key + 1] - frame != 1)
		return 0;
	if (high > most)
		high = most;
	if (keys->frame[key + high] - frame == high)
		return high;
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
track_lanes_step(const struct kern_track *a, struct track_lanes_batch *batch,
	uint32_t first, uint32_t *end)
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
		track_lanes_sample(a, batch, first, 1, end);
		track_lanes_finish(a, batch);
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
	track_lanes_sample(a, batch, first, count, end);
	return count;
}

static inline int
track_lanes_run(const struct kern_track *a)
{
	uint32_t end = kern_track_keys_until(&a->keys, a->first_frame);
	struct track_lanes_batch batch;
	batch.group_count = batch.channel_count = 0;
	if (a->keys.count == 0)
		track_lanes_empty(a);
	for (uint32_t f = 0; a->keys.count > 0 && f < a->frame_count;)
		f += track_lanes_step(a, &batch, f, &end);
	track_lanes_finish(a, &batch);
	if (a->fixed_axis != NULL)
		track_lanes_fix(a);
	return 0;
}

#endif
