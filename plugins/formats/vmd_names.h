/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vmd_names.h - the names in a motion as text: in cp932, or in the encoding to fall back
 * to where the whole file fits that better.
 */
#ifndef FMT_VMD_NAMES_H
#define FMT_VMD_NAMES_H

#include "plugins/formats/vmd.h"

/* Names all tracks; what is not cp932 gets its cp932 form as vmd_name.  0, or -ENOMEM with
 * *err. */
int fmt_vmd_names_give(
	struct fmt_vmd *motion, enum fmt_vmd_encoding fallback, struct fmt_err *err);

#endif
