/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/pano-views/unit.h"

#include "plugins/pano-views/cameras.h"
#include "plugins/pano-views/frame.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* More threads than this would wait for the disk. */
#define THREADS_MOST 64
/* What one thread holds of an 8K frame: file, band, page and map. */
#define THREAD_MEMORY (UINT64_C(400) << 20)

/* A unit at work; below the lock what the threads share. */
struct job {
	const struct kiln_host *host;
	const struct pv_state *state;
	uint32_t unit, frame_count;
	struct pv_frame *frames;
	pthread_mutex_t lock;
	uint32_t next, done, refused;
	uint32_t width; /* of the first panorama that was split */
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
	pthread_mutex_lock(&job->lock);
	job->done++;
	if (rc == 0 && job->width == 0)
		job->width = frame->width;
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
	job->host->progress(job->host, job->unit, job->done, job->frame_count);
	int stop = job->code;
	pthread_mutex_unlock(&job->lock);
	return stop;
}

static struct pv_frame *
take(struct job *job)
{
	struct pv_frame *frame = NULL;
	pthread_mutex_lock(&job->lock);
	if (job->code == 0 && job->next < job->frame_count)
		frame = &job->frames[job->next++];
	pthread_mutex_unlock(&job->lock);
	return frame;
}

static void *
work(void *context)
{
	struct job *job = context;
	struct pv_bench bench;
	struct pv_frame *frame;
	pv_bench_init(&bench, job->host, job->state);
	while ((frame = take(job)) != NULL) {
		struct fmt_err err = {0};
		int rc = pv_frame_split(&bench, frame, &err);
		if (note(job, frame, rc, &err) != 0)
			break;
	}
	pthread_mutex_lock(&job->lock);
	job->seconds += bench.seconds;
	pthread_mutex_unlock(&job->lock);
	pv_bench_free(&bench);
	return NULL;
}

/* On this thread and as many more as are granted and find memory. */
static void
split_all(struct job *job)
{
	pthread_t threads[THREADS_MOST];
	uint64_t granted = job->host->threads, budget = job->host->memory_budget;
	uint32_t started = 0;
	if (budget > 0 && budget / THREAD_MEMORY < granted)
		granted = budget / THREAD_MEMORY;
	while (started + 1 < granted && started + 1 < job->frame_count &&
		started < THREADS_MOST &&
		pthread_create(&threads[started], NULL, work, job) == 0)
		started++;
	work(job);
	for (uint32_t i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
}

static int
is_picture(const char *name)
{
	static const char *const suffixes[] = {".jpg", ".jpeg", ".png"};
	const char *dot = strrchr(name, '.');
	for (size_t i = 0; dot != NULL && i < sizeof suffixes / sizeof suffixes[0]; i++)
		if (strcasecmp(dot, suffixes[i]) == 0)
			return 1;
	return 0;
}

/* Sorts frames so that those whose outputs would have one name stand side by side. */
static int
by_stem(const void *a, const void *b)
{
	const struct pv_frame *one = a, *other = b;
	int order = strcmp(one->stem, other->stem);
	return order != 0 ? order : strcmp(one->name, other->name);
}

static int
refuse_twins(const struct job *job, struct fmt_err *err)
{
	for (uint32_t i = 1; i < job->frame_count; i++)
		if (strcmp(job->frames[i - 1].stem, job->frames[i].stem) == 0)
			return fmt_err_set(err, -EBADMSG,
				"'%s' and '%s' would have views of the same name; rename "
				"one",
				job->frames[i - 1].name, job->frames[i].name);
	return 0;
}

static int
list_frames(struct job *job, const struct kiln_unit *unit, struct fmt_err *err)
{
	job->frames = calloc(unit->input_count + 1, sizeof *job->frames);
	if (job->frames == NULL)
		return fmt_err_set(err, -ENOMEM, "no memory for a list of frames");
	for (uint32_t i = 0; i < unit->input_count; i++) {
		const char *name = unit->inputs[i]->name;
		if (unit->kind != KILN_FILE && !is_picture(name))
			continue;
		char *stem = strdup(unit->kind == KILN_FILE ? unit->stem : name);
		if (stem == NULL)
			return fmt_err_set(
				err, -ENOMEM, "no memory for a list of frames");
		if (unit->kind != KILN_FILE)
			*strrchr(stem, '.') = '\0';
		job->frames[job->frame_count++] =
			(struct pv_frame){.unit = job->unit, .name = name, .stem = stem};
	}
	qsort(job->frames, job->frame_count, sizeof *job->frames, by_stem);
	if (job->frame_count == 0)
		return fmt_err_set(err, -EBADMSG,
			"expected JPEG or PNG frames, found none of either");
	return refuse_twins(job, err);
}

static int
write_text(const struct job *job, const char *name, const char *text, struct fmt_err *err)
{
	size_t length = strlen(text);
	int fd = job->host->create(job->host, job->unit, name, KILN_PRIMARY);
	int rc = fd < 0 ? fd : 0;
	if (rc == 0 && write(fd, text, length) != (ssize_t)length)
		rc = -EIO;
	if (fd >= 0)
		close(fd);
	return rc == 0 ? 0
		       : fmt_err_set(err, rc, "'%s' cannot be written (%s)", name,
				 strerror(-rc));
}

/* Folders are cameras: only that layout has a rig to tell of. */
static int
write_cameras(const struct job *job, struct fmt_err *err)
{
	if (job->state->flat)
		return 0;
	char *text = pv_cameras_rig(&job->state->views, job->width);
	int rc = text != NULL ? write_text(job, "rig_config.json", text, err)
			      : fmt_err_set(err, -ENOMEM, "no memory for the cameras");
	free(text);
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
	char count[32];
	int rc = list_frames(job, unit, err);
	if (rc < 0)
		return rc;
	split_all(job);
	if (job->code < 0)
		return fmt_err_set(err, job->code, "%s", job->err.text);
	if (job->refused == job->frame_count)
		return fmt_err_set(
			err, -EBADMSG, "no frame could be split: %s", job->err.text);
	snprintf(count, sizeof count, "%u", job->frame_count - job->refused);
	job->host->meta(job->host, job->unit, "frames", count);
	snprintf(count, sizeof count, "%u", job->refused);
	job->host->meta(job->host, job->unit, "refused_frames", count);
	job->host->kernel_time(job->host, job->seconds, job->frame_count - job->refused);
	return write_cameras(job, err);
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
	pthread_mutex_init(&job.lock, NULL);
	int rc = run(&job, unit, &err);
	pthread_mutex_destroy(&job.lock);
	for (uint32_t i = 0; i < job.frame_count; i++)
		free((char *)(uintptr_t)job.frames[i].stem);
	free(job.frames);
	snprintf(reason, sizeof reason, "'%.255s': %s", unit->name, err.text);
	return host->done(host, number, class_of(rc), rc == 0 ? NULL : reason);
}
