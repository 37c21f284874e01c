/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kernels.h - the catalog without a daemon: for kernels, describe and run.
 */
#ifndef KD_CTL_KERNELS_H
#define KD_CTL_KERNELS_H

#include "daemon/ctl/ctl.h"

#include "daemon/rules/catalog.h"

#include <jansson.h>

enum { KD_CTL_FOLDERS = 16 };

/* Folders of --plugins, in order; none: kd_catalog_plugins(). */
struct kd_ctl_folders {
	char *paths[KD_CTL_FOLDERS + 1]; /* borrows argv */
	unsigned count;
};

/* Returns 0, or KD_CTL_USAGE after saying why. */
int kd_ctl_kernels_folder(
	const struct kd_ctl *ctl, struct kd_ctl_folders *folders, char *path);
/* What there is, or for the sake of one kernel (kd_catalog_load_for); NULL: of all.  NULL
 * after saying why. */
struct kd_catalog *kd_ctl_kernels_load(
	const struct kd_ctl_folders *folders, const char *kernel);
/* NULL after saying so, with the nearest name or the reason its plugin was refused. */
const struct kd_kernel *kd_ctl_kernels_find(
	const struct kd_ctl *ctl, const struct kd_catalog *catalog, const char *name);

/* "file, directory" of a set of enum kiln_unit_kind; buffer is returned. */
char *kd_ctl_kernels_kinds(uint32_t kinds, char *buffer, size_t size);
/* "cuda, exec" of a set of enum kiln_needs, "" for none; buffer is returned. */
char *kd_ctl_kernels_needs(uint32_t needs, char *buffer, size_t size);
/* The same words as a JSON array. */
json_t *kd_ctl_kernels_words(const char *words);
/* The word for one of enum kiln_product, one of enum kiln_type. */
const char *kd_ctl_kernels_product(uint32_t makes);
const char *kd_ctl_kernels_type(uint32_t type);

#endif
