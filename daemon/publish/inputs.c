/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/publish/inputs.h"

#include "daemon/base/file.h"
#include "daemon/base/hash.h"
#include "daemon/base/name.h"
#include "daemon/publish/copy.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { VERSIONS_MOST = 100000, REASON_MOST = 1 << 20 };

/* An input between its two folders. */
struct transfer {
	int from; /* folder it lies in */
	int to;	  /* folder it goes to */
	const char *name;
	const char *target; /* its name there, as long as that is free */
	struct kd_inputs_unsynced *unsynced;
};

/* "walk.vmd" in version 2: "walk.2.vmd"; directories and dot files get it at the end. */
static int
versioned(char target[NAME_MAX + 1], const char *name, unsigned version)
{
	const char *dot = strrchr(name, '.');
	size_t stem = dot == NULL || dot == name ? strlen(name) : (size_t)(dot - name);
	int length = version == 1 ? snprintf(target, NAME_MAX + 1, "%s", name)
				  : snprintf(target, NAME_MAX + 1, "%.*s.%u%s", (int)stem,
					    name, version, name + stem);
	return length > NAME_MAX ? -ENAMETOOLONG : 0;
}

static int
exists(int dir, const char *name)
{
	struct stat st;
	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static void
transfer_close(struct transfer *transfer)
{
	if (transfer->from >= 0)
		close(transfer->from);
	if (transfer->to >= 0)
		close(transfer->to);
}

/* Opens both folders; folder NULL: nothing to go to.  -ENOENT when the input is gone. */
static int
transfer_open(struct transfer *transfer, const struct kd_input *input, const char *folder)
{
	struct stat st;
	*transfer = (struct transfer){.from = -1, .to = -1, .unsynced = input->unsynced};
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

/* What an input is called while it is being removed. */
static void
gone_name(char hidden[NAME_MAX + 1], const char *name)
{
	snprintf(hidden, NAME_MAX + 1, ".kiln-gone.%.200s", name);
}

static int
sync_all(struct kd_inputs_unsynced *unsynced, int gained)
{
	int rc = 0;
	for (uint32_t i = 0; i < unsynced->count; i++)
		if (unsynced->folders[i].gained == gained &&
			fsync(unsynced->folders[i].fd) < 0 && rc == 0)
			rc = -errno;
	return rc;
}

int
kd_inputs_sync(struct kd_inputs_unsynced *unsynced)
{
	int rc = sync_all(unsynced, 1);
	if (rc == 0)
		rc = sync_all(unsynced, 0);
	for (uint32_t i = 0; i < unsynced->count; i++)
		close(unsynced->folders[i].fd);
	rc = unsynced->failed < 0 ? unsynced->failed : rc;
	unsynced->count = 0;
	unsynced->failed = 0;
	return rc;
}

/* fsyncs the folder, or leaves that for later. */
static int
sync_folder(struct kd_inputs_unsynced *unsynced, int dir, int gained)
{
	struct stat st;
	if (unsynced == NULL || fstat(dir, &st) < 0)
		return fsync(dir) < 0 ? -errno : 0;
	for (uint32_t i = 0; i < unsynced->count; i++) {
		if (unsynced->folders[i].device != st.st_dev ||
			unsynced->folders[i].inode != st.st_ino)
			continue;
		unsynced->folders[i].gained |= gained;
		return 0;
	}
	if (unsynced->count == KD_INPUTS_FOLDERS)
		unsynced->failed = kd_inputs_sync(unsynced);
	int fd = fcntl(dir, F_DUPFD_CLOEXEC, 3);
	if (fd < 0)
		return fsync(dir) < 0 ? -errno : 0;
	unsynced->folders[unsynced->count].device = st.st_dev;
	unsynced->folders[unsynced->count].inode = st.st_ino;
	unsynced->folders[unsynced->count].fd = fd;
	unsynced->folders[unsynced->count++].gained = gained;
	return 0;
}

/* A file goes in one step; a folder under another name, so that a crash leaves no half of
 * it under its own. */
static int
remove_input(const struct transfer *transfer)
{
	char hidden[NAME_MAX + 1];
	const int dir = transfer->from;
	const char *name = transfer->name;
	if (unlinkat(dir, name, 0) == 0)
		return sync_folder(transfer->unsynced, dir, 0);
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	gone_name(hidden, name);
	int rc = kd_file_remove_tree(dir, hidden);
	if (rc == 0)
		rc = kd_file_rename_new(dir, name, dir, hidden);
	if (rc == 0 && fsync(dir) < 0)
		rc = -errno;
	return rc < 0 ? rc : kd_file_remove_tree(dir, hidden);
}

/* Whether both are regular files of the same content: a copy that a crash left. */
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

static int
move_across(const struct transfer *transfer, const char *target)
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
	return remove_input(transfer);
}

static int
move_to(const struct transfer *transfer, const char *target)
{
	int rc = kd_file_rename_new(transfer->from, transfer->name, transfer->to, target);
	if (rc == -EXDEV) {
		if (same_file(transfer->from, transfer->name, transfer->to, target))
			return remove_input(transfer);
		if (exists(transfer->to, target))
			return -EEXIST;
		return move_across(transfer, target);
	}
	if (rc < 0)
		return rc;
	rc = sync_folder(transfer->unsynced, transfer->to, 1);
	return rc < 0 ? rc : sync_folder(transfer->unsynced, transfer->from, 0);
}

int
kd_inputs_rename(int from, const char *name, int to, const char *target)
{
	char version_name[NAME_MAX + 1];
	int rc = -EEXIST;
	for (unsigned version = 1; rc == -EEXIST && version <= VERSIONS_MOST; version++) {
		rc = versioned(version_name, target, version);
		if (rc == 0)
			rc = kd_file_rename_new(from, name, to, version_name);
	}
	return rc;
}

int
kd_inputs_move(const struct kd_input *input, const char *folder, struct kd_err *err)
{
	struct transfer transfer;
	char target[NAME_MAX + 1];
	int rc = transfer_open(&transfer, input, folder);
	unsigned version = 1;
	while (rc == 0 && version <= VERSIONS_MOST) {
		rc = versioned(target, transfer.target, version);
		if (rc == 0)
			rc = move_to(&transfer, target);
		if (rc != -EEXIST)
			break;
		version++;
		rc = 0;
	}
	transfer_close(&transfer);
	if (rc < 0 && rc != -ENOENT)
		return kd_err_errno(err, rc, "cannot move '%s' to '%s'",
			KD_NAME(input->path), KD_NAME(folder));
	return 0;
}

int
kd_inputs_delete(const struct kd_input *input, struct kd_err *err)
{
	struct transfer transfer;
	int rc = transfer_open(&transfer, input, NULL);
	if (rc == 0)
		rc = remove_input(&transfer);
	transfer_close(&transfer);
	if (rc < 0 && rc != -ENOENT)
		return kd_err_errno(err, rc, "cannot delete '%s'", KD_NAME(input->path));
	return 0;
}

int
kd_inputs_tidy(const struct kd_input *input, struct kd_err *err)
{
	char hidden[NAME_MAX + 1];
	const char *name;
	int dir = kd_file_open_parent(input->root, input->place, &name);
	int rc = dir < 0 ? dir : 0;
	if (rc == 0) {
		gone_name(hidden, name);
		rc = kd_file_remove_tree(dir, hidden);
		close(dir);
	}
	if (rc < 0 && rc != -ENOENT)
		return kd_err_errno(
			err, rc, "cannot remove the rest of '%s'", KD_NAME(input->path));
	return 0;
}

/* One line that no other unit's reason file has. */
static char *
identity_line(const char *path, const struct kd_quarantine *quarantine)
{
	char *line, *name = kd_name_escape(path);
	if (name == NULL ||
		asprintf(&line, "Identity: %s, unit %lld, SHA-256 %s\n", name,
			(long long)quarantine->unit,
			quarantine->sha256[0] == '\0' ? "unknown" : quarantine->sha256) <
			0)
		line = NULL;
	free(name);
	return line;
}

static char *
reason_text(
	const char *path, const struct kd_quarantine *quarantine, const char *identity)
{
	char when[64], *text;
	time_t now = time(NULL);
	struct tm utc;
	strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
	if (asprintf(&text,
		    "What:     %s\n"
		    "Why:      %s: %s\n"
		    "When:     %s\n"
		    "Rule:     %s, kernel %s, batch %lld, attempt %u\n"
		    "%s\n"
		    "What to do next: put the file right and drop it again, or, when the "
		    "cause lay elsewhere,\n"
		    "move it back into the drop folder as it is.\n",
		    KD_NAME(path), quarantine->status, quarantine->reason, when,
		    quarantine->rule[0] == '\0' ? "(none)" : quarantine->rule,
		    quarantine->kernel, (long long)quarantine->batch, quarantine->attempt,
		    identity) < 0)
		return NULL;
	return text;
}

/* 1 when that reason file is there and tells of this very unit. */
static int
reason_is_ours(int dir, const char *name, const char *identity)
{
	struct stat st;
	char *text;
	size_t length;
	int fd = kd_file_open_regular(dir, name, &st);
	if (fd < 0)
		return 0;
	int rc = kd_file_read_all(fd, REASON_MOST, &text, &length);
	close(fd);
	if (rc < 0)
		return 0;
	int ours = strstr(text, identity) != NULL;
	free(text);
	return ours;
}

static int
write_reason(int dir, const char *name, const char *text)
{
	char hidden[NAME_MAX + 1];
	snprintf(hidden, sizeof hidden, ".kiln-coming.%.200s", name);
	unlinkat(dir, hidden, 0);
	int fd = kd_file_open_beneath(
		dir, hidden, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0644);
	int rc = fd < 0 ? fd : kd_file_write_all(fd, text, strlen(text));
	if (rc == 0 && fsync(fd) < 0)
		rc = -errno;
	if (fd >= 0 && close(fd) < 0 && rc == 0)
		rc = -errno;
	if (rc == 0)
		rc = kd_file_rename_new(dir, hidden, dir, name);
	if (rc < 0)
		unlinkat(dir, hidden, 0);
	if (rc == 0 && fsync(dir) < 0)
		rc = -errno;
	return rc;
}

/* NAME.reason.txt; of a name that leaves no room for that, its beginning and its sum. */
static void
reason_name(char reason[NAME_MAX + 1], const char *target)
{
	enum { KEPT = 200, SUM = 12 };
	char sum[KD_HASH_HEX];
	if (snprintf(reason, NAME_MAX + 1, "%s.reason.txt", target) <= NAME_MAX)
		return;
	kd_hash_bytes(target, strlen(target), sum);
	snprintf(reason, NAME_MAX + 1, "%.*s~%.*s.reason.txt", KEPT, target, SUM, sum);
}

/* One try under one name: -EEXIST when it is taken. */
static int
quarantine_as(const struct transfer *transfer, const char *target, const char *text,
	const char *identity)
{
	char reason[NAME_MAX + 1];
	reason_name(reason, target);
	int ours = reason_is_ours(transfer->to, reason, identity);
	if (!ours && (exists(transfer->to, reason) || exists(transfer->to, target)))
		return -EEXIST;
	int rc = ours ? 0 : write_reason(transfer->to, reason, text);
	if (rc < 0)
		return rc;
	rc = move_to(transfer, target);
	/* What took the name meanwhile has nothing to do with our reason. */
	if (rc == -EEXIST)
		unlinkat(transfer->to, reason, 0);
	return rc;
}

int
kd_inputs_quarantine(const struct kd_input *input, const struct kd_quarantine *quarantine,
	struct kd_err *err)
{
	struct transfer transfer;
	char target[NAME_MAX + 1];
	char *identity = identity_line(input->path, quarantine);
	char *text =
		identity == NULL ? NULL : reason_text(input->path, quarantine, identity);
	int rc = transfer_open(&transfer, input, quarantine->folder);
	if (rc == 0 && text == NULL)
		rc = -ENOMEM;
	unsigned version = 1;
	while (rc == 0 && version <= VERSIONS_MOST) {
		rc = versioned(target, transfer.target, version);
		if (rc == 0)
			rc = quarantine_as(&transfer, target, text, identity);
		if (rc != -EEXIST)
			break;
		version++;
		rc = 0;
	}
	transfer_close(&transfer);
	free(identity);
	free(text);
	if (rc < 0 && rc != -ENOENT)
		return kd_err_errno(err, rc, "cannot move '%s' into quarantine '%s'",
			KD_NAME(input->path), KD_NAME(quarantine->folder));
	return 0;
}

/* The name under which that unit lies in a folder of the quarantine; 0 when it does not.
 * People may have taken others out, so a gap in the versions is not the end. */
static int
find_quarantined(
	int dir, const char *base, const char *identity, char target[NAME_MAX + 1])
{
	enum { GAP = 64 };
	char reason[NAME_MAX + 1];
	for (unsigned version = 1, last = 0; version <= last + GAP; version++) {
		if (versioned(target, base, version) < 0)
			return 0;
		reason_name(reason, target);
		if (!exists(dir, reason))
			continue;
		last = version;
		if (reason_is_ours(dir, reason, identity))
			return 1;
	}
	return 0;
}

static int
restore(const struct transfer *transfer, const char *base)
{
	char reason[NAME_MAX + 1];
	int rc = move_to(transfer, base);
	if (rc < 0)
		return rc == -EEXIST || rc == -ENOENT ? 0 : rc;
	reason_name(reason, transfer->name);
	return unlinkat(transfer->from, reason, 0) < 0 && errno != ENOENT ? -errno : 0;
}

int
kd_inputs_restore(
	int root, const char *path, const char *folder, int64_t unit, struct kd_err *err)
{
	char target[NAME_MAX + 1], *identity = NULL, *name = kd_name_escape(path);
	struct transfer transfer = {.from = -1, .to = -1, .name = target};
	const char *base, *same;
	int top = -1, rc = 0;
	if (name == NULL || asprintf(&identity, "Identity: %s, unit %lld, SHA-256 ", name,
				    (long long)unit) < 0)
		rc = -ENOMEM;
	if (rc == 0)
		rc = kd_file_make_parents(root, path, 1);
	if (rc == 0)
		rc = transfer.to = kd_file_open_parent(root, path, &base);
	if (rc >= 0 && !exists(transfer.to, base)) {
		top = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		rc = transfer.from =
			top < 0 ? -errno : kd_file_open_parent(top, path, &same);
		if (rc >= 0 && find_quarantined(transfer.from, base, identity, target))
			rc = restore(&transfer, base);
	}
	if (top >= 0)
		close(top);
	transfer_close(&transfer);
	free(identity);
	free(name);
	if (rc < 0 && rc != -ENOENT)
		return kd_err_errno(err, rc, "cannot fetch '%s' from quarantine '%s'",
			KD_NAME(path), KD_NAME(folder));
	return 0;
}
