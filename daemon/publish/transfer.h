/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * transfer.h - an input on its way from one folder to another, or out of the world; the
 * steps that inputs.h and quarantine.h are made of.
 */
#ifndef KD_TRANSFER_H
#define KD_TRANSFER_H

#include "daemon/base/err.h"

#include <limits.h>
#include <stdint.h>
#include <sys/types.h>

/* A name that is taken is tried in so many versions. */
#define KD_TRANSFER_VERSIONS 100000

/* Folders that gained or lost a name, to be fsynced once for many inputs; and hidden ones
 * in them, to be removed once it is durable that they are hidden. */
enum { KD_TRANSFER_FOLDERS = 64 };
struct kd_transfer_unsynced {
	struct {
		dev_t device;
		ino_t inode;
		int fd, gained;
		char **doomed;
		size_t doomed_count;
	} folders[KD_TRANSFER_FOLDERS];
	uint32_t count;
	int failed; /* what one that had to go first ended with */
};

/* fsyncs those that gained names, then the others: a power cut may show an input in both
 * places, never in neither.  Then what is doomed is removed, which is durable, too.  0, or
 * the first that failed; *unsynced is empty afterwards. */
int kd_transfer_sync(struct kd_transfer_unsynced *unsynced);

/* What is disposed of, both paths beneath root. */
struct kd_input {
	int root;
	const char *place; /* where it lies: a file or a folder */
	const char *path;  /* what it is called, and where it goes below a folder */
	struct kd_transfer_unsynced *unsynced; /* NULL: its folders are fsynced at once */
};

/* An input between its two folders. */
struct kd_transfer {
	int from; /* folder it lies in */
	int to;	  /* folder it goes to */
	const char *name;
	const char *target; /* its name there, as long as that is free */
	struct kd_transfer_unsynced *unsynced;
};

/* Opens both folders; folder NULL: nothing to go to.  -ENOENT when the input is gone.
 * Close it also after a failure. */
int kd_transfer_open(
	struct kd_transfer *transfer, const struct kd_input *input, const char *folder);
void kd_transfer_close(struct kd_transfer *transfer);

/* Moves it to that name there: -EEXIST when it is taken.  Across file systems a copy that
 * an earlier life left is recognised. */
int kd_transfer_move(const struct kd_transfer *transfer, const char *target);
/* Whether all of it is under that name there already, on another file system, content and
 * all: then an earlier life copied it, and only its removal is left to be done. */
int kd_transfer_is_copied(const struct kd_transfer *transfer, const char *target);

/* A file goes in one step; a folder under another name, so that a crash leaves no half of
 * it under its own. */
int kd_transfer_remove(const struct kd_transfer *transfer);
/* What a folder is called while it is being removed: that and its name. */
#define KD_TRANSFER_GONE ".kiln-gone."
void kd_transfer_gone_name(char hidden[NAME_MAX + 1], const char *name);

/* "walk.vmd" in version 2: "walk.2.vmd"; directories and dot files get it at the end.
 * -ENAMETOOLONG. */
int kd_transfer_version(char target[NAME_MAX + 1], const char *name, unsigned version);
int kd_transfer_exists(int dir, const char *name);

#endif
