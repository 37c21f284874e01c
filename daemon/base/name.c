/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/base/name.h"

#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Length of the UTF-8 character at s (Unicode 15, table 3-7), 0 when there is none. */
static size_t
utf8_length(const unsigned char *s)
{
	if (s[0] < 0x80)
		return 1;
	size_t length = s[0] >= 0xc2 && s[0] <= 0xdf   ? 2
			: s[0] >= 0xe0 && s[0] <= 0xef ? 3
			: s[0] >= 0xf0 && s[0] <= 0xf4 ? 4
						       : 0;
	for (size_t i = 1; i < length; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
		(s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return length;
}

/* Control characters, C1 among them (C2 80 .. C2 9F): terminals act on those too. */
static int
is_control(const unsigned char *s)
{
	return s[0] < 0x20 || s[0] == 0x7f || (s[0] == 0xc2 && s[1] < 0xa0);
}

/* Escapes one character of *s into out (room for 8 bytes); returns bytes written. */
static size_t
escape_one(const unsigned char **s, char *out)
{
	size_t length = utf8_length(*s);
	if (length == 0 || **s == '\\' || is_control(*s)) {
		sprintf(out, "\\x%02x", **s);
		*s += 1;
		return 4;
	}
	memcpy(out, *s, length);
	*s += length;
	return length;
}

char *
kd_name_escape(const char *name)
{
	const unsigned char *s = (const unsigned char *)name;
	char *escaped = malloc(4 * strlen(name) + 8), *out = escaped;
	if (escaped == NULL)
		return NULL;
	while (*s != '\0')
		out += escape_one(&s, out);
	*out = '\0';
	return escaped;
}

char *
kd_name_print(char *buffer, size_t size, const char *name)
{
	const unsigned char *s = (const unsigned char *)(name == NULL ? "" : name);
	size_t used = 0;
	while (*s != '\0') {
		char one[8];
		size_t length = escape_one(&s, one);
		if (used + length + 4 > size) {
			strcpy(buffer + used, "...");
			return buffer;
		}
		memcpy(buffer + used, one, length);
		used += length;
	}
	buffer[used] = '\0';
	return buffer;
}

static int
hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

char *
kd_name_unescape(const char *escaped)
{
	char *name = malloc(strlen(escaped) + 1), *out = name;
	if (name == NULL)
		return NULL;
	for (const char *s = escaped; *s != '\0';) {
		if (*s != '\\') {
			*out++ = *s++;
			continue;
		}
		int high = s[1] == 'x' ? hex_digit(s[2]) : -1;
		int low = high >= 0 ? hex_digit(s[3]) : -1;
		if (low < 0 || (high == 0 && low == 0)) {
			free(name);
			errno = EINVAL;
			return NULL;
		}
		*out++ = (char)(high << 4 | low);
		s += 4;
	}
	*out = '\0';
	return name;
}

int
kd_name_is_beneath(const char *path)
{
	size_t total = strlen(path);
	if (total == 0 || total >= PATH_MAX)
		return 0;
	for (const char *s = path;;) {
		size_t length = strcspn(s, "/");
		if (length == 0 || length > NAME_MAX || (length == 1 && s[0] == '.') ||
			(length == 2 && s[0] == '.' && s[1] == '.'))
			return 0;
		if (s[length] == '\0')
			return 1;
		s += length + 1;
	}
}

int
kd_name_matches(const char *name, char *const *patterns)
{
	for (; *patterns != NULL; patterns++)
		if (fnmatch(*patterns, name, 0) == 0)
			return 1;
	return 0;
}

const char *
kd_name_base(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash == NULL ? path : slash + 1;
}
