/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/publish/superseded.h"

#include "daemon/base/file.h"
#include "daemon/base/name.h"
#include "daemon/publish/inputs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *
text_of(const json_t *output, const char *key)
{
	const char *text = json_string_value(json_object_get(output, key));
	return text == NULL ? "" : text;
}

/* Whether the slot will have a file of that (escaped) name. */
static int
is_made(const struct kd_slot *slot, const char *escaped)
{
	char *name = kd_name_unescape(escaped);
	int made = name == NULL; /* not to be removed then */
	for (uint32_t i = 0; !made && i < slot->output_count; i++)
		made = strcmp(slot->outputs[i].path, name) == 0;
	free(name);
	return made;
}

/* Those of a list of outputs that the new set lacks. */
static void
take_over(json_t *superseded, const struct kd_slot *slot, const json_t *outputs)
{
	size_t i;
	const json_t *output;
	json_array_foreach(outputs, i, output)
	{
		const char *name = text_of(output, "name");
		if (!json_is_true(json_object_get(output, "companion")) ||
			name[0] == '\0' || strchr(name, '/') != NULL ||
			is_made(slot, name))
			continue;
		json_array_append_new(
			superseded, json_pack("{sssssb}", "name", name, "sha256",
					    text_of(output, "sha256"), "companion", 1));
	}
}

void
kd_superseded_note(int folder, const struct kd_slot *slot, struct kd_publish_unit *unit)
{
	json_decref(unit->superseded);
	unit->superseded = NULL;
	unit->sidecar.superseded = NULL;
	json_t *old = slot->directory ? NULL : kd_sidecar_read(folder, slot->sidecar);
	json_t *list = old == NULL ? NULL : json_array();
	if (list != NULL) {
		take_over(list, slot, json_object_get(old, "outputs"));
		/* It may not have come to removing what it had superseded itself. */
		take_over(list, slot, json_object_get(old, "superseded"));
	}
	json_decref(old);
	if (json_array_size(list) == 0) {
		json_decref(list);
		return;
	}
	unit->superseded = list;
	unit->sidecar.superseded = list;
}

void
kd_superseded_found(struct kd_publish_unit *unit, const json_t *sidecar)
{
	json_t *list = json_object_get(sidecar, "superseded");
	json_decref(unit->superseded);
	unit->superseded = unit->directory ? NULL : json_incref(list);
}

/* Whether that is the content of the open file. */
static int
is_content(int fd, const char *sha256)
{
	char hex[KD_HASH_HEX];
	return kd_hash_file(fd, hex, NULL) == 0 && strcmp(hex, sha256) == 0;
}

/* Whether a sidecar in the folder names that file among its outputs: long after, somebody
 * may have published the same thing under that name again. */
static int
is_vouched_for(struct kd_folder *folder, const char *escaped)
{
	int found = 0;
	kd_folder_list(folder);
	for (size_t i = 0; !found && i < folder->sidecar_count; i++) {
		json_t *json = kd_sidecar_read(folder->fd, folder->sidecars[i]);
		size_t k;
		const json_t *output;
		json_array_foreach(json_object_get(json, "outputs"), k, output) found |=
			strcmp(text_of(output, "name"), escaped) == 0;
		json_decref(json);
	}
	return found;
}

/* Out of the folder before it is removed, so that it is known to be what was hashed. */
static int
take_away(const struct kd_stage *stage, int folder, const char *name, int fd)
{
	static const char taken[] = "superseded";
	struct stat hashed, st;
	unlinkat(stage->dir, taken, 0);
	int rc = kd_file_rename_new(folder, name, stage->dir, taken);
	if (rc < 0)
		return rc;
	if (fstat(fd, &hashed) < 0 ||
		fstatat(stage->dir, taken, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		st.st_dev != hashed.st_dev || st.st_ino != hashed.st_ino)
		return kd_inputs_rename(stage->dir, taken, folder, name);
	return unlinkat(stage->dir, taken, 0) < 0 ? -errno : 0;
}

static void
remove_one(const struct kd_stage *stage, struct kd_folder *folder, const json_t *output,
	int is_new)
{
	const char *escaped = text_of(output, "name");
	char *name = kd_name_unescape(escaped);
	struct stat st;
	int fd = name == NULL || name[0] == '\0' || strchr(name, '/') != NULL
			 ? -1
			 : kd_file_open_regular(folder->fd, name, &st);
	if (fd >= 0 && is_content(fd, text_of(output, "sha256")) &&
		(is_new || !is_vouched_for(folder, escaped)) &&
		take_away(stage, folder->fd, name, fd) == 0)
		folder->touched = 1;
	if (fd >= 0)
		close(fd);
	free(name);
}

static struct kd_folder *
folder_of(struct kd_folders *folders, const struct kd_publish_unit *unit)
{
	int stands = unit->status == KD_UNIT_PUBLISHED || unit->status == KD_UNIT_ALREADY;
	return unit->superseded == NULL || !stands
		       ? NULL
		       : kd_folder_open(folders, unit->sidecar.unit->output, 0);
}

void
kd_superseded_remove(const struct kd_stage *stage, struct kd_folders *folders,
	struct kd_publish_unit *const *units, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t k;
		const json_t *output;
		struct kd_folder *folder = folder_of(folders, units[i]);
		if (folder == NULL)
			continue;
		json_array_foreach(units[i]->superseded, k, output) remove_one(
			stage, folder, output, units[i]->status == KD_UNIT_PUBLISHED);
	}
	/* Where that fails they may be there again, in nobody's way. */
	kd_folder_sync(folders);
}
