/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Invariant: every file of a unit lies, under its own name, either where it was dropped
 * or in the unit's claim; each step is one rename.
 */
#include "daemon/worker/claim.h"

#include "daemon/base/file.h"
#include "daemon/base/name.h"
#include "daemon/publish/inputs.h"
#include "daemon/worker/family.h"
#include "plugins/kiln_plugin.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* So much of a name goes with the id, for people. */
enum { NAME_KEPT = 200 };

static int
is_family(const struct kd_content_source *source)
{
	return source->kind == KILN_SEQUENCE || source->kind == KILN_BUNDLE;
}

/* What is renamed into a folder that a power cut takes away is gone: it is there to stay,
 * or it is not made. */
static int
make_folder(int dir, const char *name)
{
	if (mkdirat(dir, name, 0700) < 0)
		return errno == EEXIST ? 0 : -errno;
	if (fsync(dir) == 0)
		return 0;
	int error = errno;
	unlinkat(dir, name, AT_REMOVEDIR);
	return -error;
}

static int
open_claims(int root, int make)
{
	int rc = make ? make_folder(root, KD_CLAIM_FOLDER) : 0;
	if (rc < 0)
		return rc;
	int fd = kd_file_open_beneath(
		root, KD_CLAIM_FOLDER, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	struct stat st;
	/* Whoever owns the drop folder could have made it for us: then nothing is safe in
	 * it.  What lies in it already is taken out all the same. */
	if (fd >= 0 && make &&
		(fstat(fd, &st) < 0 || st.st_uid != geteuid() ||
			(st.st_mode & 077) != 0)) {
		close(fd);
		return -EACCES;
	}
	return fd;
}

void
kd_claim_path(const struct kd_claim *claim, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, KD_CLAIM_FOLDER "/%s", claim->entry);
}

static void
hold(struct kd_claim *claim, const struct kd_content_source *original)
{
	claim->held = 1;
	kd_claim_path(claim, claim->place);
	size_t length = strlen(claim->place);
	if (is_family(original))
		snprintf(claim->place + length, sizeof claim->place - length, "/%s",
			kd_name_base(original->path));
}

/* A name that is taken, or gone by now, is left. */
static int
bring(int from, const char *name, int to)
{
	int rc = kd_file_rename_new(from, name, to, name);
	return rc == -EEXIST || rc == -ENOENT ? 0 : rc;
}

/* Renames a unit's files from one folder to another; those that are there already are
 * left.  A bundle's main file goes last: as long as it is there, the others are known to
 * be of it.  -ENOENT: there is none. */
static int
gather(int from, int to, const struct kd_content_source *source)
{
	struct kd_family_names names = {0};
	struct kd_err err;
	const char *last = kd_name_base(source->path);
	int rc = kd_family_list(from, source, 0, &names, &err);
	for (size_t i = 0; rc == 0 && i < names.count; i++)
		if (strcmp(names.list[i], last) != 0)
			rc = bring(from, names.list[i], to);
	if (rc == 0 && source->kind == KILN_BUNDLE)
		rc = bring(from, last, to);
	kd_family_clear(&names);
	if (rc == 0 && fsync(to) < 0)
		rc = -errno;
	return rc;
}

/* The folder of a claim, which goes on to others in the end: for all to read. */
static int
make_entry(int claims, const char *entry)
{
	return mkdirat(claims, entry, 0755) < 0 && errno != EEXIST ? -errno : 0;
}

/* Into the claim's folder, which is there and durable. */
static int
gather_family(
	struct kd_claim *claim, int claims, const struct kd_content_source *original)
{
	const char *base;
	int to = kd_file_open_beneath(
		claims, claim->entry, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	int from =
		to < 0 ? to : kd_file_open_parent(original->root, original->path, &base);
	int rc = from < 0 ? from : gather(from, to, original);
	if (from >= 0)
		close(from);
	if (to >= 0)
		close(to);
	return rc;
}

/* Whether an error says what is there, and would say so again: nothing of ours. */
static int
is_answer(int rc)
{
	switch (-rc) {
	case ENOENT:
	case ENOTDIR:
	case ELOOP:
	case EACCES:
	case EINVAL:
	case E2BIG:
		return 1;
	default:
		return 0;
	}
}

int
kd_claim_find(
	struct kd_claim *claim, int64_t id, const struct kd_content_source *original)
{
	struct stat st;
	claim->held = claim->ready = 0;
	snprintf(claim->entry, sizeof claim->entry, "%lld~%.*s", (long long)id, NAME_KEPT,
		kd_name_base(original->path));
	int claims = id == 0 ? -ENOENT : open_claims(original->root, 0);
	if (claims < 0)
		return is_answer(claims) ? 0 : claims;
	int rc = fstatat(claims, claim->entry, &st, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
	int is_there = rc == 0;
	/* Whoever made its folder may not have come to fsync it. */
	if (is_there && is_family(original))
		rc = fsync(claims) < 0 ? -errno : gather_family(claim, claims, original);
	close(claims);
	if (rc < 0 && !is_answer(rc))
		return rc;
	/* What can never be added is missed, and told, when it is read. */
	if (is_there)
		hold(claim, original);
	return 0;
}

static int
take(struct kd_claim *claim, int claims, const struct kd_content_source *original)
{
	const char *base;
	struct kd_err err;
	if (is_family(original)) {
		int rc = make_entry(claims, claim->entry);
		if (rc == 0 && !claim->ready)
			rc = fsync(claims) < 0 ? -errno : 0;
		if (rc == 0)
			rc = gather_family(claim, claims, original);
		hold(claim, original);
		/* Half a sequence is none; what cannot go back is found next time. */
		if (rc < 0)
			kd_claim_put_back(claim, original, &err);
		return rc;
	}
	int from = kd_file_open_parent(original->root, original->path, &base);
	if (from < 0)
		return from;
	int rc = kd_file_rename_new(from, base, claims, claim->entry);
	close(from);
	if (rc == 0)
		hold(claim, original);
	return rc;
}

int
kd_claim_take(struct kd_claim *claim, const struct kd_content_source *original)
{
	enum { RACES_MOST = 100 };
	int rc = -ENOENT;
	for (int race = 0; rc == -ENOENT && race < RACES_MOST; race++) {
		struct stat st;
		int claims = open_claims(original->root, 1);
		if (claims < 0)
			return claims;
		rc = take(claim, claims, original);
		/* Another keeper has just tidied the folder away: not the unit is gone. */
		int is_there = fstat(claims, &st) < 0 || st.st_nlink > 0;
		close(claims);
		if (is_there)
			break;
	}
	return rc;
}

int
kd_claim_prepare(int root, const struct kd_claim *claim)
{
	int claims = open_claims(root, 1);
	int rc = claims < 0 ? claims : 0;
	if (rc == 0 && claim != NULL)
		rc = make_entry(claims, claim->entry);
	if (claims >= 0)
		close(claims);
	return rc < 0 ? rc : 0;
}

/* What was being removed when the power went: nothing else is called so in there. */
static void
remove_remains(int claims)
{
	int again = openat(claims, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = again < 0 ? NULL : fdopendir(again);
	if (dir == NULL) {
		if (again >= 0)
			close(again);
		return;
	}
	const struct dirent *entry;
	while ((entry = readdir(dir)) != NULL)
		if (strncmp(entry->d_name, KD_TRANSFER_GONE,
			    sizeof KD_TRANSFER_GONE - 1) == 0)
			kd_file_remove_tree(claims, entry->d_name);
	closedir(dir);
}

void
kd_claim_tidy(int root)
{
	if (unlinkat(root, KD_CLAIM_FOLDER, AT_REMOVEDIR) == 0 ||
		(errno != ENOTEMPTY && errno != EEXIST))
		return;
	int claims = open_claims(root, 0);
	if (claims < 0)
		return;
	remove_remains(claims);
	close(claims);
	unlinkat(root, KD_CLAIM_FOLDER, AT_REMOVEDIR);
}

int
kd_claim_sync(int root)
{
	int claims = open_claims(root, 0);
	if (claims < 0)
		return claims;
	int rc = fsync(claims) < 0 ? -errno : 0;
	close(claims);
	return rc;
}

/* All files of a claim's folder, each under the first name that is free; that one first,
 * if it is there, for what gather() says. */
static int
scatter(int claims, const struct kd_claim *claim, int to, const char *first)
{
	int from = kd_file_open_beneath(
		claims, claim->entry, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	DIR *dir = from < 0 ? NULL : fdopendir(from);
	if (dir == NULL) {
		if (from >= 0)
			close(from);
		return from < 0 ? from : -ENOMEM;
	}
	int rc = kd_inputs_rename(dirfd(dir), first, to, first);
	if (rc == -ENOENT)
		rc = 0;
	const struct dirent *entry;
	while (rc == 0 && (errno = 0, entry = readdir(dir)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			rc = kd_inputs_rename(
				dirfd(dir), entry->d_name, to, entry->d_name);
	if (rc == 0 && errno != 0)
		rc = -errno;
	if (rc == 0 && (fsync(to) < 0 || fsync(dirfd(dir)) < 0))
		rc = -errno;
	closedir(dir);
	if (rc == 0 && unlinkat(claims, claim->entry, AT_REMOVEDIR) < 0)
		rc = -errno;
	return rc;
}

int
kd_claim_put_back(struct kd_claim *claim, const struct kd_content_source *original,
	struct kd_err *err)
{
	const char *base;
	if (!claim->held)
		return 0;
	int claims = open_claims(original->root, 0);
	int rc = claims < 0 ? claims
			    : kd_file_make_parents(original->root, original->path, 1);
	int to = rc < 0 ? rc : kd_file_open_parent(original->root, original->path, &base);
	if (to < 0)
		rc = to;
	else if (is_family(original))
		rc = scatter(claims, claim, to, base);
	else
		rc = kd_inputs_rename(claims, claim->entry, to, base);
	if (rc == 0 && (fsync(to) < 0 || fsync(claims) < 0))
		rc = -errno;
	if (to >= 0)
		close(to);
	if (claims >= 0)
		close(claims);
	if (rc < 0)
		return kd_err_errno(err, rc, "cannot put '%s' back, it lies in '%s'",
			KD_NAME(original->path), KD_NAME(claim->place));
	claim->held = 0;
	return 0;
}
