/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cameras.h - the views as other programs' cameras.  One folder is one camera; all stand in
 * one place.
 */
#ifndef PV_CAMERAS_H
#define PV_CAMERAS_H

#include "plugins/pano-views/frame.h"

#include <stdio.h>

/* rig_config.json, as COLMAP's rig configurator reads it, the first view being the rig's
 * reference.  The text, for free(3); NULL when memory is out.  panorama_width decides the
 * size of views that have none of their own. */
char *pv_cameras_rig(const struct pv_views *views, uint32_t panorama_width);

/* cameras.txt of COLMAP's text models: one PINHOLE camera for each view, from 1 on. */
char *pv_cameras_list(const struct pv_views *views, uint32_t panorama_width);

/* transforms.json, as nerfstudio reads it: every view of every frame that was split.  World
 * and camera have OpenGL's axes, x right, y up, z back; yaw 0, pitch 0 is the identity.
 * Frames are written one by one, so that memory does not grow with them.  Errors are left
 * to ferror(). */
void pv_cameras_transforms(FILE *to, const struct pv_views *views,
	const struct pv_frame *frames, uint32_t count);

#endif
