/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/intake/scan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SLICE = 256 }; /* entries in one turn */

struct folder { /* to be read */
	struct folder *next;
	enum kd_ready_seen seen;
	char path[];
};

struct kd_scan {
	struct ev_loop *loop;
	struct kd_scan_handler handler;
	ev_idle idle;
	struct folder *first, **last; /* the first is being read, while dir is there */
	DIR *dir;
	int whole, held;
};

int
kd_scan_join(char path[], const char *folder, const char *name)
{
	int length = snprintf(
		path, PATH_MAX, "%s%s%s", folder, folder[0] == '\0' ? "" : "/", name);
	return length > 0 && length < PATH_MAX;
}

static void
close_folder(struct kd_scan *scan)
{
	if (scan->dir != NULL)
		closedir(scan->dir);
	scan->dir = NULL;
}

/* The first of the folders is done with. */
static void
end_folder(struct kd_scan *scan)
{
	struct folder *folder = scan->first;
	close_folder(scan);
	scan->first = folder->next;
	if (scan->first == NULL)
		scan->last = &scan->first;
	free(folder);
}

static void
begin_folder(struct kd_scan *scan)
{
	const char *path = scan->first->path;
	scan->whole |= path[0] == '\0';
	int fd = scan->handler.open(scan->handler.context, path);
	if (fd >= 0) {
		scan->dir = fdopendir(fd);
		if (scan->dir != NULL)
			return;
		close(fd);
		fd = -ENOMEM;
	}
	if (fd != -ENOENT)
		scan->handler.skipped(scan->handler.context, path, fd);
	end_folder(scan);
}

static int
is_folder(int dir, const struct dirent *entry)
{
	struct stat st;
	if (entry->d_type != DT_UNKNOWN)
		return entry->d_type == DT_DIR;
	return fstatat(dir, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISDIR(st.st_mode);
}

/* One entry of the folder at hand, or its end. */
static void
read_entry(struct kd_scan *scan)
{
	char path[PATH_MAX];
	const struct dirent *entry = readdir(scan->dir);
	if (entry == NULL)
		end_folder(scan);
	else if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
		 kd_scan_join(path, scan->first->path, entry->d_name))
		scan->handler.entry(scan->handler.context, path,
			is_folder(dirfd(scan->dir), entry), scan->first->seen);
}

/* An entry may have it held, or all forgotten. */
static void
read_slice(struct ev_loop *loop, ev_idle *idle, int events)
{
	(void)loop;
	(void)events;
	struct kd_scan *scan = idle->data;
	if (scan->dir == NULL && scan->first != NULL)
		begin_folder(scan);
	for (int i = 0; i < SLICE && scan->dir != NULL && !scan->held; i++)
		read_entry(scan);
	if (!kd_scan_is_over(scan))
		return;
	int whole = scan->whole;
	scan->whole = 0;
	ev_idle_stop(scan->loop, &scan->idle);
	scan->handler.ended(scan->handler.context, whole);
}

struct kd_scan *
kd_scan_new(struct ev_loop *loop, const struct kd_scan_handler *handler)
{
	struct kd_scan *scan = calloc(1, sizeof *scan);
	if (scan == NULL)
		return NULL;
	scan->loop = loop;
	scan->handler = *handler;
	scan->last = &scan->first;
	ev_idle_init(&scan->idle, read_slice);
	scan->idle.data = scan;
	return scan;
}

void
kd_scan_free(struct kd_scan *scan)
{
	if (scan == NULL)
		return;
	kd_scan_stop(scan);
	free(scan);
}

int
kd_scan_add(struct kd_scan *scan, const char *path, enum kd_ready_seen seen)
{
	size_t length = strlen(path) + 1;
	struct folder *folder = malloc(sizeof *folder + length);
	if (folder == NULL)
		return -ENOMEM;
	folder->next = NULL;
	folder->seen = seen;
	memcpy(folder->path, path, length);
	*scan->last = folder;
	scan->last = &folder->next;
	if (!scan->held)
		ev_idle_start(scan->loop, &scan->idle);
	return 0;
}

int
kd_scan_all(struct kd_scan *scan)
{
	const struct folder *f = scan->first;
	/* The one that is being read does not count: it is past its beginning. */
	if (scan->dir != NULL)
		f = f->next;
	for (; f != NULL; f = f->next)
		if (f->path[0] == '\0')
			return 0;
	return kd_scan_add(scan, "", KD_SEEN_SCAN);
}

void
kd_scan_stop(struct kd_scan *scan)
{
	close_folder(scan);
	while (scan->first != NULL)
		end_folder(scan);
	scan->whole = 0;
	ev_idle_stop(scan->loop, &scan->idle);
}

void
kd_scan_hold(struct kd_scan *scan, int held)
{
	scan->held = held;
	if (held)
		ev_idle_stop(scan->loop, &scan->idle);
	else if (!kd_scan_is_over(scan))
		ev_idle_start(scan->loop, &scan->idle);
}

int
kd_scan_is_over(const struct kd_scan *scan)
{
	return scan->first == NULL;
}
