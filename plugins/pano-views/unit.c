/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/pano-views/unit.h"

#include "plugins/pano-views/cameras.h"
#include "plugins/pano-views/crew.h"
#include "plugins/pano-views/list.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* More threads than this would wait for the disk. */
#define THREADS_MOST 64
/* What the engine takes as a whole where nobody limits memory; of a rule's limit it is a
 * quarter, which is as much by default.  A part of that is for the program itself and for
 * what the estimates of frames and views leave out. */
#define MEMORY_WITHOUT_LIMIT (UINT64_C(1) << 30)
#define PART_OF_LIMIT	     4
#define PART_FOR_THE_REST    8
/* A pixel as a GPU makes it, of 16 bits. */
#define GPU_PIXEL 8
/* A side of a view that is told by the panorama: of one 8K wide. */
#define QUARTER 2048

/* A unit at work; below the crew's lock what the threads share. */
struct job {
	const struct kiln_host *host;
	const struct pv_state *state;
	uint32_t unit;
	struct pv_list list;
	struct pv_sheet sheet;
	struct pv_crew crew;
	struct pv_fallback fallback;
	uint32_t done, refused;
	double seconds;
	int code; /* of what stopped everybody, and why; 0: nothing */
	struct fmt_err err;
};

static int
blames_frame(int code)
{
	return code == -EBADMSG || code == -ENOTSUP || code == -EFBIG;
}

/* Notes what became of a frame; 0 when the thread may go on. */
static int
note(struct job *job, const struct pv_frame *frame, int rc, const struct fmt_err *err)
{
	char text[1400];
	pthread_mutex_lock(&job->crew.lock);
	job->done++;
	if (blames_frame(rc)) {
		job->refused++;
		snprintf(text, sizeof text, "'%s' was left out: %s", frame->name,
			err->text);
		job->host->warn(job->host, job->unit, text);
		if (job->refused == 1)
			fmt_err_set(&job->err, rc, "%s", text);
	} else if (rc < 0 && job->code == 0) {
		job->code = rc;
		job->err.text[0] = '\0';
		fmt_err_set(&job->err, rc, "'%s': %s", frame->name, err->text);
	}
	job->host->progress(job->host, job->unit, job->done, job->list.frame_count);
	int stop = job->code;
	pthread_mutex_unlock(&job->crew.lock);
	return stop;
}

static void *
work(void *context)
{
	struct job *job = context;
	struct pv_work next;
	struct pv_bench bench;
	struct pv_desk desk;
	pv_desk_init(&desk, job->host, job->state, &job->fallback, &job->sheet);
	pv_bench_init(&bench, &job->crew, &desk);
	while (pv_crew_next(&job->crew, &next)) {
		if (next.share != NULL) {
			pv_crew_do_lot(&job->crew, &desk, &next);
			continue;
		}
		struct pv_frame *frame = &job->list.frames[next.frame];
		struct fmt_err err = {0};
		int rc = pv_frame_split(&bench, frame, &err);
		pv_crew_end_frame(&job->crew, note(job, frame, rc, &err) != 0);
	}
	pthread_mutex_lock(&job->crew.lock);
	job->seconds += desk.seconds;
	pthread_mutex_unlock(&job->crew.lock);
	pv_bench_free(&bench);
	pv_desk_free(&desk);
	return NULL;
}

static uint64_t
least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t
larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* What a pixel of a view takes until it is written: a JPEG or PNG as a file that grows,
 * others as pixels and as a file. */
static uint64_t
pixel_memory(const struct job *job)
{
	static const uint64_t needed[FMT_IMAGE_FORMATS] = {[FMT_IMAGE_JPEG] = 2,
		[FMT_IMAGE_PNG] = 12,
		[FMT_IMAGE_TIFF] = 56,
		[FMT_IMAGE_EXR] = 56};
	uint64_t most = needed[FMT_IMAGE_JPEG];
	if (job->state->format >= 0)
		return needed[job->state->format];
	/* By their names: it is an estimate. */
	for (uint32_t i = 0; i < job->list.frame_count; i++) {
		const char *suffix = strrchr(job->list.frames[i].name, '.');
		if (suffix == NULL || strncasecmp(suffix, ".jp", 3) == 0)
			continue;
		most = larger(
			most, needed[strcasecmp(suffix, ".png") == 0 ? FMT_IMAGE_PNG
								     : FMT_IMAGE_TIFF]);
	}
	return most;
}

/* Of the largest view, 0 x 0 being a quarter of a panorama's width. */
static uint64_t
view_memory(const struct job *job)
{
	const struct pv_views *views = &job->state->views;
	uint64_t most = 1;
	for (uint32_t i = 0; i < views->count; i++) {
		const struct pv_view *view = &views->views[i];
		const uint64_t width = view->width > 0 ? view->width : QUARTER;
		const uint64_t height = view->height > 0 ? view->height : QUARTER;
		most = larger(most, width * height);
	}
	/* What comes from a GPU lies here whole before it is encoded. */
	return most * (pixel_memory(job) + (job->state->gpu != NULL ? GPU_PIXEL : 0));
}

/* Divides memory, a third of it for views, of which each thread makes some at once, and the
 * rest for frames.  How many threads there is enough for. */
static uint32_t
plan_crew(struct job *job)
{
	const uint64_t budget = job->host->memory_budget;
	const uint64_t whole = budget > 0 ? budget / PART_OF_LIMIT : MEMORY_WITHOUT_LIMIT;
	const uint64_t memory = whole - whole / PART_FOR_THE_REST;
	const uint64_t frames = job->list.frame_count, each = view_memory(job);
	const uint64_t views = larger(memory / 3 / each, 1); /* at once */
	uint64_t threads = least(job->host->threads, frames * job->state->views.count);
	threads = larger(least(least(threads, views), THREADS_MOST), 1);
	const uint32_t count = (uint32_t)threads;
	pv_crew_init(&job->crew, count, count, job->list.frame_count);
	job->crew.lot_most = (uint32_t)least(PV_LOT_MOST, views / threads);
	const uint64_t taken = threads * job->crew.lot_most * each;
	job->crew.memory = memory > taken ? memory - taken : 0;
	return count;
}

/* On this thread and as many more as are granted and find memory. */
static void
split_all(struct job *job)
{
	pthread_t helpers[THREADS_MOST];
	const uint32_t threads = plan_crew(job);
	uint32_t started = 0;
	while (started + 1 < threads &&
		pthread_create(&helpers[started], NULL, work, job) == 0)
		started++;
	work(job);
	for (uint32_t i = 0; i < started; i++)
		pthread_join(helpers[i], NULL);
	/* Who made the views, whatever it was before. */
	if (job->state->gpu != NULL)
		job->host->variant(job->host, pv_fallback_told(&job->fallback)
						      ? job->state->variant.name
						      : pv_gpu_name(job->state->gpu));
	pv_crew_free(&job->crew);
}

/* Writes a text and frees it. */
static int
write_text(const struct job *job, const char *name, char *text, struct fmt_err *err)
{
	const struct pv_files files = {job->host, job->unit, KILN_PRIMARY};
	int rc = text != NULL ? pv_files_write(&files, name, text, strlen(text), err)
			      : fmt_err_set(err, -ENOMEM, "no memory for '%s'", name);
	free(text);
	return rc;
}

static int
write_transforms(const struct job *job, struct fmt_err *err)
{
	static const char name[] = "transforms.json";
	int fd = job->host->create(job->host, job->unit, name, KILN_PRIMARY);
	FILE *to = fd >= 0 ? fdopen(fd, "w") : NULL;
	int rc = fd < 0 ? fd : to == NULL ? -errno : 0;
	if (to != NULL) {
		pv_cameras_transforms(
			to, &job->state->views, job->list.frames, job->list.frame_count);
		if (ferror(to))
			rc = -EIO;
		if (fclose(to) != 0 && rc == 0)
			rc = -errno;
	} else if (fd >= 0) {
		close(fd);
	}
	return rc == 0 ? 0
		       : fmt_err_set(err, rc, "'%s' cannot be written (%s)", name,
				 strerror(-rc));
}

/* The width of the first panorama of which there are views.  Where views are as large as
 * panoramas let them be, cameras of others are not what is told. */
static uint32_t
width_of_cameras(const struct job *job)
{
	const struct pv_views *views = &job->state->views;
	const struct pv_frame *first = NULL;
	char text[400];
	int depends = 0;
	for (uint32_t i = 0; i < views->count; i++)
		depends |= views->views[i].width == 0 || views->views[i].height == 0;
	for (uint32_t i = 0; i < job->list.frame_count; i++) {
		const struct pv_frame *frame = &job->list.frames[i];
		if (frame->suffix == NULL)
			continue;
		if (first == NULL)
			first = frame;
		if (!depends || frame->width == first->width)
			continue;
		snprintf(text, sizeof text,
			"frames have several sizes, and so do views: rig_config.json and "
			"cameras.txt tell of those of %u pixels, not of '%.200s' with %u",
			first->width, frame->name, frame->width);
		job->host->warn(job->host, job->unit, text);
		break;
	}
	return first->width;
}

/* Folders are cameras: only that layout has a rig to tell of. */
static int
write_cameras(const struct job *job, struct fmt_err *err)
{
	const struct pv_views *views = &job->state->views;
	const uint32_t width = width_of_cameras(job);
	if (job->state->flat)
		return 0;
	int rc = write_text(job, "rig_config.json", pv_cameras_rig(views, width), err);
	if (rc == 0)
		rc = write_text(job, "cameras.txt", pv_cameras_list(views, width), err);
	return rc == 0 ? write_transforms(job, err) : rc;
}

/* The first, the middle and the last frame, each once. */
static int
plan_sheet(struct job *job)
{
	const uint32_t count = job->list.frame_count;
	const uint32_t chosen[] = {0, count / 2, count - 1};
	uint32_t rows = 0;
	for (size_t i = 0; i < sizeof chosen / sizeof chosen[0]; i++) {
		struct pv_frame *frame = &job->list.frames[chosen[i]];
		if (frame->sheet_row == 0)
			frame->sheet_row = ++rows;
	}
	return pv_sheet_make(&job->sheet, &job->state->views, rows);
}

static int
write_sheet(struct job *job, struct fmt_err *err)
{
	static const char name[] = "contact-sheet.png";
	for (uint32_t i = 0; i < job->list.frame_count; i++) {
		const struct pv_frame *frame = &job->list.frames[i];
		char title[300];
		snprintf(title, sizeof title, "%.250s%s", frame->name,
			frame->suffix != NULL ? "" : " was left out");
		if (frame->sheet_row > 0)
			pv_sheet_title(&job->sheet, frame->sheet_row - 1, title);
	}
	const struct pv_files files = {job->host, job->unit, KILN_COMPANION};
	void *bytes = NULL;
	size_t length = 0;
	int rc = pv_sheet_encode(&job->sheet, &bytes, &length, err);
	if (rc == 0)
		rc = pv_files_write(&files, name, bytes, length, err);
	free(bytes);
	return rc;
}

static uint32_t
class_of(int code)
{
	return code == 0	    ? KILN_OK
	       : code == -ECANCELED ? KILN_CANCELLED
	       : blames_frame(code) ? KILN_BAD_INPUT
				    : KILN_TRANSIENT;
}

static int
run(struct job *job, const struct kiln_unit *unit, struct fmt_err *err)
{
	char count[32], text[1400];
	int rc = pv_list_make(&job->list, unit, job->state->masks, err);
	if (rc < 0)
		return rc;
	for (uint32_t i = 0; i < job->list.orphan_count; i++) {
		snprintf(text, sizeof text,
			"the mask '%s' has no frame, or one that has another",
			job->list.orphans[i]);
		job->host->warn(job->host, job->unit, text);
	}
	for (uint32_t i = 0; i < job->list.frame_count; i++)
		job->list.frames[i].unit = job->unit;
	if (job->state->no_gpu != NULL)
		job->host->warn(job->host, job->unit, job->state->no_gpu);
	if (job->state->preview && plan_sheet(job) < 0)
		return fmt_err_set(err, -ENOMEM, "no memory for the contact sheet");
	split_all(job);
	if (job->code < 0)
		return fmt_err_set(err, job->code, "%s", job->err.text);
	if (job->refused == job->list.frame_count)
		return fmt_err_set(
			err, -EBADMSG, "no frame could be split: %s", job->err.text);
	snprintf(count, sizeof count, "%u", job->list.frame_count - job->refused);
	job->host->meta(job->host, job->unit, "frames", count);
	snprintf(count, sizeof count, "%u", job->refused);
	job->host->meta(job->host, job->unit, "refused_frames", count);
	job->host->kernel_time(
		job->host, job->seconds, job->list.frame_count - job->refused);
	rc = write_cameras(job, err);
	return rc == 0 && job->state->preview ? write_sheet(job, err) : rc;
}

int
pv_unit_process(const struct kiln_host *host, const struct pv_state *state,
	const struct kiln_batch *batch, uint32_t number)
{
	const struct kiln_unit *unit = batch->units[number];
	struct job job = {.host = host, .state = state, .unit = number};
	struct fmt_err err = {0};
	char reason[sizeof err.text + 300];
	if (host->cancelled(host))
		return host->done(host, number, KILN_CANCELLED, "the host asked to stop");
	int rc = run(&job, unit, &err);
	pv_list_free(&job.list);
	pv_sheet_free(&job.sheet);
	snprintf(reason, sizeof reason, "'%.255s': %s", unit->name, err.text);
	return host->done(host, number, class_of(rc), rc == 0 ? NULL : reason);
}
