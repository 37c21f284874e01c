/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/formats/bytes.h"

#include <errno.h>
#include <math.h>

uint8_t
fmt_bytes_u8(struct fmt_bytes *b)
{
	const uint8_t *p = fmt_bytes_take(b, 1);
	return p == NULL ? 0 : *p;
}

uint16_t
fmt_bytes_u16(struct fmt_bytes *b)
{
	const uint8_t *p = fmt_bytes_take(b, 2);
	return p == NULL ? 0 : fmt_bytes_peek_u16(p);
}

uint32_t
fmt_bytes_u32(struct fmt_bytes *b)
{
	const uint8_t *p = fmt_bytes_take(b, 4);
	return p == NULL ? 0 : fmt_bytes_peek_u32(p);
}

int32_t
fmt_bytes_i32(struct fmt_bytes *b)
{
	return (int32_t)fmt_bytes_u32(b);
}

float
fmt_bytes_f32(struct fmt_bytes *b)
{
	const uint8_t *p = fmt_bytes_take(b, 4);
	return p == NULL ? 0 : fmt_bytes_peek_f32(p);
}

void
fmt_bytes_floats(struct fmt_bytes *b, float *values, size_t count)
{
	for (size_t i = 0; i < count; i++)
		values[i] = fmt_bytes_f32(b);
}

int
fmt_bytes_check(const struct fmt_bytes *b, const char *what, struct fmt_err *err)
{
	if (b->wanted == 0)
		return 0;
	return fmt_err_set(err, -EBADMSG,
		"the file ends inside %s: %zu bytes wanted at byte %zu, %zu are left",
		what, b->wanted, fmt_bytes_offset(b), fmt_bytes_left(b));
}

int
fmt_bytes_finite(const float *values, size_t count, size_t at, const char *what,
	struct fmt_err *err)
{
	for (size_t i = 0; i < count; i++) {
		if (isfinite(values[i]))
			continue;
		return fmt_err_set(err, -EBADMSG,
			"%s: a finite number was expected at byte %zu, %s was found",
			what, at - (count - i) * sizeof(float),
			isnan(values[i]) ? "NaN" : "infinity");
	}
	return 0;
}
