/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * publish.h - outputs leave the stage, whole or not at all.
 *
 * Every file is fsynced in the stage; then, of a unit whose output is a file, the sidecar
 * is renamed into place first, the companions next, the primary last: whoever sees the
 * primary sees the rest, and a sidecar without its primary is an attempt that died there.
 * A directory is one rename, its kiln.json inside.  All files of a batch are fsynced side
 * by side before the first is renamed, and the folders that got new names twice: before
 * the primaries come, and after.
 *
 * A failed fsync is never repeated on the same file (restage.h): new files take its place.
 * Where the folder's own fails, all that was published there is exchanged for new files
 * before it is tried again.  A unit that cannot be made durable so is held: what is
 * visible stays, and the next attempt that finds it exchanges it first.
 */
#ifndef KD_PUBLISH_H
#define KD_PUBLISH_H

#include "daemon/base/err.h"
#include "daemon/publish/publish_unit.h"
#include "daemon/publish/stage.h"
#include "daemon/worker/manifest.h"

#include <stddef.h>

struct kd_publisher;

/* Borrows stage and manifest.  Fails where the manifest's group is not known. */
int kd_publish_new(const struct kd_stage *stage, const struct kd_manifest *manifest,
	struct kd_publisher **publisher, struct kd_err *err);
void kd_publish_free(struct kd_publisher *publisher);

/* Whether an earlier attempt published this unit; then 1, and the unit says what and
 * where (status ALREADY); durable after the next kd_publish_units(). */
int kd_publish_find(struct kd_publisher *publisher, struct kd_publish_unit *unit);

/* Publishes those of the units that have status KD_UNIT_PUBLISHED on entry; afterwards
 * each says what became of it. */
void kd_publish_units(struct kd_publisher *publisher,
	struct kd_publish_unit *const *units, size_t count);

#endif
