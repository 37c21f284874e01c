/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/vmd-fk/unit.h"

#include "plugins/formats/png.h"
#include "plugins/formats/vpd.h"
#include "plugins/vmd-fk/output.h"
#include "plugins/vmd-fk/preview.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How many names a warning tells, and how many a list of the sidecar. */
#define NAMES_TOLD   8
#define NAMES_LISTED 200

/* From so many bytes on, keys are rather read twice than kept: a smaller motion's memory is
 * not worth it. */
#define KEYS_STAY_FROM ((size_t)8 << 20)

static void warn(const struct kiln_host *host, uint32_t unit, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void
warn(const struct kiln_host *host, uint32_t unit, const char *format, ...)
{
	char text[1024];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	host->warn(host, unit, text);
}

static void
tell_number(const struct kiln_host *host, uint32_t unit, const char *key, uint64_t value)
{
	char json[32];
	snprintf(json, sizeof json, "%llu", (unsigned long long)value);
	host->meta(host, unit, key, json);
}

/* Without memory for it the list is left out: it is there for curiosity. */
static void
tell_names(const struct kiln_host *host, uint32_t unit, const char *key, json_t *names)
{
	char *text = names != NULL ? json_dumps(names, JSON_COMPACT) : NULL;
	if (text != NULL)
		host->meta(host, unit, key, text);
	free(text);
	json_decref(names);
}

/* Adds ", name" to a sentence, as long as it is short. */
static void
add_name(char *text, size_t size, uint32_t number, const char *name)
{
	size_t length = strlen(text);
	if (number < NAMES_TOLD)
		snprintf(text + length, size - length, "%s%s", number > 0 ? ", " : "",
			name);
	else if (number == NAMES_TOLD)
		snprintf(text + length, size - length, ", ...");
}

/* Tracks of the motion that nobody of the model answers to. */
static void
tell_unmatched(const struct kiln_host *host, uint32_t unit, const char *kind,
	const struct fmt_vmd_track *tracks, const uint32_t *unmatched, uint32_t count)
{
	char told[512] = "", key[64];
	if (count == 0)
		return;
	json_t *names = json_array();
	for (uint32_t i = 0; i < count && i < NAMES_LISTED; i++) {
		const char *name = tracks[unmatched[i]].name;
		add_name(told, sizeof told, i, name);
		json_array_append_new(names, json_string(name));
	}
	snprintf(key, sizeof key, "unmatched_%s_names", kind);
	tell_names(host, unit, key, names);
	warn(host, unit, "%u %s track%s of the motion find%s no %s in the model: %s",
		count, kind, count == 1 ? "" : "s", count == 1 ? "s" : "", kind, told);
}

static void
tell_missing(
	const struct kiln_host *host, uint32_t unit, const struct fk_columns *columns)
{
	char told[512] = "";
	uint32_t number = 0;
	if (columns->missing == 0)
		return;
	json_t *names = json_array();
	for (uint32_t i = 0; i < columns->count; i++) {
		if (columns->bones[i] >= 0)
			continue;
		add_name(told, sizeof told, number++, columns->names[i]);
		if (number <= NAMES_LISTED)
			json_array_append_new(names, json_string(columns->names[i]));
	}
	tell_names(host, unit, "missing_bones", names);
	warn(host, unit,
		"the model lacks %u of the bones asked for, their columns are NaN: %s",
		columns->missing, told);
}

static void
tell_range(const struct kiln_host *host, uint32_t unit, const struct fk_frames_rule *rule,
	const struct fk_motion *motion)
{
	if (rule->kind == FK_FRAMES_RANGE && rule->last >= motion->frame_count)
		warn(host, unit,
			"the motion ends at frame %u; frames %u..%u were asked for",
			motion->frame_count - 1, rule->first, rule->last);
}

static void
tell_facts(const struct kiln_host *host, uint32_t unit, const struct fk_state *state,
	const struct fk_motion *motion)
{
	const struct fmt_vmd *vmd = &motion->vmd;
	tell_number(host, unit, "frames", motion->frames.count);
	tell_number(host, unit, "bone_keys", vmd->bone_keys);
	tell_number(host, unit, "morph_keys", vmd->morph_keys);
	tell_number(host, unit, "evaluated_bones", state->skeleton.pose.bone_count);
	tell_number(host, unit, "matched_bones", motion->matched_bones);
	tell_number(host, unit, "unmatched_bones", motion->unmatched_bone_count);
	tell_number(host, unit, "matched_morphs", motion->matched_morphs);
	tell_number(host, unit, "unmatched_morphs", motion->unmatched_morph_count);
	if (vmd->camera_count > 0)
		tell_number(host, unit, "camera_keys", vmd->camera_count);
	if (vmd->truncated[0] != '\0')
		host->warn(host, unit, vmd->truncated);
	if (vmd->duplicate_keys > 0)
		warn(host, unit,
			"%u key%s of the same name and frame as a later one %s dropped",
			vmd->duplicate_keys, vmd->duplicate_keys == 1 ? "" : "s",
			vmd->duplicate_keys == 1 ? "was" : "were");
	tell_range(host, unit, &state->wishes.frames, motion);
	if (!motion->body)
		return;
	if (vmd->bone_keys == 0 && vmd->morph_keys == 0)
		host->warn(host, unit,
			"the motion has no bone and no morph key: one frame at rest");
	tell_missing(host, unit, &state->columns);
	tell_unmatched(host, unit, "bone", vmd->bones, motion->unmatched_bones,
		motion->unmatched_bone_count);
	/* Faces differ from model to model: with morphs off, none is looked for. */
	if (state->skeleton.morphs.morph_count > 0)
		tell_unmatched(host, unit, "morph", vmd->morphs, motion->unmatched_morphs,
			motion->unmatched_morph_count);
}

/* Reads a pose, which is small, as a whole, and a motion in pieces. */
static int
read_file(int fd, const struct fmt_vmd_options *options, struct fmt_vmd *vmd,
	struct fmt_err *err)
{
	char begin[32];
	size_t length = 0;
	int rc = fk_state_measure(fd, &length, err);
	if (rc < 0)
		return rc;
	ssize_t got = pread(fd, begin, sizeof begin, 0);
	if (got < 0)
		return fmt_err_set(err, -errno, "cannot be read (%s)", strerror(errno));
	if (!fmt_vpd_is(begin, (size_t)got))
		return fmt_vmd_read_file(fd, length, options, vmd, err);
	void *bytes = NULL;
	rc = fk_state_read_all(fd, &bytes, &length, err);
	rc = rc == 0 ? fmt_vpd_read(bytes, length, options, vmd, err) : rc;
	free(bytes);
	return rc;
}

/* How the motion is read: with the crew's help where it helps with this unit.  Keys for a
 * GPU come into memory whatever they are. */
static struct fmt_vmd_options
options_of(const struct fk_job *job, const struct fmt_team *team)
{
	struct fmt_vmd_options options = job->state->wishes.reading;
	if (job->state->offload == NULL)
		options.stay_from = KEYS_STAY_FROM;
	options.team = team->threads > 1 ? team : NULL;
	return options;
}

/* Opens the unit's file at *file, which the motion may go on to need. */
static int
read_motion(const struct fk_job *job, struct fk_motion *motion, int *file,
	struct fmt_err *err)
{
	const struct fmt_team team = fk_crew_team(&job->state->crew, job->together);
	const struct fmt_vmd_options options = options_of(job, &team);
	const struct kiln_host *host = job->host;
	const struct fk_state *state = job->state;
	const struct kiln_unit *unit = job->batch->units[job->unit];
	struct fmt_vmd vmd = {0};
	if (unit->kind != KILN_FILE || unit->input_count != 1)
		return fmt_err_set(err, -EBADMSG, "expected one VMD or VPD file");
	*file = host->open_input(host, job->unit, unit->inputs[0]->name);
	if (*file < 0)
		return fmt_err_set(err, *file, "cannot be opened (%s)", strerror(-*file));
	int rc = read_file(*file, &options, &vmd, err);
	if (rc < 0)
		return rc;
	rc = fk_motion_bind(motion, &state->skeleton, &vmd, &state->wishes, err);
	if (rc == -ENOMEM)
		fmt_err_set(err, rc, "no memory for %u keys",
			vmd.bone_keys + vmd.morph_keys + vmd.camera_count);
	motion->fd = *file;
	if (rc == 0)
		tell_facts(host, job->unit, state, motion);
	fmt_vmd_free(&vmd);
	return rc;
}

/* Creates STEM.suffix; closed by the caller. */
static int
create(const struct fk_job *job, const char *suffix, uint32_t flags, struct fmt_err *err)
{
	char *name;
	if (asprintf(&name, "%s%s", job->batch->units[job->unit]->stem, suffix) < 0)
		return fmt_err_set(err, -ENOMEM, "no memory for a file name");
	int fd = job->host->create(job->host, job->unit, name, flags);
	if (fd < 0)
		fmt_err_set(err, fd, "'%s' cannot be created (%s)", name, strerror(-fd));
	free(name);
	return fd;
}

static int
write_preview(
	const struct fk_job *job, const struct fk_motion *motion, struct fmt_err *err)
{
	struct fmt_png png = {.stride = FK_PREVIEW_WIDTH * 3,
		.width = FK_PREVIEW_WIDTH,
		.height = FK_PREVIEW_HEIGHT,
		.channels = 3};
	uint8_t *pixels = malloc((size_t)FK_PREVIEW_WIDTH * FK_PREVIEW_HEIGHT * 3);
	if (pixels == NULL)
		return fmt_err_set(err, -ENOMEM, "no memory for the preview");
	const struct fk_state *state = job->state;
	int rc = fk_preview_draw(&state->evaluator, motion,
		&state->crew.workers[job->worker].planes, pixels);
	if (rc < 0)
		fmt_err_set(err, rc, "the preview cannot be drawn (%s)", strerror(-rc));
	int fd = rc == 0 ? create(job, ".preview.png", KILN_COMPANION, err) : rc;
	if (fd >= 0) {
		png.pixels = pixels;
		rc = fmt_png_write(fd, &png, err);
		close(fd);
	} else {
		rc = fd;
	}
	free(pixels);
	return rc;
}

static int
write_outputs(
	const struct fk_job *job, const struct fk_motion *motion, struct fmt_err *err)
{
	struct fk_output output = {.vmd_file = job->batch->units[job->unit]->name};
	output.fd = create(job, ".npz", KILN_PRIMARY, err);
	if (output.fd < 0)
		return output.fd;
	int rc = fk_output_write(job, motion, &output, err);
	close(output.fd);
	if (rc == 0 && job->state->preview && motion->body)
		rc = write_preview(job, motion, err);
	return rc;
}

/* What the input is to blame for is told by the codes of those who read it. */
static uint32_t
class_of(int rc, int reading)
{
	if (rc == 0)
		return KILN_OK;
	if (rc == -ECANCELED)
		return KILN_CANCELLED;
	if (reading && (rc == -EBADMSG || rc == -EINVAL || rc == -ENOENT))
		return KILN_BAD_INPUT;
	return KILN_TRANSIENT;
}

int
fk_unit_process(const struct fk_job *job)
{
	const struct kiln_host *host = job->host;
	struct fmt_err err = {0};
	struct fk_motion motion = {0};
	int file = -1;
	char reason[sizeof err.text + 300];
	if (host->cancelled(host))
		return host->done(
			host, job->unit, KILN_CANCELLED, "the host asked to stop");
	int rc = read_motion(job, &motion, &file, &err);
	uint32_t verdict = class_of(rc, 1);
	if (rc == 0) {
		if (job->state->no_gpu != NULL)
			host->warn(host, job->unit, job->state->no_gpu);
		rc = write_outputs(job, &motion, &err);
		verdict = class_of(rc, 0);
	}
	fk_motion_free(&motion);
	if (file >= 0)
		close(file);
	if (rc == -ECANCELED)
		fmt_err_set(&err, rc, "the host asked to stop");
	snprintf(reason, sizeof reason, "'%.255s': %s",
		job->batch->units[job->unit]->name, err.text);
	return host->done(host, job->unit, verdict, rc == 0 ? NULL : reason);
}
