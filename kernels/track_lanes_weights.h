/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * track_lanes_weights.h - kern_track_weights_c() over again for LANES frames at a time.
 * Included by one file a variant, which says how many LANES are.
 *
 * Before the first key and from the last on one weight is spread: most morphs have no key
 * near.  Elsewhere LANES frames that follow each other lie in at most LANES segments; where
 * they lie in one, its keys are known to all lanes, else each lane looks up its own.
 */
#ifndef KERN_TRACK_LANES_WEIGHTS_H
#define KERN_TRACK_LANES_WEIGHTS_H

#include "kernels/track_lanes.h"
#include "kernels/track_sample.h"

/* One key a lane. */
struct track_weights_keys {
	lanes_bits frame;
	lanes weight;
};

/* `count` keys at least, of which LANES are taken; lane i takes key number place[i]. */
static inline struct track_weights_keys
track_weights_look_up(
	const struct kern_track_weight_key *keys, uint32_t count, lanes_bits place)
{
	const uint32_t *words = &keys->frame;
	uint32_t half = LANES / 2, behind = count > half ? count - half : 0;
	lanes_bits lower = lanes_bits_load(words, track_lanes_mask(2 * count));
	lanes_bits upper = lanes_bits_load(words + LANES, track_lanes_mask(2 * behind));
	lanes weight = lanes_of_bits(lanes_bits_every_other(lower, upper, 1));
	return (struct track_weights_keys){
		lanes_bits_permute(lanes_bits_every_other(lower, upper, 0), place),
		lanes_permute(weight, place)};
}

static inline struct track_weights_keys
track_weights_same(const struct kern_track_weight_key *key)
{
	return (struct track_weights_keys){
		lanes_bits_all(key->frame), lanes_all(key->weight)};
}

/* How many keys each of the frames frame .. frame + count - 1 lies behind or on, from *end
 * on, which moves on to the first key behind them all. */
static inline lanes_bits
track_weights_find(
	const struct kern_track_weights *a, uint32_t frame, uint32_t count, uint32_t *end)
{
	const uint32_t behind = a->key_count - *end, dense = count - 1;
	lanes_bits at = lanes_bits_count_up(), place = lanes_bits_all(0);
	/* Keys ascend strictly, so the distance of one tells of all between. */
	if (dense < behind && a->keys[*end + dense].frame - frame == count) {
		*end += dense;
		return lanes_bits_less_of(at, lanes_bits_all(dense));
	}
	for (; a->keys[*end].frame - frame < count; ++*end)
		place = lanes_bits_increase(
			place, lanes_bits_at_least(
				       at, lanes_bits_all(a->keys[*end].frame - frame)));
	return place;
}

/* The weights of the frames frame .. frame + count - 1, count <= LANES, which lie before
 * the last key.  *end is the first key behind `frame`, and moves on to the first that is
 * not before the frames' end. */
static inline lanes
track_weights_between(
	const struct kern_track_weights *a, uint32_t frame, uint32_t count, uint32_t *end)
{
	const struct kern_track_weight_key *before = a->keys + *end - 1;
	struct track_weights_keys from, to;
	if (before[1].frame - frame >= count) {
		from = track_weights_same(before);
		to = track_weights_same(before + 1);
	} else {
		uint32_t behind = a->key_count - *end;
		behind = behind < LANES ? behind : LANES;
		lanes_bits place = track_weights_find(a, frame, count, end);
		from = track_weights_look_up(before, behind, place);
		to = track_weights_look_up(before + 1, behind, place);
	}
	lanes_bits span = lanes_bits_sub(to.frame, from.frame);
	lanes_bits since = lanes_bits_sub(
		lanes_bits_add(lanes_bits_all(frame), lanes_bits_count_up()), from.frame);
	wide weight[2];
	for (int i = 0; i < 2; i++) {
		wide begin = wide_of_lanes(from.weight, i);
		wide way = wide_of_lanes(to.weight, i) - begin;
		weight[i] =
			begin + way * (wide_of_bits(since, i) / wide_of_bits(span, i));
	}
	return wide_to_lanes(weight[0], weight[1]);
}

/* Some frames from `first` on, as many as one of the ways takes at once. */
static inline uint32_t
track_weights_step(const struct kern_track_weights *a, uint32_t first, uint32_t *end)
{
	const struct kern_track_weight_key *keys = a->keys;
	uint32_t frame = a->first_frame + first, left = a->frame_count - first, most;
	float *to = a->weight + first;
	while (*end < a->key_count && keys[*end].frame <= frame)
		++*end;
	if (*end == a->key_count) {
		track_lanes_spread_plane(
			to, left, a->key_count > 0 ? keys[*end - 1].weight : 0.0f);
		return left;
	}
	most = keys[*end == 0 ? 0 : a->key_count - 1].frame - frame;
	most = most < left ? most : left;
	if (*end == 0) {
		track_lanes_spread_plane(to, most, keys[0].weight);
		return most;
	}
	most = most < LANES ? most : LANES;
	lanes_store(to, lanes_first(most), track_weights_between(a, frame, most, end));
	return most;
}

static inline int
track_weights_run(const struct kern_track_weights *a)
{
	uint32_t end =
		kern_track_sample_weights_until(a->keys, a->key_count, a->first_frame);
	for (uint32_t f = 0; f < a->frame_count;)
		f += track_weights_step(a, f, &end);
	return 0;
}

#endif
