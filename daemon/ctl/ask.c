/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/ctl/ask.h"

#include "daemon/base/wire.h"
#include "daemon/serve/control.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --state, $KILN_STATE, or the one of the usual places where a socket stands. */
static void
socket_path(const struct kd_ctl *ctl, char *path, size_t size)
{
	const char *state = ctl->state != NULL ? ctl->state : getenv("KILN_STATE");
	if (state == NULL || state[0] == '\0')
		state = access("/run/kilnd/control", F_OK) == 0 ? "/run/kilnd"
								: "/var/lib/kilnd";
	snprintf(path, size, "%s/control", state);
}

static struct kd_wire *
join(const struct kd_ctl *ctl)
{
	char path[4096];
	socket_path(ctl, path, sizeof path);
	int fd = kd_control_connect(path, NULL);
	if (fd == -EACCES || fd == -EPERM)
		kd_ctl_say("you may not ask the kilnd at '%s'; it answers root, its own "
			   "user "
			   "and its group",
			path);
	else if (fd < 0)
		kd_ctl_say("no kilnd answers at '%s' (%s); start it ('systemctl start "
			   "kilnd', or 'kilnd -c FILE'), or name its folder with --state "
			   "DIR",
			path, strerror(-fd));
	if (fd < 0)
		return NULL;
	struct kd_wire *wire = kd_wire_new(fd);
	if (wire == NULL)
		kd_ctl_say("out of memory");
	return wire;
}

static int
take_end(const json_t *body, json_t **data)
{
	const char *error = json_string_value(json_object_get(body, "error"));
	if (!json_is_true(json_object_get(body, "ok"))) {
		kd_ctl_say(
			"%s", error != NULL ? error : "kilnd refused without a reason");
		return KD_CTL_FAILED;
	}
	if (data != NULL) {
		json_t *found = json_object_get(body, "data");
		*data = found != NULL ? json_incref(found) : json_object();
	}
	return KD_CTL_DONE;
}

/* 0 while there is more to come, else 1 and *status. */
static int
take_message(const struct kd_ctl_question *question, struct kd_wire_message *message,
	json_t **data, int *status)
{
	json_t *body = kd_wire_json(message);
	int ended = 1;
	if (body != NULL && message->type == KD_CTL_EVENT) {
		if (message->fd_count == 1 && question->handed != NULL) {
			if (question->handed(question->context, body, message->fds[0]))
				message->fds[0] = -1;
		} else if (question->event != NULL)
			question->event(question->context, body);
		ended = 0;
	} else if (body != NULL && message->type == KD_CTL_END) {
		*status = take_end(body, data);
	} else {
		kd_ctl_say(
			"kilnd answered in a way that is not understood; are both of one "
			"version?");
		*status = KD_CTL_FAILED;
	}
	json_decref(body);
	return ended;
}

struct kd_wire *
kd_ctl_ask_begin(
	const struct kd_ctl *ctl, const struct kd_ctl_question *question, int *status)
{
	json_t *body = json_pack("{s:i,s:s,s:o}", "version", 1, "command",
		question->command, "arguments", question->arguments);
	struct kd_wire *wire = join(ctl);
	*status = KD_CTL_NO_DAEMON;
	if (body != NULL && wire != NULL) {
		int rc = kd_wire_send(wire, KD_CTL_REQUEST, 1, body, NULL, 0);
		/* One who was turned away finds the reason, though not his question,
		 * delivered. */
		if (rc < 0 && rc != -EPIPE) {
			kd_ctl_say("kilnd cannot be asked (%s)", strerror(-rc));
			kd_wire_free(wire);
			wire = NULL;
		}
	}
	json_decref(body);
	return wire;
}

int
kd_ctl_ask_next(struct kd_wire *wire, const struct kd_ctl_question *question,
	json_t **data, int *status)
{
	struct kd_wire_message message;
	int rc = kd_wire_receive(wire, -1, &message);
	if (rc < 0) {
		kd_ctl_say("kilnd left before it answered (%s)", strerror(-rc));
		*status = KD_CTL_NO_DAEMON;
		return 1;
	}
	int ended = take_message(question, &message, data, status);
	kd_wire_done(&message);
	return ended;
}

int
kd_ctl_ask(
	const struct kd_ctl *ctl, const struct kd_ctl_question *question, json_t **data)
{
	int status;
	struct kd_wire *wire = kd_ctl_ask_begin(ctl, question, &status);
	if (wire == NULL)
		return status;
	while (!kd_ctl_ask_next(wire, question, data, &status))
		;
	kd_wire_free(wire);
	return status;
}

void
kd_ctl_ask_print(json_t *json)
{
	json_dumpf(json, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
	putchar('\n');
	json_decref(json);
}
