/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * talk.h - a control socket in a scratch folder, somebody who answers at it, and clients
 * that talk to it on the same thread.  Everything that goes wrong here fails the test.
 *
 * Its commands: "echo" gives two events and the arguments, "who" the caller; "hold" is not
 * answered, "flood" is by events without end, "large" by more than a message may hold;
 * others are refused.
 */
#ifndef TESTS_SERVE_TALK_H
#define TESTS_SERVE_TALK_H

#include "daemon/base/wire.h"
#include "daemon/serve/control.h"

#include <ev.h>

struct talk { /* *state of the test at hand */
	struct ev_loop *loop;
	struct kd_control *control;
	struct kd_control_request *held; /* by "hold" and "flood" */
	struct ev_prepare flood;
	int requests, gone;
	double patience;
	char folder[256], path[300];
};

int talk_set_up(void **state);
int talk_set_up_bare(void **state); /* without the socket */
int talk_tear_down(void **state);
#define TALK_TEST(name) cmocka_unit_test_setup_teardown(name, talk_set_up, talk_tear_down)
#define TALK_TEST_BARE(name)                                                             \
	cmocka_unit_test_setup_teardown(name, talk_set_up_bare, talk_tear_down)

/* As kd_control_new(), at the path. */
int talk_try_new(
	struct talk *talk, int fd, struct kd_control **control, struct kd_err *err);

/* A client. */
struct kd_wire *talk_join(struct talk *talk);
/* Sends a message, and takes its body; or a well-formed request. */
void talk_send(
	struct kd_wire *wire, uint16_t type, json_t *body, const int *fds, unsigned n);
void talk_ask(struct kd_wire *wire, const char *command);
/* Turns the loop until the client has a message or the end: 0, or -EPIPE/-ECONNRESET. */
int talk_answer(struct talk *talk, struct kd_wire *wire, int *type, json_t **body);
/* The next message is an end, ok or with an error that contains `error` (NULL: any). */
void talk_expect_end(struct talk *talk, struct kd_wire *wire, int ok, const char *error);
/* The connection ends, whatever is said before; frees the client. */
void talk_expect_dropped(struct talk *talk, struct kd_wire *wire);

#endif
