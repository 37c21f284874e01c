/* SPDX-License-Identifier: BSD-2-Clause */
#include "contrib/make-sample.h"
#include "plugins/formats/text.h"

#include <math.h>
#include <string.h>

/* Old writers leave 0xFD behind the NUL of a name, and so do we: readers must not care.
 */
static void
write_name(FILE *file, const char *utf8, size_t size)
{
	char name[24];
	size_t length;

	fmt_text_to_cp932(utf8, name, size + 1);
	length = strlen(name);
	for (size_t i = 0; i < size; i++)
		sample_u8(file, i <= length ? (unsigned char)name[i] : 0xfd);
}

void
sample_write_vmd_head(FILE *file, uint32_t key_count)
{
	char magic[30] = "Vocaloid Motion Data 0002";

	fwrite(magic, 1, sizeof magic, file);
	write_name(file, "見本の踊り手", 20);
	sample_u32(file, key_count);
}

/*
 * Row 0 holds x1 of X Y Z R, then y1, x2 and y2; row k is row 0 shifted left by k, with 1
 * and 0 for filler.  Bytes 2 and 3 of row 0 are the physics switch, 0 for on.
 */
static void
write_curve(FILE *file, const uint8_t curve[4][4])
{
	uint8_t rows[64], first[16];

	for (int channel = 0; channel < 4; channel++) {
		for (int i = 0; i < 4; i++)
			first[4 * i + channel] = curve[channel][i];
	}
	for (int row = 0; row < 4; row++) {
		for (int i = 0; i < 16; i++)
			rows[16 * row + i] = i + row < 16    ? first[i + row]
					     : i + row == 16 ? 1
							     : 0;
	}
	rows[2] = rows[3] = 0;
	fwrite(rows, 1, sizeof rows, file);
}

void
sample_write_vmd_key(FILE *file, const struct sample_key *key)
{
	write_name(file, key->bone, 15);
	sample_u32(file, key->frame);
	sample_floats(file, key->move, 3);
	sample_floats(file, key->rotate, 4);
	write_curve(file, key->curve);
}

void
sample_write_vmd_tail(FILE *file, const struct sample_switch *switches, uint32_t count)
{
	static const char *const names[2][2] = {
		{"左足ＩＫ", "左つま先ＩＫ"}, {"右足ＩＫ", "右つま先ＩＫ"}};

	for (int section = 0; section < 4; section++)
		sample_u32(file, 0);
	sample_u32(file, count);
	for (uint32_t i = 0; i < count; i++) {
		sample_u32(file, switches[i].frame);
		sample_u8(file, 1);
		sample_u32(file, 4);
		for (int side = 0; side < 2; side++) {
			for (int k = 0; k < 2; k++) {
				write_name(file, names[side][k], 20);
				sample_u8(file, switches[i].legs_on[side] != 0);
			}
		}
	}
}

static void
multiply(const float a[4], const float b[4], float product[4])
{
	product[0] = a[3] * b[0] + a[0] * b[3] + a[1] * b[2] - a[2] * b[1];
	product[1] = a[3] * b[1] - a[0] * b[2] + a[1] * b[3] + a[2] * b[0];
	product[2] = a[3] * b[2] + a[0] * b[1] - a[1] * b[0] + a[2] * b[3];
	product[3] = a[3] * b[3] - a[0] * b[0] - a[1] * b[1] - a[2] * b[2];
}

void
sample_euler(const float degrees[3], float rotate[4])
{
	float turns[3][4] = {{0}}, yx[4];

	for (int axis = 0; axis < 3; axis++) {
		float half = degrees[axis] * (float)(M_PI / 360);
		turns[axis][axis] = sinf(half);
		turns[axis][3] = cosf(half);
	}
	multiply(turns[1], turns[0], yx);
	multiply(yx, turns[2], rotate);
}
