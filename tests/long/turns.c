/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Measures how long a libev program's loop is busy at a time: from one epoll_wait(2) of its
 * main thread to the next, in that thread's CPU time, so that what others do on the machine
 * does not count.  Preloaded (LD_PRELOAD) into the program that KILN_TURNS_OF names; at its
 * end the file KILN_TURNS has one line:
 *
 *	TURNS LONGEST-MS OVER-5-MS OVER-10-MS OVER-20-MS
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

typedef int wait_fn(int fd, struct epoll_event *events, int most, int timeout);

static wait_fn *next_wait;
static pid_t measured; /* 0: this is another program */
static double begun;   /* of the turn at hand, ms of CPU time; 0: none is */
static double longest;
static unsigned long turns, over_5, over_10, over_20;

static double
cpu_time(void)
{
	struct timespec now;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec * 1e-6;
}

__attribute__((constructor)) static void
find_out(void)
{
	const char *of = getenv("KILN_TURNS_OF");
	void *found = dlsym(RTLD_NEXT, "epoll_wait");
	memcpy(&next_wait, &found, sizeof next_wait);
	if (of != NULL && strcmp(of, program_invocation_short_name) == 0)
		measured = getpid();
}

static void
end_turn(void)
{
	double took = cpu_time() - begun;
	if (begun == 0)
		return;
	turns++;
	over_5 += took > 5;
	over_10 += took > 10;
	over_20 += took > 20;
	if (took > longest)
		longest = took;
}

__attribute__((visibility("default"))) int
epoll_wait(int fd, struct epoll_event *events, int most, int timeout)
{
	/* One that asks for a single event is not the loop's. */
	if (most == 1 || measured != getpid() || syscall(SYS_gettid) != measured)
		return next_wait(fd, events, most, timeout);
	end_turn();
	int rc = next_wait(fd, events, most, timeout), error = errno;
	begun = cpu_time();
	errno = error;
	return rc;
}

__attribute__((destructor)) static void
tell(void)
{
	const char *path = getenv("KILN_TURNS");
	FILE *file = path == NULL || measured != getpid() ? NULL : fopen(path, "w");
	if (file == NULL)
		return;
	fprintf(file, "%lu %.1f %lu %lu %lu\n", turns, longest, over_5, over_10, over_20);
	fclose(file);
}
