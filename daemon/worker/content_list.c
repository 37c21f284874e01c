/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/worker/content_list.h"

#include "daemon/base/file.h"
#include "daemon/base/name.h"
#include "daemon/worker/family.h"
#include "plugins/kiln_plugin.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct walk {
	struct kd_content *content;
	const char *marker; /* NULL, or a name at the top that does not count */
	size_t room;
	int single_names;    /* files of several are refused */
	char path[PATH_MAX]; /* of the folder at hand, with '/' behind; "" at the top */
	struct kd_err *err;
};

static const char *
kind_of(mode_t mode)
{
	return S_ISDIR(mode)	? "a directory"
	       : S_ISLNK(mode)	? "a symbolic link"
	       : S_ISFIFO(mode) ? "a FIFO"
	       : S_ISSOCK(mode) ? "a socket"
	       : S_ISREG(mode)	? "a regular file"
				: "a device";
}

/* 0, or -ENOMEM, or -EINVAL with a sentence. */
static int
add_file(struct walk *walk, const char *name, const struct stat *st)
{
	struct kd_content *content = walk->content;
	if (walk->single_names && st->st_nlink > 1)
		return kd_err_set(walk->err, -EINVAL,
			"'%s%s' has %llu names (hard links), and so may be somebody "
			"else's; a copy would be taken",
			KD_NAME(walk->path), KD_NAME(name),
			(unsigned long long)st->st_nlink);
	if (content->count == walk->room) {
		size_t room = walk->room == 0 ? 16 : walk->room * 2;
		void *more = realloc(content->files, room * sizeof *content->files);
		if (more == NULL)
			return -ENOMEM;
		content->files = more;
		walk->room = room;
	}
	struct kd_content_file *file = &content->files[content->count];
	*file = (struct kd_content_file){
		.bytes = (uint64_t)st->st_size,
		.device = st->st_dev,
		.inode = st->st_ino,
		.mtime = st->st_mtim,
		.ctime = st->st_ctim,
	};
	if (asprintf(&file->name, "%s%s", walk->path, name) < 0)
		return -ENOMEM;
	content->count++;
	content->bytes += file->bytes;
	content->stored += (uint64_t)st->st_blocks * 512;
	return 0;
}

static int walk_folder(struct walk *walk, int fd, int depth);

static int
walk_entry(struct walk *walk, int fd, const char *name, int depth)
{
	struct stat st;
	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return kd_err_errno(walk->err, -errno, "cannot look at '%s%s'",
			KD_NAME(walk->path), KD_NAME(name));
	if (S_ISREG(st.st_mode)) {
		if (walk->content->count == KD_CONTENT_FILES)
			return kd_err_set(walk->err, -E2BIG,
				"it holds more than %d files", KD_CONTENT_FILES);
		return add_file(walk, name, &st);
	}
	if (!S_ISDIR(st.st_mode))
		return kd_err_set(walk->err, -EINVAL,
			"it holds '%s%s', which is %s; only regular files and "
			"directories "
			"are taken",
			KD_NAME(walk->path), KD_NAME(name), kind_of(st.st_mode));
	size_t length = strlen(walk->path);
	if (depth == KD_CONTENT_DEPTH || length + strlen(name) + 2 > sizeof walk->path)
		return kd_err_set(walk->err, -E2BIG, "it is nested more than %d deep",
			KD_CONTENT_DEPTH);
	int below =
		kd_file_open_beneath(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	if (below < 0)
		return kd_err_errno(walk->err, below, "cannot open '%s%s'",
			KD_NAME(walk->path), KD_NAME(name));
	snprintf(walk->path + length, sizeof walk->path - length, "%s/", name);
	int rc = walk_folder(walk, below, depth + 1);
	walk->path[length] = '\0';
	return rc;
}

/* Takes fd. */
static int
walk_folder(struct walk *walk, int fd, int depth)
{
	DIR *dir = fdopendir(fd);
	if (dir == NULL) {
		int error = errno;
		close(fd);
		return -error;
	}
	int rc = 0;
	struct dirent *entry;
	while (rc == 0 && (errno = 0, entry = readdir(dir)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
			(depth > 0 || walk->marker == NULL ||
				strcmp(entry->d_name, walk->marker) != 0))
			rc = walk_entry(walk, dirfd(dir), entry->d_name, depth);
	if (rc == 0 && errno != 0)
		rc = kd_err_errno(walk->err, -errno, "cannot list it");
	closedir(dir);
	return rc;
}

static int
by_name(const void *a, const void *b)
{
	const struct kd_content_file *left = a, *right = b;
	return strcmp(left->name, right->name);
}

/* The files of a sequence or bundle lie beside others. */
static int
list_family(const struct kd_content_source *source, struct walk *walk)
{
	struct kd_family_names names = {0};
	struct stat st;
	const char *base;
	int dir = kd_file_open_parent(source->root, source->path, &base);
	if (dir == -ELOOP)
		return kd_err_set(walk->err, -EINVAL, "it lies behind a symbolic link");
	if (dir < 0)
		return kd_err_errno(walk->err, dir, "cannot open its folder");
	int rc = kd_family_list(dir, source, 1, &names, walk->err);
	for (size_t i = 0; rc == 0 && i < names.count; i++) {
		const char *name = names.list[i];
		if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			rc = kd_err_errno(
				walk->err, -errno, "cannot look at '%s'", KD_NAME(name));
		else if (!S_ISREG(st.st_mode))
			rc = kd_err_set(walk->err, -EINVAL,
				"'%s' is %s; only regular files are taken", KD_NAME(name),
				kind_of(st.st_mode));
		else
			rc = add_file(walk, name, &st);
	}
	kd_family_clear(&names);
	close(dir);
	return rc;
}

static int
list_one(const struct kd_content_source *source, struct walk *walk)
{
	const int directory = source->kind == KILN_DIRECTORY;
	const char *name =
		source->name != NULL ? source->name : kd_name_base(source->path);
	struct stat st;
	/* O_PATH looks at whatever it is without waking a FIFO or a device. */
	int fd = kd_file_open_beneath(source->root, source->path, O_PATH | O_NOFOLLOW, 0);
	if (fd == -ELOOP)
		return kd_err_set(walk->err, -EINVAL, "it lies behind a symbolic link");
	if (fd < 0)
		return kd_err_errno(walk->err, fd, "cannot open it");
	int rc = fstat(fd, &st) < 0 ? -errno : 0;
	close(fd);
	if (rc < 0)
		return kd_err_errno(walk->err, rc, "cannot look at it");
	if (directory ? !S_ISDIR(st.st_mode) : !S_ISREG(st.st_mode))
		return kd_err_set(walk->err, -EINVAL, "expected %s, found %s",
			directory ? "a directory" : "a regular file",
			kind_of(st.st_mode));
	if (!directory)
		return add_file(walk, name, &st);
	fd = kd_file_open_beneath(
		source->root, source->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	if (fd < 0)
		return kd_err_errno(walk->err, fd, "cannot open it");
	rc = walk_folder(walk, fd, 0);
	if (rc == 0 && walk->content->count > 1)
		qsort(walk->content->files, walk->content->count,
			sizeof *walk->content->files, by_name);
	return rc;
}

int
kd_content_list_files(const struct kd_content_source *source, struct kd_content *content,
	struct kd_err *err)
{
	struct walk walk = {
		.content = content,
		.marker = source->marker,
		.single_names = source->verify_writers,
		.err = err,
	};
	content->kind = source->kind;
	switch (source->kind) {
	case KILN_FILE:
	case KILN_DIRECTORY:
		return list_one(source, &walk);
	case KILN_SEQUENCE:
	case KILN_BUNDLE:
		return list_family(source, &walk);
	default:
		return kd_err_set(err, -EOPNOTSUPP,
			"units of kind %u are not known to this worker", source->kind);
	}
}
