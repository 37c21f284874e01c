/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * manifest.h - what a kiln-worker is given and what it gives back, the same whether
 * kilnd, `kilnctl run` or a farm on another machine starts it.  Both are JSON files;
 * these are their structs.  The one part of worker/ that the client's side includes.
 *
 * Strings are bytes as the file system has them; in the JSON they are escaped
 * (base/name.h).  A manifest owns all it points at, so does a result.
 */
#ifndef KD_MANIFEST_H
#define KD_MANIFEST_H

#include "daemon/base/err.h"
#include "daemon/base/hash.h"

#include <jansson.h>
#include <stdint.h>

enum kd_collision { KD_COLLISION_VERSION, KD_COLLISION_KEEP, KD_COLLISION_REPLACE };
enum kd_inputs { KD_INPUTS_KEEP, KD_INPUTS_DELETE, KD_INPUTS_MOVE };

#define KD_UNIT_ARCHIVE 16u /* beside enum kiln_unit_kind: unpacked, then a directory */

/* What an archive may hold at most.  A 0 is the default; the defaults, and the bounds of
 * what a rule may say, are these. */
struct kd_archive_limits {
	uint64_t bytes;	  /* of all files; 0: the output limit, which holds as well */
	uint32_t entries; /* files and folders */
	uint32_t depth;	  /* folders within folders */
	uint32_t ratio;	  /* times the archive's own size, beyond 10 MiB */
	uint32_t name;	  /* bytes of one component of a name */
};
#define KD_ARCHIVE_ENTRIES 100000u /* as many as a directory may have (content.h) */
#define KD_ARCHIVE_DEPTH   32u
#define KD_ARCHIVE_RATIO   200u
#define KD_ARCHIVE_NAME	   255u /* as file systems have it */

struct kd_manifest_unit {
	int64_t id;	  /* the ledger's; 0 without one */
	uint32_t kind;	  /* enum kiln_unit_kind, or KD_UNIT_ARCHIVE */
	uint32_t attempt; /* 1, 2, ... */
	char *path;	  /* relative to root */
	/* A file or archive as it was when it settled: its size, and when it was last written
	 * to, in nanoseconds since 1970.  One that is another by now comes as another unit,
	 * and is CHANGED as this one.  0: that is not known. */
	uint64_t bytes, written;
	uint32_t restore; /* 1: when it is not at path, it is fetched from quarantine */
	/* 1 + the enum kd_status that it ended with before: it is not run again, only its
	 * input, if it still is that of sha256 ("" or NULL: whatever is claimed), is
	 * disposed of as then.  0: it is run. */
	uint32_t ended;
	char *ended_reason, *ended_sha256;
	char *output; /* folder below the output root that its outputs land in; "" = the
			 root itself (layout mirror: the drop's sub-folder) */
};

struct kd_manifest {
	int64_t batch;	/* the ledger's; 0 without one */
	char *rule;	/* name; "" for kilnctl run */
	char *revision; /* SHA-256 of what the rule asks for (rules/rule.h) */
	char *plugin;	/* absolute path of the .so */
	char *kernel;
	json_t *params; /* object, checked against the schema; paths are absolute */
	/* Names of those that are paths, whose content is part of what is asked for; NULL:
	 * none. */
	json_t *path_params;
	char *device;	  /* "auto", "cpu", "cuda", "cuda:1" */
	uint32_t needs;	  /* granted, set of enum kiln_needs */
	uint32_t threads; /* >= 1 */
	uint32_t repeat;  /* process the batch so often (kilnctl run --repeat), >= 1 */
	uint64_t memory_limit, output_limit; /* bytes; 0: none */
	double wall_limit;		     /* seconds; 0: none */
	char *root;			     /* absolute: where the units lie */
	char *out;			     /* absolute: where outputs appear */
	enum kd_collision collision;
	enum kd_inputs inputs;
	char *done;	    /* absolute, with KD_INPUTS_MOVE */
	char *quarantine;   /* absolute; NULL: failed units stay where they are */
	uint32_t mode;	    /* of output files, e.g. 0644; directories get x where r is */
	char *group;	    /* NULL: the worker's */
	int verify_writers; /* refuse units that somebody else may still write to (lease
			       probe, hard links) */
	char *marker; /* a directory's file of this name is no input, a file's NAME + marker
			   goes with it; NULL: none */
	uint32_t count; /* so many files a directory must hold; 0: any number */
	char **match;	/* of bundles: the patterns of main files, NULL-ended; or NULL */
	char **ignore;	/* of bundles and sequences: names that are nobody's; or NULL */
	int64_t sequence_first, sequence_last; /* -1: not said */
	uint32_t sequence_gaps;		       /* frames may be missing */
	struct kd_archive_limits archive;
	uint32_t unit_count;
	struct kd_manifest_unit *units;
};

enum kd_status {
	KD_UNIT_PUBLISHED, /* outputs are in place and durable */
	KD_UNIT_ALREADY,   /* an earlier attempt had published it: outputs named */
	KD_UNIT_SAME,	   /* the client's verdict: same content as an earlier unit */
	KD_UNIT_KEPT,	   /* collision = keep: an older output stands */
	KD_UNIT_BAD, /* BAD_INPUT: quarantined (also: refused before the kernel ran) */
	KD_UNIT_TRANSIENT, /* may succeed later */
	KD_UNIT_BUSY,	   /* still being written */
	KD_UNIT_CHANGED,   /* changed while it was read: result dropped */
	KD_UNIT_GONE,	   /* no longer there */
	KD_UNIT_CANCELLED,
	KD_UNIT_CRASHED, /* the engine died, hung or lied before this unit was done */
	KD_UNIT_HELD, /* the folders it comes from or goes to are full, read-only, away or
			 failing: not its own fault, however often it is tried */
};

struct kd_output {
	char *path; /* relative to the manifest's out */
	char sha256[KD_HASH_HEX];
	uint64_t bytes;
	int companion;
};

struct kd_result_unit {
	enum kd_status status;
	char *reason;		  /* a sentence; NULL when published */
	char sha256[KD_HASH_HEX]; /* of the content; "" when it could not be read */
	char *primary; /* absolute path of the published file or directory; NULL */
	char *sidecar; /* absolute path; NULL */
	uint32_t output_count, warning_count;
	struct kd_output *outputs;
	char **warnings;
	double seconds; /* from PROCESS or the last done() to its own */
};

struct kd_result {
	char *variant; /* "" until a kernel said */
	char *device;
	char *failure;	  /* why the attempt as a whole failed, at open() say; or NULL */
	char *revision;	  /* the manifest's, with the content of path parameters; NULL */
	uint32_t refused; /* 1: the failure is of the rule's parameters or grants, which
			   * no other try will mend */
	double seconds, kernel_seconds; /* kernel: median of the repeats */
	uint64_t frames;		/* of one repeat */
	uint64_t repeats; /* processed whole: less than asked for when cancelled */
	uint32_t unit_count;
	struct kd_result_unit *units;
};

const char *kd_manifest_status_name(enum kd_status status); /* "published", ... */

/* To and from JSON.  Reading checks every field; *err names the field. */
json_t *kd_manifest_to_json(const struct kd_manifest *manifest);
int kd_manifest_from_json(
	const json_t *json, struct kd_manifest *manifest, struct kd_err *err);
json_t *kd_manifest_result_to_json(const struct kd_result *result);
int kd_manifest_result_from_json(
	const json_t *json, struct kd_result *result, struct kd_err *err);

/* To a new memfd, and from a descriptor (at most 256 MiB).  The descriptor, or 0; else a
 * negative errno. */
int kd_manifest_write(const struct kd_manifest *manifest);
int kd_manifest_read(int fd, struct kd_manifest *manifest, struct kd_err *err);
int kd_manifest_result_write(const struct kd_result *result);
int kd_manifest_result_read(int fd, struct kd_result *result, struct kd_err *err);

void kd_manifest_clear(struct kd_manifest *manifest);
void kd_manifest_result_clear(struct kd_result *result);

#endif
