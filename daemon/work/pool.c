/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Invariant: a keeper has at most one job; whatever goes wrong with its link ends both,
 * and the job's handler hears of it exactly once.
 */
#include "daemon/work/pool.h"

#include "daemon/base/log.h"
#include "daemon/base/name.h"
#include "daemon/base/wire.h"
#include "daemon/work/spawn.h"
#include "daemon/worker/protocol.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum phase { WAITS_RESULT, WAITS_FINISH_ORDER, WAITS_FINISHED };

struct kd_job {
	struct keeper *keeper;
	struct kd_job_handler handler;
	enum phase phase;
	uint32_t unit_count;
};

struct keeper {
	struct keeper *next;
	struct kd_pool *pool;
	struct kd_wire *wire;
	ev_io readable, writable;
	ev_timer idle;
	ev_child child;
	pid_t pid;
	int reaped;
	char *kind; /* rule and revision */
	double idle_time, idle_since;
	struct kd_job *job; /* NULL: warm */
};

struct kd_pool {
	struct ev_loop *loop;
	char *worker;
	struct keeper *keepers;
	uint32_t busy, warm;
};

static void
keeper_stop(struct keeper *keeper)
{
	struct kd_pool *pool = keeper->pool;
	for (struct keeper **at = &pool->keepers; *at != NULL; at = &(*at)->next) {
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

static void
keeper_free(struct keeper *keeper)
{
	free(keeper->kind);
	free(keeper->job);
	free(keeper);
}

/* How the keeper ended, for people. */
static void
describe_end(const struct keeper *keeper, int rc, char *text, size_t size)
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

/* The link is of no use any more: the job, if any, is over, the process is killed; its
 * memory goes when it is reaped. */
static void
keeper_fail(struct keeper *keeper, int rc)
{
	char reason[200];
	describe_end(keeper, rc, reason, sizeof reason);
	struct kd_job *job = keeper->job;
	keeper_stop(keeper);
	keeper->job = NULL;
	if (!keeper->reaped)
		kill(keeper->pid, SIGKILL);
	if (job == NULL)
		return;
	/* The handler that has its result but has not asked to finish learns it then. */
	job->keeper = NULL;
	if (job->phase == WAITS_FINISH_ORDER)
		return;
	struct kd_job_handler handler = job->handler;
	enum phase phase = job->phase;
	free(job);
	if (phase == WAITS_RESULT)
		handler.result(handler.context, NULL, NULL, reason);
	else
		handler.finished(handler.context, NULL, NULL, 0, reason);
}

static void
flush(struct keeper *keeper)
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
	flush(io->data);
}

/* Puts a message into the link; json is stolen. */
static void
tell(struct keeper *keeper, uint16_t type, json_t *json)
{
	int rc = json == NULL ? -ENOMEM
			      : kd_wire_put(keeper->wire, type, 0, json, NULL, 0);
	json_decref(json);
	if (rc < 0) {
		kd_log(KD_ERROR, "cannot tell a worker (%s), ending it", strerror(-rc));
		kill(keeper->pid, SIGKILL);
		return;
	}
	flush(keeper);
}

static void
go_warm(struct keeper *keeper)
{
	struct kd_pool *pool = keeper->pool;
	keeper->job = NULL;
	pool->busy--;
	pool->warm++;
	keeper->idle_since = ev_now(pool->loop);
	ev_timer_set(&keeper->idle, keeper->idle_time, 0.);
	ev_timer_start(pool->loop, &keeper->idle);
}

/* Closing the link is how a keeper is told to go; it is reaped when it has gone. */
static void
let_go(struct keeper *keeper)
{
	keeper_stop(keeper);
}

static void
idle_over(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)events;
	let_go(timer->data);
}

static int
on_hashed(struct keeper *keeper, const json_t *body)
{
	json_int_t unit;
	const char *sha256, *revision;
	struct kd_job *job = keeper->job;
	if (job == NULL || job->phase != WAITS_RESULT ||
		json_unpack((json_t *)body, "{s:I, s:s, s:s}", "unit", &unit, "sha256",
			&sha256, "revision", &revision) != 0 ||
		unit < 0 || unit >= job->unit_count || strlen(sha256) != KD_HASH_HEX - 1)
		return -EPROTO;
	job->handler.hashed(job->handler.context, job, (uint32_t)unit, sha256, revision);
	return 0;
}

static int
on_progress(struct keeper *keeper, const json_t *body)
{
	json_int_t unit, done, total;
	struct kd_job *job = keeper->job;
	if (job == NULL ||
		json_unpack((json_t *)body, "{s:I, s:I, s:I}", "unit", &unit, "done",
			&done, "total", &total) != 0 ||
		unit < 0 || unit >= job->unit_count || done < 0 || total < 0)
		return -EPROTO;
	job->handler.progress(
		job->handler.context, (uint32_t)unit, (uint64_t)done, (uint64_t)total);
	return 0;
}

static int
on_log(const json_t *body)
{
	int level;
	const char *text;
	if (json_unpack((json_t *)body, "{s:i, s:s}", "level", &level, "text", &text) !=
		0)
		return -EPROTO;
	if (level < KD_ERROR)
		level = KD_ERROR;
	kd_log((enum kd_log_level)level, "%s", KD_NAME(text));
	return 0;
}

static int
on_result(struct keeper *keeper, const struct kd_wire_message *message)
{
	struct kd_job *job = keeper->job;
	struct kd_result result;
	struct kd_err err;
	if (job == NULL || job->phase != WAITS_RESULT || message->fd_count != 1)
		return -EPROTO;
	int rc = kd_manifest_result_read(message->fds[0], &result, &err);
	if (rc == 0 && result.unit_count != job->unit_count) {
		kd_manifest_result_clear(&result);
		rc = -EPROTO;
	}
	if (rc < 0)
		return -EPROTO;
	job->phase = WAITS_FINISH_ORDER;
	job->handler.result(job->handler.context, job, &result, NULL);
	kd_manifest_result_clear(&result);
	return 0;
}

static int
on_finished(struct keeper *keeper, const json_t *body)
{
	enum { MOST = 100000 };
	struct kd_job *job = keeper->job;
	const json_t *failed = json_object_get(body, "failed");
	size_t count = json_array_size(failed);
	if (job == NULL || job->phase != WAITS_FINISHED || !json_is_array(failed) ||
		count > MOST)
		return -EPROTO;
	uint32_t *units = calloc(count + 1, sizeof *units);
	char **reasons = calloc(count + 1, sizeof *reasons);
	int rc = units == NULL || reasons == NULL ? -ENOMEM : 0;
	for (size_t i = 0; i < count && rc == 0; i++) {
		json_int_t unit;
		const char *reason;
		if (json_unpack(json_array_get(failed, i), "{s:I, s:s}", "unit", &unit,
			    "reason", &reason) != 0 ||
			unit < 0 || unit >= job->unit_count)
			rc = -EPROTO;
		units[i] = (uint32_t)unit;
		reasons[i] = (char *)reason;
	}
	if (rc == 0) {
		struct kd_job_handler handler = job->handler;
		go_warm(keeper);
		free(job);
		handler.finished(handler.context, units, reasons, (uint32_t)count, NULL);
	}
	free(units);
	free(reasons);
	return rc;
}

static int
on_message(struct keeper *keeper, const struct kd_wire_message *message)
{
	if (message->type == KD_MSG_RESULT)
		return on_result(keeper, message);
	json_t *body = kd_wire_json(message);
	if (body == NULL)
		return -EPROTO;
	json_int_t version;
	int rc = -EPROTO;
	switch (message->type) {
	case KD_MSG_HELLO:
		if (json_unpack(body, "{s:I}", "version", &version) == 0 &&
			version == KD_PROTOCOL_VERSION)
			rc = 0;
		break;
	case KD_MSG_HASHED:
		rc = on_hashed(keeper, body);
		break;
	case KD_MSG_UNIT_PROGRESS:
		rc = on_progress(keeper, body);
		break;
	case KD_MSG_KEEPER_LOG:
		rc = on_log(body);
		break;
	case KD_MSG_FINISHED:
		rc = on_finished(keeper, body);
		break;
	}
	json_decref(body);
	return rc;
}

/* Takes what the keeper said so far: 1 when there was something. */
static int
hear(struct keeper *keeper)
{
	int filled = kd_wire_fill(keeper->wire);
	struct kd_wire_message message;
	int rc, heard = 0;
	while ((rc = kd_wire_next(keeper->wire, &message)) == 1) {
		heard = 1;
		rc = on_message(keeper, &message);
		kd_wire_done(&message);
		/* A handler may have let the keeper go. */
		if (rc < 0 || keeper->wire == NULL)
			break;
	}
	if (keeper->wire != NULL && (rc < 0 || filled < 0))
		keeper_fail(keeper, rc < 0 ? rc : filled);
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
	struct keeper *keeper = child->data;
	ev_child_stop(loop, child);
	keeper->reaped = 1;
	while (keeper->wire != NULL && hear(keeper))
		;
	if (keeper->wire != NULL)
		keeper_fail(keeper, -EPIPE);
	keeper_free(keeper);
}

static struct keeper *
keeper_new(struct kd_pool *pool, const char *kind)
{
	struct keeper *keeper = calloc(1, sizeof *keeper);
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

struct kd_pool *
kd_pool_new(struct ev_loop *loop, const struct kd_pool_options *options)
{
	struct kd_pool *pool = calloc(1, sizeof *pool);
	if (pool == NULL)
		return NULL;
	pool->loop = loop;
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
	while (pool->keepers != NULL) {
		struct keeper *keeper = pool->keepers;
		keeper_stop(keeper);
		kill(keeper->pid, SIGKILL);
		waitpid(keeper->pid, NULL, 0);
		ev_child_stop(pool->loop, &keeper->child);
		keeper_free(keeper);
	}
	free(pool->worker);
	free(pool);
}

/* Keepers beyond the number that may stay warm go, the longest idle first. */
static void
trim(struct kd_pool *pool, uint32_t most)
{
	while (pool->warm > most) {
		struct keeper *oldest = NULL;
		for (struct keeper *k = pool->keepers; k != NULL; k = k->next)
			if (k->job == NULL &&
				(oldest == NULL || k->idle_since < oldest->idle_since))
				oldest = k;
		let_go(oldest);
	}
}

static struct keeper *
warm_keeper(struct kd_pool *pool, const char *kind)
{
	for (struct keeper *k = pool->keepers; k != NULL; k = k->next)
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
	struct keeper *keeper = warm_keeper(pool, kind);
	if (keeper == NULL)
		keeper = keeper_new(pool, kind);
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
	flush(keeper);
	*started = job;
	return 0;
}

void
kd_job_verdict(
	struct kd_job *job, uint32_t unit, enum kd_verdict verdict, const char *output)
{
	char *escaped = output == NULL ? NULL : kd_name_escape(output);
	tell(job->keeper, KD_MSG_VERDICT,
		json_pack("{s:I, s:b, s:b, s:s?}", "unit", (json_int_t)unit, "run",
			verdict != KD_VERDICT_SAME, "again",
			verdict == KD_VERDICT_RUN_AGAIN, "output", escaped));
	free(escaped);
}

void
kd_job_finish(struct kd_job *job, const uint32_t *units, uint32_t unit_count)
{
	struct keeper *keeper = job->keeper;
	job->phase = WAITS_FINISHED;
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
	tell(keeper, KD_MSG_FINISH, json_pack("{s:o}", "units", list));
}

void
kd_job_cancel(struct kd_job *job)
{
	if (job->keeper != NULL)
		tell(job->keeper, KD_MSG_CANCEL, json_object());
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
