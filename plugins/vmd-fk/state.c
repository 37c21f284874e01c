/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/vmd-fk/state.h"

#include "plugins/vmd-fk/core_bones.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Runs longer than this gain nothing, and each should end soon enough to be cancelled. */
#define CHUNK_MAX 64

/* One byte more than the file claims is asked for, so that one that grows is seen. */
int
fk_state_read_all(int fd, void **bytes, size_t *length, struct fmt_err *err)
{
	struct stat status;
	if (fstat(fd, &status) < 0)
		return fmt_err_set(
			err, -errno, "cannot be looked at (%s)", strerror(errno));
	if (!S_ISREG(status.st_mode))
		return fmt_err_set(err, -EBADMSG, "expected a regular file");
	if ((uint64_t)status.st_size > FK_FILE_MAX)
		return fmt_err_set(err, -EBADMSG,
			"the file has %lld bytes; at most %llu are read",
			(long long)status.st_size, (unsigned long long)FK_FILE_MAX);
	size_t room = (size_t)status.st_size + 1, have = 0;
	char *buffer = malloc(room);
	if (buffer == NULL)
		return fmt_err_set(err, -ENOMEM, "no memory for %zu bytes of file", room);
	while (have < room) {
		ssize_t got = read(fd, buffer + have, room - have);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			int rc = fmt_err_set(err, -errno,
				"cannot be read at byte %zu (%s)", have, strerror(errno));
			free(buffer);
			return rc;
		}
		if (got == 0)
			break;
		have += (size_t)got;
	}
	if (have != (size_t)status.st_size) {
		free(buffer);
		return fmt_err_set(err, -EAGAIN,
			"the file changed while it was read: %lld bytes before, now "
			"%zu%s",
			(long long)status.st_size, have, have == room ? " or more" : "");
	}
	*bytes = buffer;
	*length = have;
	return 0;
}

int
fk_state_read_model(const struct kiln_host *host, const struct kiln_params *params,
	struct fmt_model *model, struct fmt_err *err)
{
	const char *path = params->values[FK_MODEL]->text;
	struct fmt_err inner = {0};
	void *bytes = NULL;
	size_t length = 0;
	int fd = host->open_param(host, "model", NULL);
	if (fd < 0)
		return fmt_err_set(
			err, fd, "model '%s' cannot be opened (%s)", path, strerror(-fd));
	int rc = fk_state_read_all(fd, &bytes, &length, &inner);
	close(fd);
	rc = rc == 0 ? fmt_model_read(bytes, length, model, &inner) : rc;
	free(bytes);
	return rc == 0 ? 0 : fmt_err_set(err, rc, "model '%s': %.900s", path, inner.text);
}

static int
take_all_bones(struct fk_state *state)
{
	struct fk_columns *columns = &state->columns;
	columns->count = state->skeleton.model.bone_count;
	columns->bones = calloc((size_t)columns->count + 1, sizeof *columns->bones);
	columns->names = calloc((size_t)columns->count + 1, sizeof *columns->names);
	if (columns->bones == NULL || columns->names == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < columns->count; i++) {
		columns->bones[i] = (int32_t)i;
		columns->names[i] = state->skeleton.model.bones[i].name;
	}
	return 0;
}

/* The list belongs to the host and is gone after open(), so names are copied. */
static int
take_named_bones(struct fk_state *state, const char *const *names, uint32_t count)
{
	struct fk_columns *columns = &state->columns;
	size_t size = 1;
	for (uint32_t i = 0; i < count; i++)
		size += strlen(names[i]) + 1;
	columns->count = count;
	columns->bones = calloc((size_t)count + 1, sizeof *columns->bones);
	columns->names = calloc((size_t)count + 1, sizeof *columns->names);
	columns->copies = malloc(size);
	if (columns->bones == NULL || columns->names == NULL || columns->copies == NULL)
		return -ENOMEM;
	char *at = columns->copies;
	for (uint32_t i = 0; i < count; i++) {
		columns->names[i] = at;
		at = stpcpy(at, names[i]) + 1;
		columns->bones[i] = (int32_t)fk_names_find(
			&state->skeleton.bone_names_utf8, names[i]);
		columns->missing += columns->bones[i] < 0;
	}
	return 0;
}

static int
take_columns(struct fk_state *state, const struct kiln_value *bones, struct fmt_err *err)
{
	int rc;
	if (bones->list_count == 0)
		return fmt_err_set(err, -EINVAL,
			"bones: expected \"all\", \"core\" or at least one name, found "
			"an "
			"empty list");
	if (bones->list_count == 1 && strcmp(bones->list[0], "all") == 0)
		rc = take_all_bones(state);
	else if (bones->list_count == 1 && strcmp(bones->list[0], "core") == 0)
		rc = take_named_bones(state, fk_core_bones, FK_CORE_BONES);
	else
		rc = take_named_bones(state, bones->list, bones->list_count);
	return rc < 0 ? fmt_err_set(err, rc, "no memory for the list of bones") : 0;
}

static enum fmt_vmd_encoding
encoding_of(const char *name)
{
	if (strcmp(name, "gbk") == 0)
		return FMT_VMD_GBK;
	return strcmp(name, "utf-8") == 0 ? FMT_VMD_UTF8 : FMT_VMD_CP932;
}

/* As many frames as an eighth of the budget holds. */
static uint32_t
choose_chunk(const struct fk_state *state)
{
	uint64_t fit =
		state->budget / 8 / (fk_evaluator_frame_bytes(&state->skeleton) + 1);
	if (fit < 1)
		return 1;
	return fit < CHUNK_MAX ? (uint32_t)fit : CHUNK_MAX;
}

int
fk_state_new(const struct kiln_host *host, const struct kiln_params *params,
	struct fk_state **made, struct fmt_err *err)
{
	const struct kiln_value *const *values = params->values;
	struct fk_switches switches = {
		.ik = values[FK_IK]->integer != 0,
		.append = values[FK_APPEND]->integer != 0,
		.morphs = values[FK_MORPHS]->integer != 0,
	};
	struct fmt_model model = {0};
	struct fk_state *state = calloc(1, sizeof *state);
	if (state == NULL)
		return fmt_err_set(err, -ENOMEM, "no memory for the model");
	state->preview = values[FK_PREVIEW]->integer != 0;
	state->reading.fallback = encoding_of(values[FK_ENCODING]->text);
	state->reading.strict = values[FK_STRICT]->integer != 0;
	state->budget = host->memory_budget > 0 ? host->memory_budget : FK_BUDGET_DEFAULT;

	int rc = fk_state_read_model(host, params, &model, err);
	if (rc < 0)
		goto fail;
	rc = fk_skeleton_build(&state->skeleton, &model, &switches);
	if (rc < 0) {
		fmt_err_set(err, rc, "no memory for the model's skeleton");
		goto fail;
	}
	rc = take_columns(state, values[FK_BONES], err);
	if (rc < 0)
		goto fail;
	rc = fk_evaluator_init(&state->evaluator, &state->skeleton, choose_chunk(state));
	if (rc < 0) {
		fmt_err_set(err, rc, "no memory to evaluate %u bones",
			state->skeleton.model.bone_count);
		goto fail;
	}
	*made = state;
	return 0;
fail:
	fk_state_free(state);
	return rc;
}

void
fk_state_free(struct fk_state *state)
{
	if (state == NULL)
		return;
	fk_evaluator_free(&state->evaluator);
	free(state->columns.bones);
	free(state->columns.names);
	free(state->columns.copies);
	fk_skeleton_free(&state->skeleton);
	free(state);
}
