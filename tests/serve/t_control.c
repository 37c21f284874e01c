/* SPDX-License-Identifier: BSD-2-Clause */
/* Goal: the control socket answers who asks well, and drops who does not. */
#include "tests/serve/talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static void
who_breaks_the_protocol_is_dropped(void **state)
{
	struct talk *talk = *state;
	static const char garbage[64] = "GET / HTTP/1.1\r\n";
	struct kd_wire *wire = talk_join(talk);
	assert_int_equal(
		send(kd_wire_fd(wire), garbage, sizeof garbage, 0), sizeof garbage);
	talk_expect_dropped(talk, wire);
	/* A length beyond the limit, after a right magic. */
	static const unsigned char giant[16] = {
		'K', 'L', 'N', '1', 64, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x11, 0};
	wire = talk_join(talk);
	assert_int_equal(send(kd_wire_fd(wire), giant, sizeof giant, 0), sizeof giant);
	talk_expect_dropped(talk, wire);
	wire = talk_join(talk);
	talk_send(wire, KD_CTL_END, json_pack("{}"), NULL, 0);
	talk_expect_dropped(talk, wire);
	wire = talk_join(talk);
	talk_send(wire, KD_CTL_REQUEST, json_pack("[i]", 1), NULL, 0);
	talk_expect_dropped(talk, wire);
	wire = talk_join(talk);
	talk_send(wire, KD_CTL_REQUEST,
		json_pack("{s:i,s:s}", "version", 1, "command", "echo"), NULL, 0);
	talk_expect_dropped(talk, wire);
	wire = talk_join(talk);
	int fd = STDIN_FILENO;
	talk_send(wire, KD_CTL_REQUEST,
		json_pack("{s:i,s:s,s:{}}", "version", 1, "command", "echo", "arguments"),
		&fd, 1);
	talk_expect_dropped(talk, wire);
	assert_int_equal(talk->requests, 0);
}

static void
one_request_at_a_time_is_served(void **state)
{
	struct talk *talk = *state;
	struct kd_wire *wire = talk_join(talk);
	talk_ask(wire, "hold");
	talk_ask(wire, "echo");
	talk_expect_dropped(talk, wire);
	assert_int_equal(talk->requests, 1);
	assert_int_equal(talk->gone, 1);
}

static void
refusals_are_said(void **state)
{
	struct talk *talk = *state;
	struct kd_wire *wire = talk_join(talk);
	talk_ask(wire, "dance");
	talk_expect_end(talk, wire, 0, "there is no command 'dance'");
	talk_ask(wire, "large");
	talk_expect_end(talk, wire, 0, "longer than a message may be");
	json_t *body =
		json_pack("{s:i,s:s,s:{}}", "version", 2, "command", "echo", "arguments");
	kd_wire_send(wire, KD_CTL_REQUEST, 7, body, NULL, 0);
	json_decref(body);
	talk_expect_end(talk, wire, 0, "speaks version 1");
	kd_wire_free(wire);
}

static void
a_request_is_answered_by_its_events_and_an_end(void **state)
{
	struct talk *talk = *state;
	struct kd_wire *wire = talk_join(talk);
	for (int round = 0; round < 2; round++) { /* a connection serves many requests */
		talk_ask(wire, "echo");
		for (int n = 1; n <= 2; n++) {
			int type;
			json_t *body;
			assert_int_equal(talk_answer(talk, wire, &type, &body), 0);
			assert_int_equal(type, KD_CTL_EVENT);
			assert_int_equal(
				json_integer_value(json_object_get(body, "n")), n);
			json_decref(body);
		}
		talk_expect_end(talk, wire, 1, NULL);
	}
	assert_int_equal(talk->requests, 2);
	kd_wire_free(wire);
}

static void
it_is_known_who_asks(void **state)
{
	struct talk *talk = *state;
	struct kd_wire *wire = talk_join(talk);
	int type;
	json_t *body;
	talk_ask(wire, "who");
	assert_int_equal(talk_answer(talk, wire, &type, &body), 0);
	const json_t *data = json_object_get(body, "data");
	assert_int_equal(json_integer_value(json_object_get(data, "uid")), getuid());
	assert_int_equal(json_integer_value(json_object_get(data, "pid")), getpid());
	json_decref(body);
	kd_wire_free(wire);
}

static void
who_leaves_is_forgotten(void **state)
{
	struct talk *talk = *state;
	struct kd_wire *wire = talk_join(talk);
	talk_ask(wire, "hold");
	while (talk->held == NULL)
		ev_run(talk->loop, EVRUN_ONCE);
	kd_wire_free(wire);
	while (talk->gone == 0)
		ev_run(talk->loop, EVRUN_ONCE);
	assert_null(talk->held);
}

static void
an_end_forgets_requests(void **state)
{
	struct talk *talk = *state;
	struct kd_wire *wire = talk_join(talk);
	talk_ask(wire, "hold");
	while (talk->held == NULL)
		ev_run(talk->loop, EVRUN_ONCE);
	kd_control_free(talk->control);
	talk->control = NULL;
	assert_int_equal(talk->gone, 1);
	assert_int_equal(access(talk->path, F_OK), -1);
	kd_wire_free(wire);
}

/* Who has nothing more to ask may say so, and gets his answer. */
static void
a_half_closed_client_is_answered(void **state)
{
	struct talk *talk = *state;
	struct kd_wire *wire = talk_join(talk);
	talk_ask(wire, "echo");
	assert_int_equal(shutdown(kd_wire_fd(wire), SHUT_WR), 0);
	int type, events = 0;
	json_t *body;
	while (talk_answer(talk, wire, &type, &body) == 0) {
		events++;
		json_decref(body);
		if (type == KD_CTL_END)
			break;
	}
	assert_int_equal(events, 3);
	talk_expect_dropped(talk, wire);
}

/* What a client sends along is not received: closing it could take for ever. */
static void
descriptors_are_not_received(void **state)
{
	struct talk *talk = *state;
	struct kd_wire *wire = talk_join(talk);
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	talk_send(wire, KD_CTL_REQUEST,
		json_pack("{s:i,s:s,s:{}}", "version", 1, "command", "echo", "arguments"),
		&ends[1], 1);
	talk_expect_dropped(talk, wire);
	close(ends[1]);
	/* The one that was on its way is gone too: the pipe has ended. */
	char byte;
	assert_int_equal(read(ends[0], &byte, 1), 0);
	close(ends[0]);
	assert_int_equal(talk->requests, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TALK_TEST(who_breaks_the_protocol_is_dropped),
		TALK_TEST(one_request_at_a_time_is_served),
		TALK_TEST(refusals_are_said),
		TALK_TEST(a_request_is_answered_by_its_events_and_an_end),
		TALK_TEST(it_is_known_who_asks),
		TALK_TEST(who_leaves_is_forgotten),
		TALK_TEST(an_end_forgets_requests),
		TALK_TEST(a_half_closed_client_is_answered),
		TALK_TEST(descriptors_are_not_received),
	};
	return cmocka_run_group_tests_name("serve/control", tests, NULL, NULL);
}
