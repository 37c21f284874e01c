/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * content.h - what a dropped unit consists of: its files, what identifies them and their
 * SHA-256.  Everything is looked at beneath the unit's root, without symbolic links.
 */
#ifndef KD_CONTENT_H
#define KD_CONTENT_H

#include "daemon/base/err.h"
#include "daemon/base/hash.h"
#include "daemon/worker/manifest.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

/* A dropper controls these: as many files, as deep, as anybody's frames ever were, and
 * few enough that walking them stays a matter of seconds. */
#define KD_CONTENT_FILES 100000
#define KD_CONTENT_DEPTH 32
/* From so many bytes on, a unit must have at least one in so many of them stored: holes
 * cost a dropper nothing, and hours of reading zeros. */
#define KD_CONTENT_SPARSE_BYTES (UINT64_C(1) << 30)
#define KD_CONTENT_SPARSE_RATIO 64

struct kd_content_file {
	char *name; /* relative to the unit; the base name for a file */
	uint64_t bytes;
	dev_t device;
	ino_t inode;
	struct timespec mtime, ctime;
	char sha256[KD_HASH_HEX];
};

/* A unit as it lies there, and what of it counts.  Borrowed throughout; it must outlive
 * the content read from it. */
struct kd_content_source {
	int root;	    /* a folder */
	uint32_t kind;	    /* enum kiln_unit_kind */
	const char *path;   /* beneath root; of a sequence or bundle its files lie in the
			       folder of that name: "shot/frame_%04d.png", "chair.obj" */
	const char *name;   /* what a file was called when it was dropped; NULL: as now */
	const char *marker; /* a directory's file of this name is no input; NULL: none */
	uint32_t count;	    /* so many files a directory must hold; 0: any number */
	char *const *match; /* patterns of main files; only bundles have companions */
	char *const *ignore; /* names that belong to no sequence or bundle; or NULL */
	int64_t first, last; /* of a sequence; -1: what there is */
	int gaps;	     /* frames may be missing */
	/* Refuse what somebody else may still write to or chose to show: what is open for
	 * writing (BUSY), and files of more than one name (BAD), for whoever made a link to
	 * another's file here need not be able to read it. */
	int verify_writers;
};

struct kd_content {
	uint32_t kind;
	uint64_t bytes, stored; /* stored: on the file system, without the holes */
	size_t count;
	struct kd_content_file *files; /* by name, as bytes; a sequence's by number */
	/* Of a file its own; of several that of the lines "NAME\0BYTES\0SHA256\n" of
	 * its files in order. */
	char sha256[KD_HASH_HEX];
};

/*
 * Looks at one unit and hashes it.  0; or a negative errno with a sentence and *status,
 * which then is KD_UNIT_GONE, _BAD, _BUSY or _TRANSIENT.  Clear *content also after a
 * failure.
 */
int kd_content_read(const struct kd_content_source *source, struct kd_content *content,
	enum kd_status *status, struct kd_err *err);

/* The same in two steps.  Looking finds the files and their sizes; hashing fills in every
 * sha256, and neither changes nor reads anything else of what others read meanwhile.
 * stop: -ECANCELED soon after it became nonzero; NULL: never. */
int kd_content_look(const struct kd_content_source *source, struct kd_content *content,
	enum kd_status *status, struct kd_err *err);
struct kd_content_hashing {
	const struct kd_content_source *source;
	struct kd_content *content;
	atomic_int *stop;
	enum kd_status status; /* after a failure */
	struct kd_err err;
};
int kd_content_hash(struct kd_content_hashing *hashing);

/* Whether the unit still is what was read: 0, -ENOENT, -ESTALE; another error when nobody
 * can tell now.  strict: by ctime too, which a rename or chmod changes. */
int kd_content_verify(const struct kd_content_source *source,
	const struct kd_content *content, int strict);

/* The unit was renamed to where source says, which changes ctimes: whether all the rest
 * is as it was read: 0, and the new ctimes count from here on; errors as above. */
int kd_content_adopt(const struct kd_content_source *source, struct kd_content *content);

/* The file of that name, open for reading at 0; -ENOENT, or -ESTALE when it is another
 * file by now. */
int kd_content_open(const struct kd_content_source *source,
	const struct kd_content *content, const char *name);

/* 1 while somebody has that file, open here for reading, open for writing: only then is a
 * read lease refused with EAGAIN.  0 also where the question cannot be asked (network
 * file systems, a file of somebody else's). */
int kd_content_has_writer(int fd);

void kd_content_clear(struct kd_content *content);

#endif
