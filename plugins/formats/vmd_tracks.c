/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One walk over the records, each decoded into the next free place of its track.  How
 * long the tracks become is guessed from the first records, for they repeat: motions that
 * are large are baked, with a key of every bone at every frame.  So most keys find room in
 * one block and are never moved; a track that outgrows its share moves out.
 *
 * Of a track whose keys follow each other frame by frame, frames and curves are not kept:
 * they begin with the first key that does not.
 */
#include "plugins/formats/vmd_tracks.h"
#include "plugins/formats/large.h"
#include "plugins/formats/text.h"
#include "plugins/formats/vmd_sort.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	NAME_SIZE = FMT_VMD_NAME_SIZE,
	BATCH = 4096, /* records that are looked at together */
	NOBODY = -1,
};

/* What is known of a track while it is made. */
struct making {
	uint8_t raw[NAME_SIZE]; /* its name with whatever stands behind the NUL */
	int64_t next;		/* the track that came after it the last time */
	uint32_t room, coming;	/* keys there is room for; keys of the first batch */
	uint32_t first_frame;	/* a bone's */
	uint8_t curve[FMT_VMD_CHANNELS][4]; /* of its first key */
};

/* Open addressing; slots hold a track number plus one. */
struct maker {
	struct fmt_bytes *bytes;
	struct fmt_err *err;
	size_t record_size, item_size; /* bytes of a key in the file and in memory */
	uint32_t all, left;	       /* records; those not yet decoded */
	struct fmt_vmd_track *tracks;
	struct making *making; /* as many */
	uint32_t count, room;
	uint32_t *slots;
	uint32_t mask;
	uint64_t seed;
	int64_t last; /* the track of the record before, or NOBODY */
	struct fmt_vmd_tracks made;
	uint32_t track_of[BATCH]; /* by record */
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
find_slot(const struct maker *m, const char name[16])
{
	uint32_t i = hash_name(name, m->seed) & m->mask;
	while (m->slots[i] != 0 &&
		memcmp(m->tracks[m->slots[i] - 1].vmd_name, name, 16) != 0)
		i = (i + 1) & m->mask;
	return &m->slots[i];
}

/* Keeps the table at most half full. */
static int
grow_table(struct maker *m)
{
	uint32_t room = m->room == 0 ? 64 : 2 * m->room;
	struct fmt_vmd_track *tracks = reallocarray(m->tracks, room, sizeof *tracks);
	if (tracks == NULL)
		return -ENOMEM;
	m->tracks = tracks;
	struct making *making = reallocarray(m->making, room, sizeof *making);
	if (making == NULL)
		return -ENOMEM;
	m->making = making;
	uint32_t *slots = calloc(2 * (size_t)room, sizeof *slots);
	if (slots == NULL)
		return -ENOMEM;
	free(m->slots);
	m->slots = slots;
	m->mask = 2 * room - 1;
	m->room = room;
	for (uint32_t i = 0; i < m->count; i++)
		*find_slot(m, m->tracks[i].vmd_name) = i + 1;
	return 0;
}

/* The track of that name, a new one where there is none, or -ENOMEM. */
static int64_t
find_track(struct maker *m, const uint8_t *raw)
{
	char name[16];
	fmt_text_clean_name(raw, NAME_SIZE, name);
	if (m->count == m->room && grow_table(m) < 0)
		return -ENOMEM;
	uint32_t *slot = find_slot(m, name);
	if (*slot == 0) {
		struct fmt_vmd_track *track = &m->tracks[m->count];
		memset(track, 0, sizeof *track);
		memcpy(track->vmd_name, name, 16);
		memset(&m->making[m->count], 0, sizeof *m->making);
		m->making[m->count].next = NOBODY;
		*slot = ++m->count;
	}
	memcpy(m->making[*slot - 1].raw, raw, NAME_SIZE);
	return *slot - 1;
}

/* Tracks follow each other as they did before, mostly; only where not is a name looked
 * up. */
static int
group(struct maker *m, const uint8_t *records, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		const uint8_t *raw = records + i * m->record_size;
		int64_t guess = m->last == NOBODY ? NOBODY : m->making[m->last].next;
		if (guess == NOBODY ||
			memcmp(m->making[guess].raw, raw, NAME_SIZE) != 0) {
			guess = find_track(m, raw);
			if (guess < 0)
				return -ENOMEM;
			if (m->last != NOBODY)
				m->making[m->last].next = guess;
		}
		m->track_of[i] = (uint32_t)guess;
		m->last = guess;
	}
	return 0;
}

static int
is_bone(const struct maker *m)
{
	return m->record_size == FMT_VMD_BONE_SIZE;
}

/* Planes begin at whole cache lines.  Seven of them are used at one place each: were they
 * a power of two apart, they would contend for a few lines of the first cache. */
static uint32_t
rounded(uint64_t room)
{
	enum { LINE = 16, PERIOD = 1024, APART = 144 }; /* floats */
	room = (room + LINE - 1) / LINE * LINE;
	uint64_t apart = room % PERIOD;
	if (room > 4 * PERIOD && (apart < APART || apart > PERIOD - APART))
		room += apart < APART ? APART - apart : PERIOD - apart + APART;
	return room < UINT32_MAX ? (uint32_t)room : UINT32_MAX;
}

/* Gives the track its place for keys; what it had is copied by the caller. */
static void
place_keys(struct fmt_vmd_track *track, void *at, uint32_t room, int bone)
{
	if (bone) {
		track->stride = room;
		track->move = at;
		track->rotate = track->move + 3 * (size_t)room;
	} else {
		track->weights = at;
	}
}

/* Shares out a block as the first `seen` of all records promise.  A track with one more
 * key to come than the first records show is still within its share. */
static int
plan_block(struct maker *m, uint32_t seen)
{
	uint64_t all = m->left, total = 0;
	for (uint32_t i = 0; i < seen; i++)
		m->making[m->track_of[i]].coming++;
	for (uint32_t i = 0; i < m->count; i++) {
		struct making *making = &m->making[i];
		uint64_t room = making->coming;
		if (seen < all)
			room = (room + 1) * all / seen + 1;
		making->room = rounded(room < all ? room : all);
		total += making->room;
	}
	if (total > SIZE_MAX / 2 / m->item_size)
		return -ENOMEM;
	m->made.memory[FMT_VMD_TRACKS_KEYS] = fmt_large_alloc(total * m->item_size);
	if (m->made.memory[FMT_VMD_TRACKS_KEYS] == NULL)
		return -ENOMEM;
	char *at = m->made.memory[FMT_VMD_TRACKS_KEYS];
	for (uint32_t i = 0; i < m->count; i++) {
		place_keys(&m->tracks[i], at, m->making[i].room, is_bone(m));
		m->tracks[i].shares_keys = 1;
		at += m->making[i].room * m->item_size;
	}
	return 0;
}

/* Room for that many frames and curves; none before the first that is needed. */
static int
grow_frames(struct fmt_vmd_track *track, uint32_t room)
{
	uint32_t *frames = reallocarray(track->frames, room, sizeof *frames);
	if (frames == NULL)
		return -ENOMEM;
	track->frames = frames;
	void *curves = reallocarray(track->curves, room, sizeof *track->curves);
	if (curves == NULL)
		return -ENOMEM;
	track->curves = curves;
	return 0;
}

/* The track moves to a place of its own. */
static int
make_room(struct maker *m, uint32_t number)
{
	struct fmt_vmd_track *track = &m->tracks[number], old = *track;
	struct making *making = &m->making[number];
	uint64_t more = making->room < 8 ? 16 : 2 * (uint64_t)making->room;
	uint64_t most = (uint64_t)track->count + m->left;
	uint32_t room = rounded(more < most ? more : most);
	void *keys = reallocarray(NULL, room, m->item_size);
	if (keys == NULL)
		return -ENOMEM;
	place_keys(track, keys, room, is_bone(m));
	for (unsigned plane = 0; is_bone(m) && old.count > 0 && plane < FMT_VMD_PLANES;
		plane++)
		memcpy(track->move + (size_t)plane * room,
			old.move + (size_t)plane * old.stride, old.count * sizeof(float));
	if (!is_bone(m) && old.count > 0)
		memcpy(keys, old.weights, old.count * m->item_size);
	if (!old.shares_keys)
		free(is_bone(m) ? (void *)old.move : (void *)old.weights);
	track->shares_keys = 0;
	making->room = room;
	return track->frames == NULL ? 0 : grow_frames(track, room);
}

static void
decode_curve(const uint8_t *p, uint8_t curve[FMT_VMD_CHANNELS][4])
{
	for (int channel = 0; channel < FMT_VMD_CHANNELS; channel++) {
		for (int i = 0; i < 4; i++) {
			uint8_t value = p[16 * channel + 4 * i];
			curve[channel][i] = value > 127 ? 127 : value;
		}
	}
}

static int
refuse_pose(const float values[FMT_VMD_PLANES], size_t offset, struct fmt_err *err)
{
	int rc = fmt_bytes_finite(values, 3, offset + 31, "position of a bone key", err);
	return rc < 0 ? rc
		      : fmt_bytes_finite(values + 3, 4, offset + 47,
				"rotation of a bone key", err);
}

/* Before the first frame that does not follow the one before. */
static int
begin_frames(struct fmt_vmd_track *track, const struct making *making)
{
	if (grow_frames(track, making->room) < 0)
		return -ENOMEM;
	memset(track->curves, 0, track->count * sizeof *track->curves);
	memcpy(track->curves[0], making->curve, sizeof making->curve);
	for (uint32_t i = 0; i < track->count; i++)
		track->frames[i] = making->first_frame + i;
	return 0;
}

static int
add_bone(struct fmt_vmd_track *track, struct making *making, const uint8_t *p,
	const float values[FMT_VMD_PLANES])
{
	uint32_t frame = fmt_vmd_key_frame(p), place = track->count;
	if (place == 0) {
		making->first_frame = frame;
		decode_curve(p + 47, making->curve);
	} else if (track->frames == NULL &&
		   frame != (uint64_t)making->first_frame + place &&
		   begin_frames(track, making) < 0) {
		return -ENOMEM;
	}
	if (track->frames != NULL) {
		track->frames[place] = frame;
		decode_curve(p + 47, track->curves[place]);
	}
	for (unsigned plane = 0; plane < FMT_VMD_PLANES; plane++)
		track->move[plane * (size_t)track->stride + place] = values[plane];
	track->count++;
	return 0;
}

static int
decode_bone(struct maker *m, uint32_t number, const uint8_t *p, size_t offset)
{
	float values[FMT_VMD_PLANES];
	if (!fmt_vmd_key_pose(p, values))
		return refuse_pose(values, offset, m->err);
	return add_bone(&m->tracks[number], &m->making[number], p, values);
}

static int
decode_weight(struct maker *m, uint32_t number, const uint8_t *p, size_t offset)
{
	struct fmt_vmd_track *track = &m->tracks[number];
	struct fmt_vmd_weight *weight = &track->weights[track->count++];
	weight->frame = fmt_bytes_peek_u32(p + NAME_SIZE);
	weight->weight = fmt_bytes_peek_f32(p + 19);
	return fmt_bytes_finite(
		&weight->weight, 1, offset + 23, "weight of a morph key", m->err);
}

/* The batch's records into the next free places of their tracks; offset is the first
 * one's in the file. */
static int
decode(struct maker *m, const uint8_t *records, uint32_t count, size_t offset)
{
	for (uint32_t i = 0; i < count; i++, m->left--) {
		uint32_t number = m->track_of[i];
		const uint8_t *p = records + i * m->record_size;
		size_t at = offset + i * m->record_size;
		if (m->tracks[number].count == m->making[number].room &&
			make_room(m, number) < 0)
			return -ENOMEM;
		int rc = is_bone(m) ? decode_bone(m, number, p, at)
				    : decode_weight(m, number, p, at);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int
read_batches(struct maker *m)
{
	while (m->left > 0) {
		uint32_t count, most = m->left < BATCH ? m->left : BATCH;
		const uint8_t *records =
			fmt_bytes_take_some(m->bytes, m->record_size, most, &count);
		if (records == NULL)
			return fmt_bytes_check(m->bytes, "a section of keys", m->err);
		size_t offset = fmt_bytes_offset(m->bytes) - count * m->record_size;
		int rc = group(m, records, count);
		if (rc == 0 && m->made.memory[FMT_VMD_TRACKS_KEYS] == NULL)
			rc = plan_block(m, count);
		if (rc == 0)
			rc = decode(m, records, count, offset);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* Sorts where that may be needed; what is then left without frames of its own is to share
 * those of a ramp from frame 0 on.  *frames and *keys become the most that any wants. */
static int
finish_bone(struct maker *m, uint32_t number, uint32_t *frames, uint32_t *keys)
{
	struct fmt_vmd_track *track = &m->tracks[number];
	const struct making *making = &m->making[number];
	uint64_t end = (uint64_t)making->first_frame + track->count;
	/* Whatever the file says, a ramp must not be longer than the file warrants. */
	if (track->frames == NULL && end > m->all && begin_frames(track, making) < 0)
		return -ENOMEM;
	if (track->frames != NULL)
		return fmt_vmd_sort_bone(track, &m->made.duplicates);
	track->shares_frames = 1;
	*frames = end > *frames ? (uint32_t)end : *frames;
	*keys = track->count > *keys ? track->count : *keys;
	return 0;
}

int
fmt_vmd_tracks_ramp(struct fmt_vmd_tracks *tracks, uint32_t frame_count,
	uint32_t curve_count, uint32_t **frames)
{
	uint32_t *ramp = calloc((size_t)frame_count + 1, sizeof *ramp);
	struct fmt_vmd_track *track;
	tracks->memory[FMT_VMD_TRACKS_FRAMES] = ramp;
	tracks->memory[FMT_VMD_TRACKS_CURVES] =
		calloc((size_t)curve_count + 1, sizeof *track->curves);
	if (ramp == NULL || tracks->memory[FMT_VMD_TRACKS_CURVES] == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < frame_count; i++)
		ramp[i] = i;
	*frames = ramp;
	return 0;
}

static int
finish_bones(struct maker *m)
{
	uint32_t frame_count = 0, key_count = 0, *frames;
	for (uint32_t i = 0; i < m->count; i++)
		if (finish_bone(m, i, &frame_count, &key_count) < 0)
			return -ENOMEM;
	if (fmt_vmd_tracks_ramp(&m->made, frame_count, key_count, &frames) < 0)
		return -ENOMEM;
	for (uint32_t i = 0; i < m->count; i++) {
		if (!m->tracks[i].shares_frames)
			continue;
		m->tracks[i].frames = frames + m->making[i].first_frame;
		m->tracks[i].curves = m->made.memory[FMT_VMD_TRACKS_CURVES];
	}
	return 0;
}

static int
finish_morphs(struct maker *m)
{
	for (uint32_t i = 0; i < m->count; i++)
		if (fmt_vmd_sort_morph(&m->tracks[i], &m->made.duplicates) < 0)
			return -ENOMEM;
	return 0;
}

int
fmt_vmd_tracks_read(const struct fmt_vmd_records *records, struct fmt_vmd_tracks *tracks,
	struct fmt_err *err)
{
	struct maker *m = calloc(1, sizeof *m);
	if (m == NULL)
		return fmt_err_set(err, -ENOMEM, "no memory for keys");
	m->bytes = records->bytes;
	m->err = err;
	m->record_size = records->size;
	m->item_size = is_bone(m) ? FMT_VMD_PLANES * sizeof(float)
				  : sizeof(struct fmt_vmd_weight);
	m->all = m->left = records->count;
	m->last = NOBODY;
	/* Seeded by an address, so that a dropper cannot choose names that all fall into
	 * one slot.  The order of the tracks does not depend on it. */
	m->seed = (uintptr_t)m;
	int rc = read_batches(m);
	if (rc == 0)
		rc = is_bone(m) ? finish_bones(m) : finish_morphs(m);
	if (rc == -ENOMEM)
		fmt_err_set(err, rc, "no memory for %u keys", records->count);
	m->made.tracks = m->tracks;
	m->made.count = m->count;
	if (rc == 0)
		*tracks = m->made;
	else
		fmt_vmd_tracks_free(&m->made);
	free(m->making);
	free(m->slots);
	free(m);
	return rc;
}

void
fmt_vmd_tracks_free(struct fmt_vmd_tracks *tracks)
{
	for (uint32_t i = 0; i < tracks->count; i++) {
		struct fmt_vmd_track *track = &tracks->tracks[i];
		free(track->name);
		if (!track->shares_keys) {
			free(track->move);
			free(track->weights);
		}
		if (!track->shares_frames) {
			free(track->frames);
			free(track->curves);
		}
	}
	free(tracks->tracks);
	for (int i = 0; i < 3; i++)
		free(tracks->memory[i]);
}
