/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/fuzz/frames.h"

#include "daemon/base/wire.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

static void
send_bytes(int fd, const void *bytes, size_t size, int passed)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec part = {(void *)(uintptr_t)bytes, size};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	if (passed >= 0) {
		memset(&control, 0, sizeof control);
		message.msg_control = control.bytes;
		message.msg_controllen = sizeof control.bytes;
		struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
		rights->cmsg_level = SOL_SOCKET;
		rights->cmsg_type = SCM_RIGHTS;
		rights->cmsg_len = CMSG_LEN(sizeof passed);
		memcpy(CMSG_DATA(rights), &passed, sizeof passed);
	}
	(void)!sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void
frames_put(int fd, const struct frame *frame)
{
	struct {
		uint32_t magic;
		uint16_t type, fds;
		uint32_t serial, length;
	} header = {KD_WIRE_MAGIC, frame->type, frame->passed >= 0, frame->serial,
		(uint32_t)frame->size};
	send_bytes(fd, &header, sizeof header, frame->passed);
	if (frame->size > 0)
		send_bytes(fd, frame->body, frame->size, -1);
}

static uint32_t counted;

void
frames_begin(void)
{
	counted = 0;
}

void
frames_line(int fd, const struct frame_type *types, const uint8_t *line, size_t size)
{
	enum { NOBODYS = 0x4000 };
	static uint32_t serial;
	int brings = size > 0 && line[0] == '+';
	if (size > 0 && line[0] == '!') {
		send_bytes(fd, line + 1, size - 1, -1);
		return;
	}
	line += brings;
	size -= (size_t)brings;
	if (size == 0)
		return;
	while (types->letter != 0 && types->letter != (char)line[0])
		types++;
	struct frame frame = {
		.type = types->letter == 0 ? NOBODYS + line[0] : types->type,
		.serial = types->counted ? ++counted : ++serial + (1u << 31),
		.body = line + 1,
		.size = size - 1,
		.passed = -1,
	};
	if (!brings) {
		frames_put(fd, &frame);
		return;
	}
	frame.passed = memfd_create("frames", MFD_CLOEXEC);
	if (frame.passed < 0)
		return;
	if (write(frame.passed, frame.body, frame.size) == (ssize_t)frame.size &&
		lseek(frame.passed, 0, SEEK_SET) == 0) {
		frame.body = "{}";
		frame.size = 2;
		frames_put(fd, &frame);
	}
	close(frame.passed);
}

int
frames_cut(const uint8_t **data, size_t *size, const uint8_t **line, size_t *length)
{
	if (*size == 0)
		return 0;
	const uint8_t *end = memchr(*data, '\n', *size);
	*line = *data;
	*length = end == NULL ? *size : (size_t)(end - *data);
	size_t step = *length + (end != NULL);
	*data += step;
	*size -= step;
	return 1;
}

void
frames_send(int fd, const struct frame_type *types, const uint8_t *data, size_t size)
{
	const uint8_t *line;
	size_t length;
	while (frames_cut(&data, &size, &line, &length))
		frames_line(fd, types, line, length);
}

void
frames_keep(int number)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null == number)
		return;
	dup3(null, number, O_CLOEXEC);
	close(null);
}

int
frames_pair(int number, int pair[2])
{
	int made[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, made) < 0)
		return -1;
	pair[0] = dup3(made[0], number, O_CLOEXEC);
	pair[1] = made[1];
	close(made[0]);
	return pair[0] < 0 ? -1 : 0;
}
