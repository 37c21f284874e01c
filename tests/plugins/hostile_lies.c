/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/plugins/hostile_lies.h"

#include "tests/plugins/hostile_hands.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

int
hostile_lies_twice(
	const struct kiln_host *host, void *state, const struct kiln_batch *batch)
{
	(void)state;
	hostile_finish(host, batch, 0);
	host->done(host, 0, KILN_OK, NULL);
	return 0;
}

int
hostile_lies_range(
	const struct kiln_host *host, void *state, const struct kiln_batch *batch)
{
	(void)state;
	return host->done(host, batch->unit_count, KILN_OK, NULL);
}

int
hostile_lies_class(
	const struct kiln_host *host, void *state, const struct kiln_batch *batch)
{
	(void)state;
	(void)batch;
	return host->done(host, 0, 9, NULL);
}

int
hostile_lies_empty(
	const struct kiln_host *host, void *state, const struct kiln_batch *batch)
{
	(void)state;
	(void)batch;
	return host->done(host, 0, KILN_OK, NULL);
}

int
hostile_lies_open(
	const struct kiln_host *host, void *state, const struct kiln_batch *batch)
{
	(void)state;
	hostile_make(host, batch, 0, ".out");
	return host->done(host, 0, KILN_OK, NULL);
}

int
hostile_lies_escape(
	const struct kiln_host *host, void *state, const struct kiln_batch *batch)
{
	(void)state;
	(void)batch;
	return host->create(host, 0, "../escaped", KILN_PRIMARY);
}

int
hostile_lies_absolute(
	const struct kiln_host *host, void *state, const struct kiln_batch *batch)
{
	(void)state;
	(void)batch;
	return host->create(host, 0, "/tmp/escaped", KILN_PRIMARY);
}

int
hostile_lies_stem(
	const struct kiln_host *host, void *state, const struct kiln_batch *batch)
{
	(void)state;
	(void)batch;
	return host->create(host, 0, "other.out", KILN_PRIMARY);
}

int
hostile_lies_sidecar(
	const struct kiln_host *host, void *state, const struct kiln_batch *batch)
{
	(void)state;
	hostile_make(host, batch, 0, ".out.kiln.json");
	return 0;
}

int
hostile_lies_no_verdict(
	const struct kiln_host *host, void *state, const struct kiln_batch *batch)
{
	(void)state;
	hostile_finish(host, batch, 0);
	return 0;
}

int
hostile_lies_unknown_type(
	const struct kiln_host *host, void *state, const struct kiln_batch *batch)
{
	static const unsigned char frame[18] = {
		'K', 'L', 'N', '1', 99, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, '{', '}'};
	(void)state;
	struct iovec part = {(void *)frame, sizeof frame};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	sendmsg(HOSTILE_LINK, &message, 0);
	hostile_finish(host, batch, 0);
	return 0;
}

int
hostile_lies_garbage(
	const struct kiln_host *host, void *state, const struct kiln_batch *batch)
{
	static const char noise[] = "GET / HTTP/1.1\r\nHost: keeper\r\n\r\n";
	(void)state;
	if (write(HOSTILE_LINK, noise, sizeof noise) < 0)
		return -errno;
	hostile_finish(host, batch, 0);
	return 0;
}
