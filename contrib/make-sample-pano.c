/* SPDX-License-Identifier: BSD-2-Clause */
/* A panorama that shows at a glance whether yaw and pitch are right: N E S W at yaw 0, 90,
 * 180 and 270 above the horizon, lines every 30 degrees of pitch and 45 of yaw. */
#include "contrib/make-sample.h"
#include "plugins/formats/glyphs.h"
#include "plugins/formats/png.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct compass {
	uint8_t *pixels;
	uint32_t width, height;
};

static void
paint(struct compass *compass, int64_t x, int64_t y, const uint8_t colour[3])
{
	const int64_t column = (x + compass->width) % compass->width;
	memcpy(compass->pixels + ((size_t)y * compass->width + (size_t)column) * 3,
		colour, 3);
}

/* Sky that pales towards the horizon, ground that darkens below it, and the lines. */
static void
draw_world(struct compass *compass)
{
	static const uint8_t line[3] = {220, 224, 228}, horizon[3] = {255, 255, 255};
	const uint32_t thin = compass->width / 2048 + 1, thick = 3 * thin;
	for (uint32_t y = 0; y < compass->height; y++) {
		const double down = (y + 0.5) / compass->height;
		const uint8_t sky[3] = {(uint8_t)(40 + 200 * down),
			(uint8_t)(80 + 200 * down), (uint8_t)(150 + 140 * down)};
		const uint8_t ground[3] = {(uint8_t)(190 - 130 * down),
			(uint8_t)(170 - 120 * down), (uint8_t)(140 - 110 * down)};
		const uint8_t *plain = down < 0.5 ? sky : ground;
		const int is_pitch = y % (compass->height / 6) < thin;
		const int is_horizon = y + thick / 2 >= compass->height / 2 &&
				       y < compass->height / 2 + (thick + 1) / 2;
		for (uint32_t x = 0; x < compass->width; x++)
			paint(compass, x, y,
				is_horizon				      ? horizon
				: is_pitch || x % (compass->width / 8) < thin ? line
									      : plain);
	}
}

static void
draw_letter(struct compass *compass, char letter, unsigned quarter)
{
	static const uint8_t colours[4][3] = {
		{210, 30, 30}, {240, 200, 20}, {30, 60, 200}, {20, 140, 50}};
	const int64_t size = compass->width / 128;
	const int64_t left = compass->width / 2 + compass->width / 4 * quarter -
			     FMT_GLYPHS_WIDTH * size / 2;
	const int64_t top = compass->height / 2 - (FMT_GLYPHS_HEIGHT + 1) * size;
	for (int64_t y = 0; y < FMT_GLYPHS_HEIGHT * size; y++)
		for (int64_t x = 0; x < FMT_GLYPHS_WIDTH * size; x++)
			if (fmt_glyphs_row(letter, (unsigned)(y / size)) &
				(16u >> x / size))
				paint(compass, left + x, top + y, colours[quarter]);
}

int
sample_write_pano(FILE *file, uint32_t width)
{
	struct compass compass = {
		malloc((size_t)width * (width / 2) * 3), width, width / 2};
	if (compass.pixels == NULL)
		return -ENOMEM;
	draw_world(&compass);
	for (unsigned quarter = 0; quarter < 4; quarter++)
		draw_letter(&compass, "NESW"[quarter], quarter);
	const struct fmt_png png = {
		compass.pixels, (size_t)width * 3, compass.width, compass.height, 3};
	int rc = fmt_png_write(fileno(file), &png, NULL);
	free(compass.pixels);
	return rc;
}
