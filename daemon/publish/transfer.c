/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/publish/transfer.h"

#include "daemon/base/file.h"
#include "daemon/base/hash.h"
#include "daemon/base/name.h"
#include "daemon/publish/copy.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int
kd_transfer_version(char target[NAME_MAX + 1], const char *name, unsigned version)
{
	const char *dot = strrchr(name, '.');
	size_t stem = dot == NULL || dot == name ? strlen(name) : (size_t)(dot - name);
	int length = version == 1 ? snprintf(target, NAME_MAX + 1, "%s", name)
				  : snprintf(target, NAME_MAX + 1, "%.*s.%u%s", (int)stem,
					    name, version, name + stem);
	return length > NAME_MAX ? -ENAMETOOLONG : 0;
}

int
kd_transfer_exists(int dir, const char *name)
{
	struct stat st;
	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

void
kd_transfer_close(struct kd_transfer *transfer)
{
	if (transfer->from >= 0)
		close(transfer->from);
	if (transfer->to >= 0)
		close(transfer->to);
}

int
kd_transfer_open(
	struct kd_transfer *transfer, const struct kd_input *input, const char *folder)
{
	struct stat st;
	*transfer =
		(struct kd_transfer){.from = -1, .to = -1, .unsynced = input->unsynced};
	transfer->from = kd_file_open_parent(input->root, input->place, &transfer->name);
	if (transfer->from < 0)
		return transfer->from;
	/* What cannot be looked at is not gone. */
	if (fstatat(transfer->from, transfer->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (folder == NULL)
		return 0;
	int rc = kd_file_make_dirs(folder, 0755);
	int top = rc < 0 ? rc : open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (top < 0)
		return rc < 0 ? rc : -errno;
	rc = kd_file_make_parents(top, input->path, 1);
	transfer->to =
		rc < 0 ? rc : kd_file_open_parent(top, input->path, &transfer->target);
	close(top);
	return transfer->to < 0 ? transfer->to : 0;
}

void
kd_transfer_gone_name(char hidden[NAME_MAX + 1], const char *name)
{
	snprintf(hidden, NAME_MAX + 1, KD_TRANSFER_GONE "%.200s", name);
}

static int
sync_all(struct kd_transfer_unsynced *unsynced, int gained)
{
	int rc = 0;
	for (uint32_t i = 0; i < unsynced->count; i++)
		if (unsynced->folders[i].gained == gained &&
			fsync(unsynced->folders[i].fd) < 0 && rc == 0)
			rc = -errno;
	return rc;
}

/* All that is hidden in the folder of that number, from there on for good. */
static int
remove_doomed(struct kd_transfer_unsynced *unsynced, uint32_t i)
{
	int dir = unsynced->folders[i].fd, rc = 0;
	for (size_t k = 0; k < unsynced->folders[i].doomed_count; k++) {
		int one = kd_file_remove_tree(dir, unsynced->folders[i].doomed[k]);
		rc = rc < 0 ? rc : one;
	}
	if (unsynced->folders[i].doomed_count > 0 && fsync(dir) < 0 && rc == 0)
		rc = -errno;
	return rc;
}

static void
forget(struct kd_transfer_unsynced *unsynced)
{
	for (uint32_t i = 0; i < unsynced->count; i++) {
		for (size_t k = 0; k < unsynced->folders[i].doomed_count; k++)
			free(unsynced->folders[i].doomed[k]);
		free(unsynced->folders[i].doomed);
		close(unsynced->folders[i].fd);
	}
	unsynced->count = 0;
	unsynced->failed = 0;
}

int
kd_transfer_sync(struct kd_transfer_unsynced *unsynced)
{
	int rc = sync_all(unsynced, 1);
	if (rc == 0)
		rc = sync_all(unsynced, 0);
	for (uint32_t i = 0; rc == 0 && i < unsynced->count; i++)
		rc = remove_doomed(unsynced, i);
	rc = unsynced->failed < 0 ? unsynced->failed : rc;
	forget(unsynced);
	return rc;
}

/* The folder's number; -1: it cannot be left for later. */
static int
folder_number(struct kd_transfer_unsynced *unsynced, int dir)
{
	struct stat st;
	if (unsynced == NULL || fstat(dir, &st) < 0)
		return -1;
	for (uint32_t i = 0; i < unsynced->count; i++)
		if (unsynced->folders[i].device == st.st_dev &&
			unsynced->folders[i].inode == st.st_ino)
			return (int)i;
	if (unsynced->count == KD_TRANSFER_FOLDERS)
		unsynced->failed = kd_transfer_sync(unsynced);
	int fd = fcntl(dir, F_DUPFD_CLOEXEC, 3);
	if (fd < 0)
		return -1;
	unsynced->folders[unsynced->count].device = st.st_dev;
	unsynced->folders[unsynced->count].inode = st.st_ino;
	unsynced->folders[unsynced->count].fd = fd;
	unsynced->folders[unsynced->count].gained = 0;
	unsynced->folders[unsynced->count].doomed = NULL;
	unsynced->folders[unsynced->count].doomed_count = 0;
	return (int)unsynced->count++;
}

/* fsyncs the folder, or leaves that for later. */
static int
sync_folder(struct kd_transfer_unsynced *unsynced, int dir, int gained)
{
	int i = folder_number(unsynced, dir);
	if (i < 0)
		return fsync(dir) < 0 ? -errno : 0;
	unsynced->folders[i].gained |= gained;
	return 0;
}

/* Notes that a hidden name in the folder is to be removed later; 0: it is to be now. */
static int
doom(struct kd_transfer_unsynced *unsynced, int dir, const char *hidden)
{
	int i = folder_number(unsynced, dir);
	if (i < 0)
		return 0;
	size_t count = unsynced->folders[i].doomed_count;
	char **more = realloc(unsynced->folders[i].doomed, (count + 1) * sizeof *more);
	if (more == NULL)
		return 0;
	unsynced->folders[i].doomed = more;
	more[count] = strdup(hidden);
	if (more[count] == NULL)
		return 0;
	unsynced->folders[i].doomed_count++;
	return 1;
}

int
kd_transfer_remove(const struct kd_transfer *transfer)
{
	char hidden[NAME_MAX + 1];
	const int dir = transfer->from;
	const char *name = transfer->name;
	if (unlinkat(dir, name, 0) == 0)
		return sync_folder(transfer->unsynced, dir, 0);
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	kd_transfer_gone_name(hidden, name);
	int rc = kd_file_remove_tree(dir, hidden);
	if (rc == 0)
		rc = kd_file_rename_new(dir, name, dir, hidden);
	if (rc < 0 || doom(transfer->unsynced, dir, hidden))
		return rc;
	if (fsync(dir) < 0)
		return -errno;
	rc = kd_file_remove_tree(dir, hidden);
	/* Or a power cut brings the hidden one back when nobody looks for it any more. */
	return rc < 0 ? rc : sync_folder(transfer->unsynced, dir, 0);
}

/* Whether both are regular files of the same content. */
static int
same_file(int from, const char *name, int to, const char *target)
{
	struct stat left, right;
	char left_hex[KD_HASH_HEX], right_hex[KD_HASH_HEX];
	int same = 0;
	int a = kd_file_open_regular(from, name, &left);
	int b = a < 0 ? -1 : kd_file_open_regular(to, target, &right);
	if (b >= 0 && left.st_size == right.st_size)
		same = kd_hash_file(a, left_hex, NULL) == 0 &&
		       kd_hash_file(b, right_hex, NULL) == 0 &&
		       strcmp(left_hex, right_hex) == 0;
	if (a >= 0)
		close(a);
	if (b >= 0)
		close(b);
	return same;
}

static int holds(int to, const char *target, int from, const char *name);

static int
holds_entries(int to, DIR *dir)
{
	int held = 1;
	const struct dirent *entry;
	while (held && (errno = 0, entry = readdir(dir)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			held = holds(to, entry->d_name, dirfd(dir), entry->d_name);
	return held && errno == 0;
}

/* Whether what is called target has all that is in what is called name: the same content,
 * or a folder with all its entries. */
static int
holds(int to, const char *target, int from, const char *name)
{
	int small =
		kd_file_open_beneath(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	if (small == -ENOTDIR)
		return same_file(from, name, to, target);
	int large = small < 0 ? -1
			      : kd_file_open_beneath(to, target,
					O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	DIR *dir = large < 0 ? NULL : fdopendir(small);
	int held = dir != NULL && holds_entries(large, dir);
	if (dir != NULL)
		closedir(dir);
	else if (small >= 0)
		close(small);
	if (large >= 0)
		close(large);
	return held;
}

int
kd_transfer_is_copied(const struct kd_transfer *transfer, const char *target)
{
	struct stat from, to;
	return fstat(transfer->from, &from) == 0 && fstat(transfer->to, &to) == 0 &&
	       from.st_dev != to.st_dev &&
	       holds(transfer->to, target, transfer->from, transfer->name);
}

static int
move_across(const struct kd_transfer *transfer, const char *target)
{
	char hidden[NAME_MAX + 1];
	snprintf(hidden, sizeof hidden, ".kiln-coming.%.200s", target);
	int rc = kd_file_remove_tree(transfer->to, hidden);
	if (rc == 0)
		rc = kd_copy_entry(transfer->from, transfer->name, transfer->to, hidden);
	if (rc == 0)
		rc = kd_file_rename_new(transfer->to, hidden, transfer->to, target);
	if (rc == 0 && fsync(transfer->to) < 0)
		rc = -errno;
	if (rc < 0) {
		kd_file_remove_tree(transfer->to, hidden);
		return rc;
	}
	return kd_transfer_remove(transfer);
}

int
kd_transfer_move(const struct kd_transfer *transfer, const char *target)
{
	int rc = kd_file_rename_new(transfer->from, transfer->name, transfer->to, target);
	if (rc == -EXDEV) {
		/* What has more than it is another of that name. */
		if (kd_transfer_is_copied(transfer, target) &&
			holds(transfer->from, transfer->name, transfer->to, target))
			return kd_transfer_remove(transfer);
		if (kd_transfer_exists(transfer->to, target))
			return -EEXIST;
		return move_across(transfer, target);
	}
	if (rc < 0)
		return rc;
	rc = sync_folder(transfer->unsynced, transfer->to, 1);
	return rc < 0 ? rc : sync_folder(transfer->unsynced, transfer->from, 0);
}
