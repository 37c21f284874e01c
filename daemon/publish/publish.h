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
#include "daemon/publish/sidecar.h"
#include "daemon/publish/stage.h"
#include "daemon/worker/manifest.h"

#include <stdint.h>

/* One unit on its way out. */
struct kd_publish_unit {
	uint32_t number;  /* its folder in the stage */
	int directory;	  /* its output is that folder as a whole */
	int again;	  /* see kd_sidecar_matches() */
	const char *stem; /* a directory's name; what a file's name begins with */
	struct kd_sidecar sidecar;
	struct kd_output *outputs; /* path: as staged; afterwards below the output root.
				      Owned by the unit, so are those below */
	uint32_t output_count;
	json_t *superseded;    /* see superseded.h */
	int doubted;	       /* it has its name, but its folder's fsync failed since */
	enum kd_status status; /* PUBLISHED, ALREADY, KEPT, HELD, TRANSIENT, BAD */
	char *reason, *primary, *sidecar_path; /* absolute paths */
};

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

/* What the kernel called an output that is staged. */
const char *kd_publish_name(
	const struct kd_publish_unit *unit, const struct kd_output *output);

/* Says what became of a unit. */
void kd_publish_settle(struct kd_publish_unit *unit, enum kd_status status,
	const char *format, ...) __attribute__((format(printf, 3, 4)));

void kd_publish_unit_clear(struct kd_publish_unit *unit);

#endif
