/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/worker/disposal.h"

#include "daemon/base/file.h"
#include "daemon/base/name.h"
#include "daemon/publish/inputs.h"
#include "daemon/publish/quarantine.h"
#include "daemon/worker/place.h"
#include "plugins/kiln_plugin.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A marker that outlived its file would vouch for the next one of that name.  A
 * directory's went with it. */
static int
remove_marker(const struct kd_batch *batch, const struct kd_batch_unit *unit,
	struct kd_err *err)
{
	char path[PATH_MAX];
	const char *marker = batch->manifest.marker, *base;
	if (marker == NULL || unit->unit->kind == KILN_DIRECTORY ||
		snprintf(path, sizeof path, "%s%s", unit->unit->path, marker) >=
			(int)sizeof path)
		return 0;
	int dir = kd_file_open_parent(batch->root, path, &base);
	int rc = dir < 0 ? dir : unlinkat(dir, base, 0) < 0 ? -errno : 0;
	if (dir >= 0)
		close(dir);
	if (rc < 0 && rc != -ENOENT)
		return kd_err_errno(
			err, rc, "cannot remove the marker '%s'", KD_NAME(path));
	return 0;
}

/* An input with the memory of its paths, where they are not the unit's own. */
struct taken {
	struct kd_input input;
	char place[PATH_MAX], path[PATH_MAX];
};

/* What is to be moved or deleted; a sequence or bundle is claimed for that, so that one
 * rename does for all of it. */
static int
take_input(struct kd_batch *batch, struct kd_batch_unit *unit, struct taken *taken)
{
	int rc = 0;
	taken->input = (struct kd_input){
		.root = batch->root,
		.place = unit->source.path,
		.path = unit->unit->path,
		.unsynced = &batch->disposed,
	};
	if (!kd_place_is_family(unit))
		return 0;
	if (!unit->claim.held)
		rc = kd_claim_take(&unit->claim, &unit->original);
	batch->claimed |= unit->claim.held;
	kd_place_follow(unit);
	if (rc == 0)
		rc = kd_place_of_family(unit, taken->path);
	kd_claim_path(&unit->claim, taken->place);
	taken->input.place = taken->place;
	taken->input.path = taken->path;
	return rc;
}

static int
quarantine(const struct kd_batch *batch, const struct kd_batch_unit *unit,
	const struct kd_input *input, struct kd_err *err)
{
	const struct kd_manifest *manifest = &batch->manifest;
	const struct kd_quarantine why = {
		.folder = manifest->quarantine,
		.status = kd_manifest_status_name(unit->status),
		.reason = unit->reason == NULL ? "" : unit->reason,
		.rule = manifest->rule,
		.kernel = manifest->kernel,
		.sha256 = unit->content.sha256,
		.unit = unit->unit->id,
		.batch = manifest->batch,
		.attempt = unit->unit->attempt,
	};
	return kd_quarantine_put(input, &why, err);
}

static int
dispose(struct kd_batch *batch, struct kd_batch_unit *unit, struct kd_err *err)
{
	const struct kd_manifest *manifest = &batch->manifest;
	int failed = unit->status == KD_UNIT_BAD || unit->status == KD_UNIT_TRANSIENT ||
		     unit->status == KD_UNIT_CRASHED;
	struct taken taken;
	int rc;
	if (failed ? manifest->quarantine == NULL : manifest->inputs == KD_INPUTS_KEEP) {
		rc = kd_claim_put_back(&unit->claim, &unit->original, err);
		kd_place_follow(unit);
		return rc;
	}
	rc = take_input(batch, unit, &taken);
	if (rc == -ENOENT)
		return 0;
	if (rc < 0)
		return kd_err_errno(
			err, rc, "cannot take '%s' away", KD_NAME(unit->unit->path));
	if (failed)
		rc = quarantine(batch, unit, &taken.input, err);
	else if (manifest->inputs == KD_INPUTS_DELETE)
		rc = kd_inputs_delete(&taken.input, err);
	else
		rc = kd_inputs_move(&taken.input, manifest->done, err);
	/* What could not be moved goes back, for people to see. */
	if (rc < 0)
		kd_place_put_back(unit);
	else
		unit->claim.held = 0;
	return rc < 0 ? rc : remove_marker(batch, unit, err);
}

/* The input went already: of what an earlier life began, the rest is done. */
static int
finish_gone(const struct kd_batch *batch, const struct kd_batch_unit *unit,
	struct kd_err *err)
{
	const char *path = unit->unit->path;
	char claimed[PATH_MAX];
	kd_claim_path(&unit->claim, claimed);
	const struct kd_input dropped = {batch->root, path, path, NULL};
	const struct kd_input held = {batch->root, claimed, path, NULL};
	int rc = kd_inputs_tidy(&dropped, err);
	if (rc == 0)
		rc = kd_inputs_tidy(&held, err);
	return rc < 0 ? rc : remove_marker(batch, unit, err);
}

int
kd_disposal_finish(struct kd_batch *batch, uint32_t i, struct kd_err *err)
{
	if (batch->units == NULL || i >= batch->manifest.unit_count)
		return kd_err_set(err, -EINVAL, "the batch has no such unit");
	int rc = kd_place_open_root(batch, err);
	if (rc < 0)
		return rc;
	struct kd_batch_unit *unit = &batch->units[i];
	const char *path = unit->unit->path;
	/* What could not be read has no identity to compare with: a FIFO stays a FIFO. */
	rc = unit->content.sha256[0] == '\0'
		     ? 0
		     : kd_content_verify(&unit->source, &unit->content, 0);
	if (rc == -ENOENT)
		return finish_gone(batch, unit, err);
	if (rc < 0) {
		kd_place_put_back(unit);
		return rc == -ESTALE
			       ? kd_err_set(err, rc,
					 "'%s' is not what was processed any more; it "
					 "stays",
					 KD_NAME(path))
			       : kd_err_errno(err, rc,
					 "cannot look whether '%s' is what was processed",
					 KD_NAME(path));
	}
	switch (unit->status) {
	case KD_UNIT_PUBLISHED:
	case KD_UNIT_ALREADY:
	case KD_UNIT_SAME:
	case KD_UNIT_KEPT:
	case KD_UNIT_BAD:
	case KD_UNIT_TRANSIENT:
	case KD_UNIT_CRASHED:
		return dispose(batch, unit, err);
	case KD_UNIT_GONE:
		return finish_gone(batch, unit, err);
	case KD_UNIT_BUSY:
	case KD_UNIT_CHANGED:
	case KD_UNIT_CANCELLED:
	case KD_UNIT_HELD:
		break;
	}
	return kd_err_set(err, -EINVAL, "'%s' is %s: there is nothing to finish",
		KD_NAME(path), kd_manifest_status_name(unit->status));
}

int
kd_disposal_sync(struct kd_batch *batch, struct kd_err *err)
{
	int rc = kd_transfer_sync(&batch->disposed);
	return rc == 0 ? 0
		       : kd_err_errno(err, rc,
				 "it is not known to have gone for good, since a folder "
				 "could not be made durable");
}
