/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/worker/unpack_engine.h"

#include "daemon/base/name.h"
#include "daemon/base/wire.h"
#include "daemon/worker/denied.h"
#include "daemon/worker/protocol.h"
#include "daemon/worker/sandbox.h"
#include "daemon/worker/unpack.h"
#include "daemon/worker/unpack_library.h"

#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <unistd.h>

enum { ERRNO_MOST = 4095 /* as the kernel has it */ };

struct engine {
	struct kd_wire *wire;
	uint32_t serial;
	int cancelled;
};

/* Without its keeper an engine has nothing to do. */
static void
receive(struct engine *engine, struct kd_wire_message *message)
{
	for (;;) {
		if (kd_wire_receive(engine->wire, -1, message) < 0)
			_exit(125);
		if (message->type != KD_ENG_CANCEL)
			return;
		engine->cancelled = 1;
		kd_wire_done(message);
	}
}

static int
create(void *context, const char *name)
{
	struct engine *engine = context;
	struct kd_wire_message reply;
	char *escaped = kd_name_escape(name);
	json_t *body = json_pack("{ss?}", "name", escaped);
	free(escaped);
	int rc = kd_wire_send(
		engine->wire, KD_ENG_CREATE, ++engine->serial, body, NULL, 0);
	json_decref(body);
	if (rc < 0)
		_exit(125);
	receive(engine, &reply);
	json_t *answer = kd_wire_json(&reply);
	json_int_t error = json_integer_value(json_object_get(answer, "error"));
	json_decref(answer);
	if (error < 0 || error > ERRNO_MOST)
		_exit(125);
	int fd = -(int)error;
	if (fd == 0 && reply.fd_count == 1) {
		fd = reply.fds[0];
		reply.fds[0] = -1;
	} else if (fd == 0) {
		fd = -EPROTO;
	}
	kd_wire_done(&reply);
	return fd;
}

static int
cancelled(void *context)
{
	struct engine *engine = context;
	struct kd_wire_message message;
	if (kd_wire_fill(engine->wire) < 0)
		_exit(125);
	while (kd_wire_next(engine->wire, &message) == 1) {
		engine->cancelled |= message.type == KD_ENG_CANCEL;
		kd_wire_done(&message);
	}
	return engine->cancelled;
}

static json_int_t
number(const json_t *body, const char *key)
{
	return json_integer_value(json_object_get(body, key));
}

/* The keeper's UNPACK, and what it comes to. */
static int
unpack(struct engine *engine, struct kd_err *err)
{
	struct kd_wire_message message;
	receive(engine, &message);
	json_t *body = message.type == KD_ENG_UNPACK ? kd_wire_json(&message) : NULL;
	kd_wire_done(&message);
	const char *escaped = json_string_value(json_object_get(body, "name"));
	char *name = escaped == NULL ? NULL : kd_name_unescape(escaped);
	const struct kd_unpack order = {
		.archive = KD_PROTOCOL_PLUGIN_FD,
		.name = name,
		.bytes = (uint64_t)number(body, "bytes"),
		.limits =
			{
				.bytes = (uint64_t)number(body, "limit"),
				.entries = (uint32_t)number(body, "entries"),
				.depth = (uint32_t)number(body, "depth"),
				.ratio = (uint32_t)number(body, "ratio"),
				.name = (uint32_t)number(body, "longest"),
			},
		.create = create,
		.cancelled = cancelled,
		.context = engine,
	};
	int rc = name == NULL || order.limits.ratio == 0
			 ? kd_err_set(err, -EPROTO, "expected UNPACK")
			 : kd_unpack_archive(&order, err);
	free(name);
	json_decref(body);
	return rc;
}

int
kd_unpack_engine_main(void)
{
	struct kd_err err = {0};
	struct engine engine = {.wire = kd_wire_new(KD_PROTOCOL_FD)};
	if (engine.wire == NULL)
		return 1;
	/* libarchive converts names by the locale; it is read before the doors close. */
	setlocale(LC_CTYPE, "C.UTF-8");
	int rc = kd_sandbox_narrow(0, KD_DENIED_FD, &err);
	if (rc == 0 && kd_unpack_library(&err) == NULL)
		rc = err.code;
	if (rc == 0)
		rc = kd_sandbox_close(0, &err);
	if (rc == 0)
		rc = unpack(&engine, &err);
	char *text = kd_name_escape(err.text);
	json_t *body =
		rc < 0 ? json_pack("{siss?}", "error", -rc, "text", text) : json_object();
	free(text);
	int sent = kd_wire_send(engine.wire, KD_ENG_UNPACKED, 0, body, NULL, 0);
	json_decref(body);
	kd_wire_free(engine.wire);
	return sent < 0;
}
