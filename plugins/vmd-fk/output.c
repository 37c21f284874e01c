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
	struct fmt_npz_array shapes[FK_ARRAYS_MAX];
	/* Where arrays of this pass are kept until their turn to be written. */
	void *rooms[FK_ARRAYS_MAX];
	unsigned array_count, passes, pass;
	unsigned first, served; /* arrays of this pass */
	uint32_t chunk, part;	/* frames */
	uint32_t from, until;	/* of the chunk at hand */
	float *rows;		/* of the chunk, one array of the pass after another */
	float *spare;		/* as much again: those of the chunk before, or NULL */
	uint32_t waiting;	/* frames whose rows in `spare` are not written yet */
	int written;		/* how writing went beside the arithmetic */
	struct fmt_err unwritten;
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
	float *rows = w->rows;
	for (unsigned i = w->first; i < w->first + w->served; i++) {
		size_t width = fk_arrays_width(&w->arrays[i]);
		w->arrays[i].fill(&filling, rows + (from - w->from) * width);
		rows += w->chunk * width;
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
	struct fk_planes *planes = &worker->planes, offloaded;
	int rc = 0;
	double begin = now();
	struct fk_piece piece = take_part(w, worker, part);
	worker->planes.fetching = 0;
	if (w->offload != NULL) {
		offloaded = fk_offload_part(w->offload, part);
		planes = &offloaded;
	} else {
		rc = fk_evaluator_run(&w->state->evaluator, &piece, planes);
	}
	double end = now();
	if (rc == 0)
		fill_rows(w, worker, planes, w->from + part * w->part);
	/* Keys that come out of the file come while frames are evaluated. */
	worker->arithmetic += end - begin - worker->planes.fetching;
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

static int
append_rows(
	const struct writing *w, const float *rows, uint32_t frames, struct fmt_err *err)
{
	int rc = 0;
	for (unsigned i = 0; rc == 0 && i < w->served; i++) {
		size_t width = fk_arrays_width(&w->arrays[w->first + i]);
		const struct fmt_npz_piece piece = {
			i, rows, frames * width * sizeof *rows};
		rc = fmt_npz_append_to(w->npz, &piece, err);
		rows += w->chunk * width;
	}
	return rc;
}

static int
append_waiting(struct writing *w, struct fmt_err *err)
{
	uint32_t frames = w->waiting;
	w->waiting = 0;
	return append_rows(w, w->spare, frames, err);
}

/* The chunk's rows are whole: they wait until the next chunk is evaluated, if they can. */
static int
hand_over_rows(struct writing *w)
{
	float *rows = w->rows;
	uint32_t frames = w->until - w->from;
	if (w->spare == NULL)
		return append_rows(w, rows, frames, w->err);
	w->rows = w->spare;
	w->spare = rows;
	w->waiting = frames;
	return 0;
}

/* What the chunk before left to be written, by one of them, while the others evaluate. */
static int
write_or_evaluate(void *context, uint32_t part, uint32_t number)
{
	struct writing *w = context;
	if (part > 0)
		return evaluate_part(w, part - 1, number);
	double begin = now();
	/* Where rows waited there is more to come: what they do not fill waits for it. */
	w->written = w->waiting > 0 ? append_waiting(w, &w->unwritten)
				    : fmt_npz_write(w->npz, &w->unwritten);
	w->state->crew.workers[number].busy += now() - begin;
	return 0;
}

/* All parts of the chunk, by whoever works on this unit. */
static int
evaluate_parts(struct writing *w)
{
	uint32_t parts = count_parts(w);
	int rc = 0;
	if (w->job->together && w->state->crew.threads > 1)
		return fk_team_run(w->state->crew.team, write_or_evaluate, w, parts + 1);
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
			rc == -EAGAIN ? "the file was changed meanwhile" : strerror(-rc));
	w->seconds += arithmetic_of(w, now() - begin);
	if (w->written < 0) {
		*w->err = w->unwritten;
		return w->written;
	}
	host->progress(host, w->job->unit, (uint64_t)frames->count * w->pass + w->until,
		(uint64_t)frames->count * w->passes);
	return 0;
}

/* The arrays as an npz has them. */
static void
shape_arrays(struct writing *w)
{
	w->array_count = fk_arrays_list(w->state, w->arrays);
	for (unsigned i = 0; i < w->array_count; i++) {
		const struct fk_array *array = &w->arrays[i];
		w->shapes[i] = (struct fmt_npz_array){
			.name = array->name,
			.dtype = "<f4",
			.shape = {w->motion->frames.count, array->columns,
				array->components},
			.dimensions = array->components > 0 ? 3 : 2,
		};
	}
}

/* How many arrays one pass serves: `first`, and those behind it that can be kept, if they
 * must. */
static unsigned
plan_pass(const struct writing *w, unsigned first)
{
	uint64_t room =
		w->state->budget / 4 / (w->job->together ? 1 : w->state->crew.threads);
	unsigned next = first + 1;
	for (; next < w->array_count; next++) {
		size_t bytes = fmt_npz_room(w->npz, &w->shapes[next]);
		if (bytes > room)
			break;
		room -= bytes;
	}
	return next - first;
}

/* Writes the pass's arrays from one evaluation of all frames. */
static int
write_pass(struct writing *w)
{
	const struct fmt_npz_abreast abreast = {
		w->shapes + w->first, w->served, w->rooms + w->first};
	uint32_t frames = w->motion->frames.count;
	int rc = fmt_npz_begin_abreast(w->npz, &abreast, w->err);
	for (w->from = 0; rc == 0 && w->from < frames; w->from = w->until) {
		w->until = frames - w->from > w->chunk ? w->from + w->chunk : frames;
		rc = evaluate(w);
		rc = rc == 0 ? hand_over_rows(w) : rc;
	}
	if (rc == 0 && w->waiting > 0)
		rc = append_waiting(w, w->err);
	return rc == 0 ? fmt_npz_end(w->npz, w->err) : rc;
}

static void
drop_rooms(struct writing *w)
{
	for (unsigned i = 0; i < w->array_count; i++) {
		free(w->rooms[i]);
		w->rooms[i] = NULL;
	}
}

/* Room for the arrays that are kept in this pass, as many as the system grants; for the
 * others there will be a pass of their own. */
static void
make_rooms(struct writing *w)
{
	for (unsigned i = 1; i < w->served; i++) {
		size_t bytes = fmt_npz_room(w->npz, &w->shapes[w->first + i]);
		if (bytes == 0)
			continue;
		w->rooms[w->first + i] = fmt_large_alloc(bytes);
		if (w->rooms[w->first + i] != NULL)
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
	int rc = 0;
	for (unsigned i = 0; i < w->array_count; i += plan_pass(w, i))
		w->passes++;
	for (w->first = 0; rc == 0 && w->first < w->array_count; w->pass++) {
		w->served = plan_pass(w, w->first);
		make_rooms(w);
		rc = write_pass(w);
		drop_rooms(w);
		w->first += w->served;
	}
	return rc;
}

/* A chunk's rows; half as many frames, and half again, where memory is short. */
static int
make_rows(struct writing *w)
{
	const struct fk_crew *crew = &w->state->crew;
	size_t width = 0, cells, bytes = 0;
	int whole = 1;
	w->part = fk_run_capacity(&crew->workers[0].run, &w->motion->frames);
	w->chunk = crew->chunk;
	if (w->offload != NULL)
		w->chunk = w->offload->parts * w->part;
	if (w->chunk > w->motion->frames.count)
		w->chunk = w->motion->frames.count;
	for (unsigned i = 0; i < w->array_count; i++)
		width += fk_arrays_width(&w->arrays[i]);
	for (; w->rows == NULL && w->chunk > 0; w->chunk /= 2, whole = 0) {
		if (__builtin_mul_overflow(width, (size_t)w->chunk, &cells) ||
			__builtin_mul_overflow(cells, sizeof(float), &bytes))
			continue;
		w->rows = malloc(bytes + 1);
		if (w->rows != NULL)
			break;
	}
	if (w->rows == NULL)
		return fmt_err_set(
			w->err, -ENOMEM, "no memory for %zu bytes of rows", bytes);
	/* "fast" is compressed by all threads together, in a turn of its own.  Without memory
	 * for spare rows, writing has one, too. */
	if (w->job->together && crew->threads > 1 && w->chunk < w->motion->frames.count &&
		w->state->layout.compression != FMT_NPZ_FAST)
		w->spare = malloc(bytes + 1);
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
	const struct fmt_team team = fk_crew_team(&state->crew, job->together);
	if (motion->body)
		shape_arrays(&w);
	take_gpu(&w);
	int rc = make_rows(&w);
	if (rc == 0)
		rc = fmt_npz_open(output->fd, state->layout.compression, &w.npz, err);
	if (rc == 0)
		rc = fmt_npz_help(w.npz, &team, err);
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
	free(w.spare);
	return rc;
}
