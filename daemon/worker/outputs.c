/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/worker/outputs.h"

#include "daemon/base/file.h"
#include "daemon/base/name.h"
#include "daemon/worker/told.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* So many a unit may make its keeper remember. */
enum { OUTPUTS_MOST = 1000000 };

/* What the contract of create() forbids. */
static int
check_name(const struct kd_batch_unit *unit, const char *name, struct kd_err *err)
{
	const size_t suffix = strlen(KD_SIDECAR_SUFFIX), length = strlen(name);
	if (!kd_name_is_beneath(name))
		return kd_err_set(err, -EPROTO,
			"output '%s' of unit '%s' leaves its folder", KD_NAME(name),
			KD_NAME(unit->unit->path));
	if (!unit->publish.directory &&
		(strchr(name, '/') != NULL ||
			strncmp(name, unit->stem, strlen(unit->stem)) != 0))
		return kd_err_set(err, -EPROTO,
			"output '%s' of unit '%s' does not begin with its stem '%s'",
			KD_NAME(name), KD_NAME(unit->unit->path), KD_NAME(unit->stem));
	if (strcmp(name, KD_SIDECAR_INSIDE) == 0 ||
		(length >= suffix &&
			strcmp(name + length - suffix, KD_SIDECAR_SUFFIX) == 0))
		return kd_err_set(
			err, -EPROTO, "output '%s' has a sidecar's name", KD_NAME(name));
	return 0;
}

/* Takes name. */
static int
remember_output(struct kd_batch_unit *unit, char *name, int companion)
{
	struct kd_publish_unit *publish = &unit->publish;
	if (publish->output_count == unit->output_room) {
		uint32_t room = unit->output_room == 0 ? 4 : unit->output_room * 2;
		void *more = realloc(publish->outputs, room * sizeof *publish->outputs);
		if (more == NULL || room > OUTPUTS_MOST) {
			if (more != NULL)
				publish->outputs = more;
			free(name);
			return more == NULL ? -ENOMEM : -ENOSPC;
		}
		publish->outputs = more;
		unit->output_room = room;
	}
	publish->outputs[publish->output_count++] =
		(struct kd_output){.path = name, .companion = companion};
	unit->primaries += !companion;
	return 0;
}

/* The staged file; *name becomes what it is called there. */
static int
stage_output(struct kd_batch *batch, struct kd_batch_unit *unit, char **name)
{
	const struct kd_stage *stage = &batch->stage;
	const uint32_t number = unit->publish.number;
	if (unit->publish.directory)
		return kd_stage_create(stage, number, *name);
	char *staged = kd_stage_name(number, *name);
	if (staged == NULL)
		return -ENOMEM;
	free(*name);
	*name = staged;
	int fd = kd_stage_create_file(stage, staged);
	if (fd == -ENAMETOOLONG)
		kd_batch_settle(unit, KD_UNIT_BAD,
			"its output's name would be longer than %d bytes", NAME_MAX);
	return fd;
}

int
kd_outputs_create(struct kd_batch *batch, struct kd_batch_unit *unit,
	const struct kd_outputs_wish *wish, struct kd_err *err)
{
	int rc = check_name(unit, wish->name, err);
	if (rc == 0 && !wish->companion && unit->primaries > 0 &&
		!unit->publish.directory)
		rc = kd_err_set(err, -EPROTO, "a second primary output '%s' of unit '%s'",
			KD_NAME(wish->name), KD_NAME(unit->unit->path));
	char *name = rc < 0 ? NULL : strdup(wish->name);
	if (rc == 0 && name == NULL)
		rc = kd_err_set(err, -ENOMEM, "out of memory");
	if (rc < 0)
		return rc;
	int fd = stage_output(batch, unit, &name);
	if (fd >= 0)
		rc = kd_told_remember(&batch->told, strlen(name), err);
	if (rc < 0 || fd < 0)
		free(name);
	else if ((rc = remember_output(unit, name, wish->companion)) < 0)
		kd_err_errno(err, rc, "too many outputs");
	if (rc < 0 && fd >= 0)
		close(fd);
	*wish->fd = fd;
	return rc;
}

/* All outputs closed and within the limit?  0, 1: above the limit, -EPROTO. */
static int
check_outputs(const struct kd_batch *batch, const struct kd_batch_unit *unit,
	uint64_t *total, struct kd_err *err)
{
	const struct kd_publish_unit *publish = &unit->publish;
	uint64_t limit = batch->manifest.output_limit;
	int dir = kd_stage_outputs(&batch->stage, publish->number, publish->directory);
	int rc = dir < 0 ? kd_err_errno(err, -EPROTO, "its stage is gone") : 0;
	*total = 0;
	for (uint32_t i = 0; rc == 0 && i < publish->output_count; i++) {
		struct stat st;
		int fd = kd_file_open_regular(dir, publish->outputs[i].path, &st);
		if (fd < 0) {
			rc = kd_err_errno(err, -EPROTO, "output '%s' is gone",
				KD_NAME(kd_publish_unit_name(
					publish, &publish->outputs[i])));
			break;
		}
		/* Somebody who can still write could change it after it was hashed. */
		if (kd_content_has_writer(fd))
			rc = kd_err_set(err, -EPROTO,
				"unit '%s' was done while its output '%s' was still open",
				KD_NAME(unit->unit->path),
				KD_NAME(kd_publish_unit_name(
					publish, &publish->outputs[i])));
		*total += (uint64_t)st.st_size;
		close(fd);
	}
	kd_stage_outputs_close(&batch->stage, dir);
	return rc < 0 ? rc : limit != 0 && *total > limit;
}

int
kd_outputs_accept(
	const struct kd_batch *batch, struct kd_batch_unit *unit, struct kd_err *err)
{
	uint64_t total;
	if (unit->publish.directory ? unit->publish.output_count == 0
				    : unit->primaries != 1)
		return kd_err_set(err, -EPROTO,
			"unit '%s' was done with no primary output",
			KD_NAME(unit->unit->path));
	int rc = check_outputs(batch, unit, &total, err);
	if (rc < 0)
		return rc;
	if (rc == 0)
		unit->stage = KD_BATCH_DONE;
	else
		kd_batch_settle(unit, KD_UNIT_BAD,
			"its outputs are %llu bytes, above the limit of %llu",
			(unsigned long long)total,
			(unsigned long long)batch->manifest.output_limit);
	return 0;
}
