/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/worker/attempt.h"

#include "daemon/base/name.h"
#include "daemon/worker/denied.h"
#include "daemon/worker/identity.h"
#include "daemon/worker/lineup.h"
#include "daemon/worker/protocol.h"
#include "daemon/worker/spent.h"
#include "daemon/worker/told.h"
#include "plugins/kiln_plugin.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How long a kernel may take to notice cancelled(), which it asks every 100 ms. */
enum { CANCEL_PATIENCE = 5000 /* ms */, DEATH_PATIENCE = 1000 /* ms */ };
enum { FLOOD_LOOK = 500 /* ms between looks at how much an engine has written */ };

/* How waiting for the engine ended. */
enum ending {
	ENDED_AS_WANTED,
	ENDED_BY_DEATH,
	ENDED_BY_LIE,
	ENDED_BY_WALL,
	ENDED_BY_FLOOD,	  /* wrote more than the output limit */
	ENDED_BY_CANCEL,  /* asked to stop, and did not */
	ENDED_BY_CLIENT,  /* gone, or broke the protocol */
	ENDED_BY_REFUSAL, /* of ours: parameters, grants */
};

struct attempt {
	const struct kd_broker *broker;
	int64_t wall;	/* deadline, ms of CLOCK_MONOTONIC; 0: none */
	int64_t cancel; /* deadline after CANCEL; 0: not asked */
	int unwanted;	/* asked to stop, since nobody wants any of its units */
	int64_t look;	/* when to look at what it has written */
	json_t *answer; /* body of the message waited for */
	int client;	/* what became of the client, when it ended by that */
	struct kd_err err;
};

static int64_t
now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Milliseconds until the nearest deadline or look at what is written; -1: none. */
static int
patience(const struct attempt *attempt)
{
	int64_t nearest = attempt->wall;
	if (nearest == 0 || (attempt->cancel != 0 && attempt->cancel < nearest))
		nearest = attempt->cancel;
	const int most =
		attempt->broker->batch->manifest.output_limit != 0 ? FLOOD_LOOK : 3600000;
	if (nearest == 0)
		return most == FLOOD_LOOK ? most : -1;
	int64_t left = nearest - now_ms();
	return left < 0 ? 0 : left > most ? most : (int)left;
}

/* Whether the engine works, and only on units whose fate is settled. */
static int
is_unwanted(const struct kd_batch *batch)
{
	if (batch->undone == 0)
		return 0;
	for (uint32_t i = 0; i < batch->running_count; i++) {
		const struct kd_batch_unit *unit = &batch->units[batch->running[i]];
		if (unit->running && unit->stage != KD_BATCH_SETTLED)
			return 0;
	}
	return 1;
}

/* Asks the engine to stop, once, where the client wants that or nobody wants it to go
 * on. */
static void
pass_cancel(struct attempt *attempt)
{
	const struct kd_broker *broker = attempt->broker;
	struct kd_wire *wire = broker->handle->process.wire;
	if (attempt->cancel != 0)
		return;
	attempt->unwanted = !broker->link->cancelled && is_unwanted(broker->batch);
	if (!broker->link->cancelled && !attempt->unwanted)
		return;
	attempt->cancel = now_ms() + CANCEL_PATIENCE;
	if (kd_wire_put(wire, KD_ENG_CANCEL, 0, NULL, NULL, 0) == 0)
		kd_wire_flush(wire);
}

/* One message of the engine's; -EAGAIN: not the one waited for, go on. */
static int
take_message(struct attempt *attempt, const struct kd_wire_message *message,
	uint16_t wanted, enum ending *ending)
{
	const struct kd_broker *broker = attempt->broker;
	if (message->type == wanted) {
		attempt->answer = kd_wire_json(message);
		*ending = attempt->answer == NULL ? ENDED_BY_LIE : ENDED_AS_WANTED;
		if (attempt->answer == NULL)
			kd_err_set(&attempt->err, -EPROTO, "an answer without a body");
		return 0;
	}
	int rc;
	if (message->type == KD_ENG_LOADED && wanted == KD_ENG_OPENED) {
		json_t *body = kd_wire_json(message);
		rc = kd_handle_loaded(
			broker->handle, &broker->batch->manifest, body, &attempt->err);
		json_decref(body);
	} else {
		rc = kd_broker_serve(broker, message, &attempt->err);
	}
	*ending = rc == -EPROTO ? ENDED_BY_LIE : ENDED_BY_REFUSAL;
	return rc < 0 ? 0 : -EAGAIN;
}

/* Serves the engine until it says `wanted`, and the client meanwhile. */
static enum ending
wait_for(struct attempt *attempt, uint16_t wanted)
{
	struct kd_wire *wire = attempt->broker->handle->process.wire;
	struct kd_link *link = attempt->broker->link;
	struct kd_wire_message message;
	enum ending ending;
	json_decref(attempt->answer);
	attempt->answer = NULL;
	for (;;) {
		if (kd_identity_step(attempt->broker) < 0)
			return ENDED_BY_CLIENT;
		pass_cancel(attempt);
		int filled = kd_wire_fill(wire), rc;
		while ((rc = kd_wire_next(wire, &message)) == 1) {
			rc = take_message(attempt, &message, wanted, &ending);
			kd_wire_done(&message);
			if (rc == 0)
				return ending;
			if (filled == 0)
				filled = kd_wire_fill(wire);
		}
		if (rc == -EPROTO || filled == -EPROTO) {
			kd_err_set(&attempt->err, -EPROTO, "a malformed message");
			return ENDED_BY_LIE;
		}
		if (rc < 0 || filled < 0)
			return ENDED_BY_DEATH;
		if (attempt->wall != 0 && now_ms() >= attempt->wall)
			return ENDED_BY_WALL;
		if (attempt->cancel != 0 && now_ms() >= attempt->cancel)
			return ENDED_BY_CANCEL;
		if (now_ms() >= attempt->look) {
			attempt->look = now_ms() + FLOOD_LOOK;
			if (kd_spent_is_over(attempt->broker->batch))
				return ENDED_BY_FLOOD;
		}
		attempt->client = kd_link_wait(link, wire, patience(attempt));
		if (attempt->client < 0)
			return ENDED_BY_CLIENT;
	}
}

/* What may be otherwise at another time; everything else that open() complains of, and all
 * that we refuse it, is about what the rule says. */
static int
may_pass(int error)
{
	static const int passing[] = {ENOMEM, EAGAIN, EINTR, EBUSY, EIO, ENOSPC, EDQUOT,
		EMFILE, ENFILE, ENODEV, ENXIO, ETIMEDOUT, ESTALE, EPIPE};
	for (size_t i = 0; i < sizeof passing / sizeof passing[0]; i++)
		if (passing[i] == error)
			return 1;
	return 0;
}

/* What the engine at hand tried since this was last asked, see denied.h. */
static unsigned
denied_by(const struct kd_handle *handle, char *names, size_t size)
{
	const struct kd_engine_process *process = &handle->process;
	return process->pid == 0 ? 0 : kd_denied_read(process->denied, names, size);
}

/* Whose engine it is, as far as that is known, and what it tried, to end a sentence. */
static void
name_plugin(const struct kd_broker *broker, char *words, size_t size)
{
	const struct kd_handle *handle = broker->handle;
	char denied[400];
	int used = handle->loaded ? snprintf(words, size, " (plugin '%.150s' %.100s)",
					    handle->plugin, handle->version)
				  : snprintf(words, size, " (plugin file '%.200s')",
					    KD_NAME(broker->batch->manifest.plugin));
	if (denied_by(handle, denied, sizeof denied) > 0)
		snprintf(words + used, size - (size_t)used,
			", which tried what no engine may (%s),", denied);
}

/* Why the engine cannot go on, allocated; NULL when memory is out. */
static char *
reason_of(const struct attempt *attempt, enum ending ending)
{
	const struct kd_broker *broker = attempt->broker;
	const struct kd_manifest *manifest = &broker->batch->manifest;
	char plugin[800], words[80], *text = NULL;
	int rc = 0, dead;
	name_plugin(broker, plugin, sizeof plugin);
	switch (ending) {
	case ENDED_BY_DEATH:
		dead = kd_launch_wait(&broker->handle->process, DEATH_PATIENCE);
		rc = asprintf(&text, "the engine %s%s in this batch",
			kd_launch_describe(dead, words, sizeof words), plugin);
		break;
	case ENDED_BY_LIE:
		rc = asprintf(&text, "the engine broke the protocol: %s%s",
			attempt->err.text, plugin);
		break;
	case ENDED_BY_WALL:
		rc = asprintf(&text, "the engine ran past its wall limit of %g s%s",
			manifest->wall_limit, plugin);
		break;
	case ENDED_BY_FLOOD:
		rc = asprintf(&text,
			"the engine wrote more than its output limit of %llu bytes%s",
			(unsigned long long)manifest->output_limit, plugin);
		break;
	case ENDED_BY_CANCEL:
		rc = asprintf(&text, "cancelled; the engine did not stop within %d s%s",
			CANCEL_PATIENCE / 1000, plugin);
		break;
	case ENDED_BY_REFUSAL:
		rc = asprintf(&text, "%s", attempt->err.text);
		break;
	case ENDED_BY_CLIENT:
	case ENDED_AS_WANTED:
		break;
	}
	return rc < 0 ? NULL : text;
}

/* Ends an engine that cannot go on and tells its units why.  Negative when the client is
 * gone. */
static int
give_up(struct attempt *attempt, enum ending ending)
{
	struct kd_batch *batch = attempt->broker->batch;
	struct kd_handle *handle = attempt->broker->handle;
	/* That it is stuck is no news of any unit. */
	if (ending == ENDED_BY_CLIENT ||
		(ending == ENDED_BY_CANCEL && attempt->unwanted)) {
		kd_handle_kill(handle);
		return ending == ENDED_BY_CLIENT ? attempt->client : 0;
	}
	char *reason = reason_of(attempt, ending);
	kd_handle_kill(handle);
	if (ending == ENDED_BY_REFUSAL)
		batch->refused = !may_pass(-attempt->err.code);
	kd_batch_settle_rest(batch,
		ending == ENDED_BY_CANCEL    ? KD_UNIT_CANCELLED
		: ending == ENDED_BY_REFUSAL ? KD_UNIT_TRANSIENT
					     : KD_UNIT_CRASHED,
		reason == NULL ? "crashed" : reason);
	free(batch->failure);
	batch->failure = reason;
	return 0;
}

/* An OPENED or PROCESSED that tells an error: as text, or NULL when it is none. */
static char *
error_of(const json_t *answer)
{
	json_int_t code = json_integer_value(json_object_get(answer, "error"));
	const char *text = json_string_value(json_object_get(answer, "text"));
	if (json_object_get(answer, "error") == NULL)
		return NULL;
	return kd_told_plain(text != NULL ? text : strerror((int)code));
}

static void
fail(struct attempt *attempt, char *text)
{
	struct kd_batch *batch = attempt->broker->batch;
	kd_batch_settle_rest(batch, KD_UNIT_TRANSIENT, text);
	free(batch->failure);
	batch->failure = text;
}

/* What a plugin was denied and lived on without is the administrator's to know. */
static void
tell_denied(const struct attempt *attempt)
{
	const struct kd_broker *broker = attempt->broker;
	char names[400], line[900];
	if (denied_by(broker->handle, names, sizeof names) == 0)
		return;
	snprintf(line, sizeof line,
		"kernel '%.100s' (plugin file '%.200s') tried system calls that no "
		"engine may make, and was denied them: %s",
		broker->batch->manifest.kernel, KD_NAME(broker->batch->manifest.plugin),
		names);
	kd_link_log(broker->link, KILN_WARNING, line);
}

/* 1: there is an open engine; 0: there is none and all are settled; negative: no client.
 */
static int
open_engine(struct attempt *attempt)
{
	const struct kd_broker *broker = attempt->broker;
	struct kd_handle *handle = broker->handle;
	if (kd_handle_fits(handle, &broker->batch->manifest)) {
		kd_identity_start(broker);
		return 1;
	}
	if (kd_handle_start(handle, &broker->batch->manifest, &attempt->err) < 0) {
		fail(attempt, strdup(attempt->err.text));
		return 0;
	}
	kd_identity_start(broker);
	enum ending ending = wait_for(attempt, KD_ENG_OPENED);
	if (ending != ENDED_AS_WANTED)
		return give_up(attempt, ending);
	tell_denied(attempt);
	char *text = error_of(attempt->answer);
	if (text != NULL || !handle->loaded) {
		broker->batch->refused =
			text != NULL && !may_pass((int)json_integer_value(json_object_get(
						attempt->answer, "error")));
		fail(attempt, text != NULL ? text : strdup("the engine did not load"));
		kd_handle_kill(handle);
		return 0;
	}
	handle->opened = 1;
	return 1;
}

/* One PROCESS.  Negative: no client; 0: no use to go on; 1: fine. */
static int
process(struct attempt *attempt)
{
	const struct kd_broker *broker = attempt->broker;
	struct kd_batch *batch = broker->batch;
	kd_lineup_make(broker);
	if (batch->running_count == 0)
		return 0;
	int fd = kd_lineup_describe(batch);
	int rc = fd < 0 ? fd
			: kd_wire_put(broker->handle->process.wire, KD_ENG_PROCESS, 0,
				  NULL, &fd, 1);
	if (fd >= 0)
		close(fd);
	if (rc < 0) {
		fail(attempt, strdup(strerror(-rc)));
		return 0;
	}
	kd_wire_flush(broker->handle->process.wire);
	clock_gettime(CLOCK_REALTIME, &batch->turn);
	enum ending ending = wait_for(attempt, KD_ENG_PROCESSED);
	if (ending == ENDED_AS_WANTED)
		tell_denied(attempt);
	char *text = ending == ENDED_AS_WANTED ? error_of(attempt->answer) : NULL;
	if (text != NULL && attempt->unwanted) {
		free(text);
		return 0;
	}
	if (text != NULL) {
		fail(attempt, text);
		return 0;
	}
	if (ending == ENDED_AS_WANTED && batch->undone > 0) {
		ending = ENDED_BY_LIE;
		kd_err_set(&attempt->err, -EPROTO,
			"process() returned without a verdict on %u of %u units",
			batch->undone, batch->running_count);
	}
	if (ending != ENDED_AS_WANTED)
		return give_up(attempt, ending);
	return 1;
}

/* What a repeat made is only good for its time. */
static void
run_again(struct kd_batch *batch)
{
	for (uint32_t i = 0; i < batch->manifest.unit_count; i++) {
		struct kd_batch_unit *unit = &batch->units[i];
		if (unit->stage != KD_BATCH_DONE)
			continue;
		for (uint32_t k = 0;
			!unit->publish.directory && k < unit->publish.output_count; k++)
			unlinkat(batch->stage.dir, unit->publish.outputs[k].path, 0);
		kd_batch_forget(unit);
		unit->stage = KD_BATCH_TO_RUN;
	}
	batch->told = 0;
}

int
kd_attempt_run(const struct kd_broker *broker)
{
	struct kd_batch *batch = broker->batch;
	struct attempt attempt = {.broker = broker};
	if (batch->manifest.wall_limit > 0)
		attempt.wall = now_ms() + (int64_t)(batch->manifest.wall_limit * 1000.0);
	kd_spent_begin(batch);
	int rc = open_engine(&attempt);
	for (batch->repeat = 0; rc > 0 && batch->repeat < batch->manifest.repeat;
		batch->repeat++) {
		if (batch->repeat > 0) {
			/* A CANCEL that met the engine between two of them is forgotten
			 * there.  What the last one made is as good as the next one's. */
			if (broker->link->cancelled)
				break;
			run_again(batch);
		}
		rc = process(&attempt);
	}
	json_decref(attempt.answer);
	return rc < 0 ? rc : 0;
}
