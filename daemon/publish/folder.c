/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/publish/folder.h"

#include "daemon/base/file.h"
#include "daemon/publish/sidecar.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int
open_below(int root, const char *path, int make)
{
	char inside[PATH_MAX];
	if (path[0] == '\0')
		return kd_file_open_beneath(root, ".", O_RDONLY | O_DIRECTORY, 0);
	if (snprintf(inside, sizeof inside, "%s/.", path) >= (int)sizeof inside)
		return -ENAMETOOLONG;
	int rc = make ? kd_file_make_parents(root, inside, 1) : 0;
	return rc < 0 ? rc : kd_file_open_beneath(root, path, O_RDONLY | O_DIRECTORY, 0);
}

struct kd_folder *
kd_folder_open(struct kd_folders *folders, const char *path, int make)
{
	for (size_t i = 0; i < folders->count; i++)
		if (strcmp(folders->list[i].path, path) == 0)
			return &folders->list[i];
	int fd = open_below(folders->root, path, make);
	if (fd < 0) {
		errno = -fd;
		return NULL;
	}
	char *copy = strdup(path);
	struct kd_folder *more =
		realloc(folders->list, (folders->count + 1) * sizeof *more);
	if (more != NULL)
		folders->list = more;
	if (more == NULL || copy == NULL) {
		free(copy);
		close(fd);
		errno = ENOMEM;
		return NULL;
	}
	more[folders->count] = (struct kd_folder){.path = copy, .fd = fd};
	return &more[folders->count++];
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int
is_sidecar(const char *name)
{
	size_t length = strlen(name), suffix = strlen(KD_SIDECAR_SUFFIX);
	return length > suffix && strcmp(name + length - suffix, KD_SIDECAR_SUFFIX) == 0;
}

static int
add_sidecar(struct kd_folder *folder, size_t *room, const char *name)
{
	if (folder->sidecar_count == *room) {
		*room = *room == 0 ? 64 : *room * 2;
		void *more = realloc(folder->sidecars, *room * sizeof *folder->sidecars);
		if (more == NULL)
			return -ENOMEM;
		folder->sidecars = more;
	}
	char *copy = strdup(name);
	if (copy == NULL)
		return -ENOMEM;
	folder->sidecars[folder->sidecar_count++] = copy;
	return 0;
}

void
kd_folder_list(struct kd_folder *folder)
{
	if (folder->listed)
		return;
	folder->listed = 1;
	int fd = kd_file_open_beneath(folder->fd, ".", O_RDONLY | O_DIRECTORY, 0);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (dir == NULL) {
		if (fd >= 0)
			close(fd);
		return;
	}
	const struct dirent *entry;
	size_t room = 0;
	while ((entry = readdir(dir)) != NULL)
		if (is_sidecar(entry->d_name) &&
			add_sidecar(folder, &room, entry->d_name) < 0)
			break;
	closedir(dir);
	if (folder->sidecar_count > 1)
		qsort(folder->sidecars, folder->sidecar_count, sizeof *folder->sidecars,
			compare_names);
}

size_t
kd_folder_seek(const struct kd_folder *folder, const char *name)
{
	size_t low = 0, high = folder->sidecar_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strcmp(folder->sidecars[middle], name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void
kd_folder_sync(struct kd_folders *folders)
{
	for (size_t i = 0; i < folders->count; i++) {
		struct kd_folder *folder = &folders->list[i];
		if (folder->touched)
			folder->failed = fsync(folder->fd) < 0 ? errno : 0;
		folder->touched = 0;
	}
}

void
kd_folder_close(struct kd_folders *folders)
{
	for (size_t i = 0; i < folders->count; i++) {
		struct kd_folder *folder = &folders->list[i];
		for (size_t k = 0; k < folder->sidecar_count; k++)
			free(folder->sidecars[k]);
		free(folder->sidecars);
		free(folder->path);
		close(folder->fd);
	}
	free(folders->list);
	*folders = (struct kd_folders){.root = folders->root};
}
