/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/intake/look.h"

#include "daemon/base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { MOST_ENTRIES = 100000, MOST_DEPTH = 32 };

static int64_t
nanoseconds(const struct statx_timestamp *t)
{
	return t->tv_sec * 1000000000 + t->tv_nsec;
}

static const uint64_t SEED = 0xcbf29ce484222325u;

/* FNV-1a, 64 bits: tells change, not malice; the content's SHA-256 decides later. */
static uint64_t
mix(uint64_t hash, const void *bytes, size_t length)
{
	const unsigned char *b = bytes;
	for (size_t i = 0; i < length; i++)
		hash = (hash ^ b[i]) * 0x100000001b3u;
	return hash;
}

static int
status(int dir, const char *name, int flags, struct statx *st)
{
	unsigned mask = STATX_BASIC_STATS | STATX_BTIME;
	return statx(dir, name, flags | AT_NO_AUTOMOUNT, mask, st) < 0 ? -errno : 0;
}

static uint64_t
freshness_of(uint64_t hash, const struct statx *st)
{
	int64_t seen[5] = {nanoseconds(&st->stx_ctime), nanoseconds(&st->stx_mtime),
		(int64_t)st->stx_size, (int64_t)st->stx_ino, st->stx_mode};
	return mix(hash, seen, sizeof seen);
}

static void
set_identity(struct kd_identity *identity, const struct statx *st)
{
	identity->ino = st->stx_ino;
	identity->btime =
		(st->stx_mask & STATX_BTIME) != 0 ? nanoseconds(&st->stx_btime) : 0;
	identity->size = (int64_t)st->stx_size;
	identity->mtime = nanoseconds(&st->stx_mtime);
	identity->fingerprint = 0;
}

int
kd_look_file(int root, const char *path, struct kd_look *look)
{
	struct statx st;
	int fd = kd_file_open_beneath(root, path, O_PATH | O_NOFOLLOW, 0);
	/* ELOOP: the last component is a link; O_PATH may not open it under
	   RESOLVE_NO_SYMLINKS, but its own status is there to be read. */
	int rc = fd >= 0	? status(fd, "", AT_EMPTY_PATH, &st)
		 : fd == -ELOOP ? status(root, path, AT_SYMLINK_NOFOLLOW, &st)
				: fd;
	if (fd >= 0)
		close(fd);
	if (rc < 0)
		return rc;
	set_identity(&look->identity, &st);
	look->freshness = freshness_of(0, &st);
	look->files = 1;
	return 0;
}

struct walk {
	uint64_t entries;
	struct kd_look_sum sum;
	const char *marker; /* at the top: seen, but not one of the files; or NULL */
};

/* Entries come in any order: sums of hashes do not mind. */
static void
add(struct kd_look_sum *sum, uint64_t hash, const struct statx *st)
{
	int64_t seen[2] = {(int64_t)st->stx_size, nanoseconds(&st->stx_mtime)};
	sum->freshness += freshness_of(hash, st);
	sum->fingerprint += mix(mix(hash, seen, sizeof seen), &st->stx_ino, 8);
	sum->bytes += st->stx_size;
	sum->files++;
}

static int walk_folder(int fd, int depth, struct walk *walk);

static int
walk_entry(int dir, const char *name, int depth, struct walk *walk)
{
	struct statx st;
	int rc = status(dir, name, AT_SYMLINK_NOFOLLOW, &st);
	if (rc < 0)
		return rc == -ENOENT ? 0 : rc;
	uint64_t hash = mix(SEED + (uint64_t)depth, name, strlen(name));
	int marker =
		depth == 0 && walk->marker != NULL && strcmp(name, walk->marker) == 0;
	if (!S_ISDIR(st.stx_mode) && !marker) {
		add(&walk->sum, hash, &st);
		return 0;
	}
	walk->sum.freshness += freshness_of(hash, &st);
	if (marker)
		return 0;
	int fd = kd_file_open_beneath(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	return fd < 0 ? (fd == -ENOENT ? 0 : fd) : walk_folder(fd, depth + 1, walk);
}

/* Takes fd. */
static int
walk_folder(int fd, int depth, struct walk *walk)
{
	DIR *dir = fdopendir(fd);
	if (dir == NULL) {
		close(fd);
		return -ENOMEM;
	}
	int rc = 0;
	const struct dirent *entry;
	/* Files or none: what is too much to look at is there, for the worker to refuse. */
	if (depth == MOST_DEPTH || walk->entries == MOST_ENTRIES)
		walk->sum.files++;
	while (rc == 0 && depth < MOST_DEPTH && walk->entries < MOST_ENTRIES &&
		(entry = readdir(dir)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		walk->entries++;
		rc = walk_entry(dirfd(dir), entry->d_name, depth, walk);
	}
	closedir(dir);
	return rc;
}

int
kd_look_directory(int root, const char *path, const char *marker, struct kd_look *look)
{
	struct statx st;
	struct walk walk = {.marker = marker};
	int fd = kd_file_open_beneath(root, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	if (fd < 0)
		return fd;
	int rc = status(fd, "", AT_EMPTY_PATH, &st);
	if (rc < 0) {
		close(fd);
		return rc;
	}
	rc = walk_folder(fd, 0, &walk);
	if (rc < 0)
		return rc;
	if (walk.sum.files == 0)
		return -ENOENT;
	/* The folder's own mtime moves with companions that come and go; its files count.
	 */
	set_identity(&look->identity, &st);
	look->identity.mtime = 0;
	look->identity.size = (int64_t)walk.sum.bytes;
	look->identity.fingerprint = walk.sum.fingerprint;
	look->freshness = walk.sum.freshness + freshness_of(0, &st);
	look->files = walk.sum.files;
	return 0;
}

int
kd_look_add(int dir, const char *name, struct kd_look_sum *sum)
{
	struct statx st;
	int rc = status(dir, name, AT_SYMLINK_NOFOLLOW, &st);
	if (rc < 0)
		return rc;
	if (S_ISDIR(st.stx_mode))
		return 1;
	add(sum, mix(SEED, name, strlen(name)), &st);
	return 0;
}

void
kd_look_set(uint64_t ino, const struct kd_look_sum *sum, struct kd_look *look)
{
	/* Of the folder only which one it is: others' files come and go in it. */
	look->identity = (struct kd_identity){
		.ino = ino,
		.size = (int64_t)sum->bytes,
		.fingerprint = sum->fingerprint,
	};
	look->freshness = sum->freshness;
	look->files = sum->files;
}
