/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/vmd-fk/output.h"

#include "plugins/formats/large.h"
#include "plugins/vmd-fk/arrays.h"
#include "plugins/vmd-fk/facts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* One unit on its way out. */
struct writing {
	const struct fk_job *job;
	const struct fk_state *state;
	const struct fk_motion *motion;
	struct fmt_npz *npz;
	struct fmt_err *err;
	struct fk_array arrays[FK_ARRAYS_MAX];
	float *kept[FK_ARRAYS_MAX]; /* the whole of an array, in a pass before its turn */
	unsigned array_count, passes, pass;
	unsigned first, served;	    /* arrays of this pass */
	uint32_t chunk, part;	    /* frames */
	uint32_t from, until;	    /* of the chunk at hand */
	float *rows;		    /* of the chunk, of the pass's first array */
	double seconds;		    /* of arithmetic */
	struct fk_offload *offload; /* that evaluates the chunks; NULL: the parts do */
};

static double
now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Fills the rows of all arrays of this pass, from planes that hold the worker's run. */
static void
fill_rows(const struct writing *w, const struct fk_worker *worker,
	const struct fk_planes *planes, uint32_t from)
{
	struct fk_filling filling = {w->state, planes, &worker->run};
	const struct fk_array *array = &w->arrays[w->first];
	array->fill(&filling, w->rows + (from - w->from) * fk_arrays_width(array));
	for (unsigned i = w->first + 1; i < w->first + w->served; i++) {
		array = &w->arrays[i];
		array->fill(&filling, w->kept[i] + from * fk_arrays_width(array));
	}
}

/* Which frames belong to a part of the chunk at hand, as the worker's run. */
static struct fk_piece
take_part(const struct writing *w, struct fk_worker *worker, uint32_t part)
{
	struct fk_run *run = &worker->run;
	uint32_t from = w->from + part * w->part, left = w->until - from;
	struct fk_run_span span = {
		from, left < w->part ? left : w->part, w->motion->frame_count - 1};
	fk_run_fill(run, &w->motion->frames, &span);
	return (struct fk_piece){w->motion, run->evaluated, run->evaluated_count};
}

static int
evaluate_part(void *context, uint32_t part, uint32_t number)
{
	const struct writing *w = context;
	struct fk_worker *worker = &w->state->crew.workers[number];
	struct fk_planes planes = worker->planes;
	int rc = 0;
	double begin = now();
	struct fk_piece piece = take_part(w, worker, part);
	if (w->offload != NULL)
		planes = fk_offload_part(w->offload, part);
	else
		rc = fk_evaluator_run(&w->state->evaluator, &piece, &planes);
	double end = now();
	if (rc == 0)
		fill_rows(w, worker, &planes, w->from + part * w->part);
	worker->arithmetic += end - begin;
	worker->busy += now() - begin;
	return rc;
}

static uint32_t
count_parts(const struct writing *w)
{
	return (w->until - w->from + w->part - 1) / w->part;
}

/* Which variant the host shall name from now on. */
static void
tell_variant(const struct writing *w)
{
	w->job->host->variant(w->job->host, w->offload != NULL
						    ? fk_gpu_name(w->offload->gpu)
						    : w->state->evaluator.variant);
}

/* From here on by the CPU. */
static void
leave_gpu(struct writing *w, const struct fmt_err *why)
{
	char text[1200];
	snprintf(text, sizeof text, "evaluated on the CPU: %s", why->text);
	w->job->host->warn(w->job->host, w->job->unit, text);
	w->offload = NULL;
	tell_variant(w);
}

/* Where the motion is evaluated.  A GPU serves the units that all threads share; small
 * ones, side by side, are done before their keys would have crossed the bus. */
static void
take_gpu(struct writing *w)
{
	struct fmt_err why = {0};
	if (w->state->offload == NULL || !w->motion->body)
		return;
	w->offload = w->job->together ? w->state->offload : NULL;
	if (w->offload != NULL && fk_offload_take(w->offload, w->motion, &why) < 0)
		leave_gpu(w, &why);
	else if (w->job->together)
		tell_variant(w);
}

/* The whole chunk, on the GPU; the parts only fill their rows afterwards. */
static void
evaluate_on_gpu(struct writing *w)
{
	struct fmt_err why = {0};
	double begin = now();
	for (uint32_t part = 0; part < count_parts(w); part++) {
		struct fk_piece piece = take_part(w, &w->state->crew.workers[0], part);
		fk_offload_put(w->offload, part, &piece);
	}
	if (fk_offload_run(w->offload, &why) < 0)
		leave_gpu(w, &why);
	w->seconds += now() - begin;
}

/* All parts of the chunk, by whoever works on this unit. */
static int
evaluate_parts(struct writing *w)
{
	uint32_t parts = count_parts(w);
	int rc = 0;
	if (w->job->together)
		return fk_team_run(w->state->crew.team, evaluate_part, w, parts);
	for (uint32_t part = 0; rc == 0 && part < parts; part++)
		rc = evaluate_part(w, part, w->job->worker);
	return rc;
}

/* What the arithmetic had of the time that a chunk took: its share of the workers' work,
 * waiting for each other included. */
static double
arithmetic_of(const struct writing *w, double seconds)
{
	const struct fk_crew *crew = &w->state->crew;
	double arithmetic = 0, busy = 0;
	for (uint32_t i = 0; i < crew->threads; i++) {
		struct fk_worker *worker = &crew->workers[i];
		if (!w->job->together && i != w->job->worker)
			continue;
		arithmetic += worker->arithmetic;
		busy += worker->busy;
		worker->arithmetic = worker->busy = 0;
	}
	/* Of workers that each have a unit of their own, each has its part of the time. */
	return (busy > 0 ? seconds * arithmetic / busy : 0) /
	       (w->job->together ? 1 : crew->threads);
}

/* Evaluates the chunk and tells the host how it goes. */
static int
evaluate(struct writing *w)
{
	const struct kiln_host *host = w->job->host;
	const struct fk_frames *frames = &w->motion->frames;
	if (host->cancelled(host))
		return -ECANCELED;
	if (w->offload != NULL)
		evaluate_on_gpu(w);
	double begin = now();
	int rc = evaluate_parts(w);
	if (rc < 0)
		return fmt_err_set(w->err, rc, "frames %u..%u cannot be evaluated (%s)",
			fk_frames_at(frames, w->from), fk_frames_at(frames, w->until - 1),
			strerror(-rc));
	w->seconds += arithmetic_of(w, now() - begin);
	host->progress(host, w->job->unit, (uint64_t)frames->count * w->pass + w->until,
		(uint64_t)frames->count * w->passes);
	return 0;
}

static int
begin_array(const struct writing *w, const struct fk_array *array)
{
	struct fmt_npz_array npz = {
		.name = array->name,
		.dtype = "<f4",
		.shape = {w->motion->frames.count, array->columns, array->components},
		.dimensions = array->components > 0 ? 3 : 2,
	};
	return fmt_npz_begin(w->npz, &npz, w->err);
}

/* How many arrays one pass serves: `first`, and those behind it that fit into memory.
 * *bytes is what these take, of each. */
static unsigned
plan_pass(const struct writing *w, unsigned first, size_t *bytes)
{
	uint64_t room =
		w->state->budget / 4 / (w->job->together ? 1 : w->state->crew.threads);
	unsigned next = first + 1;
	for (; next < w->array_count; next++) {
		size_t row = fk_arrays_width(&w->arrays[next]) * sizeof(float);
		if (__builtin_mul_overflow(
			    (size_t)w->motion->frames.count, row, &bytes[next]) ||
			bytes[next] > room)
			break;
		room -= bytes[next];
	}
	return next - first;
}

/* Writes the pass's arrays from one evaluation of all frames. */
static int
write_pass(struct writing *w)
{
	const struct fk_array *array = &w->arrays[w->first];
	uint32_t frames = w->motion->frames.count;
	int rc = begin_array(w, array);
	for (w->from = 0; rc == 0 && w->from < frames; w->from = w->until) {
		w->until = frames - w->from > w->chunk ? w->from + w->chunk : frames;
		rc = evaluate(w);
		if (rc == 0)
			rc = fmt_npz_append(w->npz, w->rows,
				(w->until - w->from) * fk_arrays_width(array) *
					sizeof(float),
				w->err);
	}
	rc = rc == 0 ? fmt_npz_end(w->npz, w->err) : rc;
	for (unsigned i = w->first + 1; rc == 0 && i < w->first + w->served; i++) {
		rc = begin_array(w, &w->arrays[i]);
		if (rc == 0)
			rc = fmt_npz_append(w->npz, w->kept[i],
				frames * fk_arrays_width(&w->arrays[i]) * sizeof(float),
				w->err);
		rc = rc == 0 ? fmt_npz_end(w->npz, w->err) : rc;
	}
	return rc;
}

static void
drop_kept(struct writing *w)
{
	for (unsigned i = 0; i < w->array_count; i++) {
		free(w->kept[i]);
		w->kept[i] = NULL;
	}
}

/* Room for the arrays that are kept in this pass, as many as the system grants; for the
 * others there will be a pass of their own. */
static void
keep_arrays(struct writing *w, const size_t *bytes)
{
	for (unsigned i = 1; i < w->served; i++) {
		w->kept[w->first + i] = fmt_large_alloc(bytes[w->first + i]);
		if (w->kept[w->first + i] != NULL)
			continue;
		w->served = i;
		w->passes++;
		w->job->host->warn(w->job->host, w->job->unit,
			"memory was short: the frames were evaluated once more for some "
			"of the arrays");
	}
}

static int
write_arrays(struct writing *w)
{
	size_t bytes[FK_ARRAYS_MAX];
	int rc = 0;
	for (unsigned i = 0; i < w->array_count; i += plan_pass(w, i, bytes))
		w->passes++;
	for (w->first = 0; rc == 0 && w->first < w->array_count; w->pass++) {
		w->served = plan_pass(w, w->first, bytes);
		keep_arrays(w, bytes);
		rc = write_pass(w);
		drop_kept(w);
		w->first += w->served;
	}
	return rc;
}

/* A chunk's rows; half as many frames, and half again, where memory is short. */
static int
make_rows(struct writing *w)
{
	const struct fk_crew *crew = &w->state->crew;
	size_t widest = 0, cells, bytes = 0;
	int whole = 1;
	w->part = fk_run_capacity(&crew->workers[0].run, &w->motion->frames);
	w->chunk = crew->chunk;
	if (w->offload != NULL)
		w->chunk = w->offload->parts * w->part;
	if (w->chunk > w->motion->frames.count)
		w->chunk = w->motion->frames.count;
	for (unsigned i = 0; i < w->array_count; i++)
		if (fk_arrays_width(&w->arrays[i]) > widest)
			widest = fk_arrays_width(&w->arrays[i]);
	for (; w->rows == NULL && w->chunk > 0; w->chunk /= 2, whole = 0) {
		if (__builtin_mul_overflow(widest, (size_t)w->chunk, &cells) ||
			__builtin_mul_overflow(cells, sizeof(float), &bytes))
			continue;
		w->rows = malloc(bytes + 1);
		if (w->rows != NULL)
			break;
	}
	if (w->rows == NULL)
		return fmt_err_set(
			w->err, -ENOMEM, "no memory for %zu bytes of rows", bytes);
	if (!whole)
		w->job->host->warn(w->job->host, w->job->unit,
			"memory was short: fewer frames than wanted were written at "
			"once");
	return 0;
}

int
fk_output_write(const struct fk_job *job, const struct fk_motion *motion,
	const struct fk_output *output, struct fmt_err *err)
{
	const struct fk_state *state = job->state;
	struct writing w = {.job = job, .state = state, .motion = motion, .err = err};
	if (motion->body)
		w.array_count = fk_arrays_list(state, w.arrays);
	take_gpu(&w);
	int rc = make_rows(&w);
	if (rc == 0)
		rc = fmt_npz_open(output->fd, state->layout.compression, &w.npz, err);
	if (rc == 0)
		rc = write_arrays(&w);
	/* Frames count once, however often they were evaluated. */
	if (w.seconds > 0)
		job->host->kernel_time(job->host, w.seconds, motion->frames.count);
	if (rc == 0)
		rc = fk_facts_write(&(struct fk_facts){
			job->host, w.npz, state, motion, output->vmd_file, err});
	if (rc == 0)
		rc = fmt_npz_close(w.npz, err);
	fmt_npz_free(w.npz);
	free(w.rows);
	return rc;
}
