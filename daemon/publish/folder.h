/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * folder.h - the output folders of one batch, each opened, listed and fsynced once.
 */
#ifndef KD_FOLDER_H
#define KD_FOLDER_H

#include <stddef.h>

struct kd_folder {
	char *path; /* below the output root; "" is the root */
	int fd;
	int touched; /* has new names: to be fsynced */
	int failed;  /* errno of the last fsync; 0: it went well */
	int listed;
	char **sidecars; /* names of files that end like a sidecar, sorted, once listed */
	size_t sidecar_count;
};

struct kd_folders {
	int root; /* borrowed */
	size_t count;
	struct kd_folder *list;
};

/* The folder `path` below root, made where `make`.  Valid until the next call; NULL with
 * errno. */
struct kd_folder *kd_folder_open(struct kd_folders *folders, const char *path, int make);

/* Fills folder->sidecars, once. */
void kd_folder_list(struct kd_folder *folder);

/* The index of the first sidecar whose name is not below `name`. */
size_t kd_folder_seek(const struct kd_folder *folder, const char *name);

/* fsyncs those that were touched since the last time; `failed` says how that ended. */
void kd_folder_sync(struct kd_folders *folders);

void kd_folder_close(struct kd_folders *folders);

#endif
