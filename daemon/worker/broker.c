/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The engine runs code that digests hostile files: nothing it says is believed before it
 * was checked against what the keeper itself knows.
 */
#include "daemon/worker/broker.h"

#include "daemon/base/file.h"
#include "daemon/base/name.h"
#include "daemon/worker/identity.h"
#include "daemon/worker/outputs.h"
#include "daemon/worker/protocol.h"
#include "daemon/worker/spent.h"
#include "daemon/worker/told.h"
#include "plugins/kiln_plugin.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* So much a unit may make its keeper remember. */
enum { WARNINGS_MOST = 1000 };
/* An engine waits for each reply: so much can only wait for one that does not read them,
 * and every one of them may hold a descriptor. */
enum { UNREAD_MOST = 4096 };
/* A thousand years, and more pictures than anybody has. */
#define SECONDS_MOST 3e10
#define FRAMES_MOST  (UINT64_C(1) << 53)

/* The running unit a message is about; NULL with a sentence. */
static struct kd_batch_unit *
unit_of(const struct kd_broker *broker, const json_t *body, const char *what,
	struct kd_err *err)
{
	const json_t *number = json_object_get(body, "unit");
	json_int_t i = json_integer_value(number);
	struct kd_batch *batch = broker->batch;
	if (!json_is_integer(number) || i < 0 || i >= (json_int_t)batch->running_count) {
		kd_err_set(err, -EPROTO, "%s for unit %lld of a batch of %u", what,
			(long long)i, batch->running_count);
		return NULL;
	}
	return &batch->units[batch->running[i]];
}

/* The same, and the unit must not be done yet. */
static struct kd_batch_unit *
undone_unit(const struct kd_broker *broker, const json_t *body, const char *what,
	struct kd_err *err)
{
	struct kd_batch_unit *unit = unit_of(broker, body, what, err);
	if (unit == NULL || unit->running)
		return unit;
	kd_err_set(err, -EPROTO, "%s for unit '%s', which was done already", what,
		KD_NAME(unit->unit->path));
	return NULL;
}

/* Settled by what was found out of it while the engine worked: the engine need not know
 * and may ask on, but gets and leaves nothing any more. */
static int
is_dropped(const struct kd_batch_unit *unit)
{
	return unit->stage == KD_BATCH_SETTLED;
}

/* Takes fd (-1: none); rc < 0 is told as an error. */
static int
reply(const struct kd_broker *broker, uint32_t serial, int rc, int fd)
{
	json_t *body =
		rc < 0 ? json_pack("{si}", "error", -rc) : json_pack("{si}", "ok", 0);
	struct kd_wire *wire = broker->handle->process.wire;
	int put = kd_wire_put(wire, KD_ENG_REPLY, serial, body, &fd, fd >= 0);
	json_decref(body);
	/* A link that broke shows when it is read. */
	if (put == 0)
		kd_wire_flush(wire);
	if (fd >= 0)
		close(fd);
	return put == 0 && kd_wire_pending(wire) > UNREAD_MOST ? -ENOBUFS : put;
}

static int
reply_fd(const struct kd_broker *broker, uint32_t serial, int fd)
{
	return reply(broker, serial, fd, fd < 0 ? -1 : fd);
}

/* The same of a file that is no output, but takes as much room.  Takes fd. */
static int
reply_loose(const struct kd_broker *broker, uint32_t serial, int fd)
{
	int rc = fd < 0 ? fd : kd_spent_note(broker->batch, fd);
	if (rc < 0 && fd >= 0)
		close(fd);
	return reply_fd(broker, serial, rc < 0 ? rc : fd);
}

/* A name out of a message, unescaped; NULL when it is none. */
static char *
name_of(const json_t *body, const char *key)
{
	const char *escaped = json_string_value(json_object_get(body, key));
	return escaped == NULL ? NULL : kd_name_unescape(escaped);
}

static int
serve_input(const struct kd_broker *broker, uint32_t serial, const json_t *body,
	struct kd_err *err)
{
	struct kd_batch_unit *unit = undone_unit(broker, body, "open_input()", err);
	if (unit == NULL)
		return -EPROTO;
	if (is_dropped(unit))
		return reply(broker, serial, -ECANCELED, -1);
	char *name = name_of(body, "name");
	int fd = -ENOENT;
	if (name != NULL && unit->is_unpacked)
		fd = kd_content_open(&unit->unpacked_source, &unit->unpacked, name);
	else if (name != NULL)
		fd = kd_content_open(&unit->source, &unit->content, name);
	free(name);
	return reply_fd(broker, serial, fd);
}

static int
serve_param(const struct kd_broker *broker, uint32_t serial, const json_t *body)
{
	char *name = name_of(body, "name"), *beneath = name_of(body, "beneath");
	int fd = name == NULL ? -ENOENT
			      : kd_handle_open_path(broker->handle, name, beneath);
	free(name);
	free(beneath);
	return reply_fd(broker, serial, fd);
}

static int
serve_create(const struct kd_broker *broker, uint32_t serial, const json_t *body,
	struct kd_err *err)
{
	struct kd_batch_unit *unit = undone_unit(broker, body, "create()", err);
	if (unit == NULL)
		return -EPROTO;
	if (is_dropped(unit))
		return reply(broker, serial, -ECANCELED, -1);
	char *name = name_of(body, "name");
	if (name == NULL)
		return reply(broker, serial, -EINVAL, -1);
	json_int_t flags = json_integer_value(json_object_get(body, "flags"));
	int fd;
	int rc = flags != KILN_PRIMARY && flags != KILN_COMPANION
			 ? kd_err_set(err, -EPROTO, "create() with flags %lld",
				   (long long)flags)
			 : kd_outputs_create(broker->batch, unit,
				   &(struct kd_outputs_wish){
					   name, flags == KILN_COMPANION, &fd},
				   err);
	free(name);
	return rc < 0 ? rc : reply_fd(broker, serial, fd);
}

static int
serve_checkpoint(const struct kd_broker *broker, uint32_t serial, const json_t *body,
	struct kd_err *err)
{
	struct kd_batch_unit *unit = undone_unit(broker, body, "checkpoint()", err);
	if (unit == NULL)
		return -EPROTO;
	/* Its key tells of the content. */
	if (kd_identity_await(broker, unit) < 0)
		return kd_err_set(err, -EPROTO, "the client is gone");
	if (is_dropped(unit) || unit->ahead == KD_BATCH_HASHING)
		return reply(broker, serial, -ECANCELED, -1);
	const struct kd_manifest *manifest = &broker->batch->manifest;
	const char *key = json_string_value(json_object_get(body, "key"));
	if (key == NULL || key[0] == '\0' || strlen(key) > 64 ||
		key[strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789-")] != '\0')
		return reply(broker, serial, -EINVAL, -1);
	char *text, hex[KD_HASH_HEX];
	int length = asprintf(&text, "%s\n%s\n%s\n%s", manifest->rule, manifest->revision,
		unit->content.sha256, key);
	if (length < 0)
		return reply(broker, serial, -ENOMEM, -1);
	kd_hash_bytes(text, (size_t)length, hex);
	free(text);
	int rc = kd_told_remember(&broker->batch->told, sizeof hex, err);
	if (rc < 0)
		return rc;
	json_array_append_new(unit->checkpoints, json_string(hex));
	return reply_loose(
		broker, serial, kd_stage_checkpoint(&broker->batch->stage, hex));
}

/* A kernel that could not write its outputs is not to blame for the place they go to. */
static void
settle_transient(
	const struct kd_batch *batch, struct kd_batch_unit *unit, const char *why)
{
	const char *trouble = kd_stage_trouble(&batch->stage);
	if (trouble == NULL)
		kd_batch_settle(unit, KD_UNIT_TRANSIENT, "%s", why);
	else
		kd_batch_settle(unit, KD_UNIT_HELD, "%s (the output's file system %s)",
			why, trouble);
}

/* The kernel's verdict on a unit. */
static int
take_done(const struct kd_broker *broker, struct kd_batch_unit *unit, const json_t *body,
	struct kd_err *err)
{
	const struct kd_batch *batch = broker->batch;
	json_int_t class = json_integer_value(json_object_get(body, "class"));
	char *reason = kd_told_sentence(body, "reason");
	const char *why = reason == NULL ? "the kernel gave no reason" : reason;
	int rc = 0;
	switch (class) {
	case KILN_OK:
		rc = kd_outputs_accept(broker->batch, unit, err);
		break;
	case KILN_BAD_INPUT:
		kd_batch_settle(unit, KD_UNIT_BAD, "%s", why);
		break;
	case KILN_TRANSIENT:
		settle_transient(batch, unit, why);
		break;
	case KILN_CANCELLED:
		kd_batch_settle(unit, KD_UNIT_CANCELLED, "cancelled");
		break;
	default:
		rc = kd_err_set(err, -EPROTO, "done() with class %lld", (long long)class);
	}
	free(reason);
	return rc;
}

static int
serve_done(const struct kd_broker *broker, uint32_t serial, const json_t *body,
	struct kd_err *err)
{
	struct kd_batch *batch = broker->batch;
	struct kd_batch_unit *unit = undone_unit(broker, body, "done()", err);
	if (unit == NULL)
		return -EPROTO;
	int rc = is_dropped(unit) ? 0 : take_done(broker, unit, body, err);
	if (rc < 0)
		return rc;
	unit->running = 0;
	unit->started = batch->turn;
	clock_gettime(CLOCK_REALTIME, &unit->finished);
	unit->seconds = kd_batch_seconds(&unit->started, &unit->finished);
	batch->turn = unit->finished;
	batch->undone--;
	return reply(broker, serial, 0, -1);
}

static int
take_warning(const struct kd_broker *broker, const json_t *body, struct kd_err *err)
{
	struct kd_batch_unit *unit = unit_of(broker, body, "warn()", err);
	if (unit == NULL)
		return -EPROTO;
	char *text = kd_told_sentence(body, "text");
	int rc = 0;
	if (text != NULL && !(unit->running && is_dropped(unit)) &&
		json_array_size(unit->warnings) < WARNINGS_MOST) {
		rc = kd_told_remember(&broker->batch->told, strlen(text), err);
		json_array_append_new(unit->warnings, json_string(text));
	}
	free(text);
	return rc;
}

static int
take_fact(const struct kd_broker *broker, const json_t *body, struct kd_err *err)
{
	const char *key = json_string_value(json_object_get(body, "key"));
	json_t *value = json_object_get(body, "value");
	json_t *facts = broker->handle->facts;
	uint64_t *told = &broker->handle->told;
	if (json_integer_value(json_object_get(body, "unit")) != KILN_WHOLE) {
		const struct kd_batch_unit *unit = unit_of(broker, body, "meta()", err);
		if (unit == NULL)
			return -EPROTO;
		facts = unit->facts;
		told = &broker->batch->told;
	}
	if (key == NULL || value == NULL)
		return 0;
	return kd_told_fact(told, facts, key, value, err);
}

static int
take_progress(const struct kd_broker *broker, const json_t *body, struct kd_err *err)
{
	if (unit_of(broker, body, "progress()", err) == NULL)
		return -EPROTO;
	json_int_t i = json_integer_value(json_object_get(body, "unit"));
	json_int_t done = json_integer_value(json_object_get(body, "done"));
	json_int_t total = json_integer_value(json_object_get(body, "total"));
	if (done < 0 || total < 0)
		return kd_err_set(err, -EPROTO, "progress() of %lld in %lld",
			(long long)done, (long long)total);
	/* A client that does not read is not drowned in these. */
	if (broker->link->wire != NULL &&
		kd_wire_pending(broker->link->wire) > KD_WIRE_BODY / 4)
		return 0;
	kd_link_tell(broker->link, KD_MSG_UNIT_PROGRESS,
		json_pack("{sIsIsI}", "unit", (json_int_t)broker->batch->running[i],
			"done", done, "total", total),
		-1);
	return 0;
}

static int
take_log(const struct kd_broker *broker, const json_t *body)
{
	json_int_t level = json_integer_value(json_object_get(body, "level"));
	if (broker->link->wire != NULL &&
		kd_wire_pending(broker->link->wire) > KD_WIRE_BODY / 4)
		return 0;
	char *text = kd_told_sentence(body, "text");
	if (text != NULL)
		kd_link_log(broker->link,
			level < KILN_ERROR || level > KILN_DEBUG ? KILN_INFO : (int)level,
			text);
	free(text);
	return 0;
}

static int
take_variant(const struct kd_broker *broker, const json_t *body)
{
	char *name = kd_told_sentence(body, "name");
	if (name != NULL) {
		free(broker->handle->variant);
		broker->handle->variant = name;
	}
	return 0;
}

/* What is added up must stay a number that a result can hold. */
static int
take_time(const struct kd_broker *broker, const json_t *body, struct kd_err *err)
{
	struct kd_batch *batch = broker->batch;
	double seconds = json_number_value(json_object_get(body, "seconds"));
	json_int_t frames = json_integer_value(json_object_get(body, "frames"));
	double *sum = &batch->repeats[batch->repeat];
	if (!(seconds >= 0 && *sum + seconds <= SECONDS_MOST) || frames < 0 ||
		(uint64_t)frames > FRAMES_MOST - batch->frames)
		return kd_err_set(err, -EPROTO, "kernel_time() of %g s and %lld frames",
			seconds, (long long)frames);
	*sum += seconds;
	if (batch->repeat == 0)
		batch->frames += (uint64_t)frames;
	return 0;
}

static int
serve(const struct kd_broker *broker, const struct kd_wire_message *message,
	const json_t *body, struct kd_err *err)
{
	switch (message->type) {
	case KD_ENG_INPUT:
		return serve_input(broker, message->serial, body, err);
	case KD_ENG_PARAM:
		return serve_param(broker, message->serial, body);
	case KD_ENG_CREATE:
		return serve_create(broker, message->serial, body, err);
	case KD_ENG_SCRATCH:
		return reply_loose(
			broker, message->serial, kd_stage_scratch(&broker->batch->stage));
	case KD_ENG_CHECKPOINT:
		return serve_checkpoint(broker, message->serial, body, err);
	case KD_ENG_DONE:
		return serve_done(broker, message->serial, body, err);
	case KD_ENG_WARN:
		return take_warning(broker, body, err);
	case KD_ENG_META:
		return take_fact(broker, body, err);
	case KD_ENG_PROGRESS:
		return take_progress(broker, body, err);
	case KD_ENG_LOG:
		return take_log(broker, body);
	case KD_ENG_VARIANT:
		return take_variant(broker, body);
	case KD_ENG_TIME:
		return take_time(broker, body, err);
	default:
		return kd_err_set(
			err, -EPROTO, "a message of unknown type %u", message->type);
	}
}

int
kd_broker_serve(const struct kd_broker *broker, const struct kd_wire_message *message,
	struct kd_err *err)
{
	json_t *body = kd_wire_json(message);
	if (body == NULL)
		return kd_err_set(err, -EPROTO,
			"a message of type %u without a JSON body", message->type);
	int rc = serve(broker, message, body, err);
	json_decref(body);
	if (rc == -ENOBUFS)
		return kd_err_set(err, -EPROTO, "it asks on without reading the answers");
	/* Out of memory here: the engine would wait for its reply for ever. */
	if (rc < 0 && rc != -EPROTO)
		rc = kd_err_errno(err, -EPROTO, "the keeper could not answer");
	return rc;
}
