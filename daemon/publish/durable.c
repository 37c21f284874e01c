/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/publish/durable.h"

#include "daemon/base/name.h"
#include "daemon/publish/restage.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where a unit that is published has its outputs; NULL: it is not. */
static struct kd_folder *
folder_of(struct kd_folders *folders, const struct kd_publish_unit *unit)
{
	if (unit->status != KD_UNIT_PUBLISHED && unit->status != KD_UNIT_ALREADY)
		return NULL;
	return kd_folder_open(folders, unit->sidecar.unit->output, 0);
}

/* What is visible is never run again under a new name: the next attempt finds it. */
static void
hold(const struct kd_stage *stage, struct kd_publish_unit *unit, const char *why)
{
	kd_stage_doubt(stage, unit->sidecar.unit->id);
	free(unit->reason);
	unit->status = KD_UNIT_HELD;
	if (asprintf(&unit->reason,
		    "published as '%s', but it could not be made durable: %s",
		    KD_NAME(unit->primary), why) < 0)
		unit->reason = NULL;
}

/* Exchanges what the unit has published for new files. */
static void
renew(const struct kd_stage *stage, struct kd_publish_unit *unit,
	struct kd_folder *folder)
{
	int rc = kd_restage_unit(stage, folder->fd, unit);
	if (rc == 0)
		folder->touched = 1;
	else
		hold(stage, unit,
			rc == -EBADMSG ? "its content was lost" : strerror(-rc));
}

/* New files for all units in folders whose fsync failed; how many there are. */
static size_t
renew_failed(const struct kd_stage *stage, struct kd_folders *folders,
	struct kd_publish_unit *const *units, size_t count)
{
	size_t renewed = 0;
	for (size_t i = 0; i < count; i++) {
		struct kd_folder *folder = folder_of(folders, units[i]);
		if (folder == NULL || folder->failed == 0)
			continue;
		renew(stage, units[i], folder);
		renewed++;
	}
	return renewed;
}

void
kd_durable_units(const struct kd_stage *stage, struct kd_folders *folders,
	struct kd_publish_unit *const *units, size_t count)
{
	struct kd_folder *folder;
	for (size_t i = 0; i < count; i++) {
		int doubted =
			units[i]->doubted ||
			(units[i]->status == KD_UNIT_ALREADY &&
				kd_stage_is_doubted(stage, units[i]->sidecar.unit->id));
		if (doubted && (folder = folder_of(folders, units[i])) != NULL)
			renew(stage, units[i], folder);
	}
	kd_folder_sync(folders);
	for (int i = 1; i < KD_RESTAGE_TRIES; i++)
		if (renew_failed(stage, folders, units, count) > 0)
			kd_folder_sync(folders);
	for (size_t i = 0; i < count; i++) {
		folder = folder_of(folders, units[i]);
		if (folder != NULL && folder->failed != 0)
			hold(stage, units[i], strerror(folder->failed));
		else if (units[i]->status == KD_UNIT_ALREADY)
			kd_stage_trust(stage, units[i]->sidecar.unit->id);
	}
}
