/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/base/series.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char separators[] = "._- ";

static int
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

int
kd_series_find(const char *name, struct kd_series_place *place)
{
	const char *dot = strrchr(name, '.');
	size_t length = strlen(name), end = length;
	/* "render.0001": what would be the extension is the number. */
	if (dot != NULL && (dot[1] == '\0' || strspn(dot + 1, "0123456789") !=
						      (size_t)(name + length - dot - 1)))
		end = (size_t)(dot - name);
	while (end > 0 && !is_digit(name[end - 1]))
		end--;
	size_t start = end;
	while (start > 0 && is_digit(name[start - 1]))
		start--;
	if (start == end || end - start > KD_SERIES_DIGITS)
		return -ENOENT;
	uint64_t number = 0;
	for (size_t i = start; i < end; i++)
		number = number * 10 + (uint64_t)(name[i] - '0');
	*place = (struct kd_series_place){
		.start = start,
		.digits = end - start,
		.number = number,
		.padded = end - start > 1 && name[start] == '0',
	};
	return 0;
}

/* Copies until the directive or the end, with "%%" as one; *from is moved. */
static char *
take_literal(const char **from)
{
	char *text = malloc(strlen(*from) + 1);
	size_t length = 0;
	if (text == NULL)
		return NULL;
	while (**from != '\0' && (**from != '%' || (*from)[1] == '%')) {
		*from += **from == '%';
		text[length++] = *(*from)++;
	}
	text[length] = '\0';
	return text;
}

int
kd_series_parse(const char *pattern, struct kd_series *series)
{
	char *end;
	*series = (struct kd_series){.prefix = take_literal(&pattern)};
	if (series->prefix == NULL)
		return -ENOMEM;
	if (*pattern++ == '%') {
		unsigned long width = 0;
		if (*pattern == '0') {
			width = strtoul(pattern + 1, &end, 10);
			pattern = end;
		}
		series->width = (unsigned)width;
		if (*pattern++ == 'd' && width <= KD_SERIES_DIGITS) {
			series->suffix = take_literal(&pattern);
			if (series->suffix != NULL && *pattern == '\0')
				return 0;
		}
	}
	kd_series_clear(series);
	return -EINVAL;
}

void
kd_series_clear(struct kd_series *series)
{
	free(series->prefix);
	free(series->suffix);
	*series = (struct kd_series){0};
}

static char *
put_literal(char *to, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '%')
			*to++ = '%';
		*to++ = *text;
	}
	return to;
}

char *
kd_series_pattern(const char *prefix, unsigned width, const char *suffix)
{
	enum { DIRECTIVE = 8 };
	char *pattern = malloc(2 * strlen(prefix) + 2 * strlen(suffix) + DIRECTIVE);
	if (pattern == NULL)
		return NULL;
	char *at = put_literal(pattern, prefix);
	at += width == 0 ? snprintf(at, DIRECTIVE, "%%d")
			 : snprintf(at, DIRECTIVE, "%%0%ud", width % 100);
	*put_literal(at, suffix) = '\0';
	return pattern;
}

int
kd_series_holds(const struct kd_series *series, const char *name, uint64_t *number)
{
	struct kd_series_place place;
	size_t prefix = strlen(series->prefix);
	if (kd_series_find(name, &place) < 0 || place.start != prefix ||
		strncmp(name, series->prefix, prefix) != 0 ||
		strcmp(name + place.start + place.digits, series->suffix) != 0)
		return 0;
	if (place.padded ? place.digits != series->width : place.digits < series->width)
		return 0;
	*number = place.number;
	return 1;
}

char *
kd_series_stem(const struct kd_series *series)
{
	char *stem;
	size_t prefix = strlen(series->prefix);
	const char *suffix = series->suffix, *dot = strrchr(suffix, '.');
	size_t length = dot == NULL ? strlen(suffix) : (size_t)(dot - suffix);
	while (prefix > 0 && strchr(separators, series->prefix[prefix - 1]) != NULL)
		prefix--;
	while (prefix == 0 && length > 0 && strchr(separators, *suffix) != NULL) {
		suffix++;
		length--;
	}
	if (asprintf(&stem, "%.*s%.*s", (int)prefix, series->prefix, (int)length,
		    suffix) < 0)
		return NULL;
	return stem;
}
