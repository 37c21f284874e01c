/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/ctl/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

char *
kd_ctl_text_bytes(char *text, uint64_t bytes)
{
	static const char *const units[] = {
		"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	double value = (double)bytes;
	unsigned unit = 0;
	while (value >= 1023.95 && unit < 6) {
		value /= 1024;
		unit++;
	}
	snprintf(
		text, KD_CTL_TEXT, unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
	return text;
}

char *
kd_ctl_text_seconds(char *text, double seconds)
{
	if (seconds < 0.9995) {
		snprintf(text, KD_CTL_TEXT, "%.0f ms", seconds * 1e3);
	} else if (seconds < 59.95) {
		snprintf(text, KD_CTL_TEXT, "%.1f s", seconds);
	} else {
		unsigned long whole = (unsigned long)llround(seconds);
		if (whole < 3600)
			snprintf(text, KD_CTL_TEXT, "%lu min %lu s", whole / 60,
				whole % 60);
		else if (whole < 172800)
			snprintf(text, KD_CTL_TEXT, "%lu h %lu min", whole / 3600,
				whole / 60 % 60);
		else
			snprintf(text, KD_CTL_TEXT, "%lu days", whole / 86400);
	}
	return text;
}

char *
kd_ctl_text_ago(char *text, double when)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	double ago = (double)now.tv_sec + (double)now.tv_nsec / 1e9 - when;
	if (when <= 0)
		snprintf(text, KD_CTL_TEXT, "-");
	else if (ago < 1)
		snprintf(text, KD_CTL_TEXT, "now");
	else if (ago < 60)
		snprintf(text, KD_CTL_TEXT, "%.0f s ago", floor(ago));
	else if (ago < 3600)
		snprintf(text, KD_CTL_TEXT, "%.0f min ago", floor(ago / 60));
	else if (ago < 172800)
		snprintf(text, KD_CTL_TEXT, "%.0f h ago", floor(ago / 3600));
	else
		snprintf(text, KD_CTL_TEXT, "%.0f days ago", floor(ago / 86400));
	return text;
}

char *
kd_ctl_text_count(char *text, double count)
{
	char digits[KD_CTL_TEXT];
	if (!(fabs(count) < 1e15)) {
		snprintf(text, KD_CTL_TEXT, "%g", count);
		return text;
	}
	int length = snprintf(digits, sizeof digits, "%.0f", count), out = 0;
	for (int i = 0; i < length; i++) {
		if (i > 0 && (length - i) % 3 == 0 && digits[i - 1] != '-')
			text[out++] = ',';
		text[out++] = digits[i];
	}
	text[out] = '\0';
	return text;
}

unsigned
kd_ctl_text_columns(FILE *file)
{
	struct winsize size;
	if (!isatty(fileno(file)))
		return 0;
	if (ioctl(fileno(file), TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return size.ws_col < 20 ? 20 : size.ws_col;
	return 80;
}

int
kd_ctl_text_colours(FILE *file)
{
	const char *no = getenv("NO_COLOR"), *terminal = getenv("TERM");
	return isatty(fileno(file)) && (no == NULL || no[0] == '\0') &&
	       terminal != NULL && strcmp(terminal, "dumb") != 0;
}

/* Bytes and columns of the character at text, which is not at its end. */
static size_t
character(const char *text, unsigned *columns)
{
	wchar_t wide;
	mbstate_t state = {0};
	size_t length = mbrtowc(&wide, text, strlen(text), &state);
	if (length == 0 || length > 8) { /* not in this locale's encoding */
		*columns = 1;
		return 1;
	}
	int width = wcwidth(wide);
	*columns = width < 0 ? 1 : (unsigned)width;
	return length;
}

unsigned
kd_ctl_text_width(const char *text)
{
	unsigned all = 0, columns;
	while (*text != '\0') {
		text += character(text, &columns);
		all += columns;
	}
	return all;
}

size_t
kd_ctl_text_fit(const char *text, unsigned columns)
{
	size_t used = 0;
	while (text[used] != '\0') {
		unsigned one;
		size_t length = character(text + used, &one);
		if (one > columns)
			break;
		columns -= one;
		used += length;
	}
	return used;
}

void
kd_ctl_text_wrap(FILE *file, const char *text, unsigned indent)
{
	unsigned columns = kd_ctl_text_columns(file);
	unsigned room = columns == 0 ? 80 : columns, at = 0;
	room = room > indent + 20 ? room - indent : 20;
	while (*text != '\0') {
		size_t length = strcspn(text, " ");
		char *word = strndup(text, length);
		unsigned width =
			word == NULL ? (unsigned)length : kd_ctl_text_width(word);
		free(word);
		if (at > 0 && at + 1 + width > room) {
			fputc('\n', file);
			at = 0;
		}
		if (at == 0)
			fprintf(file, "%*s", (int)indent, "");
		else
			fputc(' ', file);
		fwrite(text, 1, length, file);
		at += width + (at > 0);
		text += length;
		text += strspn(text, " ");
	}
	fputc('\n', file);
}
