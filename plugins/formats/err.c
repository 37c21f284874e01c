/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/formats/err.h"

#include <stdarg.h>
#include <stdio.h>

int
fmt_err_set(struct fmt_err *err, int code, const char *format, ...)
{
	if (err == NULL || err->text[0] != '\0')
		return code;
	va_list args;
	va_start(args, format);
	vsnprintf(err->text, sizeof err->text, format, args);
	va_end(args);
	err->code = code;
	return code;
}
