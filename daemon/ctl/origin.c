/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A directory's sidecar lies in it, a file's beside it, under the name of the primary: so
 * a companion is looked for in all that lie there.
 */
#include "daemon/ctl/origin.h"

#include "daemon/base/name.h"
#include "daemon/publish/sidecar.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int
names_output(const json_t *sidecar, const char *base)
{
	size_t i;
	const json_t *output;
	char *escaped = kd_name_escape(base);
	int found = 0;
	json_array_foreach(json_object_get(sidecar, "outputs"), i, output)
	{
		const char *name = json_string_value(json_object_get(output, "name"));
		found |= escaped != NULL && name != NULL && strcmp(name, escaped) == 0;
	}
	free(escaped);
	return found;
}

static int
is_sidecar(const char *name)
{
	size_t length = strlen(name), suffix = strlen(KD_SIDECAR_SUFFIX);
	return length > suffix && strcmp(name + length - suffix, KD_SIDECAR_SUFFIX) == 0;
}

/* Beside the file `base` in the folder. */
static json_t *
beside(const char *folder, const char *base)
{
	DIR *dir = opendir(folder);
	json_t *found = NULL;
	const struct dirent *entry;
	while (dir != NULL && found == NULL && (entry = readdir(dir)) != NULL) {
		if (!is_sidecar(entry->d_name))
			continue;
		found = kd_sidecar_read(dirfd(dir), entry->d_name);
		if (found != NULL && !names_output(found, base)) {
			json_decref(found);
			found = NULL;
		}
	}
	if (dir != NULL)
		closedir(dir);
	return found;
}

static json_t *
inside(const char *folder)
{
	int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	json_t *found = dir < 0 ? NULL : kd_sidecar_read(dir, KD_SIDECAR_INSIDE);
	if (dir >= 0)
		close(dir);
	return found;
}

json_t *
kd_ctl_origin(const char *path)
{
	char folder[PATH_MAX];
	json_t *found = NULL;
	if (snprintf(folder, sizeof folder, "%s", path) >= (int)sizeof folder)
		return NULL;
	found = inside(folder);
	char *slash = strrchr(folder, '/');
	if (found == NULL && slash != NULL && slash > folder) {
		*slash = '\0';
		found = beside(folder, slash + 1);
	}
	while (found == NULL && (slash = strrchr(folder, '/')) != NULL) {
		found = inside(folder);
		*slash = '\0';
	}
	return found;
}
