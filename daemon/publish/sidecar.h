/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sidecar.h - the JSON that says where an output came from: NAME.kiln.json beside a file,
 * kiln.json inside a directory.  Also what tells two outputs of one name apart.
 */
#ifndef KD_SIDECAR_H
#define KD_SIDECAR_H

#include "daemon/worker/manifest.h"

#include <jansson.h>
#include <time.h>

#define KD_SIDECAR_FORMAT 1
#define KD_SIDECAR_SUFFIX ".kiln.json"
#define KD_SIDECAR_INSIDE "kiln.json"

/* What is known of a unit's run before its outputs have their names.  Borrows all. */
struct kd_sidecar {
	const struct kd_manifest *manifest;
	const struct kd_manifest_unit *unit;
	const char *sha256;	      /* of the unit's content */
	const char *plugin, *version; /* "" until an engine said */
	const char *variant, *device;
	const json_t *paths;	  /* path parameters: name -> {"path":s,"sha256":hex} */
	const json_t *inputs;	  /* [{"name":s,"sha256":hex,"bytes":n},...] */
	const json_t *facts;	  /* what the kernel told by meta() */
	const json_t *warnings;	  /* strings */
	const json_t *superseded; /* see superseded.h; NULL: nothing */
	struct timespec started, finished; /* CLOCK_REALTIME */
	double seconds;
};

/* The sidecar of outputs whose paths are their final names beside it (inside the
 * directory).  NULL: out of memory. */
json_t *kd_sidecar_json(const struct kd_sidecar *sidecar, const struct kd_output *outputs,
	uint32_t output_count);

/* Reads a sidecar of ours; NULL when there is none that can be read. */
json_t *kd_sidecar_read(int dir, const char *name);

/* Whether that sidecar tells of the same content, rule and revision; with `again` also of
 * the same unit of the ledger. */
int kd_sidecar_matches(const json_t *json, const struct kd_sidecar *sidecar, int again);

/* Whether the primary output that the sidecar names is there, whole: 1, or 0. */
int kd_sidecar_stands(const json_t *json, int dir);

#endif
