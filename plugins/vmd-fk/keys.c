/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/vmd-fk/keys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* From plane to plane.  Seven planes are read at one place each: were they a power of two
 * apart, they would contend for the same few lines of the first cache. */
static size_t
stride_of(size_t count)
{
	enum { PERIOD = 1024, APART = 144 };
	return (count + PERIOD - 1) / PERIOD * PERIOD + APART;
}

int
fk_keys_init(struct fk_keys *keys, size_t count)
{
	size_t stride = stride_of(count), floats;
	memset(keys, 0, sizeof *keys);
	if (stride < count || __builtin_mul_overflow(stride, (size_t)7, &floats))
		return -ENOMEM;
	keys->frame = calloc(count + 1, sizeof *keys->frame);
	keys->planes = calloc(floats, sizeof *keys->planes);
	keys->curve = calloc(count + 1, sizeof *keys->curve);
	if (keys->frame == NULL || keys->planes == NULL || keys->curve == NULL) {
		fk_keys_free(keys);
		return -ENOMEM;
	}
	keys->all = (struct kern_track_keys){
		.stride = stride,
		.frame = keys->frame,
		.move = keys->planes,
		.rotate = keys->planes + 3 * stride,
		.curve = (const uint8_t(*)[4][4])keys->curve,
	};
	return 0;
}

void
fk_keys_free(struct fk_keys *keys)
{
	free(keys->frame);
	free(keys->planes);
	free(keys->curve);
	memset(keys, 0, sizeof *keys);
}

void
fk_keys_put(struct fk_keys *keys, size_t at, const struct fk_key *key)
{
	size_t stride = keys->all.stride;
	keys->frame[at] = key->frame;
	for (size_t c = 0; c < 3; c++)
		keys->planes[c * stride + at] = key->move[c];
	for (size_t c = 0; c < 4; c++)
		keys->planes[(3 + c) * stride + at] = key->rotate[c];
	memcpy(keys->curve[at], key->curve, sizeof keys->curve[at]);
}

struct kern_track_keys
fk_keys_part(const struct fk_keys *keys, size_t first, uint32_t count)
{
	struct kern_track_keys part = keys->all;
	part.count = count;
	part.frame += first;
	part.move += first;
	part.rotate += first;
	part.curve += first;
	return part;
}
