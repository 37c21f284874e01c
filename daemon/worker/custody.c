/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/worker/custody.h"

#include "daemon/base/file.h"
#include "daemon/base/log.h"
#include "daemon/base/name.h"
#include "daemon/publish/quarantine.h"
#include "daemon/worker/place.h"
#include "plugins/kiln_plugin.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct kd_content_source
source_of(const struct kd_batch *batch, const struct kd_manifest_unit *unit)
{
	const struct kd_manifest *manifest = &batch->manifest;
	return (struct kd_content_source){
		.root = batch->root,
		.kind = unit->kind == KD_UNIT_ARCHIVE ? KILN_FILE : unit->kind,
		.path = unit->path,
		.name = kd_name_base(unit->path),
		.marker = manifest->marker,
		.count = manifest->count,
		.match = manifest->match,
		.ignore = manifest->ignore,
		.first = manifest->sequence_first,
		.last = manifest->sequence_last,
		.gaps = manifest->sequence_gaps != 0,
		.verify_writers = manifest->verify_writers,
	};
}

void
kd_custody_rest(struct kd_batch *batch)
{
	if (batch->root >= 0 && batch->claimed)
		kd_claim_tidy(batch->root);
	if (batch->root >= 0)
		close(batch->root);
	batch->root = -1;
}

int
kd_custody_begin(struct kd_batch *batch, struct kd_err *err)
{
	int rc = kd_place_open_root(batch, err);
	if (rc < 0)
		return rc;
	for (uint32_t i = 0; i < batch->manifest.unit_count; i++) {
		struct kd_batch_unit *unit = &batch->units[i];
		unit->original = source_of(batch, unit->unit);
		unit->source = unit->original;
		kd_place_find(batch, unit);
	}
	return 0;
}

/* A sequence or bundle comes back as a claim, by one rename like everything else; its
 * files go to where they were dropped from there, unless they are to be claimed anyway. */
static int
fetch(struct kd_batch *batch, struct kd_batch_unit *unit, struct kd_err *err)
{
	char path[PATH_MAX], claimed[PATH_MAX];
	struct kd_quarantine_fetch given = {
		.root = batch->root,
		.path = unit->unit->path,
		.place = unit->unit->path,
		.folder = batch->manifest.quarantine,
		.unit = unit->unit->id,
	};
	int rc = 0;
	kd_claim_path(&unit->claim, claimed);
	if (kd_place_is_family(unit)) {
		rc = kd_place_of_family(unit, path);
		if (rc == 0)
			rc = kd_claim_prepare(batch->root, NULL);
		batch->claimed = 1;
		given.path = path;
		given.members = unit->unit->path;
	}
	if (rc < 0)
		return kd_err_errno(err, rc, "cannot fetch '%s' from quarantine",
			KD_NAME(unit->unit->path));
	/* What a life before us fetched has left at most its reason there. */
	if (unit->claim.held || kd_place_is_family(unit))
		given.place = claimed;
	return kd_quarantine_fetch(&given, err);
}

/* The input of a unit that had ended before is to be disposed of: if it is the same. */
static void
end_again(struct kd_batch_unit *unit)
{
	const struct kd_manifest_unit *given = unit->unit;
	enum kd_status ended = (enum kd_status)(given->ended - 1), found = KD_UNIT_HELD;
	const char *sha256 = given->ended_sha256 == NULL ? "" : given->ended_sha256;
	struct kd_err err;
	if (ended == KD_UNIT_CANCELLED) {
		kd_batch_settle(unit, ended, "cancelled");
		return;
	}
	int rc = kd_content_read(&unit->source, &unit->content, &found, &err);
	int is_same = rc == 0 ? strcmp(unit->content.sha256, sha256) == 0
			      : found == KD_UNIT_BAD && sha256[0] == '\0';
	if (rc == 0 && sha256[0] == '\0')
		is_same = unit->claim.held;
	if (rc < 0 && found != KD_UNIT_BAD)
		kd_batch_settle(unit, found == KD_UNIT_GONE ? found : KD_UNIT_HELD, "%s",
			err.text);
	else if (is_same)
		kd_batch_settle(unit, ended, "%s",
			given->ended_reason == NULL ? "" : given->ended_reason);
	else
		kd_batch_settle(unit, KD_UNIT_CHANGED,
			"it is not what was processed any more; it stays");
}

void
kd_custody_prepare(struct kd_batch *batch, uint32_t i, struct kd_link *link)
{
	struct kd_batch_unit *unit = &batch->units[i];
	struct kd_err err;
	if (unit->stage == KD_BATCH_SETTLED)
		return;
	if (unit->unit->ended != 0) {
		end_again(unit);
		return;
	}
	if (!unit->unit->restore || batch->manifest.quarantine == NULL)
		return;
	int rc = fetch(batch, unit, &err);
	if (rc < 0)
		kd_link_log(link, KD_WARNING, err.text);
	else if (rc == 1 && kd_place_is_family(unit))
		kd_place_find(batch, unit);
}

static void
claim(struct kd_batch_unit *unit)
{
	int rc = kd_claim_take(&unit->claim, &unit->original);
	kd_place_follow(unit);
	/* What cannot be claimed is read where it lies, and compared. */
	if (rc < 0 && rc != -ENOENT)
		return;
	if (rc == 0)
		rc = kd_content_adopt(&unit->source, &unit->content);
	if (rc < 0)
		kd_batch_settle_changed(unit, rc, "before it was processed");
}

/* The folders they were taken from, after the one they are in: a power cut may show a
 * claimed unit under both names until then, and a directory that is removed under one of
 * them would be half a unit under the other. */
static void
sync_origins(const struct kd_batch *batch)
{
	const char *last = NULL;
	size_t last_length = 0;
	for (uint32_t i = 0; i < batch->manifest.unit_count; i++) {
		const char *path = batch->manifest.units[i].path;
		const char *base = kd_name_base(path);
		size_t length = (size_t)(base - path);
		if (!batch->units[i].claim.held ||
			(last != NULL && length == last_length &&
				strncmp(path, last, length) == 0))
			continue;
		int dir = kd_file_open_parent(batch->root, path, &base);
		if (dir >= 0) {
			fsync(dir);
			close(dir);
		}
		last = path;
		last_length = length;
	}
}

static int
is_to_be_claimed(const struct kd_batch_unit *unit)
{
	return (unit->stage == KD_BATCH_TO_RUN || unit->stage == KD_BATCH_DONE) &&
	       !unit->claim.held && unit->unit->id != 0;
}

/* The folders of all sequences and bundles are made durable at once; each that is not
 * then tries it by itself. */
static void
prepare_claims(struct kd_batch *batch)
{
	uint32_t made = 0;
	for (uint32_t i = 0; i < batch->manifest.unit_count; i++) {
		struct kd_batch_unit *unit = &batch->units[i];
		if (!kd_place_is_family(unit) || !is_to_be_claimed(unit))
			continue;
		unit->claim.ready = kd_claim_prepare(batch->root, &unit->claim) == 0;
		made += unit->claim.ready != 0;
	}
	if (made == 0 || kd_claim_sync(batch->root) == 0)
		return;
	for (uint32_t i = 0; i < batch->manifest.unit_count; i++)
		batch->units[i].claim.ready = 0;
}

void
kd_custody_claim(struct kd_batch *batch)
{
	if (batch->manifest.inputs == KD_INPUTS_KEEP)
		return;
	prepare_claims(batch);
	for (uint32_t i = 0; i < batch->manifest.unit_count; i++) {
		struct kd_batch_unit *unit = &batch->units[i];
		if (!is_to_be_claimed(unit))
			continue;
		claim(unit);
		batch->claimed |= unit->claim.held;
	}
	/* A failure costs nothing yet: what a power cut then shows where it was is found
	 * there. */
	if (batch->claimed && kd_claim_sync(batch->root) == 0)
		sync_origins(batch);
}

/* Whether the client's FINISH will dispose of it. */
static int
is_finished(enum kd_status status)
{
	switch (status) {
	case KD_UNIT_PUBLISHED:
	case KD_UNIT_ALREADY:
	case KD_UNIT_SAME:
	case KD_UNIT_KEPT:
	case KD_UNIT_BAD:
		return 1;
	case KD_UNIT_TRANSIENT:
	case KD_UNIT_CRASHED:
	case KD_UNIT_BUSY:
	case KD_UNIT_CHANGED:
	case KD_UNIT_GONE:
	case KD_UNIT_CANCELLED:
	case KD_UNIT_HELD:
		break;
	}
	return 0;
}

void
kd_custody_put_back(struct kd_batch *batch)
{
	for (uint32_t i = 0; batch->units != NULL && i < batch->manifest.unit_count;
		i++) {
		struct kd_batch_unit *unit = &batch->units[i];
		if (!unit->claim.held || is_finished(unit->status))
			continue;
		kd_place_put_back(unit);
		/* Nobody comes again for these: it would lie in the claim for good. */
		if (unit->claim.held && (unit->status == KD_UNIT_BUSY ||
						unit->status == KD_UNIT_CHANGED ||
						unit->status == KD_UNIT_GONE ||
						unit->status == KD_UNIT_CANCELLED))
			kd_batch_settle(unit, KD_UNIT_HELD,
				"%s; it could not be put back yet",
				unit->reason == NULL ? "" : unit->reason);
	}
}
