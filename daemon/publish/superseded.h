/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * superseded.h - companions of an output that was replaced, which the new one lacks: they
 * go once the new primary stands.
 *
 * The new sidecar lists them, so that what a crash cut off is done by whoever finds that
 * the unit is published.  A file of that name counts as the old companion by its SHA-256
 * alone: any other stays.  A directory is replaced whole and has none.
 */
#ifndef KD_SUPERSEDED_H
#define KD_SUPERSEDED_H

#include "daemon/publish/folder.h"
#include "daemon/publish/slot.h"

/* What the slot's sidecar, before it is replaced, tells of companions that the unit does
 * not make; for the unit's own sidecar. */
void kd_superseded_note(
	int folder, const struct kd_slot *slot, struct kd_publish_unit *unit);

/* The unit was found published, and so says its sidecar. */
void kd_superseded_found(struct kd_publish_unit *unit, const json_t *sidecar);

/* What the published ones of the units have superseded is removed, which is durable then;
 * they themselves are by now. */
void kd_superseded_remove(const struct kd_stage *stage, struct kd_folders *folders,
	struct kd_publish_unit *const *units, size_t count);

#endif
