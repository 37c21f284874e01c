/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which keeper takes which batch, and how many stay warm.
 */
#include "daemon/work/pool_keeper.h"

#include "daemon/base/name.h"
#include "daemon/work/pool_message.h"
#include "daemon/worker/protocol.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct kd_pool *
kd_pool_new(struct ev_loop *loop, const struct kd_pool_options *options)
{
	struct kd_pool *pool = calloc(1, sizeof *pool);
	if (pool == NULL)
		return NULL;
	pool->loop = loop;
	pool->hear = kd_pool_message;
	pool->worker = strdup(options->worker);
	if (pool->worker == NULL) {
		free(pool);
		return NULL;
	}
	return pool;
}

void
kd_pool_free(struct kd_pool *pool)
{
	if (pool == NULL)
		return;
	while (pool->read != NULL) {
		struct kd_job *job = pool->read;
		pool->read = job->next_read;
		kd_reading_end(job->reading);
		if (job->keeper == NULL)
			free(job);
	}
	while (pool->keepers != NULL) {
		struct kd_keeper *keeper = pool->keepers;
		kd_pool_keeper_stop(keeper);
		kill(keeper->pid, SIGKILL);
		waitpid(keeper->pid, NULL, 0);
		ev_child_stop(pool->loop, &keeper->child);
		kd_pool_keeper_free(keeper);
	}
	free(pool->worker);
	free(pool);
}

/* Keepers beyond the number that may stay warm go, the longest idle first. */
static void
trim(struct kd_pool *pool, uint32_t most)
{
	while (pool->warm > most) {
		struct kd_keeper *oldest = NULL;
		for (struct kd_keeper *k = pool->keepers; k != NULL; k = k->next)
			if (k->job == NULL &&
				(oldest == NULL || k->idle_since < oldest->idle_since))
				oldest = k;
		kd_pool_keeper_stop(oldest);
	}
}

static struct kd_keeper *
warm_keeper(struct kd_pool *pool, const char *kind)
{
	for (struct kd_keeper *k = pool->keepers; k != NULL; k = k->next)
		if (k->job == NULL && strcmp(k->kind, kind) == 0)
			return k;
	return NULL;
}

int
kd_pool_start(struct kd_pool *pool, const struct kd_pool_start *start,
	const struct kd_job_handler *handler, struct kd_job **started)
{
	char kind[400];
	snprintf(kind, sizeof kind, "%s %s", start->manifest->rule,
		start->manifest->revision);
	struct kd_job *job = calloc(1, sizeof *job);
	if (job == NULL)
		return -ENOMEM;
	int memory = kd_manifest_write(start->manifest);
	if (memory < 0) {
		free(job);
		return memory;
	}
	struct kd_keeper *keeper = warm_keeper(pool, kind);
	if (keeper == NULL)
		keeper = kd_pool_keeper_new(pool, kind);
	int rc = keeper == NULL
			 ? -EAGAIN
			 : kd_wire_put(keeper->wire, KD_MSG_BATCH, 0, NULL, &memory, 1);
	close(memory);
	if (rc < 0) {
		free(job);
		return rc;
	}
	ev_timer_stop(pool->loop, &keeper->idle);
	keeper->idle_time = start->idle;
	keeper->job = job;
	pool->warm--;
	pool->busy++;
	*job = (struct kd_job){
		.keeper = keeper,
		.handler = *handler,
		.unit_count = start->manifest->unit_count,
	};
	trim(pool, start->warm);
	kd_pool_keeper_flush(keeper);
	*started = job;
	return 0;
}

void
kd_job_verdict(
	struct kd_job *job, uint32_t unit, enum kd_verdict verdict, const char *output)
{
	char *escaped = output == NULL ? NULL : kd_name_escape(output);
	kd_pool_keeper_tell(job->keeper, KD_MSG_VERDICT,
		json_pack("{s:I, s:b, s:b, s:s?}", "unit", (json_int_t)unit, "run",
			verdict != KD_VERDICT_SAME, "again",
			verdict == KD_VERDICT_RUN_AGAIN, "output", escaped));
	free(escaped);
}

void
kd_job_finish(struct kd_job *job, const uint32_t *units, uint32_t unit_count)
{
	struct kd_keeper *keeper = job->keeper;
	job->phase = KD_JOB_ENDS;
	if (keeper == NULL) {
		struct kd_job_handler handler = job->handler;
		free(job);
		handler.finished(handler.context, NULL, NULL, 0,
			"the worker ended before the inputs were disposed of");
		return;
	}
	json_t *list = json_array();
	for (uint32_t i = 0; i < unit_count; i++)
		json_array_append_new(list, json_integer(units[i]));
	kd_pool_keeper_tell(keeper, KD_MSG_FINISH, json_pack("{s:o}", "units", list));
}

void
kd_job_cancel(struct kd_job *job)
{
	if (job->keeper != NULL)
		kd_pool_keeper_tell(job->keeper, KD_MSG_CANCEL, json_object());
}

void
kd_pool_cool(struct kd_pool *pool)
{
	trim(pool, 0);
}

uint32_t
kd_pool_busy(const struct kd_pool *pool)
{
	return pool->busy;
}

uint32_t
kd_pool_idle(const struct kd_pool *pool)
{
	return pool->warm;
}
