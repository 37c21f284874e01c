/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/plugins/hostile_hands.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

void
hostile_nap(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 10 * 1000 * 1000}, NULL);
}

int
hostile_make(const struct kiln_host *host, const struct kiln_batch *batch, uint32_t i,
	const char *rest)
{
	char name[512];
	snprintf(name, sizeof name, "%s%s", batch->units[i]->stem, rest);
	int fd = host->create(host, i, name, KILN_PRIMARY);
	if (fd >= 0 && write(fd, "output\n", 7) != 7)
		return -EIO;
	return fd;
}

void
hostile_finish(const struct kiln_host *host, const struct kiln_batch *batch, uint32_t i)
{
	int fd = hostile_make(host, batch, i, ".out");
	if (fd >= 0)
		close(fd);
	host->done(host, i, fd < 0 ? KILN_TRANSIENT : KILN_OK,
		fd < 0 ? "cannot create its output" : NULL);
}

int
hostile_crash(void)
{
	/* Not a write through NULL, which a sanitizer would turn into something else. */
	signal(SIGSEGV, SIG_DFL);
	raise(SIGSEGV);
	return 0;
}
