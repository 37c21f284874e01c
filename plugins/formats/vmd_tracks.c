/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two walks over the records: the first finds which track each belongs to and how long
 * the tracks are, the second decodes every record into its place.
 */
#include "plugins/formats/vmd_tracks.h"
#include "plugins/formats/bytes.h"
#include "plugins/formats/text.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Open addressing; slots hold a track number plus one. */
struct grouping {
	struct fmt_vmd_track *tracks;
	uint32_t count, room;
	uint32_t *slots;
	uint32_t mask;
	uint64_t seed;
	uint32_t *track_of; /* by record */
};

static uint32_t
hash_name(const char name[16], uint64_t seed)
{
	uint64_t half[2];
	memcpy(half, name, 16);
	uint64_t h = (half[0] ^ seed) * 0x9e3779b97f4a7c15u;
	h = (h ^ h >> 32 ^ half[1]) * 0xd6e8feb86659fd93u;
	h = (h ^ h >> 32) * 0xd6e8feb86659fd93u;
	return (uint32_t)(h ^ h >> 32);
}

static uint32_t *
find_slot(const struct grouping *g, const char name[16])
{
	uint32_t i = hash_name(name, g->seed) & g->mask;
	while (g->slots[i] != 0 &&
		memcmp(g->tracks[g->slots[i] - 1].vmd_name, name, 16) != 0)
		i = (i + 1) & g->mask;
	return &g->slots[i];
}

/* Keeps the table at most half full. */
static int
grow(struct grouping *g)
{
	uint32_t room = g->room == 0 ? 64 : 2 * g->room;
	struct fmt_vmd_track *tracks = reallocarray(g->tracks, room, sizeof *tracks);
	if (tracks == NULL)
		return -ENOMEM;
	g->tracks = tracks;
	uint32_t *slots = calloc(2 * (size_t)room, sizeof *slots);
	if (slots == NULL)
		return -ENOMEM;
	free(g->slots);
	g->slots = slots;
	g->mask = 2 * room - 1;
	g->room = room;
	for (uint32_t i = 0; i < g->count; i++)
		*find_slot(g, g->tracks[i].vmd_name) = i + 1;
	return 0;
}

static int
group(struct grouping *g, const struct fmt_vmd_records *records)
{
	/* Seeded by an address, so that a dropper cannot choose names that all fall into
	 * one slot.  The order of the tracks does not depend on it. */
	g->seed = (uintptr_t)g->track_of;
	for (uint32_t i = 0; i < records->count; i++) {
		char name[16];
		fmt_text_clean_name(records->at + i * records->size, 15, name);
		if (i > 0 &&
			memcmp(g->tracks[g->track_of[i - 1]].vmd_name, name, 16) == 0) {
			g->track_of[i] = g->track_of[i - 1];
			g->tracks[g->track_of[i]].count++;
			continue;
		}
		if (g->count == g->room && grow(g) < 0)
			return -ENOMEM;
		uint32_t *slot = find_slot(g, name);
		if (*slot == 0) {
			struct fmt_vmd_track *track = &g->tracks[g->count++];
			memset(track, 0, sizeof *track);
			memcpy(track->vmd_name, name, 16);
			*slot = g->count;
		}
		g->track_of[i] = *slot - 1;
		g->tracks[*slot - 1].count++;
	}
	return 0;
}

/* A rotation of length one; all zero, as old writers left it, is identity. */
static void
normalise(float q[4])
{
	double length = sqrt((double)q[0] * q[0] + (double)q[1] * q[1] +
			     (double)q[2] * q[2] + (double)q[3] * q[3]);
	if (length == 0) {
		q[3] = 1;
		return;
	}
	for (int i = 0; i < 4; i++)
		q[i] = (float)(q[i] / length);
}

static void
decode_key(const uint8_t *p, struct fmt_vmd_key *key)
{
	const uint8_t *curve = p + 47;

	key->frame = fmt_bytes_peek_u32(p + 15);
	for (int i = 0; i < 3; i++)
		key->move[i] = fmt_bytes_peek_f32(p + 19 + 4 * i);
	for (int i = 0; i < 4; i++)
		key->rotate[i] = fmt_bytes_peek_f32(p + 31 + 4 * i);
	for (int channel = 0; channel < FMT_VMD_CHANNELS; channel++) {
		for (int i = 0; i < 4; i++) {
			uint8_t value = curve[16 * channel + 4 * i];
			key->curve[channel][i] = value > 127 ? 127 : value;
		}
	}
	key->physics_off = curve[2] == 0x63 && curve[3] == 0x0f;
}

static int
decode_bone(const uint8_t *p, size_t offset, struct fmt_vmd_key *key, struct fmt_err *err)
{
	decode_key(p, key);
	int rc = fmt_bytes_finite(
		key->move, 3, offset + 31, "position of a bone key", err);
	if (rc == 0)
		rc = fmt_bytes_finite(
			key->rotate, 4, offset + 47, "rotation of a bone key", err);
	if (rc == 0)
		normalise(key->rotate);
	return rc;
}

static int
decode_weight(const uint8_t *p, size_t offset, struct fmt_vmd_weight *weight,
	struct fmt_err *err)
{
	weight->frame = fmt_bytes_peek_u32(p + 15);
	weight->weight = fmt_bytes_peek_f32(p + 19);
	return fmt_bytes_finite(
		&weight->weight, 1, offset + 23, "weight of a morph key", err);
}

/* Every record into the next free place of its track; track->count counts up again. */
static int
decode(struct grouping *g, const struct fmt_vmd_records *records, struct fmt_err *err)
{
	const int is_bone = records->size == FMT_VMD_BONE_SIZE;
	const size_t key_size =
		is_bone ? sizeof(struct fmt_vmd_key) : sizeof(struct fmt_vmd_weight);

	for (uint32_t i = 0; i < g->count; i++) {
		struct fmt_vmd_track *track = &g->tracks[i];
		void *keys = calloc(track->count, key_size);
		if (keys == NULL)
			return fmt_err_set(
				err, -ENOMEM, "no memory for %u keys", track->count);
		if (is_bone)
			track->keys = keys;
		else
			track->weights = keys;
		track->count = 0;
	}
	for (uint32_t i = 0; i < records->count; i++) {
		struct fmt_vmd_track *track = &g->tracks[g->track_of[i]];
		const uint8_t *p = records->at + i * records->size;
		size_t offset = records->offset + i * records->size;
		uint32_t place = track->count++;
		int rc = is_bone ? decode_bone(p, offset, &track->keys[place], err)
				 : decode_weight(p, offset, &track->weights[place], err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static uint32_t
frame_of(const void *items, uint32_t i, size_t size)
{
	uint32_t frame;
	memcpy(&frame, (const char *)items + i * size, sizeof frame);
	return frame;
}

static int
compare_u64(const void *a, const void *b)
{
	uint64_t x, y;
	memcpy(&x, a, sizeof x);
	memcpy(&y, b, sizeof y);
	return (x > y) - (x < y);
}

int
fmt_vmd_tracks_sort(void *items, uint32_t count, size_t size)
{
	uint32_t sorted = 1;
	while (sorted < count &&
		frame_of(items, sorted - 1, size) <= frame_of(items, sorted, size))
		sorted++;
	if (sorted >= count)
		return 0;

	/* The place in the file is the low half of the sort key: that makes it stable. */
	uint64_t *order = calloc(count, sizeof *order);
	char *copy = calloc(count, size);
	if (order == NULL || copy == NULL) {
		free(order);
		free(copy);
		return -ENOMEM;
	}
	memcpy(copy, items, count * size);
	for (uint32_t i = 0; i < count; i++)
		order[i] = (uint64_t)frame_of(items, i, size) << 32 | i;
	qsort(order, count, sizeof *order, compare_u64);
	for (uint32_t i = 0; i < count; i++)
		memcpy((char *)items + i * size, copy + (uint32_t)order[i] * size, size);
	free(order);
	free(copy);
	return 0;
}

/* Of neighbours with one frame only the last stays.  The number dropped. */
static uint32_t
drop_duplicates(struct fmt_vmd_track *track, size_t size)
{
	char *items = (char *)track->keys;
	uint32_t kept = 0;

	for (uint32_t i = 0; i < track->count; i++) {
		if (kept > 0 &&
			frame_of(items, kept - 1, size) == frame_of(items, i, size))
			kept--;
		if (kept != i)
			memcpy(items + kept * size, items + i * size, size);
		kept++;
	}
	uint32_t dropped = track->count - kept;
	track->count = kept;
	return dropped;
}

int
fmt_vmd_tracks_read(const struct fmt_vmd_records *records, struct fmt_vmd_tracks *tracks,
	struct fmt_err *err)
{
	const size_t key_size = records->size == FMT_VMD_BONE_SIZE
					? sizeof(struct fmt_vmd_key)
					: sizeof(struct fmt_vmd_weight);
	struct grouping g = {0};
	uint32_t duplicates = 0;

	int rc = -ENOMEM;
	/* One more, so that no records is no special case. */
	g.track_of = calloc((size_t)records->count + 1, sizeof *g.track_of);
	if (g.track_of == NULL || group(&g, records) < 0)
		goto fail;
	rc = decode(&g, records, err);
	if (rc < 0)
		goto fail;
	for (uint32_t i = 0; i < g.count; i++) {
		rc = fmt_vmd_tracks_sort(g.tracks[i].keys, g.tracks[i].count, key_size);
		if (rc < 0)
			goto fail;
		duplicates += drop_duplicates(&g.tracks[i], key_size);
	}
	free(g.track_of);
	free(g.slots);
	*tracks = (struct fmt_vmd_tracks){g.tracks, g.count, duplicates};
	return 0;

fail:
	fmt_vmd_tracks_free(g.tracks, g.count);
	free(g.track_of);
	free(g.slots);
	return fmt_err_set(err, rc, "no memory for %u keys", records->count);
}

void
fmt_vmd_tracks_free(struct fmt_vmd_track *tracks, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		free(tracks[i].name);
		free(tracks[i].keys);
	}
	free(tracks);
}
