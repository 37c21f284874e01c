/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A pose is written down as the bytes of the VMD that it stands for, and vmd.c reads
 * these: what holds of names, encodings and keys met twice holds here too.
 */
#include "plugins/formats/vpd.h"

#include "plugins/formats/text.h"
#include "plugins/formats/vmd_tracks.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char magic[] = "Vocaloid Pose Data file";
static const char mark[] = "\xef\xbb\xbf";

/* Bytes that grow. */
struct buffer {
	uint8_t *bytes;
	size_t length, room;
	uint32_t records;
};

struct reader {
	char *text; /* NUL-terminated copy */
	const char *at;
	struct buffer bones, morphs;
	const char *model; /* up to the ';' */
	size_t model_length;
	uint32_t stated;
	int ended; /* inside a bone or morph */
	struct fmt_err *err;
};

static int
begins(const void *bytes, size_t length, const char *with)
{
	return length >= strlen(with) && memcmp(bytes, with, strlen(with)) == 0;
}

int
fmt_vpd_is(const void *bytes, size_t length)
{
	const char *text = bytes;
	if (begins(text, length, mark)) {
		text += sizeof mark - 1;
		length -= sizeof mark - 1;
	}
	return begins(text, length, magic);
}

static unsigned
line_of(const struct reader *r)
{
	unsigned line = 1;
	for (const char *p = r->text; p < r->at; p++)
		line += *p == '\n';
	return line;
}

/* What stands where something else was expected; a word that the file's end may have cut
 * is none. */
static int
unexpected(struct reader *r, const char *expected)
{
	if (r->at[strcspn(r->at, " \t\r\n,;{}")] == '\0') {
		r->ended = 1;
		return -ENODATA;
	}
	unsigned char found = (unsigned char)*r->at;
	if (found > 0x20 && found < 0x7f)
		return fmt_err_set(r->err, -EBADMSG, "line %u: expected %s, found '%c'",
			line_of(r), expected, found);
	return fmt_err_set(r->err, -EBADMSG, "line %u: expected %s, found byte %02x",
		line_of(r), expected, found);
}

/* Over blanks, line ends and comments. */
static void
skip(struct reader *r)
{
	for (;;) {
		r->at += strspn(r->at, " \t\r\n");
		if (r->at[0] != '/' || r->at[1] != '/')
			return;
		r->at += strcspn(r->at, "\n");
	}
}

static int
expect(struct reader *r, char c)
{
	const char expected[] = {'\'', c, '\'', '\0'};
	skip(r);
	if (*r->at != c)
		return unexpected(r, expected);
	r->at++;
	return 0;
}

/* count numbers with commas between and a semicolon behind. */
static int
read_numbers(struct reader *r, float *numbers, int count)
{
	for (int i = 0; i < count; i++) {
		char *end;
		skip(r);
		numbers[i] = strtof(r->at, &end);
		if (end == r->at)
			return unexpected(r, "a number");
		if (!isfinite(numbers[i]))
			return fmt_err_set(r->err, -EBADMSG,
				"line %u: expected a finite number", line_of(r));
		r->at = end;
		int rc = expect(r, i + 1 < count ? ',' : ';');
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* Room for one more record of size bytes, zeroed. */
static uint8_t *
add_record(struct buffer *buffer, size_t size)
{
	if (buffer->length + size > buffer->room) {
		size_t room = 2 * buffer->room + 64 * size;
		uint8_t *bytes = realloc(buffer->bytes, room);
		if (bytes == NULL)
			return NULL;
		buffer->bytes = bytes;
		buffer->room = room;
	}
	uint8_t *record = buffer->bytes + buffer->length;
	buffer->length += size;
	buffer->records++;
	memset(record, 0, size);
	return record;
}

static void
put_u32(uint8_t *to, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		to[i] = (uint8_t)(value >> 8 * i);
}

static void
put_floats(uint8_t *to, const float *values, int count)
{
	for (int i = 0; i < count; i++) {
		uint32_t bits;
		memcpy(&bits, &values[i], sizeof bits);
		put_u32(to + 4 * i, bits);
	}
}

/* One whole bone or morph from behind its '{'; until then no record is made. */
static int
read_block(struct reader *r, int is_bone)
{
	const char *name = r->at;
	size_t length = strcspn(name, "\r\n");
	float numbers[7] = {0};
	r->at += length;
	while (length > 0 && (name[length - 1] == ' ' || name[length - 1] == '\t'))
		length--;
	int rc = read_numbers(r, numbers, is_bone ? 3 : 1);
	if (rc == 0 && is_bone)
		rc = read_numbers(r, numbers + 3, 4);
	if (rc == 0)
		rc = expect(r, '}');
	if (rc < 0)
		return rc;
	/* The frame behind the name stays 0, and so do the curves: one key has no use
	 * for them. */
	uint8_t *record = is_bone ? add_record(&r->bones, FMT_VMD_BONE_SIZE)
				  : add_record(&r->morphs, FMT_VMD_MORPH_SIZE);
	if (record == NULL)
		return fmt_err_set(r->err, -ENOMEM, "no memory for a pose");
	memcpy(record, name, length < 15 ? length : 15);
	put_floats(record + 19, numbers, is_bone ? 7 : 1);
	return 0;
}

static int
read_blocks(struct reader *r)
{
	for (;;) {
		skip(r);
		if (*r->at == '\0')
			return 0;
		int is_bone = strncmp(r->at, "Bone", 4) == 0;
		if (!is_bone && strncmp(r->at, "Morph", 5) != 0)
			return unexpected(r, "\"Bone\" or \"Morph\"");
		r->at += is_bone ? 4 : 5;
		r->at += strspn(r->at, "0123456789");
		int rc = expect(r, '{');
		rc = rc == 0 ? read_block(r, is_bone) : rc;
		if (rc < 0)
			return rc;
	}
}

/* The model's file and how many bones there are. */
static int
read_head(struct reader *r)
{
	r->at += strlen(magic);
	skip(r);
	r->model = r->at;
	r->model_length = strcspn(r->at, ";\r\n");
	r->at += r->model_length;
	int rc = expect(r, ';');
	if (rc < 0)
		return rc;
	skip(r);
	size_t digits = strspn(r->at, "0123456789");
	if (digits == 0 || digits > 9)
		return unexpected(r, "the number of bones");
	r->stated = (uint32_t)strtoul(r->at, NULL, 10);
	r->at += digits;
	return expect(r, ';');
}

/* Header, bone keys, morph keys. */
static int
read_as_motion(
	struct reader *r, const struct fmt_vmd_options *options, struct fmt_vmd *motion)
{
	enum { NAME_END = 50 };
	size_t length = NAME_END + 4 + r->bones.length + 4 + r->morphs.length;
	uint8_t *bytes = calloc(1, length), *at = bytes;
	if (bytes == NULL)
		return fmt_err_set(
			r->err, -ENOMEM, "no memory for %zu bytes of pose", length);
	memcpy(at, "Vocaloid Motion Data 0002", 25);
	const struct buffer *sections[] = {&r->bones, &r->morphs};
	at += NAME_END;
	for (int i = 0; i < 2; i++) {
		put_u32(at, sections[i]->records);
		if (sections[i]->length > 0)
			memcpy(at + 4, sections[i]->bytes, sections[i]->length);
		at += 4 + sections[i]->length;
	}
	int rc = fmt_vmd_read(bytes, length, options, motion, r->err);
	free(bytes);
	return rc;
}

static int
finish(struct reader *r, const struct fmt_vmd_options *options, struct fmt_vmd *motion)
{
	struct fmt_vmd read = {0};
	char truncated[sizeof read.truncated] = "";
	if (r->ended || r->bones.records < r->stated)
		snprintf(truncated, sizeof truncated,
			"the file ends at line %u: %u of %u whole bones were read",
			line_of(r), r->bones.records, r->stated);
	if (truncated[0] != '\0' && options->strict)
		return fmt_err_set(r->err, -EBADMSG, "%s", truncated);
	char *name = fmt_text_decode(r->model, r->model_length, FMT_TEXT_CP932, NULL);
	if (name == NULL)
		return fmt_err_set(r->err, -ENOMEM, "no memory for a name");
	int rc = read_as_motion(r, options, &read);
	if (rc < 0) {
		free(name);
		return rc;
	}
	free(read.model_name);
	read.model_name = name;
	memcpy(read.truncated, truncated, sizeof truncated);
	*motion = read;
	return 0;
}

int
fmt_vpd_read(const void *bytes, size_t length, const struct fmt_vmd_options *options,
	struct fmt_vmd *motion, struct fmt_err *err)
{
	struct fmt_vmd_options own = {.fallback = FMT_VMD_CP932};
	struct reader r = {.err = err};
	if (options != NULL)
		own = *options;
	if (!fmt_vpd_is(bytes, length))
		return fmt_err_set(
			err, -EBADMSG, "a VPD was expected: '%s' at byte 0", magic);
	if (length > FMT_VPD_SIZE_MAX)
		return fmt_err_set(err, -EBADMSG,
			"the pose has %zu bytes; at most %u are read", length,
			FMT_VPD_SIZE_MAX);
	const char *nul = memchr(bytes, '\0', length);
	if (nul != NULL)
		return fmt_err_set(err, -EBADMSG,
			"expected text, found a NUL at byte %zu",
			(size_t)(nul - (const char *)bytes));
	r.text = strndup(bytes, length);
	if (r.text == NULL)
		return fmt_err_set(err, -ENOMEM, "no memory for %zu bytes", length);
	r.at = r.text;
	if (begins(r.text, length, mark)) {
		r.at += sizeof mark - 1;
		own.fallback = FMT_VMD_UTF8;
	}
	int rc = read_head(&r);
	rc = rc == 0 ? read_blocks(&r) : rc;
	if (rc == -ENODATA && r.bones.records + r.stated == 0)
		rc = fmt_err_set(
			err, -EBADMSG, "the file ends before its number of bones");
	if (rc == 0 || rc == -ENODATA)
		rc = finish(&r, &own, motion);
	free(r.bones.bytes);
	free(r.morphs.bytes);
	free(r.text);
	return rc;
}
