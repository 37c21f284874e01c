/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/publish/slot.h"

#include "daemon/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* "dance.npz" of stem "dance" in version 2: "dance.2.npz". */
static char *
versioned(const char *name, const char *stem, unsigned version, const char *suffix)
{
	char *made, number[16] = "";
	size_t length = strlen(stem);
	if (version > 1)
		snprintf(number, sizeof number, ".%u", version);
	if (asprintf(&made, "%s%s%s%s", stem, number, name + length, suffix) < 0)
		return NULL;
	return made;
}

void
kd_slot_staged_sidecar(const struct kd_publish_unit *unit, char *name, size_t size)
{
	snprintf(name, size, "%u" KD_SIDECAR_SUFFIX, unit->number);
}

static int
name_files(struct kd_slot *slot, const struct kd_publish_unit *unit, unsigned version)
{
	for (uint32_t i = 0; i < unit->output_count; i++) {
		const struct kd_output *from = &unit->outputs[i];
		struct kd_output *to = &slot->outputs[i];
		*to = *from;
		const char *name = kd_publish_unit_name(unit, from);
		to->path = versioned(name, unit->stem, version, "");
		if (to->path == NULL)
			return -ENOMEM;
		if (strlen(to->path) > NAME_MAX)
			return -ENAMETOOLONG;
		if (from->companion)
			continue;
		slot->staged_primary = strdup(from->path);
		slot->primary = strdup(to->path);
		slot->sidecar = versioned(name, unit->stem, version, KD_SIDECAR_SUFFIX);
		if (slot->primary == NULL || slot->staged_primary == NULL ||
			slot->sidecar == NULL)
			return -ENOMEM;
		if (strlen(slot->sidecar) > NAME_MAX)
			return -ENAMETOOLONG;
	}
	char staged[sizeof KD_SIDECAR_SUFFIX + 16];
	kd_slot_staged_sidecar(unit, staged, sizeof staged);
	slot->staged_sidecar = strdup(staged);
	return slot->staged_sidecar == NULL ? -ENOMEM
	       : slot->primary == NULL	    ? -EINVAL
					    : 0;
}

static int
name_directory(struct kd_slot *slot, const struct kd_publish_unit *unit, unsigned version)
{
	char number[16];
	for (uint32_t i = 0; i < unit->output_count; i++) {
		slot->outputs[i] = unit->outputs[i];
		slot->outputs[i].path = strdup(unit->outputs[i].path);
		if (slot->outputs[i].path == NULL)
			return -ENOMEM;
	}
	snprintf(number, sizeof number, "%u", unit->number);
	slot->primary = versioned(unit->stem, unit->stem, version, "");
	slot->staged_primary = strdup(number);
	slot->staged_sidecar = strdup(KD_SIDECAR_INSIDE);
	if (slot->primary == NULL || slot->staged_primary == NULL ||
		slot->staged_sidecar == NULL)
		return -ENOMEM;
	return strlen(slot->primary) > NAME_MAX ? -ENAMETOOLONG : 0;
}

int
kd_slot_name(struct kd_slot *slot, const struct kd_stage *stage,
	const struct kd_publish_unit *unit, unsigned version)
{
	*slot = (struct kd_slot){
		.directory = unit->directory,
		.output_count = unit->output_count,
		.staged = unit->outputs,
		.stage = stage->dir,
	};
	slot->outputs = calloc(unit->output_count + 1, sizeof *slot->outputs);
	int rc = slot->outputs == NULL ? -ENOMEM
		 : unit->directory     ? name_directory(slot, unit, version)
				       : name_files(slot, unit, version);
	if (rc < 0)
		kd_slot_clear(slot);
	return rc;
}

void
kd_slot_clear(struct kd_slot *slot)
{
	for (uint32_t i = 0; slot->outputs != NULL && i < slot->output_count; i++)
		free(slot->outputs[i].path);
	free(slot->outputs);
	free(slot->staged_primary);
	free(slot->staged_sidecar);
	free(slot->primary);
	free(slot->sidecar);
	*slot = (struct kd_slot){0};
}

static int
exists(int folder, const char *name)
{
	struct stat st;
	return fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
}

int
kd_slot_has_primary(int folder, const struct kd_slot *slot)
{
	return exists(folder, slot->primary);
}

static json_t *
read_inside(int folder, const char *directory)
{
	int fd = kd_file_open_beneath(folder, directory, O_RDONLY | O_DIRECTORY, 0);
	json_t *json = fd < 0 ? NULL : kd_sidecar_read(fd, KD_SIDECAR_INSIDE);
	if (fd >= 0)
		close(fd);
	return json;
}

static int
is_folder(int folder, const char *name)
{
	struct stat st;
	return fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISDIR(st.st_mode);
}

int
kd_slot_may_replace(int folder, const struct kd_slot *slot)
{
	if (slot->directory && is_folder(folder, slot->primary)) {
		json_t *json = read_inside(folder, slot->primary);
		json_decref(json);
		return json != NULL;
	}
	int foreign = is_folder(folder, slot->primary);
	if (!slot->directory)
		foreign |= is_folder(folder, slot->sidecar);
	for (uint32_t i = 0; !slot->directory && i < slot->output_count; i++)
		foreign |= is_folder(folder, slot->outputs[i].path);
	return !foreign;
}

enum kd_slot_state
kd_slot_look(int folder, const struct kd_slot *slot, const struct kd_publish_unit *unit,
	json_t **found)
{
	json_t *json = slot->directory ? read_inside(folder, slot->primary)
				       : kd_sidecar_read(folder, slot->sidecar);
	if (json != NULL && kd_sidecar_matches(json, &unit->sidecar, unit->again)) {
		/* A directory came with its sidecar in one rename. */
		if (slot->directory || kd_sidecar_stands(json, folder)) {
			*found = json;
			return KD_SLOT_OURS;
		}
		json_decref(json);
		return exists(folder, slot->primary) ? KD_SLOT_TAKEN : KD_SLOT_LEFTOVER;
	}
	json_decref(json);
	if (exists(folder, slot->primary))
		return KD_SLOT_TAKEN;
	if (slot->directory)
		return KD_SLOT_FREE;
	int taken = exists(folder, slot->sidecar);
	for (uint32_t i = 0; !taken && i < slot->output_count; i++)
		taken = exists(folder, slot->outputs[i].path);
	return taken ? KD_SLOT_TAKEN : KD_SLOT_FREE;
}

/* One rename of a staged name; `back` undoes it. */
struct move {
	int from_dir;
	const char *from, *to;
};

static struct move
move_of(const struct kd_slot *slot, uint32_t i)
{
	if (i == 0)
		return (struct move){slot->stage, slot->staged_sidecar, slot->sidecar};
	/* Companions in their order; the primary, wherever it stands, comes last. */
	uint32_t seen = 0;
	for (uint32_t k = 0; k < slot->output_count; k++)
		if (slot->staged[k].companion && ++seen == i)
			return (struct move){
				slot->stage, slot->staged[k].path, slot->outputs[k].path};
	return (struct move){slot->stage, slot->staged_primary, slot->primary};
}

static int
put(int folder, const struct move *move, int over)
{
	if (!over)
		return kd_file_rename_new(move->from_dir, move->from, folder, move->to);
	int rc = kd_file_exchange(move->from_dir, move->from, folder, move->to);
	if (rc == -ENOENT)
		rc = kd_file_rename_new(move->from_dir, move->from, folder, move->to);
	if (rc == -EINVAL || rc == -ENOSYS)
		rc = renameat(move->from_dir, move->from, folder, move->to) < 0 ? -errno
										: 0;
	return rc;
}

/* Takes back the first `count` renames. */
static void
take_back(
	int folder, const struct kd_slot *slot, enum kd_slot_state state, uint32_t count)
{
	while (count-- > 0) {
		struct move move = move_of(slot, count);
		struct move back = {folder, move.to, move.from};
		put(move.from_dir, &back, state != KD_SLOT_FREE);
	}
}

void
kd_slot_withdraw(int folder, const struct kd_slot *slot, enum kd_slot_state state)
{
	if (!slot->directory)
		take_back(folder, slot, state, slot->output_count);
}

int
kd_slot_announce(int folder, const struct kd_slot *slot, enum kd_slot_state state)
{
	/* The sidecar and every companion; what a dead attempt of ours left is ours to
	 * write over. */
	for (uint32_t i = 0; !slot->directory && i < slot->output_count; i++) {
		struct move move = move_of(slot, i);
		int rc = put(folder, &move, state != KD_SLOT_FREE);
		if (rc == 0)
			continue;
		take_back(folder, slot, state, i);
		return rc;
	}
	return 0;
}

int
kd_slot_complete(int folder, const struct kd_slot *slot, enum kd_slot_state state)
{
	struct move move = {slot->stage, slot->staged_primary, slot->primary};
	if (!slot->directory)
		move = move_of(slot, slot->output_count);
	/* A dead attempt left no primary: one that is there now is somebody else's. */
	int rc = put(folder, &move, state == KD_SLOT_TAKEN);
	if (rc < 0)
		kd_slot_withdraw(folder, slot, state);
	return rc;
}
