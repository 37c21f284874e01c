/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/publish/publish.h"

#include "daemon/base/file.h"
#include "daemon/base/name.h"
#include "daemon/publish/durable.h"
#include "daemon/publish/finish.h"
#include "daemon/publish/folder.h"
#include "daemon/publish/publish_find.h"
#include "daemon/publish/restage.h"
#include "daemon/publish/slot.h"
#include "daemon/publish/superseded.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { VERSIONS_MOST = KD_PUBLISH_VERSIONS, RACES_MOST = 100 };

/* A slot that a unit may take, with its sidecar in the stage. */
struct prepared {
	int ready;     /* 0: the unit is settled */
	int announced; /* its sidecar stands in the slot */
	int failures;  /* so often its folder could not be made to keep that */
	struct kd_slot slot;
	enum kd_slot_state state; /* when it was looked at */
};

static int
find_group(const char *name, gid_t *group, struct kd_err *err)
{
	*group = (gid_t)-1;
	if (name == NULL)
		return 0;
	errno = 0;
	const struct group *entry = getgrnam(name);
	if (entry == NULL)
		return kd_err_set(err, errno == 0 ? -ENOENT : -errno,
			"group '%s' for outputs is not known here", KD_NAME(name));
	*group = entry->gr_gid;
	return 0;
}

int
kd_publish_new(const struct kd_stage *stage, const struct kd_manifest *manifest,
	struct kd_publisher **publisher, struct kd_err *err)
{
	gid_t group;
	int rc = find_group(manifest->group, &group, err);
	if (rc < 0)
		return rc;
	struct kd_publisher *made = calloc(1, sizeof *made);
	if (made == NULL)
		return kd_err_set(err, -ENOMEM, "out of memory");
	made->stage = stage;
	made->manifest = manifest;
	made->finish.stage = stage;
	made->finish.mode = manifest->mode;
	made->finish.group = group;
	made->folders.root = stage->out;
	*publisher = made;
	return 0;
}

void
kd_publish_free(struct kd_publisher *publisher)
{
	if (publisher == NULL)
		return;
	kd_folder_close(&publisher->folders);
	free(publisher);
}

/* What to do with a slot that is taken: 0 try the next version, 1 it is settled or may be
 * replaced (*how). */
static int
resolve_taken(const struct kd_publisher *publisher, struct kd_publish_unit *unit,
	const struct kd_folder *folder, const struct kd_slot *slot,
	enum kd_slot_state *how)
{
	switch (publisher->manifest->collision) {
	case KD_COLLISION_REPLACE:
		if (!kd_slot_may_replace(folder->fd, slot))
			return 0;
		*how = KD_SLOT_TAKEN;
		return 1;
	case KD_COLLISION_KEEP:
		if (!kd_slot_has_primary(folder->fd, slot))
			return 0;
		if (kd_publish_adopt(publisher, unit, folder, slot) < 0)
			kd_publish_unit_settle(unit, KD_UNIT_TRANSIENT, "out of memory");
		else
			kd_publish_unit_settle(unit, KD_UNIT_KEPT,
				"an older output stands: '%s' (collision = \"keep\")",
				KD_NAME(unit->primary));
		return 1;
	case KD_COLLISION_VERSION:
		break;
	}
	return 0;
}

/* One try with version `version`: 1 settled or prepared, 0 try the next version, negative
 * errno: failed. */
static int
prepare_version(struct kd_publisher *publisher, struct kd_publish_unit *unit,
	struct kd_folder *folder, unsigned version, struct prepared *prepared)
{
	json_t *found = NULL;
	struct kd_slot *slot = &prepared->slot;
	int rc = kd_slot_name(slot, publisher->stage, unit, version);
	if (rc < 0)
		return rc;
	prepared->state = kd_slot_look(folder->fd, slot, unit, &found);
	if (prepared->state == KD_SLOT_OURS) {
		rc = kd_publish_settle_already(publisher, unit, folder,
			unit->directory ? slot->primary : slot->sidecar, found);
		rc = rc < 0 ? rc : 1;
		goto out;
	}
	if (prepared->state == KD_SLOT_TAKEN) {
		rc = resolve_taken(publisher, unit, folder, slot, &prepared->state);
		if (rc == 0 || unit->status != KD_UNIT_PUBLISHED)
			goto out;
	}
	if (prepared->state != KD_SLOT_FREE)
		kd_superseded_note(folder->fd, slot, unit);
	rc = kd_finish_sidecar(&publisher->finish, unit, slot);
	prepared->ready = rc == 0;
	rc = rc < 0 ? rc : 1;
out:
	json_decref(found);
	if (!prepared->ready)
		kd_slot_clear(slot);
	return rc;
}

static void
settle_unplaced(
	const struct kd_publisher *publisher, struct kd_publish_unit *unit, int error)
{
	if (error == ENAMETOOLONG)
		kd_publish_unit_settle(unit, KD_UNIT_BAD,
			"its output's name would be longer than %d bytes", NAME_MAX);
	else
		kd_publish_unit_settle(unit, KD_UNIT_HELD,
			"cannot publish it in '%s/%s': %s",
			KD_NAME(publisher->manifest->out),
			KD_NAME(unit->sidecar.unit->output), strerror(error));
}

/* Looks for the slot that the unit shall have and writes its sidecar. */
static void
prepare(struct kd_publisher *publisher, struct kd_publish_unit *unit,
	struct prepared *prepared)
{
	struct kd_folder *folder =
		kd_folder_open(&publisher->folders, unit->sidecar.unit->output, 1);
	int rc = folder == NULL ? -errno : 0;
	prepared->ready = 0;
	for (unsigned version = 1; rc == 0 && version <= VERSIONS_MOST; version++)
		rc = prepare_version(publisher, unit, folder, version, prepared);
	if (rc <= 0)
		settle_unplaced(publisher, unit, rc == 0 ? EEXIST : -rc);
}

/* Done with it: placed (rc 0), settled already (0), or not to be placed for that errno. */
static void
close_slot(struct kd_publisher *publisher, struct kd_publish_unit *unit,
	struct prepared *prepared, int rc)
{
	prepared->ready = prepared->announced = 0;
	kd_slot_clear(&prepared->slot);
	if (rc < 0 && unit->status == KD_UNIT_PUBLISHED)
		settle_unplaced(publisher, unit, -rc);
}

/* Somebody was faster: another slot, or the same one as it is now. */
static void
prepare_again(struct kd_publisher *publisher, struct kd_publish_unit *unit,
	struct prepared *prepared)
{
	prepared->announced = 0;
	kd_slot_clear(&prepared->slot);
	prepare(publisher, unit, prepared);
	kd_finish_sync(&publisher->finish);
	if (prepared->ready && unit->status != KD_UNIT_PUBLISHED)
		close_slot(publisher, unit, prepared, 0);
}

/* A directory whole; of files what comes before the primary. */
static int
begin(struct kd_publisher *publisher, struct kd_publish_unit *unit,
	struct prepared *prepared)
{
	struct kd_folder *folder =
		kd_folder_open(&publisher->folders, unit->sidecar.unit->output, 0);
	if (folder == NULL)
		return -errno;
	folder->touched = 1;
	if (!unit->directory) {
		prepared->announced = 1;
		return kd_slot_announce(folder->fd, &prepared->slot, prepared->state);
	}
	int rc = kd_slot_complete(folder->fd, &prepared->slot, prepared->state);
	return rc < 0 ? rc : kd_publish_adopt(publisher, unit, folder, &prepared->slot);
}

/* Begins with the unit; where somebody was faster, with another slot. */
static void
announce(struct kd_publisher *publisher, struct kd_publish_unit *unit,
	struct prepared *prepared)
{
	if (prepared->ready && unit->status != KD_UNIT_PUBLISHED)
		close_slot(publisher, unit, prepared, 0);
	for (unsigned races = 0; prepared->ready && races < RACES_MOST; races++) {
		int rc = begin(publisher, unit, prepared);
		if (rc == -EEXIST)
			prepare_again(publisher, unit, prepared);
		else if (rc < 0 || unit->directory)
			close_slot(publisher, unit, prepared, rc);
		else
			return;
	}
	if (prepared->ready)
		close_slot(publisher, unit, prepared, -EEXIST);
}

/* Puts the primary there.  Where the folder could not be made to keep the sidecar, that is
 * taken back, to be announced anew. */
static void
complete(struct kd_publisher *publisher, struct kd_publish_unit *unit,
	struct prepared *prepared)
{
	struct kd_folder *folder =
		kd_folder_open(&publisher->folders, unit->sidecar.unit->output, 0);
	prepared->announced = 0;
	if (folder == NULL) {
		close_slot(publisher, unit, prepared, -errno);
		return;
	}
	if (folder->failed != 0) {
		kd_slot_withdraw(folder->fd, &prepared->slot, prepared->state);
		if (++prepared->failures == KD_RESTAGE_TRIES)
			close_slot(publisher, unit, prepared, -folder->failed);
		return;
	}
	folder->touched = 1;
	int rc = kd_slot_complete(folder->fd, &prepared->slot, prepared->state);
	if (rc == -EEXIST) {
		prepare_again(publisher, unit, prepared);
		return;
	}
	if (rc == 0)
		rc = kd_publish_adopt(publisher, unit, folder, &prepared->slot);
	close_slot(publisher, unit, prepared, rc);
}

/* What got its name before its folder's fsync failed: a later one that succeeds says
 * nothing of it. */
static void
doubt(struct kd_publisher *publisher, struct kd_publish_unit *const *units, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct kd_folder *folder = kd_folder_open(
			&publisher->folders, units[i]->sidecar.unit->output, 0);
		if (folder != NULL && folder->failed != 0)
			units[i]->doubted |= units[i]->primary != NULL;
	}
}

/* Places what is prepared and durable, in as many rounds as others are faster. */
static void
place(struct kd_publisher *publisher, struct kd_publish_unit *const *units,
	struct prepared *prepared, size_t count)
{
	int left = 1;
	for (unsigned round = 0; left && round < RACES_MOST; round++) {
		for (size_t i = 0; i < count; i++)
			announce(publisher, units[i], &prepared[i]);
		kd_folder_sync(&publisher->folders);
		doubt(publisher, units, count);
		left = 0;
		for (size_t i = 0; i < count; i++) {
			if (prepared[i].announced)
				complete(publisher, units[i], &prepared[i]);
			left |= prepared[i].ready;
		}
	}
	for (size_t i = 0; i < count; i++)
		if (prepared[i].ready)
			close_slot(publisher, units[i], &prepared[i], -EEXIST);
}

void
kd_publish_units(struct kd_publisher *publisher, struct kd_publish_unit *const *units,
	size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (units[i]->status == KD_UNIT_PUBLISHED)
			kd_finish_outputs(&publisher->finish, units[i]);
	kd_finish_hash(&publisher->finish);
	struct prepared *prepared = calloc(count + 1, sizeof *prepared);
	for (size_t i = 0; i < count; i++) {
		if (units[i]->status != KD_UNIT_PUBLISHED)
			continue;
		if (prepared == NULL)
			kd_publish_unit_settle(
				units[i], KD_UNIT_TRANSIENT, "out of memory");
		else
			prepare(publisher, units[i], &prepared[i]);
	}
	kd_finish_sync(&publisher->finish);
	if (prepared != NULL)
		place(publisher, units, prepared, count);
	free(prepared);
	kd_durable_units(publisher->stage, &publisher->folders, units, count);
	kd_superseded_remove(publisher->stage, &publisher->folders, units, count);
}
