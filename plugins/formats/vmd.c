/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sections of a VMD in their order.  Every section is first cut to its whole records
 * (see open_section) and only then decoded, so no decoder can run past the end.
 */
#include "plugins/formats/vmd.h"
#include "plugins/formats/bytes.h"
#include "plugins/formats/text.h"
#include "plugins/formats/vmd_baked.h"
#include "plugins/formats/vmd_names.h"
#include "plugins/formats/vmd_sort.h"
#include "plugins/formats/vmd_tracks.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	MAGIC_SIZE = 30,
	CAMERA_SIZE = 61,
	LIGHT_SIZE = 28,
	SHADOW_SIZE = 9,
	PROPERTY_SIZE = 9, /* without its IK switches */
	SWITCH_SIZE = 21,
	SECTION_MOST = 1 << 30, /* bytes that a count may need; see vmd.h */
};

struct reader {
	struct fmt_bytes bytes;
	const struct fmt_vmd_options *options;
	struct fmt_vmd *motion;
	struct fmt_err *err;
	int ended; /* no further section: the file has ended, rightly or not */
};

static const char *
what_is_it(const uint8_t *p, size_t length)
{
	static const struct {
		const char *magic;
		size_t length;
		const char *name;
	} known[] = {
		{"\x89PNG", 4, "a PNG image"},
		{"\xff\xd8\xff", 3, "a JPEG image"},
		{"Vocaloid Pose Data", 18, "a VPD pose"},
		{"PMX ", 4, "a PMX model"},
		{"Pmd", 3, "a PMD model"},
		{"PK\x03\x04", 4, "a ZIP archive"},
		{"Rar!", 4, "a RAR archive"},
		{"7z\xbc\xaf\x27\x1c", 6, "a 7z archive"},
		{"Kaydara FBX", 11, "an FBX scene"},
		{"BVH", 3, "a BVH motion"},
		{"HIERARCHY", 9, "a BVH motion"},
	};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		if (length >= known[i].length &&
			memcmp(p, known[i].magic, known[i].length) == 0)
			return known[i].name;
	}
	return NULL;
}

static int
read_header(struct reader *r)
{
	static const char new_magic[] = "Vocaloid Motion Data 0002";
	static const char old_magic[] = "Vocaloid Motion Data file";
	static const char bare_magic[] = "Vocaloid Motion Data";
	size_t length = fmt_bytes_left(&r->bytes);

	if (length == 0)
		return fmt_err_set(
			r->err, -EBADMSG, "the file is empty; a VMD was expected");
	length = length < MAGIC_SIZE ? length : MAGIC_SIZE;
	const uint8_t *start = fmt_bytes_take(&r->bytes, length);
	if (start == NULL)
		return fmt_bytes_check(&r->bytes, "the header", r->err);
	const char *other = what_is_it(start, length);
	if (other != NULL)
		return fmt_err_set(
			r->err, -EBADMSG, "a VMD was expected, this is %s", other);
	size_t compared = length < sizeof bare_magic - 1 ? length : sizeof bare_magic - 1;
	if (memcmp(start, bare_magic, compared) != 0)
		return fmt_err_set(r->err, -EBADMSG,
			"a VMD was expected: '%s' at byte 0, bytes %02x %02x %02x %02x "
			"were "
			"found",
			bare_magic, start[0], length > 1 ? start[1] : 0u,
			length > 2 ? start[2] : 0u, length > 3 ? start[3] : 0u);
	if (length < MAGIC_SIZE)
		return fmt_err_set(r->err, -EBADMSG,
			"the file ends inside the header, at byte %zu", length);
	size_t name_length;
	if (memcmp(start, old_magic, sizeof old_magic) == 0)
		name_length = 10;
	else if (memcmp(start, new_magic, sizeof new_magic) == 0 ||
		 memcmp(start, bare_magic, sizeof bare_magic) == 0)
		name_length = 20;
	else
		return fmt_err_set(r->err, -EBADMSG,
			"version '0002' or 'file' was expected at byte 21, '%.5s' was "
			"found",
			(const char *)start + 21);
	const uint8_t *name = fmt_bytes_take(&r->bytes, name_length);
	if (name == NULL)
		return fmt_bytes_check(&r->bytes, "the header", r->err);
	r->motion->model_name = fmt_text_decode(name, name_length, FMT_TEXT_CP932, NULL);
	return r->motion->model_name == NULL ? fmt_err_set(r->err, -ENOMEM, "no memory")
					     : 0;
}

/* What is whole counts, unless the user wants all or nothing. */
static int
truncated(struct reader *r, const char *section, uint32_t whole, uint32_t stated)
{
	struct fmt_vmd *motion = r->motion;

	r->ended = 1;
	if (stated == 0)
		snprintf(motion->truncated, sizeof motion->truncated,
			"the file ends at byte %zu inside its number of %s, and later "
			"sections are missing",
			fmt_bytes_size(&r->bytes), section);
	else
		snprintf(motion->truncated, sizeof motion->truncated,
			"the file ends at byte %zu inside its section of %s: %u of %u "
			"whole ones were read, and later sections are missing",
			fmt_bytes_size(&r->bytes), section, whole, stated);
	if (r->options->strict)
		return fmt_err_set(r->err, -EBADMSG, "%s", motion->truncated);
	return 0;
}

/* Reads a section's count and how many of its records of size bytes are whole. */
static int
open_section(struct reader *r, const char *section, size_t size, uint32_t *whole,
	uint32_t *stated)
{
	*whole = *stated = 0;
	if (r->ended)
		return 0;
	size_t offset = fmt_bytes_offset(&r->bytes);
	size_t left = fmt_bytes_left(&r->bytes);
	if (left == 0) {
		r->ended = 1;
		return 0;
	}
	if (left < 4)
		return truncated(r, section, 0, 0);
	uint32_t count = fmt_bytes_u32(&r->bytes);
	left -= 4;
	uint64_t needed = (uint64_t)count * size;
	if (needed > left && needed > SECTION_MOST)
		return fmt_err_set(r->err, -EBADMSG,
			"corrupt: byte %zu states %u %s of %zu bytes, but only %zu bytes "
			"follow",
			offset, count, section, size, left);
	*stated = count;
	*whole = needed > left ? (uint32_t)(left / size) : count;
	return 0;
}

/* A section whose records all have one size: how many of them are whole.  The records
 * are still to be taken. */
static int
open_records(struct reader *r, const char *section, struct fmt_vmd_records *records)
{
	uint32_t stated;

	records->bytes = &r->bytes;
	int rc = open_section(r, section, records->size, &records->count, &stated);
	if (rc < 0)
		return rc;
	return records->count < stated ? truncated(r, section, records->count, stated)
				       : 0;
}

/* The tracks of the bones' records, with their keys or without. */
static int
read_bone_tracks(struct reader *r, const struct fmt_vmd_records *records,
	struct fmt_vmd_tracks *tracks)
{
	const struct fmt_vmd_options *options = r->options;
	size_t bytes = records->count * records->size;
	int baked = options->stay_from == 0 || bytes < options->stay_from
			    ? 0
			    : fmt_vmd_baked_find(
				      records, options->team, tracks, &r->motion->baked);
	if (baked < 0)
		return fmt_err_set(r->err, baked, "no memory for keys");
	if (!baked)
		return fmt_vmd_tracks_read(records, tracks, r->err);
	if (fmt_bytes_skip(records->bytes, bytes) == 0)
		return 0;
	fmt_vmd_tracks_free(tracks);
	return fmt_bytes_check(records->bytes, "a section of keys", r->err);
}

static int
read_bones(struct reader *r)
{
	struct fmt_vmd_records records = {.size = FMT_VMD_BONE_SIZE};
	struct fmt_vmd_tracks tracks;

	if (fmt_bytes_left(&r->bytes) < 4)
		return fmt_err_set(r->err, -EBADMSG,
			"the file ends at byte %zu, before its section of bone keys",
			fmt_bytes_size(&r->bytes));
	int rc = open_records(r, "bone keys", &records);
	if (rc == 0)
		rc = read_bone_tracks(r, &records, &tracks);
	if (rc < 0)
		return rc;
	r->motion->bones = tracks.tracks;
	r->motion->bone_count = tracks.count;
	memcpy(r->motion->bone_memory, tracks.memory, sizeof tracks.memory);
	r->motion->bone_keys = records.count;
	r->motion->duplicate_keys += tracks.duplicates;
	for (uint32_t i = 0; i < tracks.count; i++) {
		const struct fmt_vmd_track *track = &tracks.tracks[i];
		uint32_t frame = track->frames[track->count - 1];
		if (frame > r->motion->last_frame)
			r->motion->last_frame = frame;
	}
	return 0;
}

static int
read_morphs(struct reader *r)
{
	struct fmt_vmd_records records = {.size = FMT_VMD_MORPH_SIZE};
	struct fmt_vmd_tracks tracks;

	int rc = open_records(r, "morph keys", &records);
	if (rc == 0)
		rc = fmt_vmd_tracks_read(&records, &tracks, r->err);
	if (rc < 0)
		return rc;
	r->motion->morphs = tracks.tracks;
	r->motion->morph_count = tracks.count;
	memcpy(r->motion->morph_memory, tracks.memory, sizeof tracks.memory);
	r->motion->morph_keys = records.count;
	r->motion->duplicate_keys += tracks.duplicates;
	for (uint32_t i = 0; i < tracks.count; i++) {
		const struct fmt_vmd_track *track = &tracks.tracks[i];
		uint32_t frame = track->weights[track->count - 1].frame;
		if (frame > r->motion->last_frame)
			r->motion->last_frame = frame;
	}
	return 0;
}

static int
decode_camera(const uint8_t *p, size_t offset, struct fmt_vmd_camera *camera,
	struct fmt_err *err)
{
	float numbers[7];

	for (int i = 0; i < 7; i++)
		numbers[i] = fmt_bytes_peek_f32(p + 4 + 4 * i);
	camera->frame = fmt_bytes_peek_u32(p);
	camera->distance = numbers[0];
	memcpy(camera->move, numbers + 1, sizeof camera->move);
	memcpy(camera->rotate, numbers + 4, sizeof camera->rotate);
	for (int i = 0; i < 24; i++)
		camera->curve[i / 4][i % 4] = p[32 + i] > 127 ? 127 : p[32 + i];
	camera->angle = fmt_bytes_peek_u32(p + 56);
	camera->perspective_off = p[60] != 0;
	return fmt_bytes_finite(numbers, 7, offset + 32, "a camera key", err);
}

static int
read_cameras(struct reader *r)
{
	struct fmt_vmd_records records = {.size = CAMERA_SIZE};
	struct fmt_vmd *motion = r->motion;

	int rc = open_records(r, "camera keys", &records);
	if (rc < 0 || records.count == 0)
		return rc;
	motion->cameras = calloc(records.count, sizeof *motion->cameras);
	if (motion->cameras == NULL)
		return fmt_err_set(
			r->err, -ENOMEM, "no memory for %u camera keys", records.count);
	motion->camera_count = records.count;
	for (uint32_t i = 0; i < records.count; i++) {
		size_t offset = fmt_bytes_offset(&r->bytes);
		const uint8_t *p = fmt_bytes_take(&r->bytes, CAMERA_SIZE);
		rc = p == NULL ? fmt_bytes_check(&r->bytes, "a camera key", r->err)
			       : decode_camera(p, offset, &motion->cameras[i], r->err);
		if (rc < 0)
			return rc;
	}
	rc = fmt_vmd_sort(motion->cameras, records.count, sizeof *motion->cameras);
	return rc < 0 ? fmt_err_set(r->err, rc, "no memory to sort camera keys") : 0;
}

/* Lights and shadows move no bone: they are walked and counted. */
static int
skip_records(struct reader *r, const char *section, size_t size, uint32_t *count)
{
	struct fmt_vmd_records records = {.size = size};

	int rc = open_records(r, section, &records);
	*count = records.count;
	for (uint32_t left = records.count, some; rc == 0 && left > 0; left -= some)
		if (fmt_bytes_take_some(&r->bytes, size, left, &some) == NULL)
			return fmt_bytes_check(&r->bytes, section, r->err);
	return rc;
}

/* One property key.  1 when it is whole, 0 when the file ends inside it. */
static int
read_property(struct reader *r, struct fmt_vmd_property *property)
{
	struct fmt_bytes *bytes = &r->bytes;

	property->frame = fmt_bytes_u32(bytes);
	property->visible = fmt_bytes_u8(bytes) != 0;
	uint32_t count = fmt_bytes_u32(bytes);
	if (bytes->failed != 0)
		return fmt_bytes_check(bytes, "a property key", r->err);
	if (bytes->wanted != 0 || !fmt_bytes_holds(bytes, count, SWITCH_SIZE))
		return 0;
	if (count > 0) {
		property->ik = calloc(count, sizeof *property->ik);
		if (property->ik == NULL)
			return fmt_err_set(
				r->err, -ENOMEM, "no memory for %u switches", count);
	}
	property->ik_count = count;
	for (uint32_t i = 0; i < count; i++) {
		const uint8_t *p = fmt_bytes_take(bytes, SWITCH_SIZE);
		if (p == NULL)
			return fmt_bytes_check(bytes, "a property key", r->err);
		fmt_text_clean_name(p, 20, property->ik[i].vmd_name);
		property->ik[i].enabled = p[20] != 0;
	}
	return 1;
}

/* Of keys at one frame the last in the file counts. */
static void
drop_duplicate_properties(struct fmt_vmd *motion)
{
	struct fmt_vmd_property *p = motion->properties;
	uint32_t kept = 0;

	for (uint32_t i = 0; i < motion->property_count; i++) {
		if (kept > 0 && p[kept - 1].frame == p[i].frame) {
			free(p[--kept].ik);
			motion->duplicate_keys++;
		}
		p[kept++] = p[i];
	}
	motion->property_count = kept;
}

static int
read_properties(struct reader *r)
{
	static const char section[] = "property keys";
	struct fmt_vmd *motion = r->motion;
	uint32_t whole, stated;

	int rc = open_section(r, section, PROPERTY_SIZE, &whole, &stated);
	if (rc < 0 || stated == 0)
		return rc;
	motion->properties = calloc((size_t)whole + 1, sizeof *motion->properties);
	if (motion->properties == NULL)
		return fmt_err_set(
			r->err, -ENOMEM, "no memory for %u property keys", whole);
	while (motion->property_count < whole) {
		rc = read_property(r, &motion->properties[motion->property_count]);
		if (rc < 0)
			return rc;
		if (rc == 0)
			break;
		motion->property_count++;
	}
	if (motion->property_count < stated) {
		rc = truncated(r, section, motion->property_count, stated);
		if (rc < 0)
			return rc;
	}
	rc = fmt_vmd_sort(
		motion->properties, motion->property_count, sizeof *motion->properties);
	if (rc < 0)
		return fmt_err_set(r->err, rc, "no memory to sort property keys");
	drop_duplicate_properties(motion);
	return 0;
}

/* Every section, in order. */
static int
read_sections(struct reader *r)
{
	int rc = read_header(r);
	if (rc == 0)
		rc = read_bones(r);
	if (rc == 0)
		rc = read_morphs(r);
	if (rc == 0)
		rc = read_cameras(r);
	if (rc == 0)
		rc = skip_records(r, "light keys", LIGHT_SIZE, &r->motion->light_count);
	if (rc == 0)
		rc = skip_records(
			r, "self-shadow keys", SHADOW_SIZE, &r->motion->shadow_count);
	if (rc == 0)
		rc = read_properties(r);
	return rc == 0 ? fmt_vmd_names_give(r->motion, r->options->fallback, r->err) : rc;
}

/* Reads what r->bytes walk over. */
static int
read_motion(struct reader *r, const struct fmt_vmd_options *options,
	struct fmt_vmd *motion, struct fmt_err *err)
{
	static const struct fmt_vmd_options defaults = {.fallback = FMT_VMD_CP932};
	struct fmt_vmd read = {0};

	r->options = options == NULL ? &defaults : options;
	r->motion = &read;
	r->err = err;
	int rc = read_sections(r);
	if (fmt_bytes_close(&r->bytes) < 0 && rc == 0)
		rc = fmt_err_set(err, -EAGAIN, "the file grew while it was read");
	if (rc < 0) {
		fmt_vmd_free(&read);
		return rc;
	}
	*motion = read;
	return 0;
}

int
fmt_vmd_read(const void *bytes, size_t length, const struct fmt_vmd_options *options,
	struct fmt_vmd *motion, struct fmt_err *err)
{
	struct reader r = {.ended = 0};

	fmt_bytes_init(&r.bytes, bytes, length);
	return read_motion(&r, options, motion, err);
}

int
fmt_vmd_read_file(int fd, size_t length, const struct fmt_vmd_options *options,
	struct fmt_vmd *motion, struct fmt_err *err)
{
	struct reader r = {.ended = 0};

	if (fmt_bytes_open(&r.bytes, fd, length) < 0)
		return fmt_err_set(err, -ENOMEM, "no memory for a buffer");
	return read_motion(&r, options, motion, err);
}

void
fmt_vmd_free(struct fmt_vmd *motion)
{
	if (motion == NULL)
		return;
	struct fmt_vmd_tracks bones = {
		.tracks = motion->bones, .count = motion->bone_count};
	struct fmt_vmd_tracks morphs = {
		.tracks = motion->morphs, .count = motion->morph_count};
	memcpy(bones.memory, motion->bone_memory, sizeof bones.memory);
	memcpy(morphs.memory, motion->morph_memory, sizeof morphs.memory);
	fmt_vmd_tracks_free(&bones);
	fmt_vmd_tracks_free(&morphs);
	for (uint32_t i = 0; i < motion->property_count; i++)
		free(motion->properties[i].ik);
	free(motion->properties);
	free(motion->cameras);
	free(motion->model_name);
	memset(motion, 0, sizeof *motion);
}
