/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/formats/exif.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Entries of one directory that are looked at; cameras write a few dozen. */
#define ENTRIES_MOST 256

enum type { BYTE = 1, ASCII, SHORT, LONG, RATIONAL, UNDEFINED = 7, SLONG = 9, SRATIONAL };

enum tag {
	IMAGE_DESCRIPTION = 0x010e,
	MAKE = 0x010f,
	MODEL = 0x0110,
	ORIENTATION = 0x0112,
	SOFTWARE = 0x0131,
	DATE_TIME = 0x0132,
	ARTIST = 0x013b,
	COPYRIGHT = 0x8298,
	EXIF_DIRECTORY = 0x8769,
	GPS_DIRECTORY = 0x8825,
	PIXEL_X_DIMENSION = 0xa002,
	PIXEL_Y_DIMENSION = 0xa003,
	FOCAL_LENGTH_35MM = 0xa405,
	GPS_DIRECTION_REFERENCE = 0x0010,
	GPS_DIRECTION = 0x0011,
};

/* What stays true of a view: who, when, how it was exposed, in which colours. */
static const uint16_t image_tags[] = {MAKE, MODEL, DATE_TIME, ARTIST, COPYRIGHT, 0};
static const uint16_t exif_tags[] = {0x829a /* ExposureTime */, 0x829d /* FNumber */,
	0x8822 /* ExposureProgram */, 0x8827 /* ISO */, 0x8830 /* SensitivityType */,
	0x9000 /* ExifVersion */, 0x9003 /* DateTimeOriginal */, 0x9004 /* Digitized */,
	0x9010 /* OffsetTime */, 0x9011, 0x9012, 0x9201 /* ShutterSpeed */,
	0x9202 /* Aperture */, 0x9203 /* Brightness */, 0x9204 /* ExposureBias */,
	0x9207 /* MeteringMode */, 0x9208 /* LightSource */, 0x9209 /* Flash */,
	0x9290 /* SubSecTime */, 0x9291, 0x9292, 0xa001 /* ColorSpace */,
	0xa402 /* ExposureMode */, 0xa403 /* WhiteBalance */, 0};

struct block {
	const uint8_t *bytes;
	size_t length;
	int big; /* endian */
};

struct entry {
	uint16_t tag, type;
	uint32_t count;
	const uint8_t *value;
	size_t length;
};

static uint16_t
get_u16(const struct block *b, size_t at)
{
	const uint8_t *p = b->bytes + at;
	return (uint16_t)(b->big ? p[0] << 8 | p[1] : p[1] << 8 | p[0]);
}

static uint32_t
get_u32(const struct block *b, size_t at)
{
	return b->big ? (uint32_t)get_u16(b, at) << 16 | get_u16(b, at + 2)
		      : (uint32_t)get_u16(b, at + 2) << 16 | get_u16(b, at);
}

static size_t
size_of(uint16_t type)
{
	static const uint8_t sizes[] = {0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8};
	return type < sizeof sizes ? sizes[type] : 0;
}

/* How many bytes of a value are swapped together. */
static size_t
unit_of(uint16_t type)
{
	return size_of(type) == 8 ? 4 : size_of(type);
}

static int
open_block(struct block *b, const uint8_t *bytes, size_t length)
{
	*b = (struct block){bytes, length, 0};
	if (bytes == NULL || length < 8 || bytes[0] != bytes[1] ||
		(bytes[0] != 'I' && bytes[0] != 'M'))
		return 0;
	b->big = bytes[0] == 'M';
	return get_u16(b, 2) == 42;
}

/* Entry number i of the directory at an offset; 0 when there is none, or it is broken. */
static int
get_entry(const struct block *b, size_t directory, uint32_t i, struct entry *entry)
{
	size_t at = directory + 2 + (size_t)i * 12;
	if (directory > b->length || b->length - directory < 2 || at + 12 > b->length)
		return 0;
	entry->tag = get_u16(b, at);
	entry->type = get_u16(b, at + 2);
	entry->count = get_u32(b, at + 4);
	size_t size = size_of(entry->type);
	if (size == 0 || entry->count > b->length / size)
		return 0;
	entry->length = size * entry->count;
	size_t value = entry->length <= 4 ? at + 8 : get_u32(b, at + 8);
	if (value > b->length || entry->length > b->length - value)
		return 0;
	entry->value = b->bytes + value;
	return 1;
}

static uint32_t
entries_of(const struct block *b, size_t directory)
{
	if (directory > b->length || b->length - directory < 2)
		return 0;
	uint32_t count = get_u16(b, directory);
	return count < ENTRIES_MOST ? count : ENTRIES_MOST;
}

static int
find_entry(const struct block *b, size_t directory, uint16_t tag, struct entry *entry)
{
	for (uint32_t i = 0; i < entries_of(b, directory); i++)
		if (get_entry(b, directory, i, entry) && entry->tag == tag)
			return 1;
	return 0;
}

/* The offset of a directory that an entry of the first one names; 0: none. */
static size_t
sub_directory(const struct block *b, uint16_t tag)
{
	struct entry entry;
	if (!find_entry(b, get_u32(b, 4), tag, &entry) || entry.type != LONG ||
		entry.count != 1)
		return 0;
	return get_u32(b, (size_t)(entry.value - b->bytes));
}

void
fmt_exif_read(const uint8_t *block, size_t length, struct fmt_exif_facts *facts)
{
	struct block b;
	struct entry entry;
	*facts = (struct fmt_exif_facts){.orientation = 1};
	if (!open_block(&b, block, length))
		return;
	if (find_entry(&b, get_u32(&b, 4), ORIENTATION, &entry) && entry.type == SHORT &&
		entry.count == 1) {
		int found = get_u16(&b, (size_t)(entry.value - b.bytes));
		facts->orientation = found >= 1 && found <= 8 ? found : 1;
	}
	size_t gps = sub_directory(&b, GPS_DIRECTORY);
	if (gps > 0 && find_entry(&b, gps, GPS_DIRECTION, &entry) &&
		entry.type == RATIONAL && entry.count == 1) {
		size_t at = (size_t)(entry.value - b.bytes);
		double over = get_u32(&b, at + 4);
		facts->has_direction = over > 0.0;
		facts->direction = over > 0.0 ? get_u32(&b, at) / over : 0.0;
	}
}

/* --- writing ----------------------------------------------------------------- */

/* A directory in the making: entries sorted by tag, then what does not fit into them. */
struct directory {
	uint32_t count;
	struct {
		uint16_t tag, type;
		uint32_t count;
		uint8_t *value; /* little-endian; the directory's */
		size_t length;
	} entries[ENTRIES_MOST];
};

static void
put_u16(uint8_t *to, uint32_t value)
{
	to[0] = (uint8_t)value;
	to[1] = (uint8_t)(value >> 8);
}

static void
put_u32(uint8_t *to, uint32_t value)
{
	put_u16(to, value & 0xffff);
	put_u16(to + 2, value >> 16);
}

/* Puts a value in its place by its tag, or in place of the one of that tag; swapped: it
 * is big-endian. */
static int
add(struct directory *d, const struct entry *entry, int swapped)
{
	uint8_t *copy = malloc(entry->length + 1);
	if (copy == NULL)
		return -ENOMEM;
	const size_t unit = unit_of(entry->type);
	for (size_t i = 0; i < entry->length; i++)
		copy[i] =
			entry->value[swapped ? i - i % unit + (unit - 1 - i % unit) : i];
	uint32_t at = 0;
	while (at < d->count && d->entries[at].tag < entry->tag)
		at++;
	if (at < d->count && d->entries[at].tag == entry->tag) {
		free(d->entries[at].value);
	} else if (d->count == ENTRIES_MOST) {
		free(copy);
		return 0;
	} else {
		memmove(&d->entries[at + 1], &d->entries[at],
			(d->count - at) * sizeof d->entries[0]);
		d->count++;
	}
	d->entries[at].tag = entry->tag;
	d->entries[at].type = entry->type;
	d->entries[at].count = entry->count;
	d->entries[at].value = copy;
	d->entries[at].length = entry->length;
	return 0;
}

static int
add_number(struct directory *d, uint16_t tag, uint16_t type, uint32_t value)
{
	uint8_t bytes[4];
	put_u32(bytes, value);
	const struct entry entry = {tag, type, 1, bytes, size_of(type)};
	return add(d, &entry, 0);
}

static int
add_text(struct directory *d, uint16_t tag, const char *text)
{
	size_t length = strlen(text) + 1;
	const struct entry entry = {
		tag, ASCII, (uint32_t)length, (const uint8_t *)text, length};
	return add(d, &entry, 0);
}

/* Copies those of the named tags, or all but the direction where there is no list. */
static int
copy(struct directory *d, const struct block *b, size_t from, const uint16_t *tags)
{
	int rc = 0;
	for (uint32_t i = 0; rc == 0 && i < entries_of(b, from); i++) {
		struct entry entry;
		if (!get_entry(b, from, i, &entry) || entry.length > FMT_EXIF_MOST / 4)
			continue;
		size_t k = 0;
		while (tags != NULL && tags[k] != 0 && tags[k] != entry.tag)
			k++;
		if (tags == NULL || tags[k] != 0)
			rc = add(d, &entry, b->big);
	}
	return rc;
}

static size_t
size_of_directory(const struct directory *d)
{
	size_t size = 2 + (size_t)d->count * 12 + 4;
	for (uint32_t i = 0; i < d->count; i++)
		if (d->entries[i].length > 4)
			size += (d->entries[i].length + 1) / 2 * 2;
	return size;
}

/* Writes a directory at an offset of the block. */
static void
write_directory(const struct directory *d, uint8_t *block, size_t at)
{
	size_t beside = at + 2 + (size_t)d->count * 12 + 4;
	put_u16(block + at, d->count);
	for (uint32_t i = 0; i < d->count; i++) {
		uint8_t *entry = block + at + 2 + (size_t)i * 12;
		put_u16(entry, d->entries[i].tag);
		put_u16(entry + 2, d->entries[i].type);
		put_u32(entry + 4, d->entries[i].count);
		uint8_t *value = entry + 8;
		if (d->entries[i].length > 4) {
			put_u32(value, (uint32_t)beside);
			value = block + beside;
			beside += (d->entries[i].length + 1) / 2 * 2;
		}
		memcpy(value, d->entries[i].value, d->entries[i].length);
	}
}

static void
clear(struct directory *d)
{
	for (uint32_t i = 0; i < d->count; i++)
		free(d->entries[i].value);
	d->count = 0;
}

struct directories {
	struct directory image, exif, gps;
};

static int
copy_all(struct directories *d, const struct block *b)
{
	size_t exif = sub_directory(b, EXIF_DIRECTORY);
	size_t gps = sub_directory(b, GPS_DIRECTORY);
	int rc = copy(&d->image, b, get_u32(b, 4), image_tags);
	if (rc == 0 && exif > 0)
		rc = copy(&d->exif, b, exif, exif_tags);
	if (rc == 0 && gps > 0)
		rc = copy(&d->gps, b, gps, NULL);
	return rc;
}

static int
change(struct directories *d, const struct fmt_exif_changes *changes)
{
	int rc = add_number(&d->image, ORIENTATION, SHORT, 1);
	if (rc == 0 && changes->description != NULL)
		rc = add_text(&d->image, IMAGE_DESCRIPTION, changes->description);
	if (rc == 0 && changes->software != NULL)
		rc = add_text(&d->image, SOFTWARE, changes->software);
	if (rc == 0)
		rc = add_number(&d->exif, PIXEL_X_DIMENSION, LONG, changes->width);
	if (rc == 0)
		rc = add_number(&d->exif, PIXEL_Y_DIMENSION, LONG, changes->height);
	if (rc == 0 && changes->focal_35mm >= 0.5 && changes->focal_35mm < 65535.0)
		rc = add_number(&d->exif, FOCAL_LENGTH_35MM, SHORT,
			(uint32_t)lrint(changes->focal_35mm));
	if (rc == 0 && changes->has_direction) {
		uint8_t hundredths[8];
		const struct entry direction = {
			GPS_DIRECTION, RATIONAL, 1, hundredths, sizeof hundredths};
		put_u32(hundredths, (uint32_t)lrint(changes->direction * 100.0) % 36000);
		put_u32(hundredths + 4, 100);
		rc = add(&d->gps, &direction, 0);
		struct entry reference = {
			GPS_DIRECTION_REFERENCE, ASCII, 2, (const uint8_t *)"T", 2};
		for (uint32_t i = 0; i < d->gps.count; i++)
			if (d->gps.entries[i].tag == GPS_DIRECTION_REFERENCE)
				return rc;
		rc = rc == 0 ? add(&d->gps, &reference, 0) : rc;
	}
	return rc;
}

static int
join(struct directories *d, uint8_t **made, size_t *made_length)
{
	int rc = add_number(&d->image, EXIF_DIRECTORY, LONG, 0);
	if (rc == 0 && d->gps.count > 0)
		rc = add_number(&d->image, GPS_DIRECTORY, LONG, 0);
	const size_t exif = 8 + size_of_directory(&d->image);
	const size_t gps = exif + size_of_directory(&d->exif);
	const size_t length = gps + (d->gps.count > 0 ? size_of_directory(&d->gps) : 0);
	if (rc == 0)
		rc = add_number(&d->image, EXIF_DIRECTORY, LONG, (uint32_t)exif);
	if (rc == 0 && d->gps.count > 0)
		rc = add_number(&d->image, GPS_DIRECTORY, LONG, (uint32_t)gps);
	if (rc < 0 || length > FMT_EXIF_MOST)
		return rc < 0 ? rc : -E2BIG;
	uint8_t *block = calloc(1, length);
	if (block == NULL)
		return -ENOMEM;
	memcpy(block, "II*\0\10\0\0\0", 8);
	write_directory(&d->image, block, 8);
	write_directory(&d->exif, block, exif);
	if (d->gps.count > 0)
		write_directory(&d->gps, block, gps);
	*made = block;
	*made_length = length;
	return 0;
}

int
fmt_exif_carry(const uint8_t *block, size_t length,
	const struct fmt_exif_changes *changes, uint8_t **made, size_t *made_length)
{
	struct directories *d = calloc(1, sizeof *d);
	struct block b;
	if (d == NULL)
		return -ENOMEM;
	int rc = open_block(&b, block, length) ? copy_all(d, &b) : 0;
	if (rc == 0)
		rc = change(d, changes);
	if (rc == 0)
		rc = join(d, made, made_length);
	/* More than a segment holds: then only what is new. */
	if (rc == -E2BIG) {
		clear(&d->image);
		clear(&d->exif);
		clear(&d->gps);
		rc = change(d, changes);
		if (rc == 0)
			rc = join(d, made, made_length);
	}
	clear(&d->image);
	clear(&d->exif);
	clear(&d->gps);
	free(d);
	return rc;
}
