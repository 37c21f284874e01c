/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/worker/place.h"

#include "daemon/base/log.h"
#include "daemon/base/name.h"
#include "plugins/kiln_plugin.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

int
kd_place_is_family(const struct kd_batch_unit *unit)
{
	return unit->unit->kind == KILN_SEQUENCE || unit->unit->kind == KILN_BUNDLE;
}

int
kd_place_of_family(const struct kd_batch_unit *unit, char path[PATH_MAX])
{
	const char *name = kd_name_base(unit->unit->path);
	return snprintf(path, PATH_MAX, "%.*s%s", (int)(name - unit->unit->path),
		       unit->unit->path, unit->stem) < PATH_MAX
		       ? 0
		       : -ENAMETOOLONG;
}

int
kd_place_open_root(struct kd_batch *batch, struct kd_err *err)
{
	if (batch->root >= 0)
		return 0;
	batch->root = open(batch->manifest.root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (batch->root < 0)
		return kd_err_errno(
			err, -errno, "cannot open '%s'", KD_NAME(batch->manifest.root));
	for (uint32_t i = 0; i < batch->manifest.unit_count; i++) {
		batch->units[i].original.root = batch->root;
		batch->units[i].source.root = batch->root;
	}
	return 0;
}

void
kd_place_follow(struct kd_batch_unit *unit)
{
	unit->source.path = unit->claim.held ? unit->claim.place : unit->original.path;
}

void
kd_place_put_back(struct kd_batch_unit *unit)
{
	struct kd_err err;
	if (kd_claim_put_back(&unit->claim, &unit->original, &err) < 0)
		kd_log(KD_ERROR, "%s; the next attempt finds it there", err.text);
	kd_place_follow(unit);
}

void
kd_place_find(struct kd_batch *batch, struct kd_batch_unit *unit)
{
	int rc = kd_claim_find(&unit->claim, unit->unit->id, &unit->original);
	if (rc < 0)
		kd_batch_settle(unit, KD_UNIT_HELD,
			"cannot see whether it lies in '%s': %s", KD_CLAIM_FOLDER,
			strerror(-rc));
	batch->claimed |= unit->claim.held;
	kd_place_follow(unit);
	/* The rule may not move its inputs, or was changed since it did. */
	if (unit->claim.held && batch->manifest.inputs == KD_INPUTS_KEEP)
		kd_place_put_back(unit);
}
