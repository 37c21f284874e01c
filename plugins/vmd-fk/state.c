/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/vmd-fk/state.h"

#include "plugins/formats/model_read.h"
#include "plugins/formats/text.h"
#include "plugins/vmd-fk/arrays.h"
#include "plugins/vmd-fk/core_bones.h"
#include "plugins/vmd-fk/needed.h"
#include "plugins/vmd-fk/variant.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { THREADS_MOST = 64 };
/* A list of bones: 65536 names of 64 bytes. */
#define BONES_FILE_MAX (4u << 20)

/* One byte more than the file claims is asked for, so that one that grows is seen. */
int
fk_state_measure(int fd, size_t *length, struct fmt_err *err)
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
	*length = (size_t)status.st_size;
	return 0;
}

int
fk_state_read_all(int fd, void **bytes, size_t *length, struct fmt_err *err)
{
	size_t size;
	int rc = fk_state_measure(fd, &size, err);
	if (rc < 0)
		return rc;
	size_t room = size + 1, have = 0;
	char *buffer = malloc(room);
	if (buffer == NULL)
		return fmt_err_set(err, -ENOMEM, "no memory for %zu bytes of file", room);
	while (have < room) {
		ssize_t got = read(fd, buffer + have, room - have);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			rc = fmt_err_set(err, -errno, "cannot be read at byte %zu (%s)",
				have, strerror(errno));
			free(buffer);
			return rc;
		}
		if (got == 0)
			break;
		have += (size_t)got;
	}
	if (have != size) {
		free(buffer);
		return fmt_err_set(err, -EAGAIN,
			"the file changed while it was read: %zu bytes before, now "
			"%zu%s",
			size, have, have == room ? " or more" : "");
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

static int
check_names(const struct kiln_value *bones, struct fmt_err *err)
{
	int empty = bones->list_count == 0;
	for (uint32_t i = 0; i < bones->list_count; i++)
		empty |= bones->list[i][0] == '\0';
	return empty ? fmt_err_set(err, -EINVAL,
			       "bones: expected \"all\", \"core\" or at least one name, "
			       "found an empty %s",
			       bones->list_count == 0 ? "list" : "name")
		     : 0;
}

/* The list is gone after open(), so names are copied. */
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

/* Cuts a text into its lines in place: without blanks at their ends, without empty ones
 * and those that begin with '#'.  How many; names has room for one a line. */
static uint32_t
cut_lines(char *text, const char **names)
{
	uint32_t count = 0;
	char *rest = NULL;
	for (char *line = strtok_r(text, "\r\n", &rest); line != NULL;
		line = strtok_r(NULL, "\r\n", &rest)) {
		line += strspn(line, " \t");
		size_t length = strlen(line);
		while (length > 0 && strchr(" \t", line[length - 1]) != NULL)
			line[--length] = '\0';
		if (length > 0 && line[0] != '#')
			names[count++] = line;
	}
	return count;
}

static int
check_text(const char *bytes, size_t length, struct fmt_err *err)
{
	unsigned wrong = 0;
	if (memchr(bytes, '\0', length) != NULL)
		return fmt_err_set(err, -EINVAL, "expected text, found a NUL byte");
	char *text = fmt_text_decode(bytes, length, FMT_TEXT_UTF8, &wrong);
	free(text);
	if (text == NULL)
		return fmt_err_set(err, -ENOMEM, "no memory for the list");
	return wrong == 0 ? 0
			  : fmt_err_set(err, -EINVAL,
				    "expected UTF-8, found %u characters that are none",
				    wrong);
}

static int
take_listed_bones(
	struct fk_state *state, const void *bytes, size_t length, struct fmt_err *err)
{
	static const char mark[] = "\xef\xbb\xbf";
	int rc = check_text(bytes, length, err);
	if (rc < 0)
		return rc;
	char *text = strndup(bytes, length);
	const char **names = calloc(length / 2 + 1, sizeof *names);
	if (text == NULL || names == NULL) {
		rc = fmt_err_set(err, -ENOMEM, "no memory for the list");
	} else {
		char *start = text;
		if (strncmp(text, mark, sizeof mark - 1) == 0)
			start += sizeof mark - 1;
		uint32_t count = cut_lines(start, names);
		if (count == 0)
			rc = fmt_err_set(err, -EINVAL, "expected at least one name");
		else if (take_named_bones(state, names, count) < 0)
			rc = fmt_err_set(err, -ENOMEM, "no memory for the list");
	}
	free(names);
	free(text);
	return rc;
}

static int
take_bones_file(struct fk_state *state, const struct kiln_host *host,
	const struct kiln_params *params, struct fmt_err *err)
{
	const char *path = params->values[FK_BONES_FILE]->text;
	struct fmt_err inner = {0};
	void *bytes = NULL;
	size_t length = 0;
	int fd = host->open_param(host, "bones_file", NULL);
	if (fd < 0)
		return fmt_err_set(err, fd, "bones_file '%s' cannot be opened (%s)", path,
			strerror(-fd));
	int rc = fk_state_read_all(fd, &bytes, &length, &inner);
	close(fd);
	if (rc == 0 && length > BONES_FILE_MAX)
		rc = fmt_err_set(&inner, -EINVAL,
			"the file has %zu bytes; at most %u are read", length,
			BONES_FILE_MAX);
	rc = rc == 0 ? take_listed_bones(state, bytes, length, &inner) : rc;
	free(bytes);
	return rc == 0 ? 0
		       : fmt_err_set(
				 err, rc, "bones_file '%s': %.900s", path, inner.text);
}

static int
take_columns(struct fk_state *state, const struct kiln_host *host,
	const struct kiln_params *params, struct fmt_err *err)
{
	const struct kiln_value *bones = params->values[FK_BONES];
	int all = bones->list_count == 1 && strcmp(bones->list[0], "all") == 0;
	int rc;
	if (params->values[FK_BONES_FILE]->set) {
		if (!all)
			return fmt_err_set(err, -EINVAL,
				"bones and bones_file are both given; expected one");
		return take_bones_file(state, host, params, err);
	}
	rc = check_names(bones, err);
	if (rc < 0)
		return rc;
	if (all)
		rc = take_all_bones(state);
	else if (bones->list_count == 1 && strcmp(bones->list[0], "core") == 0)
		rc = take_named_bones(state, fk_core_bones, FK_CORE_BONES);
	else
		rc = take_named_bones(state, bones->list, bones->list_count);
	return rc < 0 ? fmt_err_set(err, rc, "no memory for the list of bones") : 0;
}

/* The skeleton of what the columns need; a preview shows the whole body. */
static int
build_skeleton(struct fk_state *state, const struct fk_switches *switches)
{
	struct fk_skeleton *skeleton = &state->skeleton;
	struct fk_columns *columns = &state->columns;
	uint8_t *needed = malloc((size_t)skeleton->model.bone_count + 1);
	columns->places = calloc((size_t)columns->count + 1, sizeof *columns->places);
	int rc = needed == NULL || columns->places == NULL ? -ENOMEM : 0;
	if (rc == 0 && state->preview)
		memset(needed, 1, skeleton->model.bone_count);
	else if (rc == 0)
		rc = fk_needed_mark(&skeleton->model, switches, columns->bones,
			columns->count, needed);
	rc = rc == 0 ? fk_skeleton_build(skeleton, switches, needed) : rc;
	for (uint32_t m = 0; rc == 0 && m < columns->count; m++) {
		int32_t bone = columns->bones[m];
		columns->places[m] = bone < 0 ? -1 : skeleton->places[bone];
	}
	free(needed);
	return rc;
}

/* One row of each array. */
static size_t
row_bytes(const struct fk_state *state)
{
	struct fk_array arrays[FK_ARRAYS_MAX];
	unsigned count = fk_arrays_list(state, arrays);
	size_t floats = 0;
	for (unsigned i = 0; i < count; i++)
		floats += fk_arrays_width(&arrays[i]);
	return sizeof(float) * floats + 1;
}

static int
make_crew(struct fk_state *state, const struct kiln_host *host, struct fmt_err *err)
{
	struct fk_crew_options options = {
		.threads = host->threads < THREADS_MOST ? host->threads : THREADS_MOST,
		.chunk = state->chunk,
		.neighbours = state->layout.velocities,
		.row_bytes = row_bytes(state),
		.budget = state->budget,
	};
	char text[200];
	int less = 0;
	int rc = fk_crew_init(&state->crew, &state->evaluator, &options, &less);
	if (rc < 0)
		return fmt_err_set(err, rc, "no memory to evaluate %u bones",
			state->skeleton.pose.bone_count);
	snprintf(text, sizeof text,
		"memory is short for %u bones: %u frames are evaluated at a time and %u "
		"written together, on %u thread%s",
		state->skeleton.pose.bone_count, state->crew.workers[0].planes.room,
		state->crew.chunk, state->crew.threads,
		state->crew.threads == 1 ? "" : "s");
	if (less)
		host->log(host, KILN_WARNING, text);
	return 0;
}

/* The GPU that the host names, if it wants one; for why it does not serve, the CPU does,
 * which is worth a warning only where it was asked for by name. */
static int
take_gpu(struct fk_state *state, const struct kiln_host *host)
{
	struct fk_offload_options options = {
		.device = fk_variant_device,
		.part_room = state->crew.workers[0].planes.room,
		.chunk = state->chunk,
		.budget = state->budget / 8,
	};
	struct fmt_err why = {0};
	char *text;
	if (!fk_variant_wants_gpu(host, &options.number))
		return 0;
	int rc = fk_variant_prove(options.number, &why);
	if (rc == 0)
		rc = fk_offload_new(&state->evaluator, &options, &state->offload, &why);
	if (rc == 0)
		return 0;
	if (asprintf(&text, "evaluated on the CPU, since %s does not serve: %s",
		    host->device, why.text) < 0)
		return -ENOMEM;
	host->log(host, host->device_asked ? KILN_WARNING : KILN_INFO, text);
	if (host->device_asked)
		state->no_gpu = text;
	else
		free(text);
	return 0;
}

static int
make_ready(struct fk_state *state, const struct kiln_host *host,
	const struct kiln_params *params, struct fmt_err *err)
{
	const struct kiln_value *const *values = params->values;
	struct fk_switches switches = {
		.ik = values[FK_IK]->integer != 0,
		.append = values[FK_APPEND]->integer != 0,
		.morphs = values[FK_MORPHS]->integer != 0,
		.morph_weights = state->layout.morph_weights,
	};
	int world = state->layout.space != FK_LOCAL || state->layout.velocities;
	struct fmt_model model = {0};
	int rc = fk_state_read_model(host, params, &model, err);
	if (rc < 0)
		return rc;
	rc = fk_skeleton_take(&state->skeleton, &model);
	if (rc < 0)
		return fmt_err_set(err, rc, "no memory for the model's names");
	rc = take_columns(state, host, params, err);
	if (rc < 0)
		return rc;
	rc = build_skeleton(state, &switches);
	if (rc < 0)
		return fmt_err_set(err, rc, "no memory for the model's skeleton");
	fk_evaluator_init(&state->evaluator, &state->skeleton, world);
	rc = make_crew(state, host, err);
	if (rc == 0 && take_gpu(state, host) < 0)
		rc = fmt_err_set(err, -ENOMEM, "no memory for a GPU");
	return rc;
}

int
fk_state_new(const struct kiln_host *host, const struct kiln_params *params,
	struct fk_state **made, struct fmt_err *err)
{
	struct fk_state *state = calloc(1, sizeof *state);
	if (state == NULL)
		return fmt_err_set(err, -ENOMEM, "no memory for the model");
	state->budget = host->memory_budget > 0 ? host->memory_budget : FK_BUDGET_DEFAULT;
	int rc = fk_state_parse(state, params, err);
	rc = rc == 0 ? make_ready(state, host, params, err) : rc;
	if (rc < 0) {
		fk_state_free(state);
		return rc;
	}
	*made = state;
	return 0;
}

void
fk_state_free(struct fk_state *state)
{
	if (state == NULL)
		return;
	fk_offload_free(state->offload);
	free(state->no_gpu);
	fk_crew_free(&state->crew);
	free(state->columns.bones);
	free(state->columns.places);
	free(state->columns.names);
	free(state->columns.copies);
	fk_skeleton_free(&state->skeleton);
	free(state);
}
