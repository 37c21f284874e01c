/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A keeper without a batch: the engine may read what its parameters name and tell facts,
 * and nothing else.
 */
#include "daemon/worker/inspect.h"

#include "daemon/base/name.h"
#include "daemon/worker/broker.h"
#include "daemon/worker/protocol.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { DEATH_PATIENCE = 1000 /* ms */ };

static int
engine_died(struct kd_handle *handle, struct kd_err *err)
{
	char words[64];
	int status = kd_launch_wait(&handle->process, DEATH_PATIENCE);
	return kd_err_set(err, -EPIPE, "the engine %s while it inspected (plugin '%s')",
		kd_launch_describe(status, words, sizeof words),
		handle->plugin != NULL ? handle->plugin : "?");
}

/* OPENED: the end, well or not. */
static int
take_opened(const struct kd_wire_message *message, struct kd_err *err)
{
	json_t *body = kd_wire_json(message);
	const json_t *error = json_object_get(body, "error");
	const char *text = json_string_value(json_object_get(body, "text"));
	int rc = 0;
	if (body == NULL)
		rc = kd_err_set(err, -EPROTO, "the engine's answer has no body");
	else if (error != NULL)
		rc = kd_err_set(err, -EINVAL, "%s",
			text != NULL ? text : strerror((int)json_integer_value(error)));
	json_decref(body);
	return rc;
}

/* 1 at the end, 0 to go on. */
static int
take(const struct kd_broker *broker, const struct kd_wire_message *message,
	struct kd_err *err)
{
	json_t *body;
	int rc;
	switch (message->type) {
	case KD_ENG_OPENED:
		rc = take_opened(message, err);
		return rc < 0 ? rc : 1;
	case KD_ENG_LOADED:
		body = kd_wire_json(message);
		rc = kd_handle_loaded(
			broker->handle, &broker->batch->manifest, body, err);
		json_decref(body);
		return rc;
	case KD_ENG_PARAM:
	case KD_ENG_META:
	case KD_ENG_LOG:
	case KD_ENG_VARIANT:
		return kd_broker_serve(broker, message, err);
	default:
		return kd_err_set(err, -EPROTO,
			"the engine asked for what inspect() may not have (message %u)",
			message->type);
	}
}

static int
inspect(const struct kd_broker *broker, struct kd_err *err)
{
	struct kd_handle *handle = broker->handle;
	int rc = kd_handle_inspect(handle, &broker->batch->manifest, err);
	while (rc == 0) {
		struct kd_wire_message message;
		rc = kd_wire_receive(handle->process.wire, -1, &message);
		if (rc < 0)
			return rc == -EPROTO ? kd_err_set(err, rc,
						       "the engine sent a malformed "
						       "message")
					     : engine_died(handle, err);
		rc = take(broker, &message, err);
		kd_wire_done(&message);
	}
	return rc < 0 ? rc : 0;
}

int
kd_inspect_main(void)
{
	struct kd_batch batch = {.root = -1};
	struct kd_handle handle = {0};
	struct kd_link link = {0};
	struct kd_broker broker = {&batch, &handle, &link};
	struct kd_err err = {0};
	int rc = kd_manifest_read(KD_PROTOCOL_FD, &batch.manifest, &err);
	if (rc == 0)
		rc = inspect(&broker, &err);
	json_t *said = rc < 0 ? json_pack("{ss}", "error", KD_NAME(err.text))
			      : json_pack("{sO}", "facts", handle.facts);
	kd_handle_kill(&handle);
	if (said == NULL || json_dumpf(said, stdout, JSON_COMPACT) < 0 ||
		putchar('\n') == EOF || fflush(stdout) != 0)
		rc = -EIO;
	json_decref(said);
	kd_manifest_clear(&batch.manifest);
	return rc < 0;
}
