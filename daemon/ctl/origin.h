/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * origin.h - where an output came from, by the sidecar that it has.
 */
#ifndef KD_CTL_ORIGIN_H
#define KD_CTL_ORIGIN_H

#include <jansson.h>

/* The sidecar that names the file or folder, which is an output or lies within one; the
 * caller decrefs it.  NULL: there is none. */
json_t *kd_ctl_origin(const char *path);

#endif
