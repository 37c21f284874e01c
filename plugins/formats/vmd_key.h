/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vmd_key.h - one bone key as a VMD holds it: 15 bytes of name, the frame, seven floats of
 * move and rotation, 64 bytes of curves.
 */
#ifndef FMT_VMD_KEY_H
#define FMT_VMD_KEY_H

#include "plugins/formats/bytes.h"

#include <math.h>

enum {
	FMT_VMD_BONE_SIZE = 111,
	FMT_VMD_NAME_SIZE = 15,
	FMT_VMD_POSE_AT = 19,
	FMT_VMD_PLANES = 7, /* x y z of the move, x y z w of the rotation */
};

static inline uint32_t
fmt_vmd_key_frame(const uint8_t *p)
{
	return fmt_bytes_peek_u32(p + FMT_VMD_NAME_SIZE);
}

/* A rotation of length one; all zero, as old writers left it, is identity.  What is of
 * length one but for float's rounding stays as it is. */
static inline void
fmt_vmd_key_normalise(float q[4], double square)
{
	if (fabs(square - 1) < 5e-7)
		return;
	if (square == 0) {
		q[3] = 1;
		return;
	}
	double length = sqrt(square);
	for (int i = 0; i < 4; i++)
		q[i] = (float)(q[i] / length);
}

/* Whether the key's numbers are finite; then they are in values, the rotation normalised,
 * else as they stand there. */
static inline int
fmt_vmd_key_pose(const uint8_t *p, float values[FMT_VMD_PLANES])
{
	/* Squares of floats stay finite in double precision. */
	double move = 0, rotate = 0;
	for (int i = 0; i < FMT_VMD_PLANES; i++)
		values[i] = fmt_bytes_peek_f32(p + FMT_VMD_POSE_AT + 4 * i);
	for (int i = 0; i < 3; i++)
		move += (double)values[i] * values[i];
	for (int i = 3; i < FMT_VMD_PLANES; i++)
		rotate += (double)values[i] * values[i];
	if (!isfinite(rotate + move))
		return 0;
	fmt_vmd_key_normalise(values + 3, rotate);
	return 1;
}

#endif
