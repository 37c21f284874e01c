/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/work/pool_keeper.h"

#include "daemon/base/log.h"
#include "daemon/work/spawn.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

void
kd_pool_keeper_stop(struct kd_keeper *keeper)
{
	struct kd_pool *pool = keeper->pool;
	for (struct kd_keeper **at = &pool->keepers; *at != NULL; at = &(*at)->next) {
		if (*at == keeper) {
			*at = keeper->next;
			break;
		}
	}
	*(keeper->job == NULL ? &pool->warm : &pool->busy) -= 1;
	ev_io_stop(pool->loop, &keeper->readable);
	ev_io_stop(pool->loop, &keeper->writable);
	ev_timer_stop(pool->loop, &keeper->idle);
	kd_wire_free(keeper->wire);
	keeper->wire = NULL;
}

void
kd_pool_keeper_free(struct kd_keeper *keeper)
{
	free(keeper->kind);
	free(keeper->job);
	free(keeper);
}

/* How the keeper ended, for people. */
static void
describe_end(const struct kd_keeper *keeper, int rc, char *text, size_t size)
{
	siginfo_t info = {0};
	int signal = 0;
	if (keeper->reaped)
		signal = WIFSIGNALED(keeper->child.rstatus)
				 ? WTERMSIG(keeper->child.rstatus)
				 : 0;
	else if (waitid(P_PID, (id_t)keeper->pid, &info, WEXITED | WNOWAIT | WNOHANG) ==
			 0 &&
		 info.si_pid == keeper->pid && info.si_code != CLD_EXITED)
		signal = info.si_status;
	if (rc == -EPIPE && signal != 0)
		snprintf(text, size, "the worker was killed by signal %d (%s)", signal,
			strsignal(signal));
	else if (rc == -EPIPE)
		snprintf(text, size, "the worker ended before its work was done");
	else
		snprintf(text, size, "the worker broke the protocol (%s)", strerror(-rc));
}

void
kd_pool_keeper_fail(struct kd_keeper *keeper, int rc)
{
	char reason[200];
	describe_end(keeper, rc, reason, sizeof reason);
	struct kd_job *job = keeper->job;
	kd_pool_keeper_stop(keeper);
	keeper->job = NULL;
	if (!keeper->reaped)
		kill(keeper->pid, SIGKILL);
	if (job == NULL)
		return;
	/* The handler that has its result, or is about to, but has not asked to finish
	 * learns it then. */
	job->keeper = NULL;
	if (job->phase == KD_JOB_TOLD || job->phase == KD_JOB_IS_READ)
		return;
	struct kd_job_handler handler = job->handler;
	enum kd_job_phase phase = job->phase;
	free(job);
	if (phase == KD_JOB_RUNS)
		handler.result(handler.context, NULL, NULL, reason);
	else
		handler.finished(handler.context, NULL, NULL, 0, reason);
}

void
kd_pool_keeper_flush(struct kd_keeper *keeper)
{
	int rc = kd_wire_flush(keeper->wire);
	if (rc == 1)
		ev_io_start(keeper->pool->loop, &keeper->writable);
	else
		ev_io_stop(keeper->pool->loop, &keeper->writable);
	/* A broken link shows when it is read: what the keeper said last still counts. */
}

static void
writable(struct ev_loop *loop, ev_io *io, int events)
{
	(void)loop;
	(void)events;
	kd_pool_keeper_flush(io->data);
}

void
kd_pool_keeper_tell(struct kd_keeper *keeper, uint16_t type, json_t *json)
{
	int rc = json == NULL ? -ENOMEM
			      : kd_wire_put(keeper->wire, type, 0, json, NULL, 0);
	json_decref(json);
	if (rc < 0) {
		kd_log(KD_ERROR, "cannot tell a worker (%s), ending it", strerror(-rc));
		kill(keeper->pid, SIGKILL);
		return;
	}
	kd_pool_keeper_flush(keeper);
}

void
kd_pool_keeper_rest(struct kd_keeper *keeper)
{
	struct kd_pool *pool = keeper->pool;
	keeper->job = NULL;
	pool->busy--;
	pool->warm++;
	keeper->idle_since = ev_now(pool->loop);
	ev_timer_set(&keeper->idle, keeper->idle_time, 0.);
	ev_timer_start(pool->loop, &keeper->idle);
}

static void
idle_over(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)events;
	kd_pool_keeper_stop(timer->data);
}

/* Takes what the keeper said so far: 1 when there was something. */
static int
hear(struct kd_keeper *keeper)
{
	int filled = kd_wire_fill(keeper->wire);
	struct kd_wire_message message;
	int rc, heard = 0;
	while ((rc = kd_wire_next(keeper->wire, &message)) == 1) {
		heard = 1;
		rc = keeper->pool->hear(keeper, &message);
		kd_wire_done(&message);
		if (rc < 0 || keeper->wire == NULL)
			break;
	}
	if (keeper->wire != NULL && (rc < 0 || filled < 0))
		kd_pool_keeper_fail(keeper, rc < 0 ? rc : filled);
	return heard;
}

static void
readable(struct ev_loop *loop, ev_io *io, int events)
{
	(void)loop;
	(void)events;
	hear(io->data);
}

/* The loop may tell of a keeper's death before it tells that its last words came: they
 * count, and are taken here. */
static void
reaped(struct ev_loop *loop, ev_child *child, int events)
{
	(void)events;
	struct kd_keeper *keeper = child->data;
	ev_child_stop(loop, child);
	keeper->reaped = 1;
	while (keeper->wire != NULL && hear(keeper))
		;
	if (keeper->wire != NULL)
		kd_pool_keeper_fail(keeper, -EPIPE);
	kd_pool_keeper_free(keeper);
}

struct kd_keeper *
kd_pool_keeper_new(struct kd_pool *pool, const char *kind)
{
	struct kd_keeper *keeper = calloc(1, sizeof *keeper);
	if (keeper == NULL)
		return NULL;
	keeper->pool = pool;
	keeper->kind = strdup(kind);
	int link = -1;
	if (keeper->kind == NULL ||
		kd_spawn_keeper(pool->worker, NULL, &link, &keeper->pid) < 0)
		goto fail;
	keeper->wire = kd_wire_new(link);
	if (keeper->wire == NULL) {
		close(link);
		kill(keeper->pid, SIGKILL);
		waitpid(keeper->pid, NULL, 0);
		goto fail;
	}
	ev_io_init(&keeper->readable, readable, link, EV_READ);
	ev_io_init(&keeper->writable, writable, link, EV_WRITE);
	ev_timer_init(&keeper->idle, idle_over, 0., 0.);
	ev_child_init(&keeper->child, reaped, keeper->pid, 0);
	keeper->readable.data = keeper->writable.data = keeper;
	keeper->idle.data = keeper->child.data = keeper;
	ev_io_start(pool->loop, &keeper->readable);
	ev_child_start(pool->loop, &keeper->child);
	keeper->next = pool->keepers;
	pool->keepers = keeper;
	pool->warm++;
	return keeper;
fail:
	free(keeper->kind);
	free(keeper);
	return NULL;
}
