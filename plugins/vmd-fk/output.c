/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/vmd-fk/output.h"

#include "plugins/formats/npz.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FRAME_RATE 30

/* One unit on its way out. */
struct writing {
	const struct kiln_host *host;
	uint32_t unit;
	struct fk_state *state;
	const struct fk_motion *motion;
	struct fmt_npz *npz;
	struct fmt_err *err;
	float *rows;	    /* a run's rows of either array */
	float *quaternions; /* all of them, or NULL: evaluated a second time */
	int second;	    /* this is the second evaluation */
};

static double
now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Turns planes [bone][component][frame] into rows [frame][column][component]. */
static void
to_rows(const struct writing *w, const float *planes, size_t components, uint32_t count,
	float *rows)
{
	const struct fk_columns *columns = &w->state->columns;
	size_t stride = w->state->evaluator.chunk;
	for (size_t f = 0; f < count; f++) {
		for (size_t m = 0; m < columns->count; m++) {
			int32_t bone = columns->bones[m];
			float *to = rows + (f * columns->count + m) * components;
			for (size_t c = 0; c < components; c++)
				to[c] = bone < 0
						? NAN
						: planes[((size_t)bone * components + c) *
								  stride +
							  f];
		}
	}
}

/* Evaluates one run and tells the host how it goes. */
static int
run(const struct writing *w, uint32_t first, uint32_t count)
{
	const struct kiln_host *host = w->host;
	uint64_t frames = w->motion->frame_count, passes = w->quaternions != NULL ? 1 : 2;
	if (host->cancelled(host))
		return -ECANCELED;
	double begin = now();
	int rc = fk_evaluator_run(&w->state->evaluator, w->motion, first, count);
	if (rc < 0)
		return fmt_err_set(w->err, rc, "frames %u..%u cannot be evaluated (%s)",
			first, first + count - 1, strerror(-rc));
	/* Frames count once, however often they were evaluated. */
	host->kernel_time(host, now() - begin, w->second ? 0 : count);
	host->progress(
		host, w->unit, (w->second ? frames : 0) + first + count, frames * passes);
	return 0;
}

static uint32_t
run_length(const struct writing *w, uint32_t first)
{
	uint32_t left = w->motion->frame_count - first, chunk = w->state->evaluator.chunk;
	return left < chunk ? left : chunk;
}

static int
begin(const struct writing *w, const char *name, const char *dtype, uint64_t components)
{
	struct fmt_npz_array array = {
		.name = name,
		.dtype = dtype,
		.shape = {w->motion->frame_count, w->state->columns.count, components},
		.dimensions = components > 0 ? 3 : 1,
	};
	return fmt_npz_begin(w->npz, &array, w->err);
}

static int
write_positions(const struct writing *w)
{
	size_t row = w->state->columns.count;
	int rc = begin(w, "positions", "<f4", 3);
	for (uint32_t first = 0; rc == 0 && first < w->motion->frame_count;) {
		uint32_t count = run_length(w, first);
		rc = run(w, first, count);
		if (rc < 0)
			break;
		to_rows(w, w->state->evaluator.position, 3, count, w->rows);
		if (w->quaternions != NULL)
			to_rows(w, w->state->evaluator.local_rotate, 4, count,
				w->quaternions + (size_t)first * row * 4);
		rc = fmt_npz_append(
			w->npz, w->rows, count * row * 3 * sizeof(float), w->err);
		first += count;
	}
	return rc == 0 ? fmt_npz_end(w->npz, w->err) : rc;
}

static int
write_quaternions(struct writing *w)
{
	size_t row = w->state->columns.count * (size_t)4;
	int rc = begin(w, "quaternions", "<f4", 4);
	w->second = w->quaternions == NULL;
	for (uint32_t first = 0; rc == 0 && first < w->motion->frame_count;) {
		uint32_t count = run_length(w, first);
		const float *rows = w->rows;
		if (w->quaternions != NULL) {
			rows = w->quaternions + (size_t)first * row;
		} else {
			rc = run(w, first, count);
			if (rc < 0)
				break;
			to_rows(w, w->state->evaluator.local_rotate, 4, count, w->rows);
		}
		rc = fmt_npz_append(w->npz, rows, count * row * sizeof(float), w->err);
		first += count;
	}
	return rc == 0 ? fmt_npz_end(w->npz, w->err) : rc;
}

static int
write_frame_numbers(const struct writing *w)
{
	int32_t numbers[1024];
	int rc = begin(w, "frame_numbers", "<i4", 0);
	for (uint32_t first = 0; rc == 0 && first < w->motion->frame_count;) {
		uint32_t count = 0;
		while (count < 1024 && first + count < w->motion->frame_count) {
			numbers[count] = (int32_t)(first + count);
			count++;
		}
		rc = fmt_npz_append(w->npz, numbers, count * sizeof numbers[0], w->err);
		first += count;
	}
	return rc == 0 ? fmt_npz_end(w->npz, w->err) : rc;
}

static int
write_facts(const struct writing *w, const char *vmd_file)
{
	const struct fk_columns *columns = &w->state->columns;
	int64_t range[2] = {0, (int64_t)w->motion->frame_count - 1};
	int rc = fmt_npz_text(w->npz, "vmd_file", vmd_file, w->err);
	if (rc == 0)
		rc = fmt_npz_int64(
			w->npz, "total_frames", w->motion->frame_count, w->err);
	if (rc == 0)
		rc = fmt_npz_int64(w->npz, "bone_count", columns->count, w->err);
	if (rc == 0)
		rc = fmt_npz_int64(w->npz, "frame_rate", FRAME_RATE, w->err);
	if (rc == 0)
		rc = fmt_npz_texts(
			w->npz, "bone_names", columns->names, columns->count, w->err);
	return rc == 0 ? fmt_npz_int64s(w->npz, "frame_range", range, 2, w->err) : rc;
}

/* Room for all quaternions where a quarter of the budget has it. */
static float *
keep_quaternions(const struct fk_state *state, const struct fk_motion *motion)
{
	size_t bytes;
	if (__builtin_mul_overflow((size_t)motion->frame_count,
		    state->columns.count * 4 * sizeof(float), &bytes))
		return NULL;
	return bytes <= state->budget / 4 ? malloc(bytes + 1) : NULL;
}

static int
write_arrays(struct writing *w, int fd, const char *vmd_file)
{
	int rc = fmt_npz_open(fd, FMT_NPZ_FAST, &w->npz, w->err);
	if (rc == 0)
		rc = write_positions(w);
	if (rc == 0)
		rc = write_quaternions(w);
	if (rc == 0)
		rc = write_frame_numbers(w);
	if (rc == 0)
		rc = write_facts(w, vmd_file);
	if (rc == 0)
		rc = fmt_npz_close(w->npz, w->err);
	fmt_npz_free(w->npz);
	return rc;
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
	size_t cells = (size_t)state->evaluator.chunk * state->columns.count, bytes;
	if (__builtin_mul_overflow(cells, 4 * sizeof(float), &bytes))
		return fmt_err_set(err, -ENOMEM, "%u bones are more than memory holds",
			state->columns.count);
	w.rows = malloc(bytes + 1);
	if (w.rows == NULL)
		return fmt_err_set(
			err, -ENOMEM, "no memory for %zu bytes of rows", bytes);
	w.quaternions = keep_quaternions(state, motion);
	int rc = write_arrays(&w, output->fd, output->vmd_file);
	free(w.quaternions);
	free(w.rows);
	return rc;
}
