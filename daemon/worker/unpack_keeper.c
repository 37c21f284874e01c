/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The engine may have been taken over by the archive: every name is checked again, and
 * what it wrote is only counted once it is gone.
 */
#include "daemon/worker/unpack_keeper.h"

#include "daemon/base/name.h"
#include "daemon/worker/denied.h"
#include "daemon/worker/launch.h"
#include "daemon/worker/protocol.h"
#include "daemon/worker/told.h"
#include "daemon/worker/unpack_name.h"
#include "plugins/kiln_plugin.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { DEATH_PATIENCE = 1000 /* ms */ };
/* It waits for each reply: so much can only wait for one that does not read them. */
enum { UNREAD_MOST = 4096 };

struct unpacking {
	struct kd_batch *batch;
	struct kd_link *link;
	struct kd_batch_unit *unit;
	uint32_t folder; /* number in the stage */
	struct kd_engine_process process;
	struct kd_archive_limits limits; /* none is the default's 0 any more */
	uint32_t files;
	int64_t wall; /* deadline, ms of CLOCK_MONOTONIC; 0: none */
	int ended;    /* the engine said UNPACKED; code and text are its verdict */
	int code;
	char text[1024];
};

static int64_t
now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int
create(struct unpacking *unpacking, const json_t *body)
{
	const char *escaped = json_string_value(json_object_get(body, "name"));
	char *name = escaped == NULL ? NULL : kd_name_unescape(escaped);
	int fd = -EINVAL;
	if (name != NULL && strcmp(name, escaped) == 0 &&
		kd_unpack_name_refused(name, &unpacking->limits) == NULL &&
		unpacking->files < unpacking->limits.entries)
		fd = kd_stage_create(&unpacking->batch->stage, unpacking->folder, name);
	unpacking->files += fd >= 0;
	free(name);
	return fd;
}

static int
answer_create(struct unpacking *unpacking, uint32_t serial, const json_t *json)
{
	int fd = create(unpacking, json);
	json_t *body =
		fd < 0 ? json_pack("{si}", "error", -fd) : json_pack("{si}", "ok", 0);
	int rc = kd_wire_put(
		unpacking->process.wire, KD_ENG_REPLY, serial, body, &fd, fd >= 0);
	json_decref(body);
	if (fd >= 0)
		close(fd);
	/* A link that broke shows when it is read. */
	if (rc == 0)
		kd_wire_flush(unpacking->process.wire);
	return rc == 0 && kd_wire_pending(unpacking->process.wire) > UNREAD_MOST ? -EPROTO
										 : rc;
}

/* -EPROTO: the engine is not to be trusted any further. */
static int
take(struct unpacking *unpacking, const struct kd_wire_message *message)
{
	json_t *body = kd_wire_json(message);
	int rc = body == NULL ? -EPROTO : 0;
	if (rc == 0 && message->type == KD_ENG_CREATE) {
		rc = answer_create(unpacking, message->serial, body);
	} else if (rc == 0 && message->type == KD_ENG_UNPACKED) {
		const char *text = json_string_value(json_object_get(body, "text"));
		unpacking->ended = 1;
		unpacking->code = (int)json_integer_value(json_object_get(body, "error"));
		char *plain = text == NULL ? NULL : kd_told_plain(text);
		snprintf(unpacking->text, sizeof unpacking->text, "%s",
			plain == NULL ? "no reason was given" : plain);
		free(plain);
	} else {
		rc = -EPROTO;
	}
	json_decref(body);
	return rc;
}

/* No archive needs these: whoever made it found a hole in the library that reads it. */
static void
tell_denied(const struct unpacking *unpacking)
{
	char names[400], line[1100];
	const struct kd_engine_process *process = &unpacking->process;
	if (process->pid == 0 ||
		kd_denied_read(process->denied, names, sizeof names) == 0)
		return;
	snprintf(line, sizeof line,
		"unpacking '%.400s' tried system calls that no engine may make, and was "
		"denied them: %s; keep that archive from people, and see whether "
		"libarchive is up to date",
		KD_NAME(unpacking->unit->unit->path), names);
	kd_link_log(unpacking->link, KILN_WARNING, line);
}

static void
died(struct unpacking *unpacking)
{
	char words[64];
	tell_denied(unpacking);
	int status = kd_launch_wait(&unpacking->process, DEATH_PATIENCE);
	kd_batch_settle(unpacking->unit, KD_UNIT_TRANSIENT,
		"the engine that unpacked it %s",
		kd_launch_describe(status, words, sizeof words));
}

static int
patience(const struct unpacking *unpacking)
{
	int64_t left = unpacking->wall == 0 ? 3600000 : unpacking->wall - now_ms();
	return left < 0 ? 0 : left > 3600000 ? 3600000 : (int)left;
}

/* Serves the engine to its end; settles the unit when that is a bad one.  Negative: no
 * client. */
static int
serve(struct unpacking *unpacking)
{
	struct kd_wire *wire = unpacking->process.wire;
	struct kd_wire_message message;
	while (!unpacking->ended) {
		int filled = kd_wire_fill(wire), rc;
		while ((rc = kd_wire_next(wire, &message)) == 1 && !unpacking->ended) {
			rc = take(unpacking, &message);
			kd_wire_done(&message);
			if (rc < 0)
				break;
		}
		if (unpacking->ended)
			break;
		if (rc < 0 || filled == -EPROTO) {
			kd_batch_settle(unpacking->unit, KD_UNIT_BAD,
				"the engine that unpacked it broke the protocol");
			return 0;
		}
		if (filled < 0) {
			died(unpacking);
			return 0;
		}
		if (unpacking->link->cancelled) {
			kd_batch_settle(unpacking->unit, KD_UNIT_CANCELLED, "cancelled");
			return 0;
		}
		if (patience(unpacking) == 0) {
			kd_batch_settle(unpacking->unit, KD_UNIT_TRANSIENT,
				"it could not be unpacked within the wall limit of %g s",
				unpacking->batch->manifest.wall_limit);
			return 0;
		}
		rc = kd_link_wait(unpacking->link, wire, patience(unpacking));
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* Starts the engine and tells it what to do. */
static int
start(struct unpacking *unpacking, struct kd_err *err)
{
	const struct kd_batch *batch = unpacking->batch;
	struct kd_batch_unit *unit = unpacking->unit;
	struct kd_sandbox sandbox = {
		.memory_limit = batch->manifest.memory_limit,
		.output_limit = batch->manifest.output_limit,
		.unpack = 1,
	};
	int rc = kd_stage_unit(&batch->stage, unpacking->folder);
	if (rc < 0)
		return kd_err_errno(err, rc, "cannot make a folder to unpack it in");
	sandbox.plugin = kd_content_open(
		&unit->source, &unit->content, unit->content.files[0].name);
	if (sandbox.plugin < 0)
		return kd_err_errno(err, sandbox.plugin, "cannot open it");
	rc = kd_launch_engine(&sandbox, &unpacking->process, err);
	close(sandbox.plugin);
	if (rc < 0)
		return rc;
	char *name = kd_name_escape(unit->content.files[0].name);
	const struct kd_archive_limits *limits = &unpacking->limits;
	json_t *body = json_pack("{ss?sIsIsIsIsIsI}", "name", name, "bytes",
		(json_int_t)unit->content.bytes, "limit", (json_int_t)limits->bytes,
		"entries", (json_int_t)limits->entries, "depth",
		(json_int_t)limits->depth, "ratio", (json_int_t)limits->ratio, "longest",
		(json_int_t)limits->name);
	free(name);
	rc = kd_wire_put(unpacking->process.wire, KD_ENG_UNPACK, 0, body, NULL, 0);
	json_decref(body);
	if (rc == 0)
		kd_wire_flush(unpacking->process.wire);
	return rc < 0 ? kd_err_errno(err, rc, "cannot have it unpacked") : 0;
}

/* What was unpacked, as the unit's input. */
static void
adopt(struct unpacking *unpacking)
{
	struct kd_batch *batch = unpacking->batch;
	struct kd_batch_unit *unit = unpacking->unit;
	uint64_t limit = unpacking->limits.bytes;
	enum kd_status status;
	struct kd_err err;
	snprintf(
		unit->unpacked_path, sizeof unit->unpacked_path, "%u", unpacking->folder);
	unit->unpacked_source = (struct kd_content_source){
		.root = batch->stage.dir,
		.kind = KILN_DIRECTORY,
		.path = unit->unpacked_path,
	};
	unit->is_unpacked = 1;
	if (kd_content_read(&unit->unpacked_source, &unit->unpacked, &status, &err) < 0)
		kd_batch_settle(unit, KD_UNIT_TRANSIENT,
			"cannot read what was unpacked: %s", err.text);
	else if (limit != 0 && unit->unpacked.bytes > limit)
		kd_batch_settle(unit, KD_UNIT_BAD,
			"it is more than the %llu bytes that may be unpacked",
			(unsigned long long)limit);
}

static int
unpack(struct unpacking *unpacking)
{
	struct kd_batch_unit *unit = unpacking->unit;
	struct kd_err err = {0};
	int rc = 0;
	if (start(unpacking, &err) < 0)
		kd_batch_settle(unit, KD_UNIT_HELD, "%s", err.text);
	else
		rc = serve(unpacking);
	tell_denied(unpacking);
	kd_launch_kill(&unpacking->process);
	if (rc < 0 || unit->stage == KD_BATCH_SETTLED)
		return rc;
	const char *trouble = kd_stage_trouble(&unpacking->batch->stage);
	if (unpacking->code == 0)
		adopt(unpacking);
	else if (unpacking->code == EINVAL)
		kd_batch_settle(unit, KD_UNIT_BAD, "%s", unpacking->text);
	else if (unpacking->code == ECANCELED)
		kd_batch_settle(unit, KD_UNIT_CANCELLED, "cancelled");
	else if (trouble != NULL)
		kd_batch_settle(unit, KD_UNIT_HELD, "%s (the output's file system %s)",
			unpacking->text, trouble);
	else
		kd_batch_settle(unit, KD_UNIT_TRANSIENT, "%s", unpacking->text);
	return 0;
}

/* What the manifest says, with the defaults where it is silent. */
static struct kd_archive_limits
limits_of(const struct kd_manifest *manifest)
{
	struct kd_archive_limits limits = manifest->archive;
	const uint64_t output = manifest->output_limit;
	if (limits.bytes == 0 || (output != 0 && output < limits.bytes))
		limits.bytes = output;
	if (limits.entries == 0)
		limits.entries = KD_ARCHIVE_ENTRIES;
	if (limits.depth == 0)
		limits.depth = KD_ARCHIVE_DEPTH;
	if (limits.ratio == 0)
		limits.ratio = KD_ARCHIVE_RATIO;
	if (limits.name == 0)
		limits.name = KD_ARCHIVE_NAME;
	return limits;
}

int
kd_unpack_keeper_run(struct kd_batch *batch, struct kd_link *link)
{
	const struct kd_manifest *manifest = &batch->manifest;
	int64_t wall = manifest->wall_limit <= 0
			       ? 0
			       : now_ms() + (int64_t)(manifest->wall_limit * 1000.0);
	int rc = 0;
	for (uint32_t i = 0; rc == 0 && i < manifest->unit_count; i++) {
		struct unpacking unpacking = {
			.batch = batch,
			.link = link,
			.unit = &batch->units[i],
			.folder = manifest->unit_count + i,
			.limits = limits_of(manifest),
			.wall = wall,
		};
		if (unpacking.unit->stage == KD_BATCH_TO_RUN &&
			unpacking.unit->unit->kind == KD_UNIT_ARCHIVE)
			rc = unpack(&unpacking);
	}
	return rc;
}
