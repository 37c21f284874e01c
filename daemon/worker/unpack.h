/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unpack.h - reads an archive and hands on its files: tar, zip and 7z, plain or below one
 * gzip, xz or zstd, and single files below one of these.  For the engine that unpacks:
 * libarchive digests whatever people drop, so nothing else is in that process.
 *
 * Regular files and directories only.  Refused is what could be meant to deceive or to
 * overwhelm: links, devices, names that leave the folder, that are absolute, no UTF-8, or
 * hold control characters or backslashes; a name twice, or as a file and a folder; sizes
 * that lie; encryption; two compressions on top of each other; and more than the limits.
 * Archives inside are files like others.  Owners, modes and times are left aside.
 */
#ifndef KD_UNPACK_H
#define KD_UNPACK_H

#include "daemon/base/err.h"
#include "daemon/worker/manifest.h"

#include <stdint.h>

/* Only what grows beyond this can have been made to be a bomb. */
#define KD_UNPACK_RATIO_BYTES (10u << 20)

struct kd_unpack {
	int archive;			 /* open for reading at 0; borrowed */
	const char *name;		 /* the archive's, for a single file's */
	uint64_t bytes;			 /* of the archive */
	struct kd_archive_limits limits; /* none is 0, but that of bytes: none */
	/* A new file of that name, which is relative and safe: a descriptor, which is
	 * closed here; -EEXIST: there is one; -ENOTDIR: it lies below a file. */
	int (*create)(void *context, const char *name);
	/* Asked often; nonzero: stop. */
	int (*cancelled)(void *context);
	void *context;
};

/* 0; -EINVAL with a sentence: refused; -ECANCELED; other errors are not the archive's. */
int kd_unpack_archive(const struct kd_unpack *unpack, struct kd_err *err);

#endif
