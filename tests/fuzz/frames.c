/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/fuzz/frames.h"

#include "daemon/base/wire.h"

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

static void
send_frame(int fd, uint16_t type, const uint8_t *body, size_t size, int passed)
{
	static uint32_t serial;
	struct {
		uint32_t magic;
		uint16_t type, fds;
		uint32_t serial, length;
	} header = {KD_WIRE_MAGIC, type, passed >= 0, ++serial, (uint32_t)size};
	send_bytes(fd, &header, sizeof header, passed);
	if (size > 0)
		send_bytes(fd, body, size, -1);
}

static void
send_line(int fd, const struct frame_type *types, const uint8_t *line, size_t size)
{
	int brings = size > 0 && line[0] == '+', passed = -1;
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
	uint16_t type = types->letter == 0 ? line[0] : types->type;
	if (!brings) {
		send_frame(fd, type, line + 1, size - 1, -1);
		return;
	}
	passed = memfd_create("frames", MFD_CLOEXEC);
	if (passed < 0)
		return;
	if (write(passed, line + 1, size - 1) == (ssize_t)(size - 1) &&
		lseek(passed, 0, SEEK_SET) == 0)
		send_frame(fd, type, (const uint8_t *)"{}", 2, passed);
	close(passed);
}

void
frames_send(int fd, const struct frame_type *types, const uint8_t *data, size_t size)
{
	while (size > 0) {
		const uint8_t *end = memchr(data, '\n', size);
		size_t length = end == NULL ? size : (size_t)(end - data);
		send_line(fd, types, data, length);
		length += end != NULL;
		data += length;
		size -= length;
	}
}
