/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/publish/quarantine.h"

#include "daemon/base/file.h"
#include "daemon/base/hash.h"
#include "daemon/base/name.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { REASON_MOST = 1 << 20 };

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
		    "What to do next: put it right and drop it again, or, when the cause "
		    "lay elsewhere, have it\n"
		    "fetched from here and tried again as it is: kilnctl retry %lld\n",
		    KD_NAME(path), quarantine->status, quarantine->reason, when,
		    quarantine->rule[0] == '\0' ? "(none)" : quarantine->rule,
		    quarantine->kernel, (long long)quarantine->batch, quarantine->attempt,
		    identity, (long long)quarantine->unit) < 0)
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
quarantine_as(const struct kd_transfer *transfer, const char *target, const char *text,
	const char *identity)
{
	char reason[NAME_MAX + 1];
	reason_name(reason, target);
	int ours = reason_is_ours(transfer->to, reason, identity);
	if (!ours && (kd_transfer_exists(transfer->to, reason) ||
			     kd_transfer_exists(transfer->to, target)))
		return -EEXIST;
	int rc = ours ? 0 : write_reason(transfer->to, reason, text);
	if (rc < 0)
		return rc;
	rc = kd_transfer_move(transfer, target);
	/* What took the name meanwhile has nothing to do with our reason. */
	if (rc == -EEXIST)
		unlinkat(transfer->to, reason, 0);
	return rc;
}

int
kd_quarantine_put(const struct kd_input *input, const struct kd_quarantine *quarantine,
	struct kd_err *err)
{
	struct kd_transfer transfer;
	char target[NAME_MAX + 1];
	char *identity = identity_line(input->path, quarantine);
	char *text =
		identity == NULL ? NULL : reason_text(input->path, quarantine, identity);
	int rc = kd_transfer_open(&transfer, input, quarantine->folder);
	if (rc == 0 && text == NULL)
		rc = -ENOMEM;
	unsigned version = 1;
	while (rc == 0 && version <= KD_TRANSFER_VERSIONS) {
		rc = kd_transfer_version(target, transfer.target, version);
		if (rc == 0)
			rc = quarantine_as(&transfer, target, text, identity);
		if (rc != -EEXIST)
			break;
		version++;
		rc = 0;
	}
	kd_transfer_close(&transfer);
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
		if (kd_transfer_version(target, base, version) < 0)
			return 0;
		reason_name(reason, target);
		if (!kd_transfer_exists(dir, reason))
			continue;
		last = version;
		if (reason_is_ours(dir, reason, identity))
			return 1;
	}
	return 0;
}

/* Whether the folder `name` in `from` holds a name that is taken in `to`. */
static int
would_meet(int from, const char *name, int to)
{
	int fd = kd_file_open_beneath(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (dir == NULL) {
		if (fd >= 0)
			close(fd);
		return fd == -ENOENT ? 0 : fd < 0 ? fd : -ENOMEM;
	}
	int taken = 0;
	const struct dirent *entry;
	while (taken == 0 && (errno = 0, entry = readdir(dir)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			taken = kd_transfer_exists(to, entry->d_name);
	if (taken == 0 && errno != 0)
		taken = -errno;
	closedir(dir);
	return taken;
}

/* 1 when the files that lie in the unit's folder must not come to where they were. */
static int
is_in_the_way(const struct kd_quarantine_fetch *fetch, const struct kd_transfer *transfer)
{
	const char *base;
	if (fetch->members == NULL)
		return 0;
	int to = kd_file_open_parent(fetch->root, fetch->members, &base);
	if (to < 0)
		return to == -ENOENT ? 0 : to;
	int rc = would_meet(transfer->from, transfer->name, to);
	close(to);
	return rc;
}

/* 1 when it is in its place by now. */
static int
bring(const struct kd_quarantine_fetch *fetch, const struct kd_transfer *transfer)
{
	int rc = kd_transfer_exists(transfer->to, transfer->target);
	/* A life before us may have died between its copy and the removal. */
	if (rc == 1 && kd_transfer_is_copied(transfer, transfer->target))
		rc = kd_transfer_remove(transfer);
	else if (rc == 1 || (rc = is_in_the_way(fetch, transfer)) != 0)
		return rc < 0 ? rc : 0;
	else
		rc = kd_transfer_move(transfer, transfer->target);
	return rc == -EEXIST || rc == -ENOENT ? 0 : rc < 0 ? rc : 1;
}

/* 1 when it is back in its place. */
static int
bring_back(const struct kd_quarantine_fetch *fetch, const struct kd_transfer *transfer)
{
	char reason[NAME_MAX + 1];
	int moved = 0;
	if (kd_transfer_exists(transfer->from, transfer->name)) {
		moved = bring(fetch, transfer);
		if (moved != 1)
			return moved;
	}
	/* Also when a life before us brought it back and could not remove the reason. */
	reason_name(reason, transfer->name);
	if (unlinkat(transfer->from, reason, 0) < 0)
		return errno == ENOENT ? moved : -errno;
	return fsync(transfer->from) < 0 ? -errno : moved;
}

int
kd_quarantine_fetch(const struct kd_quarantine_fetch *fetch, struct kd_err *err)
{
	char target[NAME_MAX + 1], *identity = NULL, *name = kd_name_escape(fetch->path);
	struct kd_transfer transfer = {.from = -1, .to = -1, .name = target};
	const char *base;
	int top = open(fetch->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = top < 0 ? -errno : 0;
	if (name == NULL || asprintf(&identity, "Identity: %s, unit %lld, SHA-256 ", name,
				    (long long)fetch->unit) < 0)
		rc = -ENOMEM;
	if (rc == 0)
		rc = transfer.from = kd_file_open_parent(top, fetch->path, &base);
	if (rc >= 0 && !find_quarantined(transfer.from, base, identity, target))
		rc = -ENOENT;
	if (rc >= 0)
		rc = kd_file_make_parents(fetch->root, fetch->place, 1);
	if (rc >= 0)
		rc = transfer.to =
			kd_file_open_parent(fetch->root, fetch->place, &transfer.target);
	if (rc >= 0)
		rc = bring_back(fetch, &transfer);
	if (top >= 0)
		close(top);
	kd_transfer_close(&transfer);
	free(identity);
	free(name);
	if (rc < 0 && rc != -ENOENT)
		return kd_err_errno(err, rc, "cannot fetch '%s' from quarantine '%s'",
			KD_NAME(fetch->path), KD_NAME(fetch->folder));
	return rc == 1;
}
