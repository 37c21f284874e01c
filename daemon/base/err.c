/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int
kd_err_set(struct kd_err *err, int code, const char *format, ...)
{
	if (err == NULL)
		return code;
	/* The arguments may point into err->text: a caller that adds its place. */
	char text[sizeof err->text];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	err->code = code;
	memcpy(err->text, text, sizeof text);
	return code;
}

int
kd_err_errno(struct kd_err *err, int code, const char *format, ...)
{
	if (err == NULL)
		return code;
	char text[sizeof err->text];
	va_list args;
	va_start(args, format);
	int used = vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (used >= 0 && (size_t)used < sizeof text)
		snprintf(
			text + used, sizeof text - (size_t)used, ": %s", strerror(-code));
	err->code = code;
	memcpy(err->text, text, sizeof text);
	return code;
}
