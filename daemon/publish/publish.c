/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/publish/publish.h"

#include "daemon/base/file.h"
#include "daemon/base/name.h"
#include "daemon/publish/durable.h"
#include "daemon/publish/folder.h"
#include "daemon/publish/restage.h"
#include "daemon/publish/slot.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { VERSIONS_MOST = 100000, RACES_MOST = 100 };

struct kd_publisher {
	const struct kd_stage *stage;
	const struct kd_manifest *manifest;
	gid_t group; /* (gid_t)-1: leave */
	struct kd_folders folders;
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
	made->group = group;
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

void
kd_publish_unit_clear(struct kd_publish_unit *unit)
{
	for (uint32_t i = 0; i < unit->output_count; i++)
		free(unit->outputs[i].path);
	free(unit->outputs);
	free(unit->reason);
	free(unit->primary);
	free(unit->sidecar_path);
	*unit = (struct kd_publish_unit){0};
}

static void __attribute__((format(printf, 3, 4)))
settle(struct kd_publish_unit *unit, enum kd_status status, const char *format, ...)
{
	va_list args;
	unit->status = status;
	free(unit->reason);
	va_start(args, format);
	if (vasprintf(&unit->reason, format, args) < 0)
		unit->reason = NULL;
	va_end(args);
}

/* Mode, group, content hash and durability of one staged file. */
static int
finish_file(const struct kd_publisher *publisher, int dir, struct kd_output *output)
{
	struct stat st;
	int fd = kd_file_open_regular(dir, output->path, &st);
	if (fd < 0)
		return fd;
	int rc = kd_hash_file(fd, output->sha256, &output->bytes);
	if (rc == 0 && publisher->group != (gid_t)-1 &&
		fchown(fd, (uid_t)-1, publisher->group) < 0)
		rc = -errno;
	if (rc == 0 && fchmod(fd, publisher->manifest->mode) < 0)
		rc = -errno;
	int unsynced = rc == 0 && fsync(fd) < 0;
	if (close(fd) < 0 && rc == 0)
		rc = -errno;
	return rc == 0 && unsynced ? kd_restage_file(publisher->stage, dir, output->path,
					     output->sha256)
				   : rc;
}

/* All of a staged tree's directories, bottom up.  Takes fd. */
static int
finish_tree(const struct kd_publisher *publisher, int fd)
{
	mode_t mode = publisher->manifest->mode;
	DIR *dir = fdopendir(fd);
	if (dir == NULL) {
		int error = errno;
		close(fd);
		return -error;
	}
	int rc = 0;
	struct dirent *entry;
	while (rc == 0 && (errno = 0, entry = readdir(dir)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		int below = kd_file_open_beneath(
			fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
		if (below >= 0)
			rc = finish_tree(publisher, below);
		else if (below != -ENOTDIR)
			rc = below;
	}
	if (rc == 0 && errno != 0)
		rc = -errno;
	if (rc == 0 && publisher->group != (gid_t)-1 &&
		fchown(fd, (uid_t)-1, publisher->group) < 0)
		rc = -errno;
	if (rc == 0 && fchmod(fd, mode | (mode & 0444) >> 2) < 0)
		rc = -errno;
	if (rc == 0 && fsync(fd) < 0)
		rc = -errno;
	closedir(dir);
	return rc;
}

static void
finish_outputs(const struct kd_publisher *publisher, struct kd_publish_unit *unit)
{
	int dir = kd_stage_unit_open(publisher->stage, unit->number);
	int rc = dir < 0 ? dir : 0;
	for (uint32_t i = 0; rc == 0 && i < unit->output_count; i++) {
		rc = finish_file(publisher, dir, &unit->outputs[i]);
		if (rc < 0)
			settle(unit, KD_UNIT_HELD,
				"output '%s' could not be made durable: %s",
				KD_NAME(unit->outputs[i].path), strerror(-rc));
	}
	if (dir >= 0)
		close(dir);
	else
		settle(unit, KD_UNIT_HELD, "its stage is gone: %s", strerror(-rc));
}

/* A new file of that text; *unsynced: its fsync failed. */
static int
write_new(const struct kd_publisher *publisher, const struct kd_slot *slot,
	const char *text, int *unsynced)
{
	int dir = kd_slot_sidecar_folder(slot);
	unlinkat(dir, slot->staged_sidecar, 0);
	int fd = kd_file_open_beneath(dir, slot->staged_sidecar,
		O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
	int rc = fd < 0 ? fd : kd_file_write_all(fd, text, strlen(text));
	if (rc == 0)
		rc = kd_file_write_all(fd, "\n", 1);
	if (rc == 0 && publisher->group != (gid_t)-1 &&
		fchown(fd, (uid_t)-1, publisher->group) < 0)
		rc = -errno;
	if (rc == 0 && fchmod(fd, publisher->manifest->mode) < 0)
		rc = -errno;
	*unsynced = rc == 0 && fsync(fd) < 0;
	if (*unsynced)
		rc = -errno;
	if (fd >= 0 && close(fd) < 0 && rc == 0)
		rc = -errno;
	return rc;
}

/* Writes the sidecar for that slot: inside the directory, or beside in the stage. */
static int
write_sidecar(const struct kd_publisher *publisher, const struct kd_publish_unit *unit,
	const struct kd_slot *slot)
{
	json_t *json = kd_sidecar_json(&unit->sidecar, slot->outputs, unit->output_count);
	char *text = json == NULL
			     ? NULL
			     : json_dumps(json, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
	json_decref(json);
	if (text == NULL)
		return -ENOMEM;
	int rc = 0, unsynced = 1;
	for (int i = 0; unsynced && i < KD_RESTAGE_TRIES; i++)
		rc = write_new(publisher, slot, text, &unsynced);
	free(text);
	return rc;
}

/* Tells the unit where the slot's outputs are. */
static int
adopt_slot(const struct kd_publisher *publisher, struct kd_publish_unit *unit,
	const struct kd_folder *folder, const struct kd_slot *slot)
{
	const char *out = publisher->manifest->out;
	const char *slash = folder->path[0] == '\0' ? "" : "/";
	const char *inside = unit->directory ? slot->primary : "";
	for (uint32_t i = 0; i < unit->output_count; i++) {
		char *path;
		if (asprintf(&path, "%s%s%s%s%s", folder->path, slash, inside,
			    unit->directory ? "/" : "", slot->outputs[i].path) < 0)
			return -ENOMEM;
		free(unit->outputs[i].path);
		unit->outputs[i].path = path;
	}
	free(unit->primary);
	free(unit->sidecar_path);
	unit->primary = unit->sidecar_path = NULL;
	if (asprintf(&unit->primary, "%s/%s%s%s", out, folder->path, slash,
		    slot->primary) < 0 ||
		asprintf(&unit->sidecar_path, "%s/%s%s%s%s", out, folder->path, slash,
			unit->directory ? slot->primary : slot->sidecar,
			unit->directory ? "/" KD_SIDECAR_INSIDE : "") < 0)
		return -ENOMEM;
	return 0;
}

/* Replaces the unit's outputs by those that a sidecar in `folder` names; place is the
 * sidecar's file or the directory. */
static int
adopt_sidecar(const struct kd_publisher *publisher, struct kd_publish_unit *unit,
	const struct kd_folder *folder, const char *place, const json_t *json)
{
	const json_t *list = json_object_get(json, "outputs"), *item;
	size_t count = json_array_size(list), i;
	struct kd_output *outputs = calloc(count + 1, sizeof *outputs);
	struct kd_slot slot = {.outputs = outputs};
	if (outputs == NULL)
		return -ENOMEM;
	for (uint32_t k = 0; k < unit->output_count; k++)
		free(unit->outputs[k].path);
	free(unit->outputs);
	unit->outputs = calloc(count + 1, sizeof *outputs);
	unit->output_count = unit->outputs == NULL ? 0 : (uint32_t)count;
	json_array_foreach(list, i, item)
	{
		const char *name = json_string_value(json_object_get(item, "name"));
		const char *sha = json_string_value(json_object_get(item, "sha256"));
		outputs[i].path = kd_name_unescape(name == NULL ? "?" : name);
		if (outputs[i].path == NULL || unit->outputs == NULL)
			break;
		struct kd_output *output = &unit->outputs[i];
		output->bytes =
			(uint64_t)json_integer_value(json_object_get(item, "bytes"));
		output->companion = json_is_true(json_object_get(item, "companion"));
		snprintf(output->sha256, sizeof output->sha256, "%s",
			sha == NULL ? "" : sha);
		if (!unit->directory && !output->companion)
			slot.primary = outputs[i].path;
	}
	slot.sidecar = (char *)place;
	if (unit->directory)
		slot.primary = (char *)place;
	int rc = i < count || slot.primary == NULL
			 ? -ENOMEM
			 : adopt_slot(publisher, unit, folder, &slot);
	for (size_t k = 0; k < count; k++)
		free(outputs[k].path);
	free(outputs);
	return rc;
}

static int
settle_already(const struct kd_publisher *publisher, struct kd_publish_unit *unit,
	struct kd_folder *folder, const char *place, const json_t *json)
{
	int rc = adopt_sidecar(publisher, unit, folder, place, json);
	if (rc < 0) {
		settle(unit, KD_UNIT_TRANSIENT, "out of memory");
		return rc;
	}
	/* The attempt that published it may have died before its fsync. */
	folder->touched = 1;
	settle(unit, KD_UNIT_ALREADY, "published before as '%s'", KD_NAME(unit->primary));
	return 0;
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
		*how = KD_SLOT_TAKEN;
		return 1;
	case KD_COLLISION_KEEP:
		if (!kd_slot_has_primary(folder->fd, slot))
			return 0;
		if (adopt_slot(publisher, unit, folder, slot) < 0)
			settle(unit, KD_UNIT_TRANSIENT, "out of memory");
		else
			settle(unit, KD_UNIT_KEPT,
				"an older output stands: '%s' (collision = \"keep\")",
				KD_NAME(unit->primary));
		return 1;
	case KD_COLLISION_VERSION:
		break;
	}
	return 0;
}

/* One try with version `version`: 1 settled, 0 try the next version, -EEXIST look again,
 * other negative errno: failed. */
static int
try_version(const struct kd_publisher *publisher, struct kd_publish_unit *unit,
	struct kd_folder *folder, unsigned version)
{
	struct kd_slot slot;
	json_t *found = NULL;
	int rc = kd_slot_name(&slot, publisher->stage, unit, version);
	if (rc < 0)
		return rc;
	enum kd_slot_state state = kd_slot_look(folder->fd, &slot, unit, &found);
	if (state == KD_SLOT_OURS) {
		rc = settle_already(publisher, unit, folder,
			unit->directory ? slot.primary : slot.sidecar, found);
		rc = rc < 0 ? rc : 1;
		goto out;
	}
	if (state == KD_SLOT_TAKEN) {
		rc = resolve_taken(publisher, unit, folder, &slot, &state);
		if (rc == 0 || unit->status != KD_UNIT_PUBLISHED)
			goto out;
	}
	rc = write_sidecar(publisher, unit, &slot);
	if (rc == 0 && unit->directory) {
		int dir = kd_stage_unit_open(publisher->stage, unit->number);
		rc = dir < 0 ? dir : finish_tree(publisher, dir);
	}
	if (rc == 0)
		rc = kd_slot_fill(folder->fd, &slot, state);
	if (rc == 0) {
		folder->touched = 1;
		rc = adopt_slot(publisher, unit, folder, &slot);
		rc = rc < 0 ? rc : 1;
	}
out:
	json_decref(found);
	kd_slot_clear(&slot);
	return rc;
}

static void
place(struct kd_publisher *publisher, struct kd_publish_unit *unit)
{
	struct kd_folder *folder =
		kd_folder_open(&publisher->folders, unit->sidecar.unit->output, 1);
	int rc = folder == NULL ? -errno : 0;
	unsigned version = 1, races = 0;
	while (rc == 0 && version <= VERSIONS_MOST) {
		rc = try_version(publisher, unit, folder, version);
		if (rc == 0) {
			version++;
		} else if (rc == -EEXIST && races++ < RACES_MOST) {
			rc = 0;
		}
	}
	if (rc == -ENAMETOOLONG)
		settle(unit, KD_UNIT_BAD,
			"its output's name would be longer than %d bytes", NAME_MAX);
	else if (rc <= 0)
		settle(unit, KD_UNIT_HELD, "cannot publish it in '%s/%s': %s",
			KD_NAME(publisher->manifest->out),
			KD_NAME(unit->sidecar.unit->output),
			strerror(rc == 0 ? EEXIST : -rc));
}

void
kd_publish_units(struct kd_publisher *publisher, struct kd_publish_unit *const *units,
	size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (units[i]->status == KD_UNIT_PUBLISHED)
			finish_outputs(publisher, units[i]);
	for (size_t i = 0; i < count; i++)
		if (units[i]->status == KD_UNIT_PUBLISHED)
			place(publisher, units[i]);
	kd_durable_units(publisher->stage, &publisher->folders, units, count);
}

static int
try_sidecar(const struct kd_publisher *publisher, struct kd_publish_unit *unit,
	struct kd_folder *folder, const char *name)
{
	json_t *json = kd_sidecar_read(folder->fd, name);
	int ours = json != NULL &&
		   kd_sidecar_matches(json, &unit->sidecar, unit->again) &&
		   kd_sidecar_stands(json, folder->fd) &&
		   settle_already(publisher, unit, folder, name, json) == 0;
	json_decref(json);
	return ours;
}

static int
find_directory(const struct kd_publisher *publisher, struct kd_publish_unit *unit,
	struct kd_folder *folder)
{
	int found = 0;
	for (unsigned version = 1; !found && version <= VERSIONS_MOST; version++) {
		struct kd_slot slot;
		json_t *json = NULL;
		if (kd_slot_name(&slot, publisher->stage, unit, version) < 0)
			return 0;
		enum kd_slot_state state = kd_slot_look(folder->fd, &slot, unit, &json);
		if (state == KD_SLOT_OURS)
			found = settle_already(
					publisher, unit, folder, slot.primary, json) == 0;
		json_decref(json);
		kd_slot_clear(&slot);
		if (state == KD_SLOT_FREE)
			return 0;
	}
	return found;
}

/* The kernel has not said its output's name yet, so every sidecar is looked at that
 * begins with the stem and a separator.  One that this misses is met when publishing. */
static int
find_file(const struct kd_publisher *publisher, struct kd_publish_unit *unit,
	struct kd_folder *folder)
{
	size_t length = strlen(unit->stem);
	kd_folder_list(folder);
	for (size_t i = kd_folder_seek(folder, unit->stem); i < folder->sidecar_count;
		i++) {
		const char *name = folder->sidecars[i];
		if (strncmp(name, unit->stem, length) != 0)
			break;
		if (strchr("._-", name[length]) != NULL &&
			try_sidecar(publisher, unit, folder, name))
			return 1;
	}
	return 0;
}

int
kd_publish_find(struct kd_publisher *publisher, struct kd_publish_unit *unit)
{
	struct kd_folder *folder =
		kd_folder_open(&publisher->folders, unit->sidecar.unit->output, 0);
	if (folder == NULL)
		return 0;
	/* Whether this kernel makes files or a directory is not known yet either. */
	unit->directory = 0;
	if (find_file(publisher, unit, folder))
		return 1;
	unit->directory = 1;
	return find_directory(publisher, unit, folder);
}
