/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * restage.h - what becomes of a file whose fsync failed.
 *
 * The kernel has marked its pages clean and forgotten the error: another fsync of the same
 * file would succeed and mean nothing.  So its content, which is known by its SHA-256, is
 * written into a new file, and that takes its place.
 */
#ifndef KD_RESTAGE_H
#define KD_RESTAGE_H

#include "daemon/publish/publish_unit.h"
#include "daemon/publish/stage.h"

enum { KD_RESTAGE_TRIES = 3 }; /* a disk that fails so often is not asked again for now */

/* A staged file, path below dir, becomes a copy of itself that is fsynced.  -EBADMSG: its
 * content was lost. */
int kd_restage_file(
	const struct kd_stage *stage, int dir, const char *path, const char *sha256);

/* All that the unit has published in `folder`, files and sidecar or the directory, is
 * exchanged for copies that are fsynced; the folder is to be fsynced afterwards. */
int kd_restage_unit(
	const struct kd_stage *stage, int folder, const struct kd_publish_unit *unit);

#endif
