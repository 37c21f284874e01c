/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/work/pool_message.h"

#include "daemon/base/log.h"
#include "daemon/base/name.h"
#include "daemon/worker/protocol.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int
on_hashed(struct kd_keeper *keeper, const json_t *body)
{
	json_int_t unit;
	const char *sha256, *revision;
	struct kd_job *job = keeper->job;
	if (job == NULL || job->phase != KD_JOB_RUNS ||
		json_unpack((json_t *)body, "{s:I, s:s, s:s}", "unit", &unit, "sha256",
			&sha256, "revision", &revision) != 0 ||
		unit < 0 || unit >= job->unit_count || strlen(sha256) != KD_HASH_HEX - 1)
		return -EPROTO;
	job->handler.hashed(job->handler.context, job, (uint32_t)unit, sha256, revision);
	return 0;
}

static int
on_progress(struct kd_keeper *keeper, const json_t *body)
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

/* A result that could not be used is a link that is of no use. */
static void
on_broken(struct kd_job *job, int rc)
{
	if (job->keeper != NULL) {
		job->phase = KD_JOB_RUNS;
		kd_pool_keeper_fail(job->keeper, rc);
		return;
	}
	struct kd_job_handler handler = job->handler;
	free(job);
	handler.result(handler.context, NULL, NULL, "the worker broke the protocol");
}

static void
on_read(void *context, int rc, const struct kd_result *result)
{
	struct kd_job *job = context;
	*job->at_read = job->next_read;
	if (job->next_read != NULL)
		job->next_read->at_read = job->at_read;
	job->reading = NULL;
	if (rc == 0 && result->unit_count != job->unit_count)
		rc = -EPROTO;
	if (rc < 0) {
		on_broken(job, rc);
		return;
	}
	job->phase = KD_JOB_TOLD;
	job->handler.result(job->handler.context, job, result, NULL);
}

static int
on_result(struct kd_keeper *keeper, const struct kd_wire_message *message)
{
	struct kd_pool *pool = keeper->pool;
	struct kd_job *job = keeper->job;
	if (job == NULL || job->phase != KD_JOB_RUNS || message->fd_count != 1)
		return -EPROTO;
	job->reading = kd_reading_begin(pool->loop, message->fds[0], on_read, job);
	if (job->reading == NULL)
		return -errno;
	job->phase = KD_JOB_IS_READ;
	job->next_read = pool->read;
	job->at_read = &pool->read;
	if (job->next_read != NULL)
		job->next_read->at_read = &job->next_read;
	pool->read = job;
	return 0;
}

static int
on_finished(struct kd_keeper *keeper, const json_t *body)
{
	enum { MOST = 100000 };
	struct kd_job *job = keeper->job;
	const json_t *failed = json_object_get(body, "failed");
	size_t count = json_array_size(failed);
	if (job == NULL || job->phase != KD_JOB_ENDS || !json_is_array(failed) ||
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
		kd_pool_keeper_rest(keeper);
		free(job);
		handler.finished(handler.context, units, reasons, (uint32_t)count, NULL);
	}
	free(units);
	free(reasons);
	return rc;
}

int
kd_pool_message(struct kd_keeper *keeper, const struct kd_wire_message *message)
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
