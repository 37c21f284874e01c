/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/publish/copy.h"

#include "daemon/base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Who may not give files to that group leaves them to his own. */
static int
finish(int fd, const struct stat *st)
{
	const struct timespec times[2] = {st->st_atim, st->st_mtim};
	if (fchown(fd, (uid_t)-1, st->st_gid) < 0 && errno != EPERM)
		return -errno;
	if (fchmod(fd, st->st_mode & 0777) < 0 || futimens(fd, times) < 0 ||
		fsync(fd) < 0)
		return -errno;
	return 0;
}

static int
copy_folder(int from, int to)
{
	struct stat st;
	if (fstat(from, &st) < 0) {
		int error = errno;
		close(from);
		return -error;
	}
	DIR *dir = fdopendir(from);
	if (dir == NULL) {
		int error = errno;
		close(from);
		return -error;
	}
	int rc = 0;
	struct dirent *entry;
	while (rc == 0 && (errno = 0, entry = readdir(dir)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			rc = kd_copy_entry(dirfd(dir), entry->d_name, to, entry->d_name);
	if (rc == 0 && errno != 0)
		rc = -errno;
	closedir(dir);
	return rc < 0 ? rc : finish(to, &st);
}

static int
copy_file(int from, const char *name, int to, const char *target)
{
	struct stat st;
	int in = kd_file_open_regular(from, name, &st);
	if (in < 0)
		return in;
	int out = kd_file_open_beneath(
		to, target, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
	int rc = out < 0 ? out : kd_file_copy(in, out);
	if (rc == 0)
		rc = finish(out, &st);
	if (out >= 0 && close(out) < 0 && rc == 0)
		rc = -errno;
	close(in);
	return rc;
}

int
kd_copy_entry(int from, const char *name, int to, const char *target)
{
	int folder =
		kd_file_open_beneath(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	if (folder == -ENOTDIR)
		return copy_file(from, name, to, target);
	if (folder < 0)
		return folder;
	int made = mkdirat(to, target, 0755) < 0
			   ? -errno
			   : kd_file_open_beneath(to, target, O_RDONLY | O_DIRECTORY, 0);
	if (made < 0) {
		close(folder);
		return made;
	}
	int rc = copy_folder(folder, made);
	close(made);
	return rc;
}
