/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames and descriptors: what is broken is refused and leaks nothing; what is whole
 * arrives whole, in order, however the bytes were cut.
 */
#include "daemon/base/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct pair {
	struct kd_wire *wire;
	int raw; /* the other end */
};

static struct pair
make_pair(void)
{
	int fds[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	return (struct pair){kd_wire_new(fds[0]), fds[1]};
}

static void
free_pair(struct pair *pair)
{
	kd_wire_free(pair->wire);
	if (pair->raw >= 0)
		close(pair->raw);
}

static void
put_header(char bytes[16], uint32_t magic, uint16_t fds, uint32_t length)
{
	uint16_t type = 7;
	uint32_t serial = 9;
	memcpy(bytes, &magic, 4);
	memcpy(bytes + 4, &type, 2);
	memcpy(bytes + 6, &fds, 2);
	memcpy(bytes + 8, &serial, 4);
	memcpy(bytes + 12, &length, 4);
}

static void
refuses(uint32_t magic, uint16_t fds, uint32_t length)
{
	struct pair pair = make_pair();
	struct kd_wire_message message;
	char header[16];
	put_header(header, magic, fds, length);
	assert_int_equal(write(pair.raw, header, sizeof header), sizeof header);
	assert_int_equal(kd_wire_receive(pair.wire, 1000, &message), -EPROTO);
	free_pair(&pair);
}

static void
broken_headers_are_refused(void **state)
{
	(void)state;
	refuses(0x12345678, 0, 0);
	refuses(KD_WIRE_MAGIC, 0, KD_WIRE_BODY + 1);
	refuses(KD_WIRE_MAGIC, 0, UINT32_MAX);
	refuses(KD_WIRE_MAGIC, KD_WIRE_FDS + 1, 0);
	/* Descriptors announced and not sent. */
	refuses(KD_WIRE_MAGIC, 1, 0);
}

static void
end_of_stream_is_told(void **state)
{
	(void)state;
	struct pair pair = make_pair();
	struct kd_wire_message message;
	char header[16];
	put_header(header, KD_WIRE_MAGIC, 0, 100);
	assert_int_equal(write(pair.raw, header, sizeof header), sizeof header);
	close(pair.raw);
	pair.raw = -1;
	assert_int_equal(kd_wire_receive(pair.wire, 1000, &message), -EPIPE);
	free_pair(&pair);
}

static void
nothing_in_time_is_told(void **state)
{
	(void)state;
	struct pair pair = make_pair();
	struct kd_wire_message message;
	assert_int_equal(kd_wire_receive(pair.wire, 0, &message), -ETIMEDOUT);
	free_pair(&pair);
}

static void
bodies_arrive_whole_however_cut(void **state)
{
	(void)state;
	static const char body[] = "{\"a\":1}";
	char bytes[2 * (16 + sizeof body - 1)];
	for (int i = 0; i < 2; i++) {
		char *at = bytes + i * (16 + (int)sizeof body - 1);
		put_header(at, KD_WIRE_MAGIC, 0, sizeof body - 1);
		memcpy(at + 16, body, sizeof body - 1);
	}
	for (size_t cut = 1; cut < sizeof bytes; cut++) {
		struct pair pair = make_pair();
		struct kd_wire_message message;
		assert_int_equal(write(pair.raw, bytes, cut), (ssize_t)cut);
		assert_int_equal(kd_wire_fill(pair.wire), 0);
		int early = kd_wire_next(pair.wire, &message);
		if (early == 1)
			kd_wire_done(&message);
		assert_int_equal(write(pair.raw, bytes + cut, sizeof bytes - cut),
			(ssize_t)(sizeof bytes - cut));
		for (int i = early; i < 2; i++) {
			assert_int_equal(kd_wire_receive(pair.wire, 1000, &message), 0);
			assert_int_equal(message.type, 7);
			assert_int_equal(message.serial, 9);
			assert_string_equal(message.body, body);
			kd_wire_done(&message);
		}
		free_pair(&pair);
	}
}

static int
is_same_file(int a, int b)
{
	struct stat x, y;
	return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_ino == y.st_ino;
}

static void
descriptors_follow_their_message(void **state)
{
	(void)state;
	struct pair pair = make_pair();
	struct kd_wire *peer = kd_wire_new(pair.raw);
	pair.raw = -1;
	int first = memfd_create("first", MFD_CLOEXEC),
	    second = memfd_create("second", MFD_CLOEXEC);
	json_t *empty = json_object();
	assert_int_equal(kd_wire_put(peer, 1, 0, empty, &first, 1), 0);
	assert_int_equal(kd_wire_put(peer, 2, 0, empty, NULL, 0), 0);
	assert_int_equal(kd_wire_put(peer, 3, 0, NULL, (int[]){second, first}, 2), 0);
	assert_int_equal(kd_wire_flush(peer), 0);
	assert_int_equal(kd_wire_pending(peer), 0);
	static const unsigned counts[] = {1, 0, 2};
	for (int i = 0; i < 3; i++) {
		struct kd_wire_message message;
		assert_int_equal(kd_wire_receive(pair.wire, 1000, &message), 0);
		assert_int_equal(message.type, i + 1);
		assert_int_equal(message.fd_count, counts[i]);
		if (i == 0)
			assert_true(is_same_file(message.fds[0], first));
		if (i == 2) {
			assert_true(is_same_file(message.fds[0], second));
			assert_true(is_same_file(message.fds[1], first));
			assert_true((fcntl(message.fds[0], F_GETFD) & FD_CLOEXEC) != 0);
		}
		kd_wire_done(&message);
	}
	json_decref(empty);
	close(first);
	close(second);
	kd_wire_free(peer);
	free_pair(&pair);
}

static void
descriptors_nobody_announced_end_the_link(void **state)
{
	(void)state;
	struct pair pair = make_pair();
	struct kd_wire_message message;
	int rc = 0;
	for (int i = 0; i < 20 && rc == 0; i++) {
		char header[16];
		put_header(header, KD_WIRE_MAGIC, 0, 0);
		struct iovec part = {header, sizeof header};
		char control[CMSG_SPACE(sizeof(int))] = {0};
		struct msghdr m = {.msg_iov = &part,
			.msg_iovlen = 1,
			.msg_control = control,
			.msg_controllen = sizeof control};
		struct cmsghdr *c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &pair.raw, sizeof(int));
		assert_int_equal(sendmsg(pair.raw, &m, 0), sizeof header);
		rc = kd_wire_receive(pair.wire, 1000, &message);
		if (rc == 0)
			kd_wire_done(&message);
	}
	assert_int_equal(rc, -EPROTO);
	free_pair(&pair);
}

static void
too_much_is_not_put(void **state)
{
	(void)state;
	struct pair pair = make_pair();
	char *text = malloc(KD_WIRE_BODY + 1);
	memset(text, 'x', KD_WIRE_BODY);
	text[KD_WIRE_BODY] = '\0';
	json_t *body = json_pack("{s:s}", "text", text);
	assert_int_equal(kd_wire_put(pair.wire, 1, 0, body, NULL, 0), -EMSGSIZE);
	int fds[KD_WIRE_FDS + 1] = {0};
	assert_int_equal(
		kd_wire_put(pair.wire, 1, 0, NULL, fds, KD_WIRE_FDS + 1), -EMSGSIZE);
	assert_int_equal(kd_wire_pending(pair.wire), 0);
	json_decref(body);
	free(text);
	free_pair(&pair);
}

static void
a_slow_reader_leaves_bytes_pending(void **state)
{
	(void)state;
	struct pair pair = make_pair();
	char *text = malloc(200001);
	memset(text, 'x', 200000);
	text[200000] = '\0';
	json_t *body = json_pack("{s:s}", "text", text);
	int rc = 0;
	for (int i = 0; i < 40 && rc == 0; i++) {
		assert_int_equal(kd_wire_put(pair.wire, 1, 0, body, NULL, 0), 0);
		rc = kd_wire_flush(pair.wire);
	}
	assert_int_equal(rc, 1);
	assert_true(kd_wire_pending(pair.wire) > 0);
	close(pair.raw);
	pair.raw = -1;
	assert_int_equal(kd_wire_flush(pair.wire), -EPIPE);
	json_decref(body);
	free(text);
	free_pair(&pair);
}

/* However much a reader takes, one call does not write all of it. */
static void
some_is_written_at_a_time(void **state)
{
	(void)state;
	enum { COUNT = 400, ENOUGH = 1000 };
	struct pair pair = make_pair();
	json_t *body = json_pack("{s:s}", "text",
		"a hundred bytes, nearly: ------------"
		"---------------------------------");
	for (uint32_t i = 0; i < COUNT; i++)
		assert_int_equal(kd_wire_put(pair.wire, 1, i, body, NULL, 0), 0);
	size_t whole = kd_wire_pending(pair.wire), pending = whole;
	int rc, calls = 0;
	for (; (rc = kd_wire_flush_some(pair.wire, ENOUGH)) == 1; calls++) {
		assert_true(kd_wire_pending(pair.wire) <= pending - ENOUGH);
		pending = kd_wire_pending(pair.wire);
	}
	assert_int_equal(rc, 0);
	assert_true(calls > 1);
	json_decref(body);
	free_pair(&pair);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(broken_headers_are_refused),
		cmocka_unit_test(end_of_stream_is_told),
		cmocka_unit_test(nothing_in_time_is_told),
		cmocka_unit_test(descriptors_nobody_announced_end_the_link),
		cmocka_unit_test(too_much_is_not_put),
		cmocka_unit_test(a_slow_reader_leaves_bytes_pending),
		cmocka_unit_test(some_is_written_at_a_time),
		cmocka_unit_test(bodies_arrive_whole_however_cut),
		cmocka_unit_test(descriptors_follow_their_message),
	};
	return cmocka_run_group_tests_name("base/wire", tests, NULL, NULL);
}
