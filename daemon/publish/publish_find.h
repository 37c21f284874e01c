/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * publish_find.h - what stands in the output folders already: units are told where their
 * outputs are, whoever published them.  kd_publish_find() is here, too.
 */
#ifndef KD_PUBLISH_FIND_H
#define KD_PUBLISH_FIND_H

#include "daemon/publish/finish.h"
#include "daemon/publish/folder.h"
#include "daemon/publish/publish.h"
#include "daemon/publish/slot.h"

#define KD_PUBLISH_VERSIONS 100000u /* of a name that are tried */

struct kd_publisher {
	const struct kd_stage *stage;
	const struct kd_manifest *manifest;
	struct kd_folders folders;
	struct kd_finish finish;
};

/* Tells the unit where the slot's outputs are.  0 or -ENOMEM. */
int kd_publish_adopt(const struct kd_publisher *publisher, struct kd_publish_unit *unit,
	const struct kd_folder *folder, const struct kd_slot *slot);

/* An attempt before published it, as that sidecar says; place is the sidecar's file or the
 * directory.  0 or -ENOMEM, settled either way. */
int kd_publish_settle_already(const struct kd_publisher *publisher,
	struct kd_publish_unit *unit, struct kd_folder *folder, const char *place,
	const json_t *json);

#endif
