/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * copy - the specimen: the smallest plugin that does everything a plugin should, to be
 * read from the bottom up.  It copies what was dropped, byte for byte.
 *
 * Rules every plugin lives by, and where to see them here:
 *   - it opens nothing itself: inputs and outputs come from the host        copy_input()
 *   - each unit gets exactly one done(), and a bad one does not sink others   process()
 *   - it asks cancelled() often, tells progress() often                   copy_bytes()
 *   - a sentence for people goes with every failure                            refuse()
 *   - what serves many batches is made once, in open()                           open()
 *   - the descriptor is data, and stands last                              kiln_plugin
 */
#include "plugins/kiln_plugin.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* What open() makes and every process() uses. */
struct copy {
	size_t chunk; /* bytes copied at a time */
	double pause; /* seconds after each chunk */
	char *suffix;
	char *buffer; /* chunk bytes */
};

/* One unit at work. */
struct job {
	const struct kiln_host *host;
	const struct copy *copy;
	const struct kiln_unit *unit;
	uint32_t number;
	uint64_t done, total; /* bytes */
	int cancelled;
};

/* done(BAD_INPUT) or done(TRANSIENT) with a sentence: what was wrong, where. */
static int __attribute__((format(printf, 3, 4)))
refuse(const struct job *job, uint32_t klass, const char *format, ...)
{
	char text[512];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	return job->host->done(job->host, job->number, klass, text);
}

/* Sleeps in short naps, so that being asked to stop is noticed within 50 ms. */
static void
pause_for(struct job *job, double seconds)
{
	while (seconds > 0 && !job->cancelled) {
		double nap = seconds < 0.05 ? seconds : 0.05;
		struct timespec time = {.tv_nsec = (long)(nap * 1e9)};
		nanosleep(&time, NULL);
		seconds -= nap;
		job->cancelled = job->host->cancelled(job->host);
	}
}

static int
write_all(int fd, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t written = write(fd, bytes, length);
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -errno;
		bytes += written;
		length -= (size_t)written;
	}
	return 0;
}

/* 0, or a negative errno; stops early when cancelled. */
static int
copy_bytes(struct job *job, int from, int to)
{
	for (;;) {
		job->cancelled = job->host->cancelled(job->host);
		if (job->cancelled)
			return 0;
		ssize_t got = read(from, job->copy->buffer, job->copy->chunk);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			return 0;
		int rc = write_all(to, job->copy->buffer, (size_t)got);
		if (rc < 0)
			return rc;
		job->done += (uint64_t)got;
		job->host->progress(job->host, job->number, job->done, job->total);
		pause_for(job, job->copy->pause);
	}
}

/* A file's output begins with the unit's stem: "dance.vmd" with suffix "-copy" becomes
 * "dance-copy.vmd".  A directory's outputs are named as they like. */
static int
output_name(const struct job *job, const char *name, char *output, size_t size)
{
	size_t stem = strlen(job->unit->stem);
	int length = job->unit->kind == KILN_FILE
			     ? snprintf(output, size, "%s%s%s", job->unit->stem,
				       job->copy->suffix, name + stem)
			     : snprintf(output, size, "%s", name);
	return length < 0 || (size_t)length >= size ? -ENAMETOOLONG : 0;
}

/* Copies one file of the unit: 0 or a negative errno. */
static int
copy_input(struct job *job, const char *name)
{
	const struct kiln_host *host = job->host;
	char output[4096];
	int rc = output_name(job, name, output, sizeof output);
	if (rc < 0)
		return rc;
	int from = host->open_input(host, job->number, name);
	if (from < 0)
		return from;
	int to = host->create(host, job->number, output, KILN_PRIMARY);
	if (to < 0) {
		rc = to;
		goto out_from;
	}
	rc = copy_bytes(job, from, to);
	/* Some file systems tell only now that the disk is full. */
	if (close(to) < 0 && rc == 0)
		rc = -errno;
out_from:
	close(from);
	return rc;
}

static int
copy_unit(struct job *job)
{
	const struct kiln_host *host = job->host;
	const struct kiln_unit *unit = job->unit;
	if (unit->input_count == 0)
		return refuse(job, KILN_BAD_INPUT, "the directory holds no files");
	for (uint32_t i = 0; i < unit->input_count; i++)
		job->total += unit->inputs[i]->bytes;
	for (uint32_t i = 0; i < unit->input_count && !job->cancelled; i++) {
		const char *name = unit->inputs[i]->name;
		int rc = copy_input(job, name);
		/* A full disk or a limit is no fault of the input's: try again later. */
		if (rc < 0)
			return refuse(job, KILN_TRANSIENT, "cannot copy '%s': %s", name,
				strerror(-rc));
	}
	if (job->cancelled)
		return host->done(host, job->number, KILN_CANCELLED, "asked to stop");
	return host->done(host, job->number, KILN_OK, NULL);
}

static int
process(const struct kiln_host *host, void *state, const struct kiln_batch *batch)
{
	for (uint32_t i = 0; i < batch->unit_count; i++) {
		struct job job = {
			.host = host,
			.copy = state,
			.unit = batch->units[i],
			.number = i,
			.cancelled = host->cancelled(host),
		};
		/* done() fails only when the host is in trouble; then so is the batch. */
		int rc = job.cancelled
				 ? host->done(host, i, KILN_CANCELLED, "asked to stop")
				 : copy_unit(&job);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static void
close_copy(const struct kiln_host *host, void *state)
{
	struct copy *copy = state;
	(void)host;
	if (copy == NULL)
		return;
	free(copy->suffix);
	free(copy->buffer);
	free(copy);
}

/* The values come in the order of the schema below, already checked against it. */
enum { PARAM_SUFFIX, PARAM_CHUNK, PARAM_PAUSE };

static int
open_copy(const struct kiln_host *host, const struct kiln_params *params, void **state)
{
	const struct kiln_value *suffix = params->values[PARAM_SUFFIX];
	struct copy *copy = calloc(1, sizeof *copy);
	if (copy == NULL)
		return -ENOMEM;
	copy->chunk = (size_t)params->values[PARAM_CHUNK]->integer * 1024;
	if (copy->chunk == 0)
		copy->chunk = 256 * 1024;
	copy->pause = params->values[PARAM_PAUSE]->number;
	copy->suffix = strdup(suffix->set ? suffix->text : "");
	copy->buffer = malloc(copy->chunk);
	if (copy->suffix == NULL || copy->buffer == NULL) {
		close_copy(host, copy);
		host->fail(host, "out of memory");
		return -ENOMEM;
	}
	host->variant(host, "c");
	*state = copy;
	return 0;
}

static const struct kiln_param suffix = {
	.size = sizeof suffix,
	.type = KILN_STRING,
	.name = "suffix",
	.default_text = "\"\"",
	.help = "Put behind the stem of a file's name; directories keep their names.",
};
static const struct kiln_param chunk = {
	.size = sizeof chunk,
	.type = KILN_INTEGER,
	.name = "chunk",
	.default_text = "256",
	.minimum = 1,
	.maximum = 65536,
	.unit = "KiB",
	.help = "How much is copied between two looks at progress and cancelling.",
};
static const struct kiln_param pause_seconds = {
	.size = sizeof pause_seconds,
	.type = KILN_NUMBER,
	.name = "pause",
	.default_text = "0",
	.minimum = 0,
	.maximum = 3600,
	.unit = "seconds",
	.help = "Waits after each chunk, to try out progress, cancelling and limits.",
};
static const struct kiln_param *const params[] = {&suffix, &chunk, &pause_seconds, NULL};

static const struct kiln_kernel copy_kernel = {
	.size = sizeof copy_kernel,
	.accepts = KILN_FILE | KILN_DIRECTORY | KILN_SEQUENCE | KILN_BUNDLE,
	.makes = KILN_MAKES_SAME,
	.name = "copy",
	.summary = "Copies what was dropped, byte for byte.",
	.params = params,
	.open = open_copy,
	.process = process,
	.close = close_copy,
};
static const struct kiln_kernel *const kernels[] = {&copy_kernel, NULL};

/* The one symbol a plugin exports. */
KILN_EXPORT const struct kiln_plugin kiln_plugin = {
	.magic = KILN_MAGIC,
	.abi_major = KILN_ABI_MAJOR,
	.abi_minor = KILN_ABI_MINOR,
	.size = sizeof kiln_plugin,
	.name = "copy",
	.version = "1.0",
	.kernels = kernels,
};
