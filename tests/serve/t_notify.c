/* SPDX-License-Identifier: BSD-2-Clause */
/* Goal: what systemd hears from kilnd, datagram by datagram, on a socket of our own. */
#include "daemon/serve/notify.h"

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
	struct ev_loop *loop;
	struct kd_notify *notify;
	int heard; /* our end of NOTIFY_SOCKET */
	int asked, alive;
	int told; /* how often the status was asked for */
	const char *status;
};

static int
is_alive(void *context)
{
	struct fixture *f = context;
	f->asked++;
	return f->alive;
}

static void
tell(void *context, char *line, size_t size)
{
	struct fixture *f = context;
	f->told++;
	snprintf(line, size, "%s", f->status);
}

static struct kd_notify *
make(struct fixture *f)
{
	return kd_notify_new(f->loop, &(struct kd_notify_handler){is_alive, tell, f});
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	socklen_t length = sizeof(sa_family_t); /* autobind: a free abstract name */
	f->heard = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(f->heard, (struct sockaddr *)&address, length), 0);
	length = sizeof address;
	assert_int_equal(getsockname(f->heard, (struct sockaddr *)&address, &length), 0);
	char name[128];
	snprintf(name, sizeof name, "@%.*s", (int)(length - sizeof(sa_family_t) - 1),
		address.sun_path + 1);
	setenv("NOTIFY_SOCKET", name, 1);
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	f->loop = ev_loop_new(EVFLAG_AUTO);
	f->alive = 1;
	f->status = "2 rules";
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	kd_notify_free(f->notify);
	ev_loop_destroy(f->loop);
	close(f->heard);
	unsetenv("NOTIFY_SOCKET");
	free(f);
	return 0;
}

/* The next datagram as text, and the descriptor it brought (-1: none). */
static void
hear(struct fixture *f, char *text, size_t size, int *fd)
{
	struct iovec part = {text, size - 1};
	union {
		char bytes[256];
		struct cmsghdr align;
	} control;
	struct msghdr message = {.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof control.bytes};
	ssize_t got = recvmsg(f->heard, &message, MSG_CMSG_CLOEXEC);
	assert_true(got >= 0);
	text[got] = '\0';
	*fd = -1;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
			memcpy(fd, CMSG_DATA(c), sizeof *fd);
}

static void
expect(struct fixture *f, const char *wanted)
{
	char text[1024];
	int fd;
	hear(f, text, sizeof text, &fd);
	assert_string_equal(text, wanted);
	assert_int_equal(fd, -1);
}

static int
is_silent(struct fixture *f)
{
	struct pollfd ready = {.fd = f->heard, .events = POLLIN};
	return poll(&ready, 1, 0) == 0;
}

static void
t_states(void **state)
{
	struct fixture *f = *state;
	f->notify = make(f);
	kd_notify_ready(f->notify);
	expect(f, "READY=1\nSTATUS=2 rules");
	f->status = "none\nREADY=1"; /* a line break ends the status */
	kd_notify_ready(f->notify);
	expect(f, "READY=1\nSTATUS=none");
	kd_notify_stopping(f->notify);
	expect(f, "STOPPING=1");
	assert_true(is_silent(f));
}

/* However often something happens, it is told of once, and only when it is news. */
static void
t_changes_are_gathered(void **state)
{
	struct fixture *f = *state;
	f->notify = make(f);
	kd_notify_ready(f->notify);
	expect(f, "READY=1\nSTATUS=2 rules");
	f->status = "1 waiting";
	for (int i = 0; i < 1000; i++)
		kd_notify_changed(f->notify);
	assert_true(is_silent(f));
	f->status = "1 done";
	assert_false(ev_run(f->loop, 0)); /* one timer, and nothing behind it */
	assert_int_equal(f->told, 2);
	expect(f, "STATUS=1 done");
	kd_notify_changed(f->notify);
	assert_false(ev_run(f->loop, 0));
	assert_int_equal(f->told, 3);
	assert_true(is_silent(f));
}

static void
t_reloading_has_its_time(void **state)
{
	struct fixture *f = *state;
	f->notify = make(f);
	struct timespec before, after;
	clock_gettime(CLOCK_MONOTONIC, &before);
	kd_notify_reloading(f->notify);
	clock_gettime(CLOCK_MONOTONIC, &after);
	char text[256], end;
	int fd;
	hear(f, text, sizeof text, &fd);
	unsigned long long usec;
	assert_int_equal(
		sscanf(text, "RELOADING=1\nMONOTONIC_USEC=%llu%c", &usec, &end), 1);
	assert_true(usec >= (unsigned long long)before.tv_sec * 1000000 +
				    (unsigned long long)before.tv_nsec / 1000);
	assert_true(usec <= (unsigned long long)after.tv_sec * 1000000 +
				    (unsigned long long)after.tv_nsec / 1000);
}

static void
t_no_watchdog_no_timer(void **state)
{
	struct fixture *f = *state;
	f->notify = make(f);
	assert_int_equal(ev_pending_count(f->loop), 0);
	assert_false(ev_run(f->loop, 0)); /* returns at once: nothing to wait for */
	assert_int_equal(f->asked, 0);
	assert_true(is_silent(f));
}

static void
on_done(struct ev_loop *loop, struct ev_io *io, int events)
{
	(void)io, (void)events;
	ev_break(loop, EVBREAK_ALL);
}

static void
t_watchdog_pings(void **state)
{
	struct fixture *f = *state;
	struct ev_io io;
	setenv("WATCHDOG_USEC", "20000", 1);
	f->notify = make(f);
	ev_io_init(&io, on_done, f->heard, EV_READ);
	ev_io_start(f->loop, &io);
	for (int i = 1; i <= 3; i++) {
		ev_run(f->loop, 0);
		expect(f, "WATCHDOG=1");
		assert_true(f->asked >= i);
	}
	/* A daemon that is not well is silent, however often its loop turns. */
	f->alive = 0;
	ev_io_stop(f->loop, &io);
	int asked = f->asked;
	ev_ref(f->loop); /* nothing but the watchdog is left to turn for */
	while (f->asked < asked + 3)
		ev_run(f->loop, EVRUN_ONCE);
	ev_unref(f->loop);
	assert_true(is_silent(f));
	unsetenv("WATCHDOG_USEC");
}

static void
t_watchdog_of_another(void **state)
{
	struct fixture *f = *state;
	char pid[32];
	snprintf(pid, sizeof pid, "%d", (int)getppid());
	setenv("WATCHDOG_USEC", "20000", 1);
	setenv("WATCHDOG_PID", pid, 1);
	f->notify = make(f);
	ev_run(f->loop, 0);
	assert_int_equal(f->asked, 0);
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

static void
t_keeps_descriptors(void **state)
{
	struct fixture *f = *state;
	struct stat ours, theirs;
	f->notify = make(f);
	kd_notify_keep(f->notify, f->heard, "control");
	char text[256];
	int fd;
	hear(f, text, sizeof text, &fd);
	assert_string_equal(text, "FDSTORE=1\nFDNAME=control");
	assert_int_equal(fstat(f->heard, &ours), 0);
	assert_int_equal(fstat(fd, &theirs), 0);
	assert_int_equal(ours.st_ino, theirs.st_ino);
	close(fd);
}

static void
t_finds_kept_descriptors(void **state)
{
	(void)state;
	char pid[32];
	assert_int_equal(kd_notify_kept("control"), -1);
	snprintf(pid, sizeof pid, "%d", (int)getpid());
	/* Whatever stands at 3 and 4 (prove's pipes) is set aside meanwhile. */
	int kept[2] = {fcntl(3, F_DUPFD_CLOEXEC, 10), fcntl(4, F_DUPFD_CLOEXEC, 10)};
	dup2(STDIN_FILENO, 3);
	dup2(STDIN_FILENO, 4);
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "2", 1);
	setenv("LISTEN_FDNAMES", "other:control", 1);
	assert_int_equal(kd_notify_kept("control"), 4);
	assert_int_equal(kd_notify_kept("other"), 3);
	assert_int_equal(kd_notify_kept("absent"), -1);
	for (int i = 0; i < 2; i++) {
		close(3 + i);
		if (kept[i] >= 0) {
			dup2(kept[i], 3 + i);
			close(kept[i]);
		}
	}
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
}

static void
t_without_systemd(void **state)
{
	struct fixture *f = *state;
	unsetenv("NOTIFY_SOCKET");
	f->notify = make(f);
	kd_notify_ready(f->notify);
	int told = f->told;
	kd_notify_changed(f->notify);
	assert_false(ev_run(f->loop, 0));
	assert_int_equal(f->told, told);
	kd_notify_reloading(f->notify);
	kd_notify_keep(f->notify, f->heard, "control");
	assert_true(is_silent(f));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(t_states, setup, teardown),
		cmocka_unit_test_setup_teardown(t_changes_are_gathered, setup, teardown),
		cmocka_unit_test_setup_teardown(
			t_reloading_has_its_time, setup, teardown),
		cmocka_unit_test_setup_teardown(t_no_watchdog_no_timer, setup, teardown),
		cmocka_unit_test_setup_teardown(t_watchdog_pings, setup, teardown),
		cmocka_unit_test_setup_teardown(t_watchdog_of_another, setup, teardown),
		cmocka_unit_test_setup_teardown(t_keeps_descriptors, setup, teardown),
		cmocka_unit_test(t_finds_kept_descriptors),
		cmocka_unit_test_setup_teardown(t_without_systemd, setup, teardown),
	};
	return cmocka_run_group_tests_name("notify", tests, NULL, NULL);
}
