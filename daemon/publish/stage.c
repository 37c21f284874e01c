/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The invariant: whoever holds the lock on .kiln-stage may make and lock stages and look
 * for dead ones; a stage that can be locked belongs to nobody.
 */
#include "daemon/publish/stage.h"

#include "daemon/base/file.h"
#include "daemon/base/name.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

enum { SWEPT_AT_ONCE = 64, CHECKPOINT_DAYS = 30 };
static const char checkpoints[] = "checkpoints", doubted[] = "doubted";

static int
open_folder(int dir, const char *name)
{
	return kd_file_open_beneath(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
}

static int
make_folder(int dir, const char *name)
{
	if (mkdirat(dir, name, 0700) < 0 && errno != EEXIST)
		return -errno;
	return open_folder(dir, name);
}

/* A second descriptor on a folder, to read it from its start. */
static DIR *
list_folder(int dir)
{
	int fd = open_folder(dir, ".");
	if (fd < 0)
		return NULL;
	DIR *list = fdopendir(fd);
	if (list == NULL)
		close(fd);
	return list;
}

static void
sweep_checkpoints(int top)
{
	int dir = open_folder(top, checkpoints);
	DIR *list = dir < 0 ? NULL : list_folder(dir);
	struct dirent *entry;
	struct stat st;
	while (list != NULL && (entry = readdir(list)) != NULL)
		if (fstatat(dir, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
			S_ISREG(st.st_mode) &&
			st.st_mtime < time(NULL) - CHECKPOINT_DAYS * 86400L)
			unlinkat(dir, entry->d_name, 0);
	if (list != NULL)
		closedir(list);
	if (dir >= 0)
		close(dir);
}

struct dead {
	int lock;
	char name[sizeof((struct kd_stage *)NULL)->name];
};

/* Locks stages of dead keepers, so that they can be removed without holding up others. */
static size_t
find_dead(int top, struct dead dead[SWEPT_AT_ONCE])
{
	size_t count = 0;
	DIR *list = list_folder(top);
	struct dirent *entry;
	while (list != NULL && count < SWEPT_AT_ONCE && (entry = readdir(list)) != NULL) {
		if (entry->d_name[0] == '.' || strcmp(entry->d_name, checkpoints) == 0 ||
			strcmp(entry->d_name, doubted) == 0 ||
			strlen(entry->d_name) >= sizeof dead->name)
			continue;
		int fd = open_folder(top, entry->d_name);
		if (fd < 0)
			continue;
		if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
			close(fd);
			continue;
		}
		dead[count].lock = fd;
		strcpy(dead[count++].name, entry->d_name);
	}
	if (list != NULL)
		closedir(list);
	return count;
}

/* Makes and locks this batch's stage; with the lock on top held. */
static int
claim(struct kd_stage *stage, int64_t batch)
{
	/* The random part: keepers of several hosts may share pid and folder. */
	uint32_t random = 0;
	if (getrandom(&random, sizeof random, 0) < 0)
		return -errno;
	snprintf(stage->name, sizeof stage->name, "%lld.%ld.%08x", (long long)batch,
		(long)getpid(), random);
	if (mkdirat(stage->top, stage->name, 0700) < 0)
		return -errno;
	stage->dir = open_folder(stage->top, stage->name);
	if (stage->dir < 0)
		return stage->dir;
	return flock(stage->dir, LOCK_EX | LOCK_NB) < 0 ? -errno : 0;
}

int
kd_stage_open(struct kd_stage *stage, const char *out, int64_t batch, struct kd_err *err)
{
	struct dead dead[SWEPT_AT_ONCE];
	int rc = kd_file_make_dirs(out, 0755);
	if (rc == 0) {
		stage->out = open(out, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		rc = stage->out < 0 ? -errno : 0;
	}
	if (rc < 0)
		return kd_err_errno(
			err, rc, "cannot open output folder '%s'", KD_NAME(out));
	stage->top = make_folder(stage->out, KD_STAGE_FOLDER);
	rc = stage->top < 0 ? stage->top : 0;
	if (rc == 0 && flock(stage->top, LOCK_EX) < 0)
		rc = -errno;
	size_t count = rc < 0 ? 0 : find_dead(stage->top, dead);
	if (rc == 0)
		rc = claim(stage, batch);
	if (stage->top >= 0)
		flock(stage->top, LOCK_UN);
	for (size_t i = 0; i < count; i++) {
		kd_file_remove_tree(stage->top, dead[i].name);
		close(dead[i].lock);
	}
	if (rc < 0)
		return kd_err_errno(err, rc, "cannot make a stage in output folder '%s'",
			KD_NAME(out));
	sweep_checkpoints(stage->top);
	return 0;
}

static const char *
unit_name(uint32_t unit, char name[16])
{
	snprintf(name, 16, "%u", unit);
	return name;
}

int
kd_stage_unit(const struct kd_stage *stage, uint32_t unit)
{
	char name[16];
	int rc = kd_file_remove_tree(stage->dir, unit_name(unit, name));
	if (rc < 0)
		return rc;
	return mkdirat(stage->dir, name, 0700) < 0 ? -errno : 0;
}

int
kd_stage_unit_open(const struct kd_stage *stage, uint32_t unit)
{
	char name[16];
	return open_folder(stage->dir, unit_name(unit, name));
}

int
kd_stage_outputs(const struct kd_stage *stage, uint32_t unit, int directory)
{
	return directory ? kd_stage_unit_open(stage, unit) : stage->dir;
}

void
kd_stage_outputs_close(const struct kd_stage *stage, int fd)
{
	if (fd >= 0 && fd != stage->dir)
		close(fd);
}

char *
kd_stage_name(uint32_t unit, const char *name)
{
	char *staged;
	return asprintf(&staged, "%u~%s", unit, name) < 0 ? NULL : staged;
}

const char *
kd_stage_plain(const char *staged)
{
	return strchr(staged, '~') + 1;
}

int
kd_stage_create_file(const struct kd_stage *stage, const char *staged)
{
	return kd_file_open_beneath(
		stage->dir, staged, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
}

int
kd_stage_create(const struct kd_stage *stage, uint32_t unit, const char *name)
{
	int dir = kd_stage_unit_open(stage, unit);
	if (dir < 0)
		return dir;
	/* Publishing fsyncs what is there by then. */
	int rc = kd_file_make_parents(dir, name, 0);
	if (rc == 0)
		rc = kd_file_open_beneath(
			dir, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
	close(dir);
	return rc;
}

int
kd_stage_scratch(const struct kd_stage *stage)
{
	int fd = kd_file_open_beneath(stage->dir, ".", O_TMPFILE | O_RDWR | O_EXCL, 0600);
	if (fd != -EOPNOTSUPP && fd != -EISDIR && fd != -EINVAL)
		return fd;
	/* Not every file system has unnamed files. */
	fd = kd_file_open_beneath(stage->dir, "scratch", O_RDWR | O_CREAT | O_EXCL, 0600);
	if (fd >= 0)
		unlinkat(stage->dir, "scratch", 0);
	return fd;
}

int
kd_stage_checkpoint(const struct kd_stage *stage, const char *key)
{
	int dir = make_folder(stage->top, checkpoints);
	if (dir < 0)
		return dir;
	int fd = kd_file_open_beneath(dir, key, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
	close(dir);
	return fd;
}

void
kd_stage_drop_checkpoint(const struct kd_stage *stage, const char *key)
{
	char path[128];
	snprintf(path, sizeof path, "%s/%s", checkpoints, key);
	kd_file_remove_tree(stage->top, path);
}

static const char *
doubt_name(int64_t unit, char name[64])
{
	snprintf(name, 64, "%s/%lld", doubted, (long long)unit);
	return name;
}

void
kd_stage_doubt(const struct kd_stage *stage, int64_t unit)
{
	char name[64];
	int dir = unit == 0 ? -1 : make_folder(stage->top, doubted);
	if (dir < 0)
		return;
	int fd = kd_file_open_beneath(stage->top, doubt_name(unit, name),
		O_WRONLY | O_CREAT | O_NOFOLLOW, 0600);
	if (fd >= 0)
		close(fd);
	close(dir);
}

int
kd_stage_is_doubted(const struct kd_stage *stage, int64_t unit)
{
	char name[64];
	struct stat st;
	return unit != 0 &&
	       fstatat(stage->top, doubt_name(unit, name), &st, AT_SYMLINK_NOFOLLOW) == 0;
}

void
kd_stage_trust(const struct kd_stage *stage, int64_t unit)
{
	char name[64];
	unlinkat(stage->top, doubt_name(unit, name), 0);
}

const char *
kd_stage_trouble(const struct kd_stage *stage)
{
	/* A file that grew until it was refused leaves less than a piece of it. */
	enum { PIECE = 1 << 16 };
	struct statvfs fs;
	if (fstatvfs(stage->dir, &fs) < 0)
		return NULL;
	if ((fs.f_flag & ST_RDONLY) != 0)
		return "is read-only";
	if (fs.f_bavail * fs.f_frsize < PIECE)
		return "is full";
	return fs.f_files != 0 && fs.f_favail == 0 ? "has no inodes left" : NULL;
}

void
kd_stage_close(struct kd_stage *stage)
{
	if (stage->dir >= 0) {
		kd_file_remove_tree(stage->top, stage->name);
		close(stage->dir);
	}
	if (stage->top >= 0)
		close(stage->top);
	if (stage->out >= 0)
		close(stage->out);
	*stage = KD_STAGE_NONE;
}
