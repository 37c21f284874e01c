/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/plugins/hostile_talk.h"

#include "tests/plugins/hostile_hands.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum { INPUT = 36 };

static ssize_t
say(const char *body, int passed)
{
	unsigned char header[16] = {'K', 'L', 'N', '1', INPUT};
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	header[12] = (unsigned char)strlen(body);
	struct iovec parts[] = {
		{header, sizeof header}, {(void *)(uintptr_t)body, strlen(body)}};
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
	if (passed >= 0) {
		memset(&control, 0, sizeof control);
		message.msg_control = control.bytes;
		message.msg_controllen = sizeof control.bytes;
		struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
		rights->cmsg_level = SOL_SOCKET;
		rights->cmsg_type = SCM_RIGHTS;
		rights->cmsg_len = CMSG_LEN(sizeof passed);
		memcpy(CMSG_DATA(rights), &passed, sizeof passed);
		header[6] = 1;
	}
	return sendmsg(HOSTILE_LINK, &message, MSG_NOSIGNAL);
}

int
hostile_talk_deaf(
	const struct kiln_host *host, void *state, const struct kiln_batch *batch)
{
	(void)host;
	(void)state;
	(void)batch;
	while (say("{\"unit\":0,\"name\":\"a.txt\"}", -1) > 0)
		continue;
	return 0;
}

int
hostile_talk_chatter(
	const struct kiln_host *host, void *state, const struct kiln_batch *batch)
{
	static char value[60000];
	char key[16];
	(void)state;
	(void)batch;
	memset(value, 'x', sizeof value - 1);
	value[0] = value[sizeof value - 2] = '"';
	for (unsigned i = 0; i < 1000000; i++) {
		snprintf(key, sizeof key, "fact-%u", i);
		host->meta(host, 0, key, value);
	}
	return 0;
}

int
hostile_talk_gift(
	const struct kiln_host *host, void *state, const struct kiln_batch *batch)
{
	(void)state;
	say("{\"unit\":0,\"name\":\"a.txt\"}", 0);
	for (uint32_t i = 0; i < batch->unit_count; i++)
		host->done(host, i, KILN_BAD_INPUT, "it was taken");
	return 0;
}
