/* SPDX-License-Identifier: BSD-2-Clause */
/* Goal: the control socket answers who asks well, drops who does not, and is never
 * stolen. */
#include "daemon/serve/control.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
	struct ev_loop *loop;
	struct kd_control *control;
	struct kd_control_request *held; /* by "hold" and "flood" */
	struct ev_prepare flood;
	int requests, gone;
	double patience;
	char folder[256], path[300];
};

static void
on_flood(struct ev_loop *loop, struct ev_prepare *prepare, int events)
{
	struct fixture *f = prepare->data;
	(void)events;
	char text[60001];
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	if (f->held == NULL)
		ev_prepare_stop(loop, prepare);
	else
		kd_control_event(f->held, json_pack("{s:s}", "text", text));
}

static void
on_request(void *context, struct kd_control_request *request, const char *command,
	const json_t *arguments)
{
	struct fixture *f = context;
	f->requests++;
	if (strcmp(command, "echo") == 0) {
		kd_control_event(request, json_pack("{s:i}", "n", 1));
		kd_control_event(request, json_pack("{s:i}", "n", 2));
		kd_control_end(request, json_deep_copy(arguments));
	} else if (strcmp(command, "who") == 0) {
		const struct kd_control_peer *peer = kd_control_peer(request);
		kd_control_end(request, json_pack("{s:i,s:i}", "uid", (int)peer->uid,
						"pid", (int)peer->pid));
	} else if (strcmp(command, "hold") == 0 || strcmp(command, "flood") == 0) {
		f->held = request;
		kd_control_set_data(request, f);
		if (command[0] == 'f')
			ev_prepare_start(f->loop, &f->flood);
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
	struct fixture *f = context;
	assert_ptr_equal(request, f->held);
	assert_ptr_equal(kd_control_data(request), f);
	f->held = NULL;
	f->gone++;
}

static int
try_new(struct fixture *f, int fd, struct kd_control **control, struct kd_err *err)
{
	struct kd_control_handler handler = {on_request, on_gone, f, f->patience};
	return kd_control_new(f->loop, f->path, fd, &handler, control, err);
}

static int
setup_bare(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	snprintf(f->folder, sizeof f->folder, "%s/t_control.XXXXXX",
		getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->path, sizeof f->path, "%s/control", f->folder);
	f->loop = ev_loop_new(EVFLAG_AUTO);
	ev_prepare_init(&f->flood, on_flood);
	f->flood.data = f;
	*state = f;
	return 0;
}

static int
setup(void **state)
{
	setup_bare(state);
	struct fixture *f = *state;
	struct kd_err err = {0};
	if (try_new(f, -1, &f->control, &err) != 0)
		fail_msg("%s", err.text);
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	kd_control_free(f->control);
	ev_prepare_stop(f->loop, &f->flood);
	ev_loop_destroy(f->loop);
	char lock[400];
	snprintf(lock, sizeof lock, "%s.lock", f->path);
	unlink(lock);
	unlink(f->path);
	assert_int_equal(rmdir(f->folder), 0);
	free(f);
	return 0;
}

static struct kd_wire *
join(struct fixture *f)
{
	struct kd_err err = {0};
	int fd = kd_control_connect(f->path, &err);
	if (fd < 0)
		fail_msg("%s", err.text);
	return kd_wire_new(fd);
}

static void
ask(struct kd_wire *wire, const char *command)
{
	json_t *body = json_pack("{s:i,s:s,s:{s:s}}", "version", 1, "command", command,
		"arguments", "key", "value");
	assert_int_equal(kd_wire_send(wire, KD_CTL_REQUEST, 7, body, NULL, 0), 0);
	json_decref(body);
}

/* Turns the loop until the client has a message or the end: 0, or -EPIPE/-ECONNRESET. */
static int
answer(struct fixture *f, struct kd_wire *wire, int *type, json_t **body)
{
	for (;;) {
		ev_run(f->loop, EVRUN_NOWAIT);
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

static void
expect_end(struct fixture *f, struct kd_wire *wire, int ok, const char *error)
{
	int type;
	json_t *body;
	assert_int_equal(answer(f, wire, &type, &body), 0);
	assert_int_equal(type, KD_CTL_END);
	assert_int_equal(json_is_true(json_object_get(body, "ok")), ok);
	if (error != NULL)
		assert_non_null(
			strstr(json_string_value(json_object_get(body, "error")), error));
	json_decref(body);
}

static void
expect_dropped(struct fixture *f, struct kd_wire *wire)
{
	int type, rc;
	json_t *body;
	while ((rc = answer(f, wire, &type, &body)) == 0)
		json_decref(body);
	assert_true(rc == -EPIPE || rc == -ECONNRESET);
	kd_wire_free(wire);
}

static void
t_events_then_end(void **state)
{
	struct fixture *f = *state;
	struct kd_wire *wire = join(f);
	for (int round = 0; round < 2; round++) { /* a connection serves many requests */
		ask(wire, "echo");
		for (int n = 1; n <= 2; n++) {
			int type;
			json_t *body;
			assert_int_equal(answer(f, wire, &type, &body), 0);
			assert_int_equal(type, KD_CTL_EVENT);
			assert_int_equal(
				json_integer_value(json_object_get(body, "n")), n);
			json_decref(body);
		}
		expect_end(f, wire, 1, NULL);
	}
	assert_int_equal(f->requests, 2);
	kd_wire_free(wire);
}

static void
t_knows_who_asks(void **state)
{
	struct fixture *f = *state;
	struct kd_wire *wire = join(f);
	int type;
	json_t *body;
	ask(wire, "who");
	assert_int_equal(answer(f, wire, &type, &body), 0);
	const json_t *data = json_object_get(body, "data");
	assert_int_equal(json_integer_value(json_object_get(data, "uid")), getuid());
	assert_int_equal(json_integer_value(json_object_get(data, "pid")), getpid());
	json_decref(body);
	kd_wire_free(wire);
}

static void
t_refusals_are_said(void **state)
{
	struct fixture *f = *state;
	struct kd_wire *wire = join(f);
	ask(wire, "dance");
	expect_end(f, wire, 0, "there is no command 'dance'");
	ask(wire, "large");
	expect_end(f, wire, 0, "longer than a message may be");
	json_t *body =
		json_pack("{s:i,s:s,s:{}}", "version", 2, "command", "echo", "arguments");
	kd_wire_send(wire, KD_CTL_REQUEST, 7, body, NULL, 0);
	json_decref(body);
	expect_end(f, wire, 0, "speaks version 1");
	kd_wire_free(wire);
}

static void
send_request(
	struct kd_wire *wire, uint16_t type, json_t *body, const int *fds, unsigned n)
{
	assert_int_equal(kd_wire_send(wire, type, 7, body, fds, n), 0);
	json_decref(body);
}

static void
t_broken_protocol_is_dropped(void **state)
{
	struct fixture *f = *state;
	static const char garbage[64] = "GET / HTTP/1.1\r\n";
	struct kd_wire *wire = join(f);
	assert_int_equal(
		send(kd_wire_fd(wire), garbage, sizeof garbage, 0), sizeof garbage);
	expect_dropped(f, wire);
	/* A length beyond the limit, after a right magic. */
	static const unsigned char giant[16] = {
		'K', 'L', 'N', '1', 64, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x11, 0};
	wire = join(f);
	assert_int_equal(send(kd_wire_fd(wire), giant, sizeof giant, 0), sizeof giant);
	expect_dropped(f, wire);
	wire = join(f);
	send_request(wire, KD_CTL_END, json_pack("{}"), NULL, 0);
	expect_dropped(f, wire);
	wire = join(f);
	send_request(wire, KD_CTL_REQUEST, json_pack("[i]", 1), NULL, 0);
	expect_dropped(f, wire);
	wire = join(f);
	send_request(wire, KD_CTL_REQUEST,
		json_pack("{s:i,s:s}", "version", 1, "command", "echo"), NULL, 0);
	expect_dropped(f, wire);
	wire = join(f);
	int fd = STDIN_FILENO;
	send_request(wire, KD_CTL_REQUEST,
		json_pack("{s:i,s:s,s:{}}", "version", 1, "command", "echo", "arguments"),
		&fd, 1);
	expect_dropped(f, wire);
	assert_int_equal(f->requests, 0);
}

static void
t_one_request_at_a_time(void **state)
{
	struct fixture *f = *state;
	struct kd_wire *wire = join(f);
	ask(wire, "hold");
	ask(wire, "echo");
	expect_dropped(f, wire);
	assert_int_equal(f->requests, 1);
	assert_int_equal(f->gone, 1);
}

static void
t_who_leaves_is_forgotten(void **state)
{
	struct fixture *f = *state;
	struct kd_wire *wire = join(f);
	ask(wire, "hold");
	while (f->held == NULL)
		ev_run(f->loop, EVRUN_ONCE);
	kd_wire_free(wire);
	while (f->gone == 0)
		ev_run(f->loop, EVRUN_ONCE);
	assert_null(f->held);
}

static void
t_free_forgets_requests(void **state)
{
	struct fixture *f = *state;
	struct kd_wire *wire = join(f);
	ask(wire, "hold");
	while (f->held == NULL)
		ev_run(f->loop, EVRUN_ONCE);
	kd_control_free(f->control);
	f->control = NULL;
	assert_int_equal(f->gone, 1);
	assert_int_equal(access(f->path, F_OK), -1);
	kd_wire_free(wire);
}

static void
t_slow_reader_stalls_nobody(void **state)
{
	struct fixture *f = *state;
	struct kd_wire *slow = join(f), *quick = join(f);
	ask(slow, "flood");
	int served = 0;
	while (f->gone == 0) {
		ask(quick, "who");
		expect_end(f, quick, 1, NULL);
		served++;
	}
	assert_true(served > 10);
	kd_wire_free(quick);
	expect_dropped(f, slow);
}

/* Who asks on without waiting is served a request a turn of the loop, like everybody, and
 * none while he does not read the answers. */
static void
t_a_flood_of_requests_stalls_nobody(void **state)
{
	struct fixture *f = *state;
	enum { ROUNDS = 200, TURNS = 4 };
	struct kd_wire *greedy = join(f), *quick = join(f);
	json_t *body =
		json_pack("{s:i,s:s,s:{}}", "version", 1, "command", "who", "arguments");
	for (int i = 0; i < 2000; i++)
		assert_int_equal(
			kd_wire_put(greedy, KD_CTL_REQUEST, 7, body, NULL, 0), 0);
	kd_wire_flush(greedy);
	for (int i = 0; i < ROUNDS; i++) {
		struct kd_wire_message message;
		int turns = 0, before = f->requests;
		ask(quick, "who");
		do {
			ev_run(f->loop, EVRUN_NOWAIT);
			assert_in_range(++turns, 1, TURNS);
		} while (kd_wire_receive(quick, 0, &message) == -ETIMEDOUT);
		kd_wire_done(&message);
		assert_in_range(f->requests - before, 1, 1 + TURNS);
		kd_wire_flush(greedy);
	}
	/* Its answers fill the socket; then no more of it is heard. */
	for (int i = 0; i < 20000; i++)
		ev_run(f->loop, EVRUN_NOWAIT);
	int before = f->requests;
	for (int i = 0; i < 100; i++)
		ev_run(f->loop, EVRUN_NOWAIT);
	assert_int_equal(f->requests, before);
	/* Who reads after all is served to the end. */
	for (int i = 0; i < 2000; i++) {
		expect_end(f, greedy, 1, NULL);
		kd_wire_flush(greedy);
	}
	assert_int_equal(f->requests, 2000 + ROUNDS);
	json_decref(body);
	kd_wire_free(greedy);
	kd_wire_free(quick);
}

/* Who has nothing more to ask may say so, and gets his answer. */
static void
t_a_half_closed_client_is_answered(void **state)
{
	struct fixture *f = *state;
	struct kd_wire *wire = join(f);
	ask(wire, "echo");
	assert_int_equal(shutdown(kd_wire_fd(wire), SHUT_WR), 0);
	int type, events = 0;
	json_t *body;
	while (answer(f, wire, &type, &body) == 0) {
		events++;
		json_decref(body);
		if (type == KD_CTL_END)
			break;
	}
	assert_int_equal(events, 3);
	expect_dropped(f, wire);
}

/* One more than may be: somebody who asks nothing goes, who asks stays. */
static void
t_sixty_four_clients(void **state)
{
	struct fixture *f = *state;
	struct kd_wire *wires[65];
	for (int i = 0; i < 65; i++) {
		wires[i] = join(f);
		if (i == 0)
			ask(wires[i], "hold");
		ev_run(f->loop, EVRUN_NOWAIT);
	}
	assert_non_null(f->held);
	expect_dropped(f, wires[1]);
	for (int i = 2; i < 65; i++) {
		ask(wires[i], "who");
		expect_end(f, wires[i], 1, NULL);
	}
	kd_control_end(f->held, NULL);
	expect_end(f, wires[0], 1, NULL);
	for (int i = 0; i < 65; i++)
		if (i != 1)
			kd_wire_free(wires[i]);
}

/* A thousand that ask nothing, and one that does. */
static void
t_a_thousand_connections_keep_nobody_out(void **state)
{
	struct fixture *f = *state;
	enum { MANY = 1000 };
	static int fds[MANY];
	struct rlimit limit;
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max < 4096 ? limit.rlim_max : 4096;
	setrlimit(RLIMIT_NOFILE, &limit);
	for (int i = 0; i < MANY; i++) {
		fds[i] = kd_control_connect(f->path, NULL);
		if (fds[i] < 0)
			fail_msg("connection %d: %s", i, strerror(-fds[i]));
		ev_run(f->loop, EVRUN_NOWAIT);
	}
	struct kd_wire *wire = join(f);
	ask(wire, "who");
	expect_end(f, wire, 1, NULL);
	kd_wire_free(wire);
	for (int i = 0; i < MANY; i++)
		close(fds[i]);
}

/* Who says a byte at a time, or nothing, is given up; who waits for an answer is not. */
static void
t_dawdlers_are_dropped(void **state)
{
	struct fixture *f = *state;
	kd_control_free(f->control);
	f->control = NULL;
	f->patience = 0.2;
	struct kd_err err = {0};
	assert_int_equal(try_new(f, -1, &f->control, &err), 0);
	struct kd_wire *waits = join(f), *silent = join(f);
	int slow = kd_control_connect(f->path, NULL);
	ask(waits, "hold");
	ssize_t sent;
	do {
		ev_run(f->loop, EVRUN_ONCE);
		sent = send(slow, "K", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	} while (sent == 1);
	assert_true(sent < 0 && (errno == EPIPE || errno == ECONNRESET));
	close(slow);
	expect_dropped(f, silent);
	assert_non_null(f->held);
	kd_control_end(f->held, NULL);
	expect_end(f, waits, 1, NULL);
	kd_wire_free(waits);
}

/* What a client sends along is not received: closing it could take for ever. */
static void
t_descriptors_are_not_received(void **state)
{
	struct fixture *f = *state;
	struct kd_wire *wire = join(f);
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	send_request(wire, KD_CTL_REQUEST,
		json_pack("{s:i,s:s,s:{}}", "version", 1, "command", "echo", "arguments"),
		&ends[1], 1);
	expect_dropped(f, wire);
	close(ends[1]);
	/* The one that was on its way is gone too: the pipe has ended. */
	char byte;
	assert_int_equal(read(ends[0], &byte, 1), 0);
	close(ends[0]);
	assert_int_equal(f->requests, 0);
}

static void
t_out_of_descriptors(void **state)
{
	struct fixture *f = *state;
	struct rlimit old, low;
	struct kd_wire *wire = join(f);
	int highest = fcntl(kd_wire_fd(wire), F_DUPFD_CLOEXEC, 0);
	close(highest);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	low = old;
	low.rlim_cur = (rlim_t)highest; /* the lowest free number is out of bounds */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	expect_end(f, wire, 0, "no file descriptor left");
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	expect_dropped(f, wire);
	wire = join(f);
	ask(wire, "who");
	expect_end(f, wire, 1, NULL);
	kd_wire_free(wire);
}

static int
foreign_listener(const char *path)
{
	struct sockaddr_un address;
	int dir, fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(kd_control_address(path, &address, &dir), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(listen(fd, 4), 0);
	if (dir >= 0)
		close(dir);
	return fd;
}

static void
t_stale_socket_is_replaced(void **state)
{
	struct fixture *f = *state;
	close(foreign_listener(f->path));
	struct kd_err err = {0};
	assert_int_equal(try_new(f, -1, &f->control, &err), 0);
	struct stat st;
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
	struct kd_wire *wire = join(f);
	ask(wire, "who");
	expect_end(f, wire, 1, NULL);
	kd_wire_free(wire);
}

static void
t_live_socket_is_left_alone(void **state)
{
	struct fixture *f = *state;
	struct kd_control *other = NULL;
	struct kd_err err = {0};
	int fd = foreign_listener(f->path); /* somebody who knows nothing of the lock */
	assert_int_equal(try_new(f, -1, &f->control, &err), -EADDRINUSE);
	assert_non_null(strstr(err.text, "another program serves"));
	close(fd);
	assert_int_equal(try_new(f, -1, &f->control, &err), 0);
	assert_int_equal(try_new(f, -1, &other, &err), -EADDRINUSE);
	assert_non_null(strstr(err.text, "another kilnd serves"));
	assert_null(other);
	struct kd_wire *wire = join(f); /* and the first still answers */
	ask(wire, "who");
	expect_end(f, wire, 1, NULL);
	kd_wire_free(wire);
}

static void
t_other_files_are_left_alone(void **state)
{
	struct fixture *f = *state;
	struct kd_err err = {0};
	close(open(f->path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	assert_int_equal(try_new(f, -1, &f->control, &err), -EEXIST);
	assert_int_equal(access(f->path, F_OK), 0);
}

static void
t_kept_socket_serves_on(void **state)
{
	struct fixture *f = *state;
	struct kd_err err = {0};
	int fd = foreign_listener(f->path);
	struct kd_wire *early = join(f); /* connected while nobody accepted */
	ask(early, "who");
	assert_int_equal(try_new(f, fd, &f->control, &err), 0);
	assert_int_equal(kd_control_fd(f->control), fd);
	expect_end(f, early, 1, NULL);
	kd_wire_free(early);
}

static void
t_kept_socket_without_path(void **state)
{
	struct fixture *f = *state;
	struct kd_err err = {0};
	int fd = foreign_listener(f->path);
	unlink(f->path);
	assert_int_equal(try_new(f, fd, &f->control, &err), 0);
	struct kd_wire *wire = join(f);
	ask(wire, "who");
	expect_end(f, wire, 1, NULL);
	kd_wire_free(wire);
}

static void
t_long_path(void **state)
{
	struct fixture *f = *state;
	struct kd_err err = {0};
	char deep[256];
	memcpy(deep, f->folder, sizeof deep);
	size_t used = strlen(deep);
	memset(deep + used, 'd', 120);
	deep[used] = '/';
	deep[used + 120] = '\0';
	assert_int_equal(mkdir(deep, 0700), 0);
	snprintf(f->path, sizeof f->path, "%s/control", deep);
	assert_int_equal(try_new(f, -1, &f->control, &err), 0);
	struct kd_wire *wire = join(f);
	ask(wire, "who");
	expect_end(f, wire, 1, NULL);
	kd_wire_free(wire);
	kd_control_free(f->control);
	f->control = NULL;
	char lock[400];
	snprintf(lock, sizeof lock, "%s.lock", f->path);
	unlink(lock);
	assert_int_equal(rmdir(deep), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			t_broken_protocol_is_dropped, setup, teardown),
		cmocka_unit_test_setup_teardown(t_one_request_at_a_time, setup, teardown),
		cmocka_unit_test_setup_teardown(t_refusals_are_said, setup, teardown),
		cmocka_unit_test_setup_teardown(t_events_then_end, setup, teardown),
		cmocka_unit_test_setup_teardown(t_knows_who_asks, setup, teardown),
		cmocka_unit_test_setup_teardown(
			t_who_leaves_is_forgotten, setup, teardown),
		cmocka_unit_test_setup_teardown(t_free_forgets_requests, setup, teardown),
		cmocka_unit_test_setup_teardown(
			t_slow_reader_stalls_nobody, setup, teardown),
		cmocka_unit_test_setup_teardown(
			t_a_flood_of_requests_stalls_nobody, setup, teardown),
		cmocka_unit_test_setup_teardown(
			t_a_half_closed_client_is_answered, setup, teardown),
		cmocka_unit_test_setup_teardown(t_sixty_four_clients, setup, teardown),
		cmocka_unit_test_setup_teardown(t_out_of_descriptors, setup, teardown),
		cmocka_unit_test_setup_teardown(
			t_a_thousand_connections_keep_nobody_out, setup, teardown),
		cmocka_unit_test_setup_teardown(t_dawdlers_are_dropped, setup, teardown),
		cmocka_unit_test_setup_teardown(
			t_descriptors_are_not_received, setup, teardown),
		cmocka_unit_test_setup_teardown(
			t_stale_socket_is_replaced, setup_bare, teardown),
		cmocka_unit_test_setup_teardown(
			t_live_socket_is_left_alone, setup_bare, teardown),
		cmocka_unit_test_setup_teardown(
			t_other_files_are_left_alone, setup_bare, teardown),
		cmocka_unit_test_setup_teardown(
			t_kept_socket_serves_on, setup_bare, teardown),
		cmocka_unit_test_setup_teardown(
			t_kept_socket_without_path, setup_bare, teardown),
		cmocka_unit_test_setup_teardown(t_long_path, setup_bare, teardown),
	};
	return cmocka_run_group_tests_name("control", tests, NULL, NULL);
}
