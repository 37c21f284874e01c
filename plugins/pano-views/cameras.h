/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cameras.h - the views as other programs' cameras: rig_config.json, as COLMAP's rig
 * configurator reads it.  One folder is one camera; all stand in one place and the first
 * is the rig's reference.
 */
#ifndef PV_CAMERAS_H
#define PV_CAMERAS_H

#include "plugins/pano-views/views.h"

/* The text, for free(3); NULL when memory is out.  panorama_width decides the size of
 * views that have none of their own. */
char *pv_cameras_rig(const struct pv_views *views, uint32_t panorama_width);

#endif
