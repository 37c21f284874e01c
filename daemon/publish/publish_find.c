/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/publish/publish_find.h"

#include "daemon/base/name.h"
#include "daemon/publish/superseded.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VERSIONS_MOST = KD_PUBLISH_VERSIONS };

int
kd_publish_adopt(const struct kd_publisher *publisher, struct kd_publish_unit *unit,
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
			 : kd_publish_adopt(publisher, unit, folder, &slot);
	for (size_t k = 0; k < count; k++)
		free(outputs[k].path);
	free(outputs);
	return rc;
}

int
kd_publish_settle_already(const struct kd_publisher *publisher,
	struct kd_publish_unit *unit, struct kd_folder *folder, const char *place,
	const json_t *json)
{
	int rc = adopt_sidecar(publisher, unit, folder, place, json);
	if (rc < 0) {
		kd_publish_unit_settle(unit, KD_UNIT_TRANSIENT, "out of memory");
		return rc;
	}
	/* The attempt that published it may have died before its fsync. */
	folder->touched = 1;
	kd_superseded_found(unit, json);
	kd_publish_unit_settle(unit, KD_UNIT_ALREADY, "published before as '%s'",
		KD_NAME(unit->primary));
	return 0;
}

static int
try_sidecar(const struct kd_publisher *publisher, struct kd_publish_unit *unit,
	struct kd_folder *folder, const char *name)
{
	json_t *json = kd_sidecar_read(folder->fd, name);
	int ours = json != NULL &&
		   kd_sidecar_matches(json, &unit->sidecar, unit->again) &&
		   kd_sidecar_stands(json, folder->fd) &&
		   kd_publish_settle_already(publisher, unit, folder, name, json) == 0;
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
			found = kd_publish_settle_already(
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
