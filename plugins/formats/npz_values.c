/* SPDX-License-Identifier: BSD-2-Clause */
/* The small arrays of an npz, each written whole. */
#include "plugins/formats/npz.h"
#include "plugins/formats/text.h"

#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static int
write_whole(struct fmt_npz *npz, const struct fmt_npz_array *array, const void *data,
	size_t length, struct fmt_err *err)
{
	int rc = fmt_npz_begin(npz, array, err);
	if (rc == 0)
		rc = fmt_npz_append(npz, data, length, err);
	if (rc == 0)
		rc = fmt_npz_end(npz, err);
	return rc;
}

int
fmt_npz_int64(struct fmt_npz *npz, const char *name, int64_t value, struct fmt_err *err)
{
	const struct fmt_npz_array array = {.name = name, .dtype = "<i8"};
	uint64_t little = htole64((uint64_t)value);

	return write_whole(npz, &array, &little, sizeof little, err);
}

int
fmt_npz_int64s(struct fmt_npz *npz, const char *name, const int64_t *values, size_t count,
	struct fmt_err *err)
{
	const struct fmt_npz_array array = {
		.name = name, .dtype = "<i8", .shape = {count}, .dimensions = 1};

	uint64_t *little = calloc(count + 1, sizeof *little);
	if (little == NULL)
		return fmt_err_set(err, -ENOMEM, "no memory for array '%s'", name);
	for (size_t i = 0; i < count; i++)
		little[i] = htole64((uint64_t)values[i]);
	int rc = write_whole(npz, &array, little, count * sizeof *little, err);
	free(little);
	return rc;
}

static size_t
count_characters(const char *text)
{
	size_t count = 0;

	while (fmt_text_next(&text) != 0)
		count++;
	return count;
}

/* Numpy's unicode: UTF-32 of a fixed width, filled up with zeros. */
static int
write_texts(struct fmt_npz *npz, struct fmt_npz_array *array, const char *const *texts,
	size_t count, struct fmt_err *err)
{
	char dtype[32];
	size_t width = 1; /* numpy has no unicode of no width */

	for (size_t i = 0; i < count; i++) {
		size_t characters = count_characters(texts[i]);
		if (characters > width)
			width = characters;
	}
	snprintf(dtype, sizeof dtype, "<U%zu", width);
	array->dtype = dtype;
	uint32_t *lines = calloc(count + 1, width * sizeof *lines);
	if (lines == NULL)
		return fmt_err_set(err, -ENOMEM, "no memory for array '%s'", array->name);
	for (size_t i = 0; i < count; i++) {
		const char *text = texts[i];
		for (size_t k = 0; k < width; k++)
			lines[i * width + k] = htole32(fmt_text_next(&text));
	}
	int rc = write_whole(npz, array, lines, count * width * sizeof *lines, err);
	free(lines);
	return rc;
}

int
fmt_npz_text(struct fmt_npz *npz, const char *name, const char *text, struct fmt_err *err)
{
	struct fmt_npz_array array = {.name = name};

	return write_texts(npz, &array, &text, 1, err);
}

int
fmt_npz_texts(struct fmt_npz *npz, const char *name, const char *const *texts,
	size_t count, struct fmt_err *err)
{
	struct fmt_npz_array array = {.name = name, .shape = {count}, .dimensions = 1};

	return write_texts(npz, &array, texts, count, err);
}
