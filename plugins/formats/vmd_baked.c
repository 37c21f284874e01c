/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The order of the first frame's bones is compared with every frame's, in pieces that
 * threads can share: what they find is one yes or no.  Invariant: a piece is full of whole
 * records, so record i is bone i % bones at frame first_frame + i / bones.
 */
#include "plugins/formats/vmd_baked.h"

#include "plugins/formats/text.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NOT_BAKED = -1, PIECE = FMT_VMD_BAKED_BUFFER / FMT_VMD_BONE_SIZE /* records */ };

/* A name's 15 bytes as two numbers that overlap. */
struct name {
	uint64_t begin, end;
};

struct search {
	int fd;
	uint64_t at; /* of the first record, in the file */
	uint32_t count, bones, first_frame;
	struct name *names; /* of the bones, in order */
	uint8_t *buffers;   /* one a worker */
};

static struct name
name_of(const uint8_t *record)
{
	struct name name;
	memcpy(&name.begin, record, sizeof name.begin);
	memcpy(&name.end, record + FMT_VMD_NAME_SIZE - sizeof name.end, sizeof name.end);
	return name;
}

static int
same_name(struct name a, struct name b)
{
	return ((a.begin ^ b.begin) | (a.end ^ b.end)) == 0;
}

/* 0 or a negative errno; -EAGAIN: the file ends before. */
static int
read_at(int fd, uint8_t *to, size_t length, uint64_t at)
{
	while (length > 0) {
		ssize_t got = pread(fd, to, length, (off_t)at);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? -errno : -EAGAIN;
		to += got;
		at += (uint64_t)got;
		length -= (size_t)got;
	}
	return 0;
}

/* Whether one of the key's floats is infinite or NaN. */
static uint32_t
has_wild_number(const uint8_t *record)
{
	uint32_t wild = 0;
	for (int i = 0; i < FMT_VMD_PLANES; i++) {
		uint32_t bits =
			fmt_bytes_peek_u32(record + FMT_VMD_POSE_AT + 4 * i) & 0x7fffffff;
		wild |= bits >= 0x7f800000;
	}
	return wild;
}

static int
check_piece(void *context, uint32_t part, uint32_t worker)
{
	const struct search *s = context;
	uint8_t *buffer = s->buffers + worker * FMT_VMD_BAKED_BUFFER;
	uint32_t from = part * PIECE, left = s->count - from, strange = 0;
	uint32_t count = left < PIECE ? left : PIECE;
	uint32_t bone = from % s->bones, frame = s->first_frame + from / s->bones;
	if (read_at(s->fd, buffer, (size_t)count * FMT_VMD_BONE_SIZE,
		    s->at + (uint64_t)from * FMT_VMD_BONE_SIZE) < 0)
		return NOT_BAKED;
	for (const uint8_t *p = buffer; count > 0; count--, p += FMT_VMD_BONE_SIZE) {
		strange |= !same_name(name_of(p), s->names[bone]);
		strange |= fmt_vmd_key_frame(p) != frame;
		strange |= has_wild_number(p);
		if (++bone == s->bones) {
			bone = 0;
			frame++;
		}
	}
	return strange != 0 ? NOT_BAKED : 0;
}

static int
check_pieces(struct search *s, const struct fmt_team *team)
{
	uint32_t parts = (s->count - 1) / PIECE + 1;
	int rc = 0;
	if (team != NULL)
		return team->run(team->team, check_piece, s, parts);
	for (uint32_t part = 0; rc == 0 && part < parts; part++)
		rc = check_piece(s, part, 0);
	return rc;
}

static int
compare_names(const void *a, const void *b)
{
	return memcmp(a, b, 16);
}

/* Two tracks of one name are one track with two keys at a frame. */
static int
names_differ(const struct fmt_vmd_track *tracks, uint32_t count)
{
	char(*sorted)[16] = calloc(count, sizeof *sorted);
	if (sorted == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++)
		memcpy(sorted[i], tracks[i].vmd_name, sizeof *sorted);
	qsort(sorted, count, sizeof *sorted, compare_names);
	uint32_t i = 1;
	while (i < count && compare_names(sorted[i - 1], sorted[i]) != 0)
		i++;
	free(sorted);
	return i >= count;
}

/* Learns from the file's beginning which bones there are.  1, 0 where such a file is not
 * baked, or -ENOMEM. */
static int
learn_bones(struct search *s, struct fmt_vmd_tracks *tracks)
{
	const uint8_t *first = s->buffers;
	uint32_t known = s->count < PIECE ? s->count : PIECE;
	if (read_at(s->fd, s->buffers, (size_t)known * FMT_VMD_BONE_SIZE, s->at) < 0)
		return 0;
	for (s->bones = 1; s->bones < known; s->bones++)
		if (same_name(name_of(first),
			    name_of(first + (size_t)s->bones * FMT_VMD_BONE_SIZE)))
			break;
	uint32_t frames = s->count / s->bones;
	s->first_frame = fmt_vmd_key_frame(first);
	/* Whatever the file says, frame numbers are kept of no more frames than it has
	 * records. */
	if (s->bones == known || s->count % s->bones != 0 ||
		(uint64_t)s->first_frame + frames > s->count)
		return 0;
	s->names = calloc(s->bones, sizeof *s->names);
	tracks->tracks = calloc(s->bones, sizeof *tracks->tracks);
	if (s->names == NULL || tracks->tracks == NULL)
		return -ENOMEM;
	tracks->count = s->bones;
	for (uint32_t i = 0; i < s->bones; i++) {
		const uint8_t *raw = first + (size_t)i * FMT_VMD_BONE_SIZE;
		struct fmt_vmd_track *track = &tracks->tracks[i];
		s->names[i] = name_of(raw);
		fmt_text_clean_name(raw, FMT_VMD_NAME_SIZE, track->vmd_name);
		track->count = frames;
		track->shares_frames = track->shares_keys = 1;
	}
	return names_differ(tracks->tracks, s->bones);
}

static int
finish_tracks(const struct search *s, struct fmt_vmd_tracks *tracks)
{
	uint32_t count = s->count / s->bones, *frames;
	int rc = fmt_vmd_tracks_ramp(tracks, s->first_frame + count, count, &frames);
	for (uint32_t i = 0; rc == 0 && i < tracks->count; i++) {
		tracks->tracks[i].frames = frames + s->first_frame;
		tracks->tracks[i].curves = tracks->memory[FMT_VMD_TRACKS_CURVES];
	}
	return rc;
}

int
fmt_vmd_baked_find(const struct fmt_vmd_records *records, const struct fmt_team *team,
	struct fmt_vmd_tracks *tracks, struct fmt_vmd_baked *baked)
{
	struct search s = {.fd = records->bytes->fd, .count = records->count};
	struct fmt_vmd_tracks found = {0};
	int64_t at = fmt_bytes_place(records->bytes);
	if (at < 0 || records->count < 2)
		return 0;
	s.at = (uint64_t)at;
	s.buffers = malloc((team == NULL ? 1 : team->threads) * FMT_VMD_BAKED_BUFFER);
	int rc = s.buffers == NULL ? -ENOMEM : learn_bones(&s, &found);
	if (rc > 0)
		rc = check_pieces(&s, team) == 0;
	if (rc > 0) {
		rc = finish_tracks(&s, &found);
		rc = rc == 0 ? 1 : rc;
	}
	if (rc > 0) {
		*tracks = found;
		*baked = (struct fmt_vmd_baked){s.at, s.first_frame, s.count / s.bones};
	} else {
		fmt_vmd_tracks_free(&found);
	}
	free(s.names);
	free(s.buffers);
	return rc;
}

/* One track's keys out of rows of `row` bytes each.  Whether all numbers are finite. */
static int
decode_keys(const uint8_t *p, size_t row, uint32_t count, float *planes, size_t stride)
{
	int finite = 1;
	for (uint32_t k = 0; k < count; k++, p += row) {
		float values[FMT_VMD_PLANES];
		finite &= fmt_vmd_key_pose(p, values);
		for (size_t c = 0; c < FMT_VMD_PLANES; c++)
			planes[c * stride + k] = values[c];
	}
	return finite;
}

/* The next `count` keys of every track, which are in the buffer, behind the first `done`.
 * 0, or -EAGAIN where there is a number that was not there when the file was looked at. */
static int
decode_rows(const struct fmt_vmd *motion, const struct fmt_vmd_stretch *stretch,
	uint32_t done, uint32_t count)
{
	const size_t row = (size_t)motion->bone_count * FMT_VMD_BONE_SIZE;
	const size_t track = FMT_VMD_PLANES * stretch->stride;
	const uint8_t *p = stretch->buffer;
	int finite = 1;
	for (uint32_t i = 0; i < motion->bone_count; i++, p += FMT_VMD_BONE_SIZE)
		if (stretch->places[i] >= 0)
			finite &= decode_keys(p, row, count,
				stretch->planes + (size_t)stretch->places[i] * track +
					done,
				stretch->stride);
	return finite ? 0 : -EAGAIN;
}

int
fmt_vmd_baked_read(int fd, const struct fmt_vmd *motion,
	const struct fmt_vmd_stretch *stretch, struct fmt_err *err)
{
	size_t row = (size_t)motion->bone_count * FMT_VMD_BONE_SIZE;
	uint32_t most = (uint32_t)(FMT_VMD_BAKED_BUFFER / row), some;
	assert(stretch->count <= motion->baked.frames &&
		stretch->first <= motion->baked.frames - stretch->count);
	for (uint32_t done = 0; done < stretch->count; done += some) {
		uint32_t left = stretch->count - done;
		uint64_t at = motion->baked.at + (uint64_t)row * (stretch->first + done);
		some = left < most ? left : most;
		int rc = read_at(fd, stretch->buffer, some * row, at);
		if (rc < 0)
			return fmt_err_set(err, rc,
				"cannot be read behind byte %llu (%s)",
				(unsigned long long)at,
				rc == -EAGAIN ? "the file has become shorter"
					      : strerror(-rc));
		rc = decode_rows(motion, stretch, done, some);
		if (rc < 0)
			return fmt_err_set(err, rc,
				"the file was written to while it was read: a number "
				"behind byte %llu is not finite any more",
				(unsigned long long)at);
	}
	return 0;
}
