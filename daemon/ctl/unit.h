/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unit.h - which unit is meant on the command line.
 */
#ifndef KD_CTL_UNIT_H
#define KD_CTL_UNIT_H

#include <jansson.h>

/* The arguments {"unit":n} or {"path":s}: a number is a unit's; anything else is the path
 * of what was dropped.  That may be there no longer, so that it is made absolute by its
 * letters alone. */
json_t *kd_ctl_unit_arguments(const char *argument);
/* Always a path. */
json_t *kd_ctl_unit_path(const char *argument);

#endif
