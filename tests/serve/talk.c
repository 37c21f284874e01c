/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/serve/talk.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void
on_flood(struct ev_loop *loop, struct ev_prepare *prepare, int events)
{
	struct talk *talk = prepare->data;
	(void)events;
	char text[60001];
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	if (talk->held == NULL)
		ev_prepare_stop(loop, prepare);
	else
		kd_control_event(talk->held, json_pack("{s:s}", "text", text));
}

static void
on_request(void *context, struct kd_control_request *request, const char *command,
	const json_t *arguments)
{
	struct talk *talk = context;
	talk->requests++;
	if (strcmp(command, "echo") == 0) {
		kd_control_event(request, json_pack("{s:i}", "n", 1));
		kd_control_event(request, json_pack("{s:i}", "n", 2));
		kd_control_end(request, json_deep_copy(arguments));
	} else if (strcmp(command, "who") == 0) {
		const struct kd_control_peer *peer = kd_control_peer(request);
		kd_control_end(request, json_pack("{s:i,s:i}", "uid", (int)peer->uid,
						"pid", (int)peer->pid));
	} else if (strcmp(command, "hold") == 0 || strcmp(command, "flood") == 0) {
		talk->held = request;
		kd_control_set_data(request, talk);
		if (command[0] == 'f')
			ev_prepare_start(talk->loop, &talk->flood);
	} else if (strcmp(command, "large") == 0) {
		char *text = malloc(KD_WIRE_BODY + 1);
		memset(text, 'x', KD_WIRE_BODY);
		text[KD_WIRE_BODY] = '\0';
		kd_control_end(request, json_pack("{s:s}", "text", text));
		free(text);
	} else {
		kd_control_refuse(request, "there is no command '%s'", command);
	}
}

static void
on_gone(void *context, struct kd_control_request *request)
{
	struct talk *talk = context;
	assert_ptr_equal(request, talk->held);
	assert_ptr_equal(kd_control_data(request), talk);
	talk->held = NULL;
	talk->gone++;
}

int
talk_try_new(struct talk *talk, int fd, struct kd_control **control, struct kd_err *err)
{
	struct kd_control_handler handler = {on_request, on_gone, talk, talk->patience};
	return kd_control_new(talk->loop, talk->path, fd, &handler, control, err);
}

int
talk_set_up_bare(void **state)
{
	struct talk *talk = calloc(1, sizeof *talk);
	snprintf(talk->folder, sizeof talk->folder, "%s/kiln-t-control.XXXXXX",
		getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp");
	assert_non_null(mkdtemp(talk->folder));
	snprintf(talk->path, sizeof talk->path, "%s/control", talk->folder);
	talk->loop = ev_loop_new(EVFLAG_AUTO);
	ev_prepare_init(&talk->flood, on_flood);
	talk->flood.data = talk;
	*state = talk;
	return 0;
}

int
talk_set_up(void **state)
{
	talk_set_up_bare(state);
	struct talk *talk = *state;
	struct kd_err err = {0};
	if (talk_try_new(talk, -1, &talk->control, &err) != 0)
		fail_msg("%s", err.text);
	return 0;
}

int
talk_tear_down(void **state)
{
	struct talk *talk = *state;
	kd_control_free(talk->control);
	ev_prepare_stop(talk->loop, &talk->flood);
	ev_loop_destroy(talk->loop);
	char lock[400];
	snprintf(lock, sizeof lock, "%s.lock", talk->path);
	unlink(lock);
	unlink(talk->path);
	assert_int_equal(rmdir(talk->folder), 0);
	free(talk);
	return 0;
}

struct kd_wire *
talk_join(struct talk *talk)
{
	struct kd_err err = {0};
	int fd = kd_control_connect(talk->path, &err);
	if (fd < 0)
		fail_msg("%s", err.text);
	return kd_wire_new(fd);
}

void
talk_send(struct kd_wire *wire, uint16_t type, json_t *body, const int *fds, unsigned n)
{
	assert_int_equal(kd_wire_send(wire, type, 7, body, fds, n), 0);
	json_decref(body);
}

void
talk_ask(struct kd_wire *wire, const char *command)
{
	json_t *body = json_pack("{s:i,s:s,s:{s:s}}", "version", 1, "command", command,
		"arguments", "key", "value");
	assert_int_equal(kd_wire_send(wire, KD_CTL_REQUEST, 7, body, NULL, 0), 0);
	json_decref(body);
}

/* Turns the loop until the client has a message or the end: 0, or -EPIPE/-ECONNRESET. */
int
talk_answer(struct talk *talk, struct kd_wire *wire, int *type, json_t **body)
{
	for (;;) {
		ev_run(talk->loop, EVRUN_NOWAIT);
		struct kd_wire_message message;
		int rc = kd_wire_receive(wire, 0, &message);
		if (rc == -ETIMEDOUT)
			continue;
		if (rc < 0)
			return rc;
		*type = message.type;
		*body = kd_wire_json(&message);
		assert_int_equal(message.serial,
			message.type == KD_CTL_END && !json_object_get(*body, "data") &&
					message.serial == 0
				? 0
				: 7);
		kd_wire_done(&message);
		return 0;
	}
}

void
talk_expect_end(struct talk *talk, struct kd_wire *wire, int ok, const char *error)
{
	int type;
	json_t *body;
	assert_int_equal(talk_answer(talk, wire, &type, &body), 0);
	assert_int_equal(type, KD_CTL_END);
	assert_int_equal(json_is_true(json_object_get(body, "ok")), ok);
	if (error != NULL)
		assert_non_null(
			strstr(json_string_value(json_object_get(body, "error")), error));
	json_decref(body);
}

void
talk_expect_dropped(struct talk *talk, struct kd_wire *wire)
{
	int type, rc;
	json_t *body;
	while ((rc = talk_answer(talk, wire, &type, &body)) == 0)
		json_decref(body);
	assert_true(rc == -EPIPE || rc == -ECONNRESET);
	kd_wire_free(wire);
}
