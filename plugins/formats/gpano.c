/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A packet is searched for the few values, not parsed: no entity or processing instruction
 * of somebody's XML is ever followed.
 */
#include "plugins/formats/gpano.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char space[] = "http://ns.google.com/photos/1.0/panorama/";

struct text {
	const char *at, *end;
};

static const char *
find(struct text text, const char *what, size_t length)
{
	return memmem(text.at, (size_t)(text.end - text.at), what, length);
}

static int
is_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

/* The prefix that stands for the namespace: xmlns:PREFIX="...".  0 when there is none. */
static int
find_prefix(struct text text, char *prefix, size_t size)
{
	const char *start = text.at, *uri = find(text, space, sizeof space - 1);
	if (uri == NULL || uri - start < 3)
		return 0;
	const char *end = uri - 1; /* the quote */
	while (end > start && (end[-1] == ' ' || end[-1] == '='))
		end--;
	const char *first = end;
	while (first > start && is_name(first[-1]))
		first--;
	if (first == end || (size_t)(end - first) >= size || first - start < 6 ||
		memcmp(first - 6, "xmlns:", 6) != 0)
		return 0;
	memcpy(prefix, first, (size_t)(end - first));
	prefix[end - first] = '\0';
	return 1;
}

/* The number after PREFIX:NAME=" or <PREFIX:NAME>. */
static int
number(struct text text, const char *prefix, const char *name, double *value)
{
	char wanted[128], digits[64];
	int length = snprintf(wanted, sizeof wanted, "%s:%s", prefix, name);
	while ((text.at = find(text, wanted, (size_t)length)) != NULL) {
		text.at += length;
		const char *at = text.at;
		while (at < text.end && (*at == ' ' || *at == '='))
			at++;
		if (at == text.end || (*at != '"' && *at != '\'' && *at != '>'))
			continue; /* a longer name, or an end tag's own */
		size_t left = (size_t)(text.end - ++at);
		size_t taken = left < sizeof digits - 1 ? left : sizeof digits - 1;
		memcpy(digits, at, taken);
		digits[taken] = '\0';
		char *end;
		double found = strtod(digits, &end);
		if (end == digits || !isfinite(found))
			continue;
		*value = found;
		return 1;
	}
	return 0;
}

void
fmt_gpano_read(const char *xmp, size_t length, struct fmt_gpano *gpano)
{
	char prefix[64];
	struct text text = {xmp, xmp + length};
	struct fmt_gpano g = {0};
	*gpano = g;
	if (xmp == NULL || !find_prefix(text, prefix, sizeof prefix))
		return;
	int sizes = number(text, prefix, "FullPanoWidthPixels", &g.full_width);
	sizes &= number(text, prefix, "FullPanoHeightPixels", &g.full_height);
	sizes &= number(text, prefix, "CroppedAreaImageWidthPixels", &g.crop_width);
	sizes &= number(text, prefix, "CroppedAreaImageHeightPixels", &g.crop_height);
	sizes &= number(text, prefix, "CroppedAreaLeftPixels", &g.crop_left);
	sizes &= number(text, prefix, "CroppedAreaTopPixels", &g.crop_top);
	g.has_crop = sizes && g.crop_width >= 1 && g.crop_height >= 1 &&
		     g.crop_left >= 0 && g.crop_top >= 0 && g.full_width <= 1e6 &&
		     g.full_height <= 1e6 && g.crop_left + g.crop_width <= g.full_width &&
		     g.crop_top + g.crop_height <= g.full_height;
	g.has_heading = number(text, prefix, "PoseHeadingDegrees", &g.heading);
	number(text, prefix, "PosePitchDegrees", &g.pitch);
	number(text, prefix, "PoseRollDegrees", &g.roll);
	if (fabs(g.pitch) > 90.0 || fabs(g.roll) > 180.0)
		g.pitch = g.roll = 0.0;
	*gpano = g;
}
