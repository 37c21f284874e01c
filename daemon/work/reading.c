/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/work/reading.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

struct kd_reading {
	struct ev_loop *loop;
	ev_async ready;
	pthread_t thread;
	kd_reading_fn *done;
	void *context;
	int fd, rc;
	struct kd_result result; /* when rc is 0 */
};

static void *
read_aside(void *argument)
{
	struct kd_reading *reading = argument;
	prctl(PR_SET_NAME, "kilnd-result");
	reading->rc = kd_manifest_result_read(reading->fd, &reading->result, NULL);
	ev_async_send(reading->loop, &reading->ready);
	return NULL;
}

/* The thread has gone. */
static void
release(struct kd_reading *reading)
{
	ev_async_stop(reading->loop, &reading->ready);
	if (reading->rc == 0)
		kd_manifest_result_clear(&reading->result);
	close(reading->fd);
	free(reading);
}

void
kd_reading_end(struct kd_reading *reading)
{
	if (reading == NULL)
		return;
	pthread_join(reading->thread, NULL);
	release(reading);
}

static void
on_ready(struct ev_loop *loop, ev_async *ready, int events)
{
	(void)loop;
	(void)events;
	struct kd_reading *reading = ready->data;
	pthread_join(reading->thread, NULL);
	int rc = reading->rc == 0 || reading->rc == -ENOMEM ? reading->rc : -EPROTO;
	reading->done(reading->context, rc, rc == 0 ? &reading->result : NULL);
	release(reading);
}

/* The thread takes no signals: they belong to the loop. */
static int
start_thread(struct kd_reading *reading)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int rc = pthread_create(&reading->thread, NULL, read_aside, reading);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}

struct kd_reading *
kd_reading_begin(struct ev_loop *loop, int fd, kd_reading_fn *done, void *context)
{
	struct kd_reading *reading = calloc(1, sizeof *reading);
	if (reading == NULL)
		return NULL;
	reading->loop = loop;
	reading->done = done;
	reading->context = context;
	ev_async_init(&reading->ready, on_ready);
	reading->ready.data = reading;
	ev_async_start(loop, &reading->ready);
	reading->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	int error = reading->fd < 0 ? errno : start_thread(reading);
	if (error == 0)
		return reading;
	ev_async_stop(loop, &reading->ready);
	if (reading->fd >= 0)
		close(reading->fd);
	free(reading);
	errno = error;
	return NULL;
}
