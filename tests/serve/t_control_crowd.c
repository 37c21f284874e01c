/* SPDX-License-Identifier: BSD-2-Clause */
/* Goal: however many come to the control socket, ask without reading or say nothing, who asks
 * well is answered all the same. */
#include "tests/serve/talk.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static void
a_slow_reader_stalls_nobody(void **state)
{
	struct talk *talk = *state;
	struct kd_wire *slow = talk_join(talk), *quick = talk_join(talk);
	talk_ask(slow, "flood");
	int served = 0;
	while (talk->gone == 0) {
		talk_ask(quick, "who");
		talk_expect_end(talk, quick, 1, NULL);
		served++;
	}
	assert_true(served > 10);
	kd_wire_free(quick);
	talk_expect_dropped(talk, slow);
}

/* Who asks on without waiting is served a request a turn of the loop, like everybody, and
 * none while he does not read the answers. */
static void
a_flood_of_requests_stalls_nobody(void **state)
{
	struct talk *talk = *state;
	enum { ROUNDS = 200, TURNS = 4 };
	struct kd_wire *greedy = talk_join(talk), *quick = talk_join(talk);
	json_t *body =
		json_pack("{s:i,s:s,s:{}}", "version", 1, "command", "who", "arguments");
	for (int i = 0; i < 2000; i++)
		assert_int_equal(
			kd_wire_put(greedy, KD_CTL_REQUEST, 7, body, NULL, 0), 0);
	kd_wire_flush(greedy);
	for (int i = 0; i < ROUNDS; i++) {
		struct kd_wire_message message;
		int turns = 0, before = talk->requests;
		talk_ask(quick, "who");
		do {
			ev_run(talk->loop, EVRUN_NOWAIT);
			assert_in_range(++turns, 1, TURNS);
		} while (kd_wire_receive(quick, 0, &message) == -ETIMEDOUT);
		kd_wire_done(&message);
		assert_in_range(talk->requests - before, 1, 1 + TURNS);
		kd_wire_flush(greedy);
	}
	/* Its answers fill the socket; then no more of it is heard. */
	for (int i = 0; i < 20000; i++)
		ev_run(talk->loop, EVRUN_NOWAIT);
	int before = talk->requests;
	for (int i = 0; i < 100; i++)
		ev_run(talk->loop, EVRUN_NOWAIT);
	assert_int_equal(talk->requests, before);
	/* Who reads after all is served to the end. */
	for (int i = 0; i < 2000; i++) {
		talk_expect_end(talk, greedy, 1, NULL);
		kd_wire_flush(greedy);
	}
	assert_int_equal(talk->requests, 2000 + ROUNDS);
	json_decref(body);
	kd_wire_free(greedy);
	kd_wire_free(quick);
}

/* One more than may be: somebody who asks nothing goes, who asks stays. */
static void
one_client_too_many_costs_one_that_asks_nothing(void **state)
{
	struct talk *talk = *state;
	struct kd_wire *wires[65];
	for (int i = 0; i < 65; i++) {
		wires[i] = talk_join(talk);
		if (i == 0)
			talk_ask(wires[i], "hold");
		ev_run(talk->loop, EVRUN_NOWAIT);
	}
	assert_non_null(talk->held);
	talk_expect_dropped(talk, wires[1]);
	for (int i = 2; i < 65; i++) {
		talk_ask(wires[i], "who");
		talk_expect_end(talk, wires[i], 1, NULL);
	}
	kd_control_end(talk->held, NULL);
	talk_expect_end(talk, wires[0], 1, NULL);
	for (int i = 0; i < 65; i++)
		if (i != 1)
			kd_wire_free(wires[i]);
}

static void
without_descriptors_it_is_said_and_served_later(void **state)
{
	struct talk *talk = *state;
	struct rlimit old, low;
	struct kd_wire *wire = talk_join(talk);
	int highest = fcntl(kd_wire_fd(wire), F_DUPFD_CLOEXEC, 0);
	close(highest);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	low = old;
	low.rlim_cur = (rlim_t)highest; /* the lowest free number is out of bounds */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	talk_expect_end(talk, wire, 0, "no file descriptor left");
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	talk_expect_dropped(talk, wire);
	wire = talk_join(talk);
	talk_ask(wire, "who");
	talk_expect_end(talk, wire, 1, NULL);
	kd_wire_free(wire);
}

/* A thousand that ask nothing, and one that does. */
static void
a_thousand_connections_keep_nobody_out(void **state)
{
	struct talk *talk = *state;
	enum { MANY = 1000 };
	static int fds[MANY];
	struct rlimit limit;
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max < 4096 ? limit.rlim_max : 4096;
	setrlimit(RLIMIT_NOFILE, &limit);
	for (int i = 0; i < MANY; i++) {
		fds[i] = kd_control_connect(talk->path, NULL);
		if (fds[i] < 0)
			fail_msg("connection %d: %s", i, strerror(-fds[i]));
		ev_run(talk->loop, EVRUN_NOWAIT);
	}
	struct kd_wire *wire = talk_join(talk);
	talk_ask(wire, "who");
	talk_expect_end(talk, wire, 1, NULL);
	kd_wire_free(wire);
	for (int i = 0; i < MANY; i++)
		close(fds[i]);
}

/* Who says a byte at a time, or nothing, is given up; who waits for an answer is not. */
static void
dawdlers_are_dropped(void **state)
{
	struct talk *talk = *state;
	kd_control_free(talk->control);
	talk->control = NULL;
	talk->patience = 0.2;
	struct kd_err err = {0};
	assert_int_equal(talk_try_new(talk, -1, &talk->control, &err), 0);
	struct kd_wire *waits = talk_join(talk), *silent = talk_join(talk);
	int slow = kd_control_connect(talk->path, NULL);
	talk_ask(waits, "hold");
	ssize_t sent;
	do {
		ev_run(talk->loop, EVRUN_ONCE);
		sent = send(slow, "K", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	} while (sent == 1);
	assert_true(sent < 0 && (errno == EPIPE || errno == ECONNRESET));
	close(slow);
	talk_expect_dropped(talk, silent);
	assert_non_null(talk->held);
	kd_control_end(talk->held, NULL);
	talk_expect_end(talk, waits, 1, NULL);
	kd_wire_free(waits);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TALK_TEST(a_slow_reader_stalls_nobody),
		TALK_TEST(a_flood_of_requests_stalls_nobody),
		TALK_TEST(one_client_too_many_costs_one_that_asks_nothing),
		TALK_TEST(without_descriptors_it_is_said_and_served_later),
		TALK_TEST(a_thousand_connections_keep_nobody_out),
		TALK_TEST(dawdlers_are_dropped),
	};
	return cmocka_run_group_tests_name("serve/control crowd", tests, NULL, NULL);
}
