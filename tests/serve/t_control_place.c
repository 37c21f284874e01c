/* SPDX-License-Identifier: BSD-2-Clause */
/* Goal: the control socket takes its place in the file system from a dead one, is never stolen
 * by a second daemon, steals nobody's, and is kept over a restart. */
#include "tests/serve/talk.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

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
a_stale_socket_is_replaced(void **state)
{
	struct talk *talk = *state;
	close(foreign_listener(talk->path));
	struct kd_err err = {0};
	assert_int_equal(talk_try_new(talk, -1, &talk->control, &err), 0);
	struct stat st;
	assert_int_equal(stat(talk->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
	struct kd_wire *wire = talk_join(talk);
	talk_ask(wire, "who");
	talk_expect_end(talk, wire, 1, NULL);
	kd_wire_free(wire);
}

static void
a_live_socket_is_left_alone(void **state)
{
	struct talk *talk = *state;
	struct kd_control *other = NULL;
	struct kd_err err = {0};
	int fd =
		foreign_listener(talk->path); /* somebody who knows nothing of the lock */
	assert_int_equal(talk_try_new(talk, -1, &talk->control, &err), -EADDRINUSE);
	assert_non_null(strstr(err.text, "another program serves"));
	close(fd);
	assert_int_equal(talk_try_new(talk, -1, &talk->control, &err), 0);
	assert_int_equal(talk_try_new(talk, -1, &other, &err), -EADDRINUSE);
	assert_non_null(strstr(err.text, "another kilnd serves"));
	assert_null(other);
	struct kd_wire *wire = talk_join(talk); /* and the first still answers */
	talk_ask(wire, "who");
	talk_expect_end(talk, wire, 1, NULL);
	kd_wire_free(wire);
}

static void
other_files_are_left_alone(void **state)
{
	struct talk *talk = *state;
	struct kd_err err = {0};
	close(open(talk->path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	assert_int_equal(talk_try_new(talk, -1, &talk->control, &err), -EEXIST);
	assert_int_equal(access(talk->path, F_OK), 0);
}

static void
a_kept_socket_serves_on(void **state)
{
	struct talk *talk = *state;
	struct kd_err err = {0};
	int fd = foreign_listener(talk->path);
	struct kd_wire *early = talk_join(talk); /* connected while nobody accepted */
	talk_ask(early, "who");
	assert_int_equal(talk_try_new(talk, fd, &talk->control, &err), 0);
	assert_int_equal(kd_control_fd(talk->control), fd);
	talk_expect_end(talk, early, 1, NULL);
	kd_wire_free(early);
}

static void
a_kept_socket_that_lost_its_path_serves_on(void **state)
{
	struct talk *talk = *state;
	struct kd_err err = {0};
	int fd = foreign_listener(talk->path);
	unlink(talk->path);
	assert_int_equal(talk_try_new(talk, fd, &talk->control, &err), 0);
	struct kd_wire *wire = talk_join(talk);
	talk_ask(wire, "who");
	talk_expect_end(talk, wire, 1, NULL);
	kd_wire_free(wire);
}

static void
a_path_longer_than_an_address_is_served(void **state)
{
	struct talk *talk = *state;
	struct kd_err err = {0};
	char deep[256];
	memcpy(deep, talk->folder, sizeof deep);
	size_t used = strlen(deep);
	memset(deep + used, 'd', 120);
	deep[used] = '/';
	deep[used + 120] = '\0';
	assert_int_equal(mkdir(deep, 0700), 0);
	snprintf(talk->path, sizeof talk->path, "%s/control", deep);
	assert_int_equal(talk_try_new(talk, -1, &talk->control, &err), 0);
	struct kd_wire *wire = talk_join(talk);
	talk_ask(wire, "who");
	talk_expect_end(talk, wire, 1, NULL);
	kd_wire_free(wire);
	kd_control_free(talk->control);
	talk->control = NULL;
	char lock[400];
	snprintf(lock, sizeof lock, "%s.lock", talk->path);
	unlink(lock);
	assert_int_equal(rmdir(deep), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TALK_TEST_BARE(a_stale_socket_is_replaced),
		TALK_TEST_BARE(a_live_socket_is_left_alone),
		TALK_TEST_BARE(other_files_are_left_alone),
		TALK_TEST_BARE(a_kept_socket_serves_on),
		TALK_TEST_BARE(a_kept_socket_that_lost_its_path_serves_on),
		TALK_TEST_BARE(a_path_longer_than_an_address_is_served),
	};
	return cmocka_run_group_tests_name("serve/control place", tests, NULL, NULL);
}
