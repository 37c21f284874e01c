/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/worker/content.h"

#include "daemon/base/file.h"
#include "daemon/base/name.h"
#include "daemon/worker/content_list.h"
#include "daemon/worker/family.h"
#include "plugins/kiln_plugin.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

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
read_file(struct kd_content_hashing *hashing, struct kd_content_file *file)
{
	const struct kd_content_source *source = hashing->source;
	struct kd_err *err = &hashing->err;
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
		rc = kd_hash_file_until(fd, hashing->stop, file->sha256, &length);
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

/* A failure's status and, where nobody said more, its sentence. */
static int
failed(int rc, enum kd_status *status, struct kd_err *err)
{
	*status = status_of(rc);
	if (err->text[0] == '\0')
		kd_err_errno(err, rc, "cannot read it");
	return rc;
}

int
kd_content_look(const struct kd_content_source *source, struct kd_content *content,
	enum kd_status *status, struct kd_err *err)
{
	err->text[0] = '\0';
	int rc = kd_content_list_files(source, content, err);
	if (rc == 0 && source->verify_writers)
		rc = check_holes(source->root, content, err);
	if (rc == 0)
		rc = check_count(source, content, err);
	return rc < 0 ? failed(rc, status, err) : 0;
}

int
kd_content_hash(struct kd_content_hashing *hashing)
{
	struct kd_content *content = hashing->content;
	int rc = 0;
	hashing->err.text[0] = '\0';
	for (size_t i = 0; rc == 0 && i < content->count; i++)
		rc = read_file(hashing, &content->files[i]);
	if (rc == 0)
		rc = sum_up(content);
	return rc < 0 ? failed(rc, &hashing->status, &hashing->err) : 0;
}

int
kd_content_read(const struct kd_content_source *source, struct kd_content *content,
	enum kd_status *status, struct kd_err *err)
{
	struct kd_content_hashing hashing = {.source = source, .content = content};
	int rc = kd_content_look(source, content, status, err);
	if (rc < 0)
		return rc;
	rc = kd_content_hash(&hashing);
	if (rc < 0) {
		*status = hashing.status;
		*err = hashing.err;
	}
	return rc;
}

int
kd_content_verify(const struct kd_content_source *source,
	const struct kd_content *content, int strict)
{
	struct kd_content now = {0};
	struct kd_err err;
	int rc = kd_content_list_files(source, &now, &err);
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
		rc = kd_content_list_files(source, &now, &err);
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
	/* In the order of kd_content_list_files(). */
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
