/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * handle.h - the keeper's hold on its engine, and what that engine was opened with: it
 * stays warm for batches that ask for the same.
 */
#ifndef KD_HANDLE_H
#define KD_HANDLE_H

#include "daemon/base/err.h"
#include "daemon/worker/content.h"
#include "daemon/worker/launch.h"
#include "daemon/worker/manifest.h"

#include <jansson.h>

/* A parameter of type path: a file or a directory of the administrator's. */
struct kd_handle_path {
	char *name;
	char *text;			 /* as it was given */
	char *base;			 /* its name in the folder it lies in */
	struct kd_content_source source; /* .root: that folder, ours */
	struct kd_content content;
};

struct kd_handle {
	struct kd_engine_process process;
	char *key;  /* what it was started for, as text; NULL: no engine */
	int loaded; /* said LOADED */
	int opened; /* said OPENED without error */
	char *plugin, *version;
	uint32_t accepts, makes;
	char *device, *variant; /* as given; variant "" until it said */
	size_t path_count;
	struct kd_handle_path *paths;
	json_t *path_hashes; /* name -> {"path":s,"sha256":hex} */
	json_t *facts;	     /* told in open(), of all batches */
	uint64_t told;	     /* bytes of these, see told.h */
	/* Path parameters that were hashed to tell a revision, for an engine that is yet to
	 * be started: it takes them over. */
	size_t read_count;
	struct kd_handle_path *read;
};

/* Whether the engine at hand can run this manifest as it is: same plugin file, kernel,
 * parameters, device, limits, and path parameters unchanged. */
int kd_handle_fits(struct kd_handle *handle, const struct kd_manifest *manifest);

/* Ends whatever runs, passes the plugin through the gate and starts an engine. */
int kd_handle_start(
	struct kd_handle *handle, const struct kd_manifest *manifest, struct kd_err *err);

/* The same, but the engine is to inspect() instead of open(): it ends after OPENED. */
int kd_handle_inspect(
	struct kd_handle *handle, const struct kd_manifest *manifest, struct kd_err *err);

/* The revision `asked` for, with the content of the manifest's path parameters: `asked`
 * itself where there are none, or where one cannot be read, which starting will tell.
 * opened: what the engine at hand was opened with, not what lies there.  NULL: out of
 * memory. */
char *kd_handle_revision(struct kd_handle *handle, const struct kd_manifest *manifest,
	const char *asked, int opened);

/* What LOADED told: hashes the path parameters. */
int kd_handle_loaded(struct kd_handle *handle, const struct kd_manifest *manifest,
	const json_t *body, struct kd_err *err);

/* Opens path parameter `name`, or a file beneath it.  -ENOENT, -ESTALE. */
int kd_handle_open_path(
	const struct kd_handle *handle, const char *name, const char *beneath);

/* The device that did the work: the one the engine was given, but "cpu" where the variant
 * it told of is none of CUDA's.  Lives as long as the handle. */
const char *kd_handle_device(const struct kd_handle *handle);

/* Kills the engine where there is one and forgets it.  Its wait status. */
int kd_handle_kill(struct kd_handle *handle);
/* Lets it close() first, with some patience. */
void kd_handle_quit(struct kd_handle *handle);

#endif
