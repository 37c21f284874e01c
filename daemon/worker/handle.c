/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/worker/handle.h"

#include "daemon/base/name.h"
#include "daemon/worker/gate.h"
#include "daemon/worker/protocol.h"
#include "daemon/worker/told.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { QUIT_PATIENCE = 5000 /* ms: close() may free a lot */ };
enum { PATHS_MOST = 256 /* parameters that the gate lets a kernel have */ };

static const char *
device_of(const struct kd_manifest *manifest)
{
	if (strcmp(manifest->device, "auto") == 0)
		return (manifest->needs & KILN_NEEDS_CUDA) != 0 &&
				       access("/dev/nvidiactl", F_OK) == 0
			       ? "cuda:0"
			       : "cpu";
	return strcmp(manifest->device, "cuda") == 0 ? "cuda:0" : manifest->device;
}

/* Whoever names a GPU grants it. */
static uint32_t
granted_of(const struct kd_manifest *manifest)
{
	return strncmp(manifest->device, "cuda", 4) == 0
		       ? manifest->needs | KILN_NEEDS_CUDA
		       : manifest->needs;
}

/* Everything an engine is started for.  The caller frees; NULL: out of memory or no
 * plugin, which starting will tell properly. */
static char *
key_of(const struct kd_manifest *manifest)
{
	struct stat st;
	if (stat(manifest->plugin, &st) < 0)
		return NULL;
	json_t *json = json_pack("[s,s,O,s,s,I,I,I,I,I,I,I]", manifest->plugin,
		manifest->kernel, manifest->params, manifest->device, device_of(manifest),
		(json_int_t)granted_of(manifest), (json_int_t)manifest->threads,
		(json_int_t)manifest->memory_limit, (json_int_t)manifest->output_limit,
		(json_int_t)st.st_ino, (json_int_t)st.st_mtim.tv_sec,
		(json_int_t)st.st_mtim.tv_nsec);
	char *key = json == NULL ? NULL : json_dumps(json, JSON_SORT_KEYS);
	json_decref(json);
	return key;
}

/* An idle engine that died is no fault of the next batch's units. */
static int
is_alive(const struct kd_handle *handle)
{
	struct pollfd link = {.fd = kd_wire_fd(handle->process.wire), .events = POLLIN};
	return poll(&link, 1, 0) < 0 || (link.revents & (POLLHUP | POLLERR)) == 0;
}

int
kd_handle_fits(struct kd_handle *handle, const struct kd_manifest *manifest)
{
	if (!handle->opened || !is_alive(handle))
		return 0;
	char *key = key_of(manifest);
	int fits = key != NULL && strcmp(key, handle->key) == 0;
	free(key);
	for (size_t i = 0; fits && i < handle->path_count; i++) {
		const struct kd_handle_path *path = &handle->paths[i];
		fits = kd_content_verify(&path->source, &path->content, 1) == 0;
	}
	return fits;
}

static void
clear_path(struct kd_handle_path *path)
{
	free(path->name);
	free(path->text);
	free(path->base);
	kd_content_clear(&path->content);
	if (path->source.root >= 0)
		close(path->source.root);
}

static void
forget_read(struct kd_handle *handle)
{
	for (size_t i = 0; i < handle->read_count; i++)
		clear_path(&handle->read[i]);
	free(handle->read);
	handle->read = NULL;
	handle->read_count = 0;
}

/* All but what was read for the next engine. */
static void
forget(struct kd_handle *handle)
{
	for (size_t i = 0; i < handle->path_count; i++)
		clear_path(&handle->paths[i]);
	free(handle->paths);
	json_decref(handle->path_hashes);
	json_decref(handle->facts);
	free(handle->key);
	free(handle->plugin);
	free(handle->version);
	free(handle->device);
	free(handle->variant);
	*handle = (struct kd_handle){
		.read = handle->read, .read_count = handle->read_count};
}

static void
quit(struct kd_handle *handle)
{
	if (handle->process.pid != 0 && handle->opened &&
		kd_wire_put(handle->process.wire, KD_ENG_QUIT, 0, NULL, NULL, 0) == 0 &&
		kd_wire_flush(handle->process.wire) == 0)
		kd_launch_wait(&handle->process, QUIT_PATIENCE);
	else
		kd_launch_kill(&handle->process);
	forget(handle);
}

/* first: what the engine is told first, OPEN or INSPECT. */
static int
start(struct kd_handle *handle, const struct kd_manifest *manifest, uint16_t first,
	struct kd_err *err)
{
	quit(handle);
	int plugin = kd_gate_open(manifest->plugin, err);
	if (plugin < 0)
		return plugin;
	struct kd_sandbox sandbox = {
		.memory_limit = manifest->memory_limit,
		.output_limit = manifest->output_limit,
		.needs = granted_of(manifest),
		.plugin = plugin,
	};
	int rc = kd_launch_engine(&sandbox, &handle->process, err);
	close(plugin);
	if (rc < 0)
		return rc;
	handle->key = key_of(manifest);
	handle->device = strdup(device_of(manifest));
	handle->variant = strdup("");
	handle->facts = json_object();
	handle->path_hashes = json_object();
	json_t *body = json_pack("{sssOsssbsIsI}", "kernel", manifest->kernel, "params",
		manifest->params, "device", handle->device, "asked",
		strcmp(manifest->device, "auto") != 0, "memory",
		(json_int_t)manifest->memory_limit, "threads",
		(json_int_t)manifest->threads);
	rc = kd_wire_put(handle->process.wire, first, 0, body, NULL, 0);
	json_decref(body);
	if (rc < 0 || handle->key == NULL || handle->variant == NULL) {
		kd_handle_kill(handle);
		return kd_err_set(err, -ENOMEM, "out of memory");
	}
	/* A failure to send shows as an engine that is gone. */
	kd_wire_flush(handle->process.wire);
	return 0;
}

int
kd_handle_start(
	struct kd_handle *handle, const struct kd_manifest *manifest, struct kd_err *err)
{
	return start(handle, manifest, KD_ENG_OPEN, err);
}

int
kd_handle_inspect(
	struct kd_handle *handle, const struct kd_manifest *manifest, struct kd_err *err)
{
	return start(handle, manifest, KD_ENG_INSPECT, err);
}

/* Of a path parameter of that name; clear it also after a failure. */
static int
read_path(struct kd_handle_path *path, const char *name, const char *text,
	struct kd_err *err)
{
	char real[PATH_MAX];
	struct stat st;
	enum kd_status status;
	struct kd_err why;
	*path = (struct kd_handle_path){
		.name = strdup(name), .text = strdup(text), .source.root = -1};
	if (path->name == NULL || path->text == NULL)
		return kd_err_set(err, -ENOMEM, "out of memory");
	if (realpath(text, real) == NULL || stat(real, &st) < 0)
		return kd_err_errno(err, -errno, "parameter '%s': cannot find '%s'", name,
			KD_NAME(text));
	char *slash = strrchr(real, '/');
	path->base = strdup(slash[1] == '\0' ? "." : slash + 1);
	path->source.path = path->base;
	path->source.kind = S_ISDIR(st.st_mode) ? KILN_DIRECTORY : KILN_FILE;
	slash[slash == real] = '\0';
	path->source.root = open(real, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (path->base == NULL || path->source.root < 0)
		return kd_err_errno(err, -errno, "parameter '%s': cannot open '%s'", name,
			KD_NAME(real));
	int rc = kd_content_read(&path->source, &path->content, &status, &why);
	if (rc < 0)
		return kd_err_set(err, rc, "parameter '%s': '%s': %s", name,
			KD_NAME(text), why.text);
	return 0;
}

/* Whether it still lies where it was read: also a link may lead elsewhere by now. */
static int
is_current(const struct kd_handle_path *path)
{
	char real[PATH_MAX];
	struct stat here, there;
	if (realpath(path->text, real) == NULL || stat(real, &there) < 0 ||
		fstatat(path->source.root, path->base, &here, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	return here.st_dev == there.st_dev && here.st_ino == there.st_ino &&
	       kd_content_verify(&path->source, &path->content, 1) == 0;
}

/* Takes what was read before and still is so: 1, and *path is the caller's. */
static int
take_read(struct kd_handle *handle, const char *name, const char *text,
	struct kd_handle_path *path)
{
	for (size_t i = 0; i < handle->read_count; i++) {
		struct kd_handle_path *read = &handle->read[i];
		if (strcmp(read->name, name) != 0 || strcmp(read->text, text) != 0)
			continue;
		struct kd_handle_path found = *read;
		*read = handle->read[--handle->read_count];
		if (is_current(&found)) {
			*path = found;
			return 1;
		}
		clear_path(&found);
		return 0;
	}
	return 0;
}

/* Takes path. */
static int
keep_read(struct kd_handle *handle, struct kd_handle_path *path)
{
	struct kd_handle_path *more =
		reallocarray(handle->read, handle->read_count + 1, sizeof *handle->read);
	if (more == NULL) {
		clear_path(path);
		return -ENOMEM;
	}
	more[handle->read_count++] = *path;
	handle->read = more;
	return 0;
}

/* The content of one path parameter, without an engine.  0, or negative where it cannot be
 * read. */
static int
sum_path(struct kd_handle *handle, const char *name, const char *text,
	char sha256[KD_HASH_HEX])
{
	struct kd_handle_path path;
	struct kd_err err;
	if (!take_read(handle, name, text, &path)) {
		int rc = read_path(&path, name, text, &err);
		if (rc < 0) {
			clear_path(&path);
			return rc;
		}
	}
	memcpy(sha256, path.content.sha256, KD_HASH_HEX);
	return keep_read(handle, &path);
}

/* Adds a path parameter's name and content; of one that was not given nothing. */
static int
add_sum(struct kd_hash *hash, struct kd_handle *handle,
	const struct kd_manifest *manifest, const char *name, int opened)
{
	char sha256[KD_HASH_HEX];
	const char *text = json_string_value(json_object_get(manifest->params, name));
	const char *known = json_string_value(
		json_object_get(json_object_get(handle->path_hashes, name), "sha256"));
	if (text == NULL)
		return 0;
	if (opened && known != NULL)
		memcpy(sha256, known, KD_HASH_HEX);
	else if (sum_path(handle, name, text, sha256) < 0)
		return -1;
	kd_hash_add(hash, name, strlen(name) + 1);
	kd_hash_add(hash, sha256, KD_HASH_HEX);
	return 0;
}

char *
kd_handle_revision(struct kd_handle *handle, const struct kd_manifest *manifest,
	const char *asked, int opened)
{
	char hex[KD_HASH_HEX];
	json_t *name;
	size_t i;
	int rc = 0;
	struct kd_hash *hash = kd_hash_new();
	if (hash == NULL)
		return NULL;
	kd_hash_add(hash, asked, strlen(asked) + 1);
	json_array_foreach(manifest->path_params, i, name) rc |=
		add_sum(hash, handle, manifest, json_string_value(name), opened);
	kd_hash_end(hash, hex);
	return strdup(rc < 0 || i == 0 ? asked : hex);
}

static int
add_path(struct kd_handle *handle, const char *name, const char *text, struct kd_err *err)
{
	struct kd_handle_path *path = &handle->paths[handle->path_count];
	handle->path_count++;
	int rc = take_read(handle, name, text, path) ? 0
						     : read_path(path, name, text, err);
	if (rc < 0)
		return rc;
	char *escaped = kd_name_escape(text);
	json_object_set_new(handle->path_hashes, name,
		json_pack("{ss?ss}", "path", escaped, "sha256", path->content.sha256));
	free(escaped);
	return 0;
}

int
kd_handle_loaded(struct kd_handle *handle, const struct kd_manifest *manifest,
	const json_t *body, struct kd_err *err)
{
	const char *plugin, *version;
	json_int_t accepts, makes, needs;
	json_t *paths, *item;
	size_t i;
	if (handle->loaded ||
		json_unpack((json_t *)body, "{sssssIsIsIso}", "plugin", &plugin,
			"version", &version, "accepts", &accepts, "makes", &makes,
			"needs", &needs, "paths", &paths) < 0)
		return kd_err_set(err, -EPROTO, "its LOADED is malformed");
	if (!kd_told_is_name(plugin) || !kd_told_is_name(version) ||
		json_array_size(paths) > PATHS_MOST)
		return kd_err_set(err, -EPROTO, "its LOADED is malformed");
	handle->loaded = 1;
	handle->plugin = strdup(plugin);
	handle->version = strdup(version);
	handle->accepts = (uint32_t)accepts;
	handle->makes = (uint32_t)makes;
	handle->paths = calloc(json_array_size(paths) + 1, sizeof *handle->paths);
	if (handle->plugin == NULL || handle->version == NULL || handle->paths == NULL)
		return kd_err_set(err, -ENOMEM, "out of memory");
	if (((uint32_t)needs & ~granted_of(manifest)) != 0)
		return kd_err_set(err, -EPERM,
			"kernel '%s' needs what the rule does not grant (needs = [...])",
			manifest->kernel);
	json_array_foreach(paths, i, item)
	{
		const char *name = json_string_value(item);
		const char *text = name == NULL ? NULL
						: json_string_value(json_object_get(
							  manifest->params, name));
		if (text == NULL || json_object_get(handle->path_hashes, name) != NULL)
			continue;
		int rc = add_path(handle, name, text, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int
kd_handle_open_path(const struct kd_handle *handle, const char *name, const char *beneath)
{
	for (size_t i = 0; i < handle->path_count; i++) {
		const struct kd_handle_path *path = &handle->paths[i];
		if (strcmp(path->name, name) != 0)
			continue;
		if ((beneath == NULL) != (path->source.kind == KILN_FILE))
			return beneath == NULL ? -EISDIR : -ENOTDIR;
		return kd_content_open(&path->source, &path->content,
			beneath == NULL ? path->base : beneath);
	}
	return -ENOENT;
}

int
kd_handle_kill(struct kd_handle *handle)
{
	int status = kd_launch_kill(&handle->process);
	forget(handle);
	forget_read(handle);
	return status;
}

void
kd_handle_quit(struct kd_handle *handle)
{
	quit(handle);
	forget_read(handle);
}

const char *
kd_handle_device(const struct kd_handle *handle)
{
	const char *device = handle->device == NULL ? "" : handle->device;
	if (handle->variant == NULL || handle->variant[0] == '\0' ||
		strncmp(handle->variant, "cuda", 4) == 0)
		return device;
	return "cpu";
}
