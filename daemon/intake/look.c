/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/intake/look.h"

#include "daemon/base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
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
	/* A bare name leads nowhere else: no need to hold it fast. */
	int bare = strchr(path, '/') == NULL;
	int fd = bare ? -ELOOP : kd_file_open_beneath(root, path, O_PATH | O_NOFOLLOW, 0);
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

/* The folders from the top to where the walk is. */
struct kd_look_walk {
	char *path; /* of the unit; NULL: no walk is under way */
	DIR *dirs[MOST_DEPTH];
	int depth; /* of them open */
	uint64_t entries;
	struct statx top;
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

struct kd_look_walk *
kd_look_walk_new(void)
{
	return calloc(1, sizeof(struct kd_look_walk));
}

void
kd_look_walk_stop(struct kd_look_walk *walk)
{
	while (walk->depth > 0)
		closedir(walk->dirs[--walk->depth]);
	free(walk->path);
	walk->path = NULL;
}

void
kd_look_walk_free(struct kd_look_walk *walk)
{
	if (walk == NULL)
		return;
	kd_look_walk_stop(walk);
	free(walk);
}

/* Files or none: what is too much to look at is there, for the worker to refuse. */
static void
count_rest(struct kd_look_walk *walk)
{
	walk->sum.files++;
}

/* Goes down into a folder.  Takes fd. */
static int
enter(struct kd_look_walk *walk, int fd)
{
	if (walk->depth == MOST_DEPTH) {
		close(fd);
		count_rest(walk);
		return 0;
	}
	DIR *dir = fdopendir(fd);
	if (dir == NULL) {
		close(fd);
		return -ENOMEM;
	}
	walk->dirs[walk->depth++] = dir;
	return 0;
}

static int
walk_entry(struct kd_look_walk *walk, const char *name)
{
	struct statx st;
	const int depth = walk->depth - 1, dir = dirfd(walk->dirs[depth]);
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
	return fd < 0 ? (fd == -ENOENT ? 0 : fd) : enter(walk, fd);
}

/* 0 at the end, KD_SETTLE_MORE when the entries did not reach. */
static int
walk_on(struct kd_look_walk *walk, int *entries)
{
	int rc = 0;
	while (rc == 0 && walk->depth > 0) {
		if (*entries <= 0)
			return KD_SETTLE_MORE;
		*entries -= 1;
		const struct dirent *entry =
			walk->entries == MOST_ENTRIES
				? NULL
				: readdir(walk->dirs[walk->depth - 1]);
		if (entry == NULL) {
			if (walk->entries == MOST_ENTRIES)
				count_rest(walk);
			closedir(walk->dirs[--walk->depth]);
			continue;
		}
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		walk->entries++;
		rc = walk_entry(walk, entry->d_name);
	}
	return rc;
}

static int
walk_begin(struct kd_look_walk *walk, const struct kd_look_wanted *wanted)
{
	kd_look_walk_stop(walk);
	*walk = (struct kd_look_walk){.marker = wanted->marker};
	int fd = kd_file_open_beneath(
		wanted->root, wanted->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	if (fd < 0)
		return fd;
	int rc = status(fd, "", AT_EMPTY_PATH, &walk->top);
	walk->path = rc < 0 ? NULL : strdup(wanted->path);
	if (walk->path == NULL) {
		close(fd);
		return rc < 0 ? rc : -ENOMEM;
	}
	return enter(walk, fd);
}

int
kd_look_directory(struct kd_look_walk *walk, const struct kd_look_wanted *wanted,
	int *entries, struct kd_look *look)
{
	int rc = walk->path != NULL && strcmp(walk->path, wanted->path) == 0
			 ? 0
			 : walk_begin(walk, wanted);
	if (rc == 0)
		rc = walk_on(walk, entries);
	if (rc == KD_SETTLE_MORE)
		return rc;
	kd_look_walk_stop(walk);
	if (rc < 0)
		return rc;
	if (walk->sum.files == 0)
		return -ENOENT;
	/* The folder's own mtime moves with companions that come and go; its files count.
	 */
	set_identity(&look->identity, &walk->top);
	look->identity.mtime = 0;
	look->identity.size = (int64_t)walk->sum.bytes;
	look->identity.fingerprint = walk->sum.fingerprint;
	look->freshness = walk->sum.freshness + freshness_of(0, &walk->top);
	look->files = walk->sum.files;
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
