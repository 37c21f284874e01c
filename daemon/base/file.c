/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/base/file.h"

#include "daemon/base/name.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int
kd_file_open_beneath(int dir, const char *path, int flags, mode_t mode)
{
	struct open_how how = {
		.flags = (uint64_t)(flags | O_CLOEXEC),
		.mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? mode : 0,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	for (int tries = 0;; tries++) {
		long fd = syscall(SYS_openat2, dir, path, &how, sizeof how);
		if (fd >= 0)
			return (int)fd;
		/* EAGAIN: somebody renamed along the way; openat2(2) asks to try again.
		 */
		if (errno != EINTR && (errno != EAGAIN || tries == 100))
			return -errno;
	}
}

int
kd_file_open_regular(int dir, const char *path, struct stat *st)
{
	int fd = kd_file_open_beneath(
		dir, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);
	if (fd < 0)
		return fd;
	int rc = fstat(fd, st) < 0 ? -errno : S_ISREG(st->st_mode) ? 0 : -EINVAL;
	if (rc < 0) {
		close(fd);
		return rc;
	}
	return fd;
}

/* A folder whose name may not survive a power cut must not be found there next time. */
static int
sync_new(int dir, const char *name)
{
	if (fsync(dir) == 0)
		return 0;
	int error = errno;
	unlinkat(dir, name, AT_REMOVEDIR);
	return -error;
}

/* A folder whose parent could not be made to keep it is made anew: a second fsync without
 * a change would mean nothing. */
static int
make_dir(int dir, const char *path, int parent, mode_t mode)
{
	enum { TRIES = 3 };
	int rc = 0;
	for (int i = 0; i < TRIES; i++) {
		if (mkdirat(dir, path, mode) < 0)
			return errno == EEXIST ? 0 : -errno;
		rc = fsync(parent) < 0 ? -errno : 0;
		if (rc == 0 || unlinkat(dir, path, AT_REMOVEDIR) < 0)
			break;
	}
	return rc;
}

int
kd_file_make_parents(int dir, const char *path, int durable)
{
	char part[PATH_MAX];
	int at = fcntl(dir, F_DUPFD_CLOEXEC, 3);
	if (at < 0)
		return -errno;
	const char *slash;
	int rc = 0;
	for (; (slash = strchr(path, '/')) != NULL; path = slash + 1) {
		snprintf(part, sizeof part, "%.*s", (int)(slash - path), path);
		if (mkdirat(at, part, 0755) == 0)
			rc = durable ? sync_new(at, part) : 0;
		else if (errno != EEXIST)
			rc = -errno;
		int next = rc < 0 ? rc
				  : kd_file_open_beneath(
					    at, part, O_RDONLY | O_DIRECTORY, 0);
		close(at);
		if (next < 0)
			return next;
		at = next;
	}
	close(at);
	return 0;
}

int
kd_file_open_parent(int dir, const char *path, const char **base)
{
	char parent[PATH_MAX];
	*base = kd_name_base(path);
	size_t length = (size_t)(*base - path);
	if (length == 0)
		strcpy(parent, ".");
	else if (length >= sizeof parent)
		return -ENAMETOOLONG;
	else
		snprintf(parent, sizeof parent, "%.*s", (int)length - 1, path);
	return kd_file_open_beneath(dir, parent, O_RDONLY | O_DIRECTORY, 0);
}

/* The folder that holds the last part of `path`, by any path. */
static int
open_parent(const char *path)
{
	char parent[PATH_MAX];
	const char *base = kd_name_base(path);
	snprintf(parent, sizeof parent, "%.*s", (int)(base - path), path);
	int fd = open(base == path ? "." : parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int
kd_file_make_dirs(const char *path, mode_t mode)
{
	char part[PATH_MAX];
	size_t length = strlen(path);
	if (length >= sizeof part)
		return -ENAMETOOLONG;
	for (size_t i = 1; i <= length; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		int parent = open_parent(part);
		int rc = parent < 0 ? parent : make_dir(AT_FDCWD, part, parent, mode);
		if (parent >= 0)
			close(parent);
		if (rc < 0)
			return rc;
	}
	struct stat st;
	if (stat(path, &st) < 0)
		return -errno;
	return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

int
kd_file_write_all(int fd, const void *bytes, size_t length)
{
	const char *from = bytes;
	while (length > 0) {
		ssize_t written = write(fd, from, length);
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -errno;
		from += written;
		length -= (size_t)written;
	}
	return 0;
}

int
kd_file_read_all(int fd, size_t most, char **bytes, size_t *length)
{
	size_t room = 4096, used = 0;
	char *buffer = malloc(room + 1);
	int rc = buffer == NULL ? -ENOMEM : 0;
	while (rc == 0) {
		if (used == room) {
			char *more = used > most ? NULL : realloc(buffer, 2 * room + 1);
			if (more == NULL) {
				rc = used > most ? -EFBIG : -ENOMEM;
				break;
			}
			buffer = more;
			room *= 2;
		}
		ssize_t got = read(fd, buffer + used, room - used);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			rc = -errno;
		if (got <= 0)
			break;
		used += (size_t)got;
	}
	if (rc == 0 && used > most)
		rc = -EFBIG;
	if (rc < 0) {
		free(buffer);
		return rc;
	}
	buffer[used] = '\0';
	*bytes = buffer;
	*length = used;
	return 0;
}

/* Without RENAME_NOREPLACE: link(2) and mkdir(2) are what refuses an existing name. */
static int
rename_new_by_claim(int from_dir, const char *from, int to_dir, const char *to)
{
	struct stat st;
	if (fstatat(from_dir, from, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode)) {
		if (linkat(from_dir, from, to_dir, to, 0) < 0)
			return -errno;
		return unlinkat(from_dir, from, 0) < 0 ? -errno : 0;
	}
	if (mkdirat(to_dir, to, 0700) < 0)
		return -errno;
	if (renameat(from_dir, from, to_dir, to) == 0)
		return 0;
	int error = errno;
	unlinkat(to_dir, to, AT_REMOVEDIR);
	return -error;
}

int
kd_file_rename_new(int from_dir, const char *from, int to_dir, const char *to)
{
	if (renameat2(from_dir, from, to_dir, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -errno;
	return rename_new_by_claim(from_dir, from, to_dir, to);
}

int
kd_file_exchange(int from_dir, const char *from, int to_dir, const char *to)
{
	return renameat2(from_dir, from, to_dir, to, RENAME_EXCHANGE) < 0 ? -errno : 0;
}

static int
remove_entries(int fd)
{
	DIR *dir = fdopendir(fd);
	if (dir == NULL) {
		int error = errno;
		close(fd);
		return -error;
	}
	int rc = 0;
	struct dirent *entry;
	while (rc == 0 && (errno = 0, entry = readdir(dir)) != NULL) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			rc = kd_file_remove_tree(dirfd(dir), entry->d_name);
	}
	if (rc == 0 && errno != 0)
		rc = -errno;
	closedir(dir);
	return rc;
}

int
kd_file_remove_tree(int dir, const char *path)
{
	if (unlinkat(dir, path, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	int fd = kd_file_open_beneath(dir, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	int rc = remove_entries(fd);
	if (rc < 0)
		return rc;
	return unlinkat(dir, path, AT_REMOVEDIR) < 0 && errno != ENOENT ? -errno : 0;
}

static int
copy_by_hand(int from, int to, off_t at)
{
	enum { PIECE = 1 << 17 };
	char *piece = malloc(PIECE);
	if (piece == NULL)
		return -ENOMEM;
	int rc = 0;
	while (rc == 0) {
		ssize_t got = pread(from, piece, PIECE, at);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			rc = -errno;
		if (got <= 0)
			break;
		rc = kd_file_write_all(to, piece, (size_t)got);
		at += got;
	}
	free(piece);
	return rc;
}

int
kd_file_copy(int from, int to)
{
	off_t at = 0;
	for (;;) {
		ssize_t copied = copy_file_range(from, &at, to, NULL, 1 << 30, 0);
		if (copied == 0)
			return 0;
		if (copied > 0 || errno == EINTR)
			continue;
		/* Not between these two files (EXDEV, EINVAL, EOPNOTSUPP, ...): by hand.
		 */
		return copy_by_hand(from, to, at);
	}
}
