/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pictures that lie in their file mirrored or turned, upright.  Orientations are TIFF
 * 6.0's: 2 mirrored, 3 turned by 180 degrees, 4 both; 5 to 8 are the same after rows
 * were exchanged with columns.
 */
#include "plugins/formats/image_codec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PIXEL_MOST (FMT_IMAGE_CHANNELS * sizeof(float))
/* Pixels of a side of what is turned at once: rows and columns of it stay in the cache. */
#define BLOCK 32

static void
swap(char *one, char *other, size_t length)
{
	char kept[1024];
	for (size_t done = 0; done < length; done += sizeof kept) {
		size_t part = length - done < sizeof kept ? length - done : sizeof kept;
		memcpy(kept, one + done, part);
		memcpy(one + done, other + done, part);
		memcpy(other + done, kept, part);
	}
}

static void
mirror(char *row, uint32_t width, size_t pixel)
{
	char kept[PIXEL_MOST];
	char *left = row, *right = row + (width - 1) * pixel;
	for (; left < right; left += pixel, right -= pixel) {
		memcpy(kept, left, pixel);
		memcpy(left, right, pixel);
		memcpy(right, kept, pixel);
	}
}

/* Rows stay rows: they are read from the other end, and exchanged where they lie. */
static int
read_flipped(
	struct fmt_image *image, const struct fmt_image_rows *rows, struct fmt_err *err)
{
	const struct fmt_image_info *info = &image->info;
	const int from_below = info->orientation == 3 || info->orientation == 4;
	const size_t pixel = fmt_image_pixel(info->type);
	struct fmt_image_rows wanted = *rows;
	char *to = rows->to;
	if (from_below)
		wanted.first = info->height - rows->first - rows->count;
	int rc = image->codec->read(image, &wanted, err);
	if (rc < 0)
		return rc;
	for (uint32_t row = 0; from_below && row < rows->count / 2; row++)
		swap(to + row * rows->stride, to + (rows->count - 1 - row) * rows->stride,
			info->width * pixel);
	for (uint32_t row = 0; info->orientation != 4 && row < rows->count; row++)
		mirror(to + row * rows->stride, info->width, pixel);
	return 0;
}

/* From the file's whole picture, a block of BLOCK x BLOCK pixels at most. */
static void
turn_block(const struct fmt_image_info *info, const char *whole,
	const struct fmt_image_rows *rows, const uint32_t at[2])
{
	const size_t pixel = fmt_image_pixel(info->type);
	const int from_right = info->orientation == 7 || info->orientation == 8;
	const int from_below = info->orientation == 6 || info->orientation == 7;
	const uint32_t right = info->height - at[0], below = rows->count - at[1];
	const uint32_t width = right < BLOCK ? right : BLOCK;
	const uint32_t height = below < BLOCK ? below : BLOCK;
	for (uint32_t y = at[1]; y < at[1] + height; y++) {
		const uint32_t column = from_right ? info->width - 1 - (rows->first + y)
						   : rows->first + y;
		char *to = (char *)rows->to + y * rows->stride + at[0] * pixel;
		for (uint32_t x = at[0]; x < at[0] + width; x++, to += pixel) {
			const uint32_t row = from_below ? info->height - 1 - x : x;
			memcpy(to, whole + ((size_t)row * info->width + column) * pixel,
				pixel);
		}
	}
}

static int
read_turned(
	struct fmt_image *image, const struct fmt_image_rows *rows, struct fmt_err *err)
{
	const struct fmt_image_info *info = &image->info;
	const size_t stride = info->width * fmt_image_pixel(info->type);
	char *whole = malloc(stride * info->height);
	if (whole == NULL)
		return fmt_err_set(err, -ENOMEM,
			"no memory for %u x %u pixels that are to be turned", info->width,
			info->height);
	const struct fmt_image_rows all = {0, info->height, whole, stride};
	int rc = image->codec->read(image, &all, err);
	for (uint32_t y = 0; rc == 0 && y < rows->count; y += BLOCK)
		for (uint32_t x = 0; x < info->height; x += BLOCK)
			turn_block(info, whole, rows, (const uint32_t[]){x, y});
	free(whole);
	return rc;
}

int
fmt_image_turn_read(
	struct fmt_image *image, const struct fmt_image_rows *rows, struct fmt_err *err)
{
	return image->info.orientation >= 5 ? read_turned(image, rows, err)
					    : read_flipped(image, rows, err);
}
