/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/vmd-fk/output.h"

#include "plugins/vmd-fk/arrays.h"
#include "plugins/vmd-fk/facts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* One unit on its way out. */
struct writing {
	const struct kiln_host *host;
	uint32_t unit;
	struct fk_state *state;
	const struct fk_motion *motion;
	struct fmt_npz *npz;
	struct fmt_err *err;
	struct fk_array arrays[FK_ARRAYS_MAX];
	float *kept[FK_ARRAYS_MAX]; /* the whole of an array, in a pass before its turn */
	unsigned array_count, passes, pass;
	struct fk_run run;
	float *rows; /* a run's, of any array */
};

static double
now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Evaluates the run and tells the host how it goes. */
static int
evaluate(struct writing *w, uint32_t from)
{
	const struct kiln_host *host = w->host;
	uint64_t frames = w->motion->frames.count;
	if (host->cancelled(host))
		return -ECANCELED;
	double begin = now();
	fk_run_fill(&w->run, &w->motion->frames, from);
	int rc = fk_evaluator_run(&w->state->evaluator, w->motion, w->run.evaluated,
		w->run.evaluated_count);
	if (rc < 0)
		return fmt_err_set(w->err, rc, "frames %u..%u cannot be evaluated (%s)",
			w->run.evaluated[0], w->run.evaluated[w->run.evaluated_count - 1],
			strerror(-rc));
	/* Frames count once, however often they were evaluated. */
	host->kernel_time(host, now() - begin, w->pass > 0 ? 0 : w->run.written);
	host->progress(host, w->unit, frames * w->pass + from + w->run.written,
		frames * w->passes);
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
	uint64_t room = w->state->budget / 4;
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

/* Writes arrays first .. first + count - 1 from one evaluation of all frames. */
static int
write_pass(struct writing *w, unsigned first, unsigned count)
{
	const struct fk_state *state = w->state;
	const struct fk_array *array = &w->arrays[first];
	uint32_t frames = w->motion->frames.count;
	int rc = begin_array(w, array);
	for (uint32_t from = 0; rc == 0 && from < frames; from += w->run.written) {
		rc = evaluate(w, from);
		if (rc < 0)
			break;
		for (unsigned i = first + 1; i < first + count; i++)
			w->arrays[i].fill(state, &w->run,
				w->kept[i] + from * fk_arrays_width(&w->arrays[i]));
		array->fill(state, &w->run, w->rows);
		rc = fmt_npz_append(w->npz, w->rows,
			w->run.written * fk_arrays_width(array) * sizeof(float), w->err);
	}
	rc = rc == 0 ? fmt_npz_end(w->npz, w->err) : rc;
	for (unsigned i = first + 1; rc == 0 && i < first + count; i++) {
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

static int
write_arrays(struct writing *w)
{
	size_t bytes[FK_ARRAYS_MAX];
	int rc = 0;
	for (unsigned i = 0; i < w->array_count; i += plan_pass(w, i, bytes))
		w->passes++;
	for (unsigned first = 0; rc == 0 && first < w->array_count; w->pass++) {
		unsigned count = plan_pass(w, first, bytes);
		for (unsigned i = first + 1; i < first + count && rc == 0; i++) {
			w->kept[i] = malloc(bytes[i] + 1);
			if (w->kept[i] == NULL)
				rc = fmt_err_set(w->err, -ENOMEM,
					"no memory for %zu bytes of %s", bytes[i],
					w->arrays[i].name);
		}
		rc = rc == 0 ? write_pass(w, first, count) : rc;
		drop_kept(w);
		first += count;
	}
	return rc;
}

static int
make_rows(struct writing *w)
{
	uint32_t room = w->state->evaluator.chunk;
	size_t widest = 0, cells, bytes;
	for (unsigned i = 0; i < w->array_count; i++)
		if (fk_arrays_width(&w->arrays[i]) > widest)
			widest = fk_arrays_width(&w->arrays[i]);
	if (__builtin_mul_overflow(widest, (size_t)room, &cells) ||
		__builtin_mul_overflow(cells, sizeof(float), &bytes))
		return fmt_err_set(w->err, -ENOMEM, "%u bones are more than memory holds",
			w->state->columns.count);
	w->rows = malloc(bytes + 1);
	if (w->rows == NULL || fk_run_init(&w->run, room, w->motion->frame_count - 1,
				       w->state->layout.velocities) < 0)
		return fmt_err_set(
			w->err, -ENOMEM, "no memory for %zu bytes of rows", bytes);
	return 0;
}

int
fk_output_write(const struct kiln_host *host, uint32_t unit, struct fk_state *state,
	const struct fk_motion *motion, const struct fk_output *output,
	struct fmt_err *err)
{
	struct writing w = {
		.host = host,
		.unit = unit,
		.state = state,
		.motion = motion,
		.err = err,
	};
	if (motion->body)
		w.array_count = fk_arrays_list(state, w.arrays);
	int rc = make_rows(&w);
	if (rc == 0)
		rc = fmt_npz_open(output->fd, state->layout.compression, &w.npz, err);
	if (rc == 0)
		rc = write_arrays(&w);
	if (rc == 0)
		rc = fk_facts_write(&(struct fk_facts){
			host, w.npz, state, motion, output->vmd_file, err});
	if (rc == 0)
		rc = fmt_npz_close(w.npz, err);
	fmt_npz_free(w.npz);
	fk_run_free(&w.run);
	free(w.rows);
	return rc;
}
