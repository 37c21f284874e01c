/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/worker/unpack.h"

#include "daemon/base/name.h"
#include "daemon/worker/unpack_library.h"
#include "daemon/worker/unpack_name.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK = 65536 };

/* One reading. */
struct reading {
	const struct kd_unpack *unpack;
	const struct kd_unpack_library *library;
	struct archive *archive;
	uint64_t entries, files, total;
	struct kd_err *err;
};

/* What libarchive said; it is about the archive unless memory or the disk failed. */
static int
refuse_by_library(const struct reading *reading, const char *name)
{
	const struct kd_unpack_library *la = reading->library;
	int error = la->archive_errno(reading->archive);
	const char *text = la->archive_error_string(reading->archive);
	if (error == ENOMEM || error == EIO)
		return kd_err_errno(reading->err, -error, "cannot unpack it");
	return kd_err_set(reading->err, -EINVAL, "%s%s%s: %s",
		name == NULL ? "it cannot be unpacked" : "its entry '",
		name == NULL ? "" : KD_NAME(name), name == NULL ? "" : "'",
		text == NULL ? "damaged" : KD_NAME(text));
}

static int
refuse(const struct reading *reading, const char *name, const char *why)
{
	return kd_err_set(reading->err, -EINVAL, "its entry '%s' %s", KD_NAME(name), why);
}

/* Whether that much in all is within the limits. */
static int
check_amount(const struct reading *reading, const char *name, uint64_t bytes)
{
	const struct kd_unpack *unpack = reading->unpack;
	uint64_t total;
	if (__builtin_add_overflow(reading->total, bytes, &total))
		total = UINT64_MAX;
	if (unpack->limits.bytes != 0 && total > unpack->limits.bytes)
		return kd_err_set(reading->err, -EINVAL,
			"with its entry '%s' it is more than the %llu bytes that may be "
			"unpacked",
			KD_NAME(name), (unsigned long long)unpack->limits.bytes);
	if (total > KD_UNPACK_RATIO_BYTES && total / unpack->limits.ratio > unpack->bytes)
		return kd_err_set(reading->err, -EINVAL,
			"with its entry '%s' it is more than %u times the size of the "
			"archive: a bomb",
			KD_NAME(name), unpack->limits.ratio);
	return 0;
}

/* A single compressed file has no name of its own: the archive's without ".gz". */
static char *
single_name(const char *archive)
{
	const char *dot = strrchr(archive, '.');
	return strndup(archive, dot == NULL || dot == archive ? strlen(archive)
							      : (size_t)(dot - archive));
}

/* The entry's name as it is to be created, allocated; NULL with a sentence.  *name is as
 * it was given, for messages. */
static char *
safe_name(const struct reading *reading, const char *name)
{
	char *escaped = kd_name_escape(name);
	int plain = escaped != NULL && strcmp(escaped, name) == 0;
	free(escaped);
	if (!plain) {
		refuse(reading, name,
			"is called by what is no UTF-8, or holds control characters or "
			"backslashes");
		return NULL;
	}
	if (name[0] == '/') {
		refuse(reading, name, "has an absolute name");
		return NULL;
	}
	while (strncmp(name, "./", 2) == 0)
		name += 2;
	size_t length = strlen(name);
	while (length > 0 && name[length - 1] == '/')
		length--;
	char *safe = strndup(name, length);
	/* The folder itself is an entry of many a tar. */
	if (safe != NULL && (length == 0 || strcmp(safe, ".") == 0)) {
		safe[0] = '\0';
		return safe;
	}
	const char *why =
		safe == NULL ? NULL
			     : kd_unpack_name_refused(safe, &reading->unpack->limits);
	if (safe != NULL && why == NULL)
		return safe;
	if (safe == NULL)
		kd_err_set(reading->err, -ENOMEM, "out of memory");
	else
		refuse(reading, name, why);
	free(safe);
	return NULL;
}

static int
write_at(int fd, const char *bytes, size_t length, uint64_t offset)
{
	while (length > 0) {
		ssize_t put = pwrite(fd, bytes, length, (off_t)offset);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -errno;
		bytes += put;
		length -= (size_t)put;
		offset += (uint64_t)put;
	}
	return 0;
}

/* The data of the entry at hand; its size as it was said, -1: it was not. */
static int
copy_data(struct reading *reading, int fd, const char *name, int64_t size)
{
	const struct kd_unpack_library *la = reading->library;
	const struct kd_unpack *unpack = reading->unpack;
	uint64_t end = 0;
	int rc = 0;
	while (rc == 0) {
		const void *block;
		size_t length;
		la_int64_t offset;
		if (unpack->cancelled != NULL && unpack->cancelled(unpack->context))
			return kd_err_set(reading->err, -ECANCELED, "cancelled");
		int got = la->archive_read_data_block(
			reading->archive, &block, &length, &offset);
		if (got != ARCHIVE_OK && got != ARCHIVE_EOF)
			return refuse_by_library(reading, name);
		if (offset < 0 || (uint64_t)offset > INT64_MAX - length)
			return refuse(reading, name, "has data beyond any file");
		if ((uint64_t)offset + length > end)
			end = (uint64_t)offset + length;
		if (size >= 0 && end > (uint64_t)size)
			return refuse(reading, name, "holds more than it says");
		rc = check_amount(reading, name, end);
		if (got == ARCHIVE_EOF)
			break;
		if (rc == 0)
			rc = write_at(fd, block, length, (uint64_t)offset);
	}
	if (rc < 0)
		return reading->err->text[0] != '\0'
			       ? rc
			       : kd_err_errno(reading->err, rc, "cannot write '%s'",
					 KD_NAME(name));
	if (size >= 0 && end < (uint64_t)size)
		return refuse(reading, name, "holds less than it says");
	/* A hole at its end. */
	if (ftruncate(fd, (off_t)end) < 0)
		return kd_err_errno(
			reading->err, -errno, "cannot write '%s'", KD_NAME(name));
	reading->total += end;
	return 0;
}

static int
take_file(struct reading *reading, struct archive_entry *entry, const char *name)
{
	const struct kd_unpack_library *la = reading->library;
	const struct kd_unpack *unpack = reading->unpack;
	int64_t size =
		la->archive_entry_size_is_set(entry) ? la->archive_entry_size(entry) : -1;
	int rc = size > 0 ? check_amount(reading, name, (uint64_t)size) : 0;
	if (rc < 0)
		return rc;
	int fd = unpack->create(unpack->context, name);
	if (fd == -EEXIST)
		return refuse(reading, name, "is there twice");
	if (fd == -ENOTDIR || fd == -EISDIR)
		return refuse(reading, name, "is a file and a folder");
	if (fd < 0)
		return kd_err_errno(
			reading->err, fd, "cannot create '%s'", KD_NAME(name));
	reading->files++;
	rc = copy_data(reading, fd, name, size);
	if (close(fd) < 0 && rc == 0)
		rc = kd_err_errno(
			reading->err, -errno, "cannot write '%s'", KD_NAME(name));
	return rc;
}

/* What an entry is that is neither a file nor a directory; NULL when it is one. */
static const char *
kind_refused(const struct kd_unpack_library *la, struct archive_entry *entry)
{
	if (la->archive_entry_hardlink(entry) != NULL)
		return "is a hard link";
	if (la->archive_entry_symlink(entry) != NULL ||
		la->archive_entry_filetype(entry) == AE_IFLNK)
		return "is a symbolic link";
	if (la->archive_entry_is_encrypted(entry))
		return "is encrypted";
	switch (la->archive_entry_filetype(entry)) {
	case AE_IFREG:
	case AE_IFDIR:
		return NULL;
	case AE_IFIFO:
		return "is a FIFO";
	case AE_IFSOCK:
		return "is a socket";
	default:
		return "is a device, or nothing that is known";
	}
}

static int
take_entry(struct reading *reading, struct archive_entry *entry)
{
	const struct kd_unpack_library *la = reading->library;
	char *single = NULL, *safe;
	const char *name = la->archive_entry_pathname(entry);
	if (la->archive_format(reading->archive) == ARCHIVE_FORMAT_RAW)
		name = single = single_name(reading->unpack->name);
	if (name == NULL)
		return kd_err_set(reading->err, -EINVAL,
			"it has an entry without a name, or one in no known encoding");
	const char *refused = kind_refused(la, entry);
	int rc = 0;
	if (refused != NULL) {
		rc = refuse(reading, name, refused);
	} else if ((safe = safe_name(reading, name)) == NULL) {
		rc = reading->err->code;
	} else {
		if (la->archive_entry_filetype(entry) == AE_IFREG && safe[0] == '\0')
			rc = refuse(reading, name, "is a file without a name");
		else if (la->archive_entry_filetype(entry) == AE_IFREG)
			rc = take_file(reading, entry, safe);
		free(safe);
	}
	free(single);
	return rc;
}

/* What is known of the whole once its first entry is. */
static int
check_form(const struct reading *reading)
{
	const struct kd_unpack_library *la = reading->library;
	int filters = la->archive_filter_count(reading->archive);
	if (filters > 2)
		return kd_err_set(
			reading->err, -EINVAL, "it is compressed more than once");
	if (la->archive_format(reading->archive) == ARCHIVE_FORMAT_RAW && filters < 2)
		return kd_err_set(reading->err, -EINVAL,
			"it is no archive: expected tar, zip or 7z, or what gzip, xz or "
			"zstd compressed");
	return 0;
}

static int
read_entries(struct reading *reading)
{
	const struct kd_unpack_library *la = reading->library;
	const struct kd_unpack *unpack = reading->unpack;
	struct archive_entry *entry;
	int rc = 0, got;
	while (rc == 0 && (got = la->archive_read_next_header(
				   reading->archive, &entry)) != ARCHIVE_EOF) {
		if (la->archive_read_has_encrypted_entries(reading->archive) == 1)
			return kd_err_set(reading->err, -EINVAL, "it is encrypted");
		if (got != ARCHIVE_OK)
			return refuse_by_library(reading, NULL);
		if (unpack->cancelled != NULL && unpack->cancelled(unpack->context))
			return kd_err_set(reading->err, -ECANCELED, "cancelled");
		if (reading->entries++ == 0)
			rc = check_form(reading);
		if (reading->entries > unpack->limits.entries)
			return kd_err_set(reading->err, -EINVAL,
				"it has more than %u entries", unpack->limits.entries);
		if (rc == 0)
			rc = take_entry(reading, entry);
	}
	if (rc == 0 && reading->files == 0)
		return kd_err_set(reading->err, -EINVAL, "it holds no files");
	return rc;
}

int
kd_unpack_archive(const struct kd_unpack *unpack, struct kd_err *err)
{
	*err = (struct kd_err){0};
	const struct kd_unpack_library *la = kd_unpack_library(err);
	if (la == NULL)
		return err->code;
	struct archive *a = la->archive_read_new();
	struct reading reading = {
		.unpack = unpack, .library = la, .archive = a, .err = err};
	if (a == NULL)
		return kd_err_set(err, -ENOMEM, "out of memory");
	int rc = 0;
	/* All that is ever enabled: every reader is something to attack. */
	if (la->archive_read_support_filter_gzip(a) != ARCHIVE_OK ||
		la->archive_read_support_filter_xz(a) != ARCHIVE_OK ||
		la->archive_read_support_filter_zstd(a) != ARCHIVE_OK ||
		la->archive_read_support_format_tar(a) != ARCHIVE_OK ||
		la->archive_read_support_format_zip(a) != ARCHIVE_OK ||
		la->archive_read_support_format_7zip(a) != ARCHIVE_OK ||
		la->archive_read_support_format_raw(a) != ARCHIVE_OK)
		rc = kd_err_set(err, -ENOTSUP,
			"libarchive here lacks gzip, xz, zstd, tar, zip or 7z");
	if (rc == 0 && la->archive_read_open_fd(a, unpack->archive, BLOCK) != ARCHIVE_OK)
		rc = refuse_by_library(&reading, NULL);
	if (rc == 0)
		rc = read_entries(&reading);
	la->archive_read_free(a);
	return rc;
}
