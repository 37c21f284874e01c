/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any thread of a plugin may ask.  One mutex covers the link from a request's first byte
 * to its reply's last, so replies need no queue; only CANCEL can come in between.
 */
#include "daemon/worker/host.h"

#include "daemon/worker/manifest_fields.h"
#include "daemon/worker/protocol.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	PROGRESS_EVERY = 100 /* ms */,
	CANCEL_EVERY = 10 /* ms */,
	TEXT_MOST = 1000,
	NOTES_MOST = 16384, /* bytes */
	ERRNO_MOST = 4095   /* as the kernel has it */
};

struct progress {
	int64_t told; /* when, ms; 0: never */
	uint64_t done;
};

struct kd_host {
	struct kiln_host services; /* first: the plugin's pointer is ours */
	struct kd_wire *wire;
	pthread_mutex_t mutex;
	uint32_t serial;
	char *device;
	uint32_t unit_count;
	struct progress *progress; /* unit_count */
	char failure[TEXT_MOST];
	atomic_int cancelled;
	atomic_llong asked; /* when cancelled() last looked, ms */
};

static int64_t
now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct kd_host *
self(const struct kiln_host *services)
{
	return (struct kd_host *)services;
}

/* Without its keeper an engine has nothing to do. */
static _Noreturn void
orphaned(void)
{
	_exit(125);
}

/* Holding the mutex. */
static void
receive(struct kd_host *host, struct kd_wire_message *message)
{
	for (;;) {
		if (kd_wire_receive(host->wire, -1, message) < 0)
			orphaned();
		if (message->type != KD_ENG_CANCEL)
			return;
		atomic_store(&host->cancelled, 1);
		kd_wire_done(message);
	}
}

void
kd_host_receive(struct kd_host *host, struct kd_wire_message *message)
{
	pthread_mutex_lock(&host->mutex);
	receive(host, message);
	pthread_mutex_unlock(&host->mutex);
}

void
kd_host_tell(struct kd_host *host, uint16_t type, json_t *body)
{
	pthread_mutex_lock(&host->mutex);
	int rc = kd_wire_send(host->wire, type, 0, body, NULL, 0);
	pthread_mutex_unlock(&host->mutex);
	json_decref(body);
	if (rc < 0 && rc != -EMSGSIZE && rc != -ENOMEM && rc != -EINVAL)
		orphaned();
}

/* Tells what nobody waits for: it goes with the next message that somebody does, or when
 * there is much of it.  The keeper is not woken for each of a unit's facts.  Takes body. */
static void
note(struct kd_host *host, uint16_t type, json_t *body)
{
	pthread_mutex_lock(&host->mutex);
	int rc = kd_wire_pending(host->wire) > NOTES_MOST
			 ? kd_wire_send(host->wire, type, 0, body, NULL, 0)
			 : kd_wire_put(host->wire, type, 0, body, NULL, 0);
	pthread_mutex_unlock(&host->mutex);
	json_decref(body);
	if (rc < 0 && rc != -EMSGSIZE && rc != -ENOMEM && rc != -EINVAL)
		orphaned();
}

/* Asks and waits.  Takes body.  0 or the keeper's negative errno; *fd, where wanted, is
 * the caller's. */
static int
request(struct kd_host *host, uint16_t type, json_t *body, int *fd)
{
	struct kd_wire_message reply;
	if (body == NULL)
		return -ENOMEM;
	pthread_mutex_lock(&host->mutex);
	uint32_t serial = ++host->serial;
	int rc = kd_wire_send(host->wire, type, serial, body, NULL, 0);
	json_decref(body);
	if (rc == -EMSGSIZE || rc == -ENOMEM || rc == -EINVAL) {
		pthread_mutex_unlock(&host->mutex);
		return rc;
	}
	if (rc < 0)
		orphaned();
	receive(host, &reply);
	pthread_mutex_unlock(&host->mutex);
	if (reply.type != KD_ENG_REPLY || reply.serial != serial)
		orphaned();
	json_t *answer = kd_wire_json(&reply);
	json_int_t error = json_integer_value(json_object_get(answer, "error"));
	json_decref(answer);
	if (error < 0 || error > ERRNO_MOST)
		orphaned();
	rc = -(int)error;
	if (rc == 0 && fd != NULL) {
		if (reply.fd_count != 1)
			orphaned();
		*fd = reply.fds[0];
		reply.fds[0] = -1;
	}
	kd_wire_done(&reply);
	return rc;
}

/* A sentence of the plugin's, cut to what a message should carry. */
static json_t *
text_json(const char *text)
{
	if (text == NULL)
		return json_null();
	char cut[TEXT_MOST];
	snprintf(cut, sizeof cut, "%s", text);
	return kd_manifest_fields_put_name(cut);
}

static int
open_input(const struct kiln_host *services, uint32_t unit, const char *name)
{
	int fd = -1;
	if (name == NULL)
		return -EINVAL;
	json_t *body = json_pack("{sIso}", "unit", (json_int_t)unit, "name",
		kd_manifest_fields_put_name(name));
	int rc = request(self(services), KD_ENG_INPUT, body, &fd);
	return rc < 0 ? rc : fd;
}

static int
open_param(const struct kiln_host *services, const char *param, const char *beneath)
{
	int fd = -1;
	if (param == NULL)
		return -EINVAL;
	json_t *body = json_pack("{soso}", "name", kd_manifest_fields_put_name(param),
		"beneath",
		beneath == NULL ? json_null() : kd_manifest_fields_put_name(beneath));
	int rc = request(self(services), KD_ENG_PARAM, body, &fd);
	return rc < 0 ? rc : fd;
}

static int
create(const struct kiln_host *services, uint32_t unit, const char *name, uint32_t flags)
{
	int fd = -1;
	if (name == NULL)
		return -EINVAL;
	json_t *body = json_pack("{sIsosI}", "unit", (json_int_t)unit, "name",
		kd_manifest_fields_put_name(name), "flags", (json_int_t)flags);
	int rc = request(self(services), KD_ENG_CREATE, body, &fd);
	return rc < 0 ? rc : fd;
}

static int
done(const struct kiln_host *services, uint32_t unit, uint32_t klass, const char *reason)
{
	json_t *body = json_pack("{sIsIso}", "unit", (json_int_t)unit, "class",
		(json_int_t)klass, "reason", text_json(reason));
	return request(self(services), KD_ENG_DONE, body, NULL);
}

static void
warn(const struct kiln_host *services, uint32_t unit, const char *text)
{
	note(self(services), KD_ENG_WARN,
		json_pack("{sIso}", "unit", (json_int_t)unit, "text", text_json(text)));
}

static void
log_line(const struct kiln_host *services, uint32_t level, const char *text)
{
	kd_host_tell(self(services), KD_ENG_LOG,
		json_pack("{sIso}", "level", (json_int_t)level, "text", text_json(text)));
}

static void
meta(const struct kiln_host *services, uint32_t unit, const char *key, const char *text)
{
	json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);
	if (value == NULL) {
		char line[200];
		snprintf(line, sizeof line, "fact '%.100s' is no JSON value, left out",
			key);
		log_line(services, KILN_WARNING, line);
		return;
	}
	note(self(services), KD_ENG_META,
		json_pack("{sIsoso}", "unit", (json_int_t)unit, "key", text_json(key),
			"value", value));
}

static void
progress(const struct kiln_host *services, uint32_t unit, uint64_t so_far, uint64_t total)
{
	struct kd_host *host = self(services);
	if (unit >= host->unit_count)
		return;
	int64_t now = now_ms();
	pthread_mutex_lock(&host->mutex);
	struct progress *last = &host->progress[unit];
	int tell = last->told == 0 || now - last->told >= PROGRESS_EVERY ||
		   (so_far >= total && last->done != so_far);
	if (tell)
		*last = (struct progress){now, so_far};
	pthread_mutex_unlock(&host->mutex);
	if (tell)
		kd_host_tell(host, KD_ENG_PROGRESS,
			json_pack("{sIsIsI}", "unit", (json_int_t)unit, "done",
				(json_int_t)so_far, "total", (json_int_t)total));
}

static int
cancelled(const struct kiln_host *services)
{
	struct kd_host *host = self(services);
	int64_t now = now_ms();
	if (now - atomic_load(&host->asked) < CANCEL_EVERY)
		return atomic_load(&host->cancelled);
	/* Whoever holds the mutex reads the link and will see CANCEL himself. */
	if (pthread_mutex_trylock(&host->mutex) != 0)
		return atomic_load(&host->cancelled);
	atomic_store(&host->asked, now);
	struct kd_wire_message message;
	if (kd_wire_fill(host->wire) < 0)
		orphaned();
	int rc = kd_wire_next(host->wire, &message);
	if (rc < 0 || (rc > 0 && message.type != KD_ENG_CANCEL))
		orphaned();
	if (rc > 0) {
		atomic_store(&host->cancelled, 1);
		kd_wire_done(&message);
	}
	pthread_mutex_unlock(&host->mutex);
	return atomic_load(&host->cancelled);
}

static void
fail(const struct kiln_host *services, const char *text)
{
	struct kd_host *host = self(services);
	pthread_mutex_lock(&host->mutex);
	snprintf(host->failure, sizeof host->failure, "%s", text == NULL ? "" : text);
	pthread_mutex_unlock(&host->mutex);
}

static int
scratch(const struct kiln_host *services)
{
	int fd = -1;
	int rc = request(self(services), KD_ENG_SCRATCH, json_object(), &fd);
	return rc < 0 ? rc : fd;
}

static int
checkpoint(const struct kiln_host *services, uint32_t unit, const char *key)
{
	int fd = -1;
	if (key == NULL)
		return -EINVAL;
	json_t *body = json_pack("{sIso}", "unit", (json_int_t)unit, "key",
		kd_manifest_fields_put_name(key));
	int rc = request(self(services), KD_ENG_CHECKPOINT, body, &fd);
	return rc < 0 ? rc : fd;
}

static void
variant(const struct kiln_host *services, const char *name)
{
	note(self(services), KD_ENG_VARIANT, json_pack("{so}", "name", text_json(name)));
}

static void
kernel_time(const struct kiln_host *services, double seconds, uint64_t frames)
{
	note(self(services), KD_ENG_TIME,
		json_pack("{sfsI}", "seconds", seconds, "frames", (json_int_t)frames));
}

struct kd_host *
kd_host_new(struct kd_wire *wire)
{
	struct kd_host *host = calloc(1, sizeof *host);
	if (host == NULL)
		return NULL;
	host->services = (struct kiln_host){
		.size = sizeof host->services,
		.abi_major = KILN_ABI_MAJOR,
		.abi_minor = KILN_ABI_MINOR,
		.threads = 1,
		.device = "cpu",
		.open_input = open_input,
		.open_param = open_param,
		.create = create,
		.done = done,
		.warn = warn,
		.meta = meta,
		.progress = progress,
		.cancelled = cancelled,
		.log = log_line,
		.fail = fail,
		.scratch = scratch,
		.checkpoint = checkpoint,
		.variant = variant,
		.kernel_time = kernel_time,
	};
	host->wire = wire;
	pthread_mutex_init(&host->mutex, NULL);
	return host;
}

void
kd_host_free(struct kd_host *host)
{
	if (host == NULL)
		return;
	pthread_mutex_destroy(&host->mutex);
	free(host->progress);
	free(host->device);
	free(host);
}

int
kd_host_configure(struct kd_host *host, const json_t *open)
{
	const char *device = json_string_value(json_object_get(open, "device"));
	json_int_t threads = json_integer_value(json_object_get(open, "threads"));
	host->device = strdup(device == NULL ? "cpu" : device);
	if (host->device == NULL)
		return -ENOMEM;
	host->services.device = host->device;
	host->services.device_asked = json_is_true(json_object_get(open, "asked"));
	host->services.threads = threads < 1 ? 1 : (uint32_t)threads;
	host->services.memory_budget =
		(uint64_t)json_integer_value(json_object_get(open, "memory"));
	return 0;
}

const struct kiln_host *
kd_host_services(struct kd_host *host)
{
	return &host->services;
}

int
kd_host_begin(struct kd_host *host, uint32_t unit_count)
{
	free(host->progress);
	host->unit_count = 0;
	host->progress = calloc(unit_count + 1, sizeof *host->progress);
	if (host->progress == NULL)
		return -ENOMEM;
	host->unit_count = unit_count;
	host->failure[0] = '\0';
	atomic_store(&host->cancelled, 0);
	return 0;
}

const char *
kd_host_failure(const struct kd_host *host)
{
	return host->failure;
}
