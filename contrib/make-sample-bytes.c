/* SPDX-License-Identifier: BSD-2-Clause */
#include "contrib/make-sample.h"

#include <string.h>

void
sample_u8(FILE *file, unsigned value)
{
	putc((int)(value & 0xff), file);
}

void
sample_u16(FILE *file, unsigned value)
{
	sample_u8(file, value);
	sample_u8(file, value >> 8);
}

void
sample_u32(FILE *file, uint32_t value)
{
	sample_u16(file, value);
	sample_u16(file, value >> 16);
}

void
sample_f32(FILE *file, float value)
{
	uint32_t bits;
	memcpy(&bits, &value, sizeof bits);
	sample_u32(file, bits);
}

void
sample_floats(FILE *file, const float *values, int count)
{
	for (int i = 0; i < count; i++)
		sample_f32(file, values[i]);
}
