/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/worker/engine.h"

#include "daemon/base/file.h"
#include "daemon/worker/denied.h"
#include "daemon/worker/gate.h"
#include "daemon/worker/host.h"
#include "daemon/worker/protocol.h"
#include "daemon/worker/sandbox.h"
#include "daemon/worker/values.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <unistd.h>

enum { PROCESS_MOST = 256 << 20 };

struct engine {
	struct kd_host *host;
	const struct kiln_plugin *plugin;
	const struct kiln_kernel *kernel;
	void *state;
};

static void
tell_error(struct engine *engine, uint16_t type, int code, const char *text)
{
	kd_host_tell(engine->host, type,
		code == 0 ? json_object()
			  : json_pack("{siso?}", "error", -code, "text",
				    text[0] == '\0' ? NULL : json_string(text)));
}

static void
tell_loaded(struct engine *engine)
{
	const struct kiln_kernel *kernel = engine->kernel;
	json_t *paths = json_array();
	for (size_t i = 0; kernel->params != NULL && kernel->params[i] != NULL; i++)
		if (kernel->params[i]->type == KILN_PATH)
			json_array_append_new(
				paths, json_string(kernel->params[i]->name));
	kd_host_tell(engine->host, KD_ENG_LOADED,
		json_pack("{sssssIsIsIso}", "plugin", engine->plugin->name, "version",
			engine->plugin->version, "accepts", (json_int_t)kernel->accepts,
			"makes", (json_int_t)kernel->makes, "needs",
			(json_int_t)kernel->needs, "paths", paths));
}

/* What a plugin's function returned and said, as an error. */
static int
plugin_failed(struct engine *engine, int rc, const char *what, struct kd_err *err)
{
	const char *text = kd_host_failure(engine->host);
	rc = rc < -4095 ? -EINVAL : rc;
	if (text[0] != '\0')
		return kd_err_set(err, rc, "%s", text);
	return kd_err_errno(
		err, rc, "%s() of kernel '%s' failed", what, engine->kernel->name);
}

static int
open_kernel(struct engine *engine, const json_t *open, int inspect, struct kd_err *err)
{
	const char *name = json_string_value(json_object_get(open, "kernel"));
	engine->kernel = kd_gate_kernel(engine->plugin, name == NULL ? "" : name);
	if (engine->kernel == NULL)
		return kd_err_set(err, -ENOENT, "plugin '%s' has no kernel '%s'",
			engine->plugin->name, name == NULL ? "" : name);
	if (inspect && engine->kernel->inspect == NULL)
		return kd_err_set(err, -EOPNOTSUPP, "kernel '%s' has nothing to inspect",
			engine->kernel->name);
	int rc = kd_host_configure(engine->host, open);
	if (rc == 0)
		rc = kd_host_begin(engine->host, 0);
	if (rc < 0)
		return kd_err_set(err, rc, "out of memory");
	tell_loaded(engine);
	struct kd_values *values;
	rc = kd_values_params(
		engine->kernel, json_object_get(open, "params"), &values, err);
	if (rc < 0)
		return rc;
	const struct kiln_host *host = kd_host_services(engine->host);
	const struct kiln_params *params = kd_values_get_params(values);
	rc = inspect ? engine->kernel->inspect(host, params)
		     : engine->kernel->open(host, params, &engine->state);
	kd_values_free(values);
	return rc < 0 ? plugin_failed(engine, rc, inspect ? "inspect" : "open", err) : 0;
}

static int
process(struct engine *engine, const struct kd_wire_message *message, struct kd_err *err)
{
	char *text;
	size_t length;
	struct kd_values *values;
	if (message->fd_count != 1)
		return kd_err_set(err, -EPROTO, "PROCESS came without its units");
	int rc = kd_file_read_all(message->fds[0], PROCESS_MOST, &text, &length);
	if (rc < 0)
		return kd_err_errno(err, rc, "cannot read the units");
	json_t *body = json_loadb(text, length, 0, NULL);
	free(text);
	rc = kd_values_batch(body, &values, err);
	json_decref(body);
	if (rc < 0)
		return rc;
	const struct kiln_batch *batch = kd_values_get_batch(values);
	rc = kd_host_begin(engine->host, batch->unit_count);
	if (rc == 0)
		rc = engine->kernel->process(
			kd_host_services(engine->host), engine->state, batch);
	kd_values_free(values);
	return rc < 0 ? plugin_failed(engine, rc, "process", err) : 0;
}

/* 0 to go on, 1 to quit. */
static int
serve(struct engine *engine, const struct kd_wire_message *message)
{
	struct kd_err err = {0};
	int rc;
	switch (message->type) {
	case KD_ENG_PROCESS:
		rc = process(engine, message, &err);
		tell_error(engine, KD_ENG_PROCESSED, rc, err.text);
		return 0;
	case KD_ENG_QUIT:
		return 1;
	default:
		return 1;
	}
}

/* The first message; afterwards the engine is open, or has said why not. */
static int
start(struct engine *engine, int gate, struct kd_err *err)
{
	struct kd_wire_message message;
	kd_host_receive(engine->host, &message);
	int inspect = message.type == KD_ENG_INSPECT;
	int rc = gate;
	json_t *open = NULL;
	if (message.type != KD_ENG_OPEN && !inspect)
		rc = -EPROTO;
	if (rc == 0) {
		open = kd_wire_json(&message);
		rc = open_kernel(engine, open, inspect, err);
	}
	if (rc != -EPROTO)
		tell_error(engine, KD_ENG_OPENED, rc, err->text);
	json_decref(open);
	kd_wire_done(&message);
	return inspect ? 1 : rc;
}

/* What one unit took, the next one takes: memory is not given back after each, up to a
 * limit.  Blocks of a size that few units have are the system's again at once. */
static void
keep_memory(void)
{
	enum { KEPT = 64 << 20, LARGE = 8 << 20 };
	mallopt(M_TRIM_THRESHOLD, KEPT);
	mallopt(M_MMAP_THRESHOLD, LARGE);
}

int
kd_engine_main(uint32_t needs, int unconfined)
{
	struct engine engine = {0};
	struct kd_err err = {0};
	struct kd_wire_message message;
	keep_memory();
	struct kd_wire *wire = kd_wire_new(KD_PROTOCOL_FD);
	engine.host = wire == NULL ? NULL : kd_host_new(wire);
	if (engine.host == NULL)
		return 1;
	if (unconfined)
		kd_host_services(engine.host)
			->log(kd_host_services(engine.host), KILN_WARNING,
				"this kernel has no Landlock: engines are confined by "
				"seccomp and limits only");
	int rc = kd_sandbox_narrow(needs, KD_DENIED_FD, &err);
	if (rc == 0)
		rc = kd_gate_load(KD_PROTOCOL_PLUGIN_FD, &engine.plugin, &err);
	if (rc == 0)
		rc = kd_sandbox_close(needs, &err);
	close(KD_PROTOCOL_PLUGIN_FD);
	rc = start(&engine, rc, &err);
	for (int quit = rc != 0; !quit;) {
		kd_host_receive(engine.host, &message);
		quit = serve(&engine, &message);
		kd_wire_done(&message);
		if (quit)
			engine.kernel->close(kd_host_services(engine.host), engine.state);
	}
	kd_host_free(engine.host);
	kd_wire_free(wire);
	return rc < 0;
}
