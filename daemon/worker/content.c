/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/worker/content.h"

#include "daemon/base/file.h"
#include "daemon/base/name.h"
#include "daemon/worker/family.h"
#include "plugins/kiln_plugin.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
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

/* Finds all files, without opening them. */
static int
list_files(const struct kd_content_source *source, struct kd_content *content,
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

static int
same_file(const struct kd_content_file *file, const struct stat *st, int strict)
{
	return file->device == st->st_dev && file->inode == st->st_ino &&
	       file->bytes == (uint64_t)st->st_size &&
	       file->mtime.tv_sec == st->st_mtim.tv_sec &&
	       file->mtime.tv_nsec == st->st_mtim.tv_nsec &&
	       (!strict || (file->ctime.tv_sec == st->st_ctim.tv_sec &&
				   file->ctime.tv_nsec == st->st_ctim.tv_nsec));
}

static int
open_file(const struct kd_content_source *source, const struct kd_content_file *file)
{
	char path[PATH_MAX];
	struct stat st;
	const char *folder = source->path;
	size_t folder_length = strlen(folder);
	if (source->kind == KILN_SEQUENCE || source->kind == KILN_BUNDLE)
		folder_length = (size_t)(kd_name_base(folder) - folder);
	const char *slash =
		folder_length > 0 && folder[folder_length - 1] != '/' ? "/" : "";
	int length = source->kind == KILN_FILE
			     ? snprintf(path, sizeof path, "%s", folder)
			     : snprintf(path, sizeof path, "%.*s%s%s", (int)folder_length,
				       folder, slash, file->name);
	if (length >= (int)sizeof path)
		return -ENAMETOOLONG;
	int fd = kd_file_open_regular(source->root, path, &st);
	if (fd < 0)
		return fd;
	if (!same_file(file, &st, 1)) {
		close(fd);
		return -ESTALE;
	}
	return fd;
}

/* Network file systems answer EAGAIN to a lease for reasons of their own, and need not say
 * how much of a file they store. */
static int
is_remote(int fd)
{
	struct statfs fs;
	static const long remote[] = {NFS_SUPER_MAGIC, SMB_SUPER_MAGIC, 0xff534d42,
		0xfe534d42, FUSE_SUPER_MAGIC, V9FS_MAGIC, CEPH_SUPER_MAGIC,
		AFS_SUPER_MAGIC};
	if (fstatfs(fd, &fs) < 0)
		return 0;
	for (size_t i = 0; i < sizeof remote / sizeof *remote; i++)
		if ((uint32_t)fs.f_type == (uint32_t)remote[i])
			return 1;
	return 0;
}

int
kd_content_has_writer(int fd)
{
	if (is_remote(fd))
		return 0;
	if (fcntl(fd, F_SETLEASE, F_RDLCK) < 0)
		return errno == EAGAIN;
	fcntl(fd, F_SETLEASE, F_UNLCK);
	return 0;
}

static int
read_file(const struct kd_content_source *source, struct kd_content_file *file,
	struct kd_err *err)
{
	int fd = open_file(source, file);
	if (fd == -ESTALE)
		return kd_err_set(err, -EAGAIN, "'%s' is still being written: it changed",
			KD_NAME(file->name));
	if (fd < 0)
		return kd_err_errno(err, fd, "cannot open '%s'", KD_NAME(file->name));
	uint64_t length = 0;
	int rc = 0;
	if (source->verify_writers && kd_content_has_writer(fd))
		rc = kd_err_set(err, -EAGAIN,
			"'%s' is still being written: somebody has it open for writing",
			KD_NAME(file->name));
	if (rc == 0) {
		rc = kd_hash_file(fd, file->sha256, &length);
		if (rc < 0)
			kd_err_errno(err, rc, "cannot read '%s'", KD_NAME(file->name));
	}
	if (rc == 0 && length != file->bytes)
		rc = kd_err_set(err, -EAGAIN,
			"'%s' is still being written: %llu bytes became %llu",
			KD_NAME(file->name), (unsigned long long)file->bytes,
			(unsigned long long)length);
	close(fd);
	return rc;
}

static int
sum_up(struct kd_content *content)
{
	if (content->kind == KILN_FILE) {
		memcpy(content->sha256, content->files[0].sha256, KD_HASH_HEX);
		return 0;
	}
	struct kd_hash *hash = kd_hash_new();
	if (hash == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < content->count; i++) {
		const struct kd_content_file *file = &content->files[i];
		char bytes[32];
		int length = snprintf(
			bytes, sizeof bytes, "%llu", (unsigned long long)file->bytes);
		kd_hash_add(hash, file->name, strlen(file->name) + 1);
		kd_hash_add(hash, bytes, (size_t)length + 1);
		kd_hash_add(hash, file->sha256, KD_HASH_HEX - 1);
		kd_hash_add(hash, "\n", 1);
	}
	kd_hash_end(hash, content->sha256);
	return 0;
}

static enum kd_status
status_of(int rc)
{
	switch (-rc) {
	case ENOENT:
	case ENOTDIR:
		return KD_UNIT_GONE;
	case EAGAIN:
		return KD_UNIT_BUSY;
	case EINVAL:
	case E2BIG:
	case EACCES:
	case EPERM:
	case EOPNOTSUPP:
	case ENAMETOOLONG:
	case ELOOP:
		return KD_UNIT_BAD;
	default:
		return KD_UNIT_TRANSIENT;
	}
}

static int
check_holes(int root, const struct kd_content *content, struct kd_err *err)
{
	if (content->bytes < KD_CONTENT_SPARSE_BYTES ||
		content->stored >= content->bytes / KD_CONTENT_SPARSE_RATIO ||
		is_remote(root))
		return 0;
	return kd_err_set(err, -EINVAL,
		"it is %llu bytes, of which only %llu are stored: a sparse giant",
		(unsigned long long)content->bytes, (unsigned long long)content->stored);
}

/* What the rule's count says of it.  Too few: some went again, and may come back. */
static int
check_count(const struct kd_content_source *source, const struct kd_content *content,
	struct kd_err *err)
{
	if (source->count == 0 || content->count == source->count)
		return 0;
	return kd_err_set(err, content->count > source->count ? -EINVAL : -EAGAIN,
		"it holds %zu files, and ready = \"count:%u\" expects %u", content->count,
		source->count, source->count);
}

int
kd_content_read(const struct kd_content_source *source, struct kd_content *content,
	enum kd_status *status, struct kd_err *err)
{
	err->text[0] = '\0';
	int rc = list_files(source, content, err);
	if (rc == 0 && source->verify_writers)
		rc = check_holes(source->root, content, err);
	if (rc == 0)
		rc = check_count(source, content, err);
	for (size_t i = 0; rc == 0 && i < content->count; i++)
		rc = read_file(source, &content->files[i], err);
	if (rc == 0)
		rc = sum_up(content);
	if (rc < 0) {
		*status = status_of(rc);
		if (err->text[0] == '\0')
			kd_err_errno(err, rc, "cannot read it");
	}
	return rc;
}

int
kd_content_verify(const struct kd_content_source *source,
	const struct kd_content *content, int strict)
{
	struct kd_content now = {0};
	struct kd_err err;
	int rc = list_files(source, &now, &err);
	if ((rc < 0 && rc != -ENOENT && status_of(rc) != KD_UNIT_TRANSIENT) ||
		(rc == 0 && now.count != content->count))
		rc = -ESTALE;
	for (size_t i = 0; rc == 0 && i < now.count; i++) {
		const struct kd_content_file *file = &now.files[i];
		struct stat st = {
			.st_dev = file->device,
			.st_ino = file->inode,
			.st_size = (off_t)file->bytes,
			.st_mtim = file->mtime,
			.st_ctim = file->ctime,
		};
		if (strcmp(file->name, content->files[i].name) != 0 ||
			!same_file(&content->files[i], &st, strict))
			rc = -ESTALE;
	}
	kd_content_clear(&now);
	return rc;
}

int
kd_content_adopt(const struct kd_content_source *source, struct kd_content *content)
{
	struct kd_content now = {0};
	struct kd_err err;
	int rc = kd_content_verify(source, content, 0);
	if (rc == 0)
		rc = list_files(source, &now, &err);
	if (rc == 0 && now.count != content->count)
		rc = -ESTALE;
	for (size_t i = 0; rc == 0 && i < now.count; i++)
		content->files[i].ctime = now.files[i].ctime;
	kd_content_clear(&now);
	return rc;
}

int
kd_content_open(const struct kd_content_source *source, const struct kd_content *content,
	const char *name)
{
	/* In the order of list_files(). */
	size_t low = 0, high = content->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct kd_content_file *file = &content->files[middle];
		int order = kd_family_compare(content->kind, name, file->name);
		if (order == 0)
			return open_file(source, file);
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return -ENOENT;
}

void
kd_content_clear(struct kd_content *content)
{
	for (size_t i = 0; i < content->count; i++)
		free(content->files[i].name);
	free(content->files);
	*content = (struct kd_content){0};
}
