/* SPDX-License-Identifier: BSD-2-Clause */
/* keys.h - the keys of many tracks in planes, as kernels/track.h takes them. */
#ifndef FK_KEYS_H
#define FK_KEYS_H

#include "kernels/track.h"

/* A store of keys; tracks lie in it one after the other. */
struct fk_keys {
	struct kern_track_keys all;
	uint32_t *frame; /* what `all` points to, owned */
	float *planes;	 /* of moves, then of rotations */
	uint8_t (*curve)[4][4];
};

struct fk_key {
	uint32_t frame;
	const float *move, *rotate;
	const uint8_t (*curve)[4];
};

/* Room for count keys.  0 or -ENOMEM (then nothing is held). */
int fk_keys_init(struct fk_keys *keys, size_t count);
void fk_keys_free(struct fk_keys *keys);

/* Fills in key number `at`, which there is room for. */
void fk_keys_put(struct fk_keys *keys, size_t at, const struct fk_key *key);

/* The track of keys first .. first + count - 1; lives as long as the store. */
struct kern_track_keys fk_keys_part(
	const struct fk_keys *keys, size_t first, uint32_t count);

#endif
