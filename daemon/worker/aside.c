/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Invariant: below the lock, `todo` and `ended` are lists in the order jobs were added; the
 * eventfd counts those that ended and were not taken.
 */
#include "daemon/worker/aside.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct list {
	struct kd_aside_job *first, **end;
};

struct kd_aside {
	pthread_mutex_t lock;
	pthread_cond_t added;
	pthread_t thread;
	int has_thread, leaving;
	int event;
	atomic_int stop;
	struct list todo, ended;
};

static void
append(struct list *list, struct kd_aside_job *job)
{
	job->next = NULL;
	*list->end = job;
	list->end = &job->next;
}

static struct kd_aside_job *
take_first(struct list *list)
{
	struct kd_aside_job *job = list->first;
	if (job == NULL)
		return NULL;
	list->first = job->next;
	if (list->first == NULL)
		list->end = &list->first;
	return job;
}

/* Holding the lock. */
static void
tell_ended(struct kd_aside *aside, struct kd_aside_job *job)
{
	const uint64_t one = 1;
	append(&aside->ended, job);
	/* It cannot fail: no count comes near its limit. */
	while (write(aside->event, &one, sizeof one) < 0 && errno == EINTR)
		continue;
}

static void *
work(void *argument)
{
	struct kd_aside *aside = argument;
	pthread_mutex_lock(&aside->lock);
	while (!aside->leaving) {
		struct kd_aside_job *job = take_first(&aside->todo);
		if (job == NULL) {
			pthread_cond_wait(&aside->added, &aside->lock);
			continue;
		}
		pthread_mutex_unlock(&aside->lock);
		job->run(job, &aside->stop);
		pthread_mutex_lock(&aside->lock);
		tell_ended(aside, job);
	}
	pthread_mutex_unlock(&aside->lock);
	return NULL;
}

int
kd_aside_new(struct kd_aside **made)
{
	struct kd_aside *aside = calloc(1, sizeof *aside);
	if (aside == NULL)
		return -ENOMEM;
	aside->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE);
	if (aside->event < 0) {
		int error = errno;
		free(aside);
		return -error;
	}
	aside->todo.end = &aside->todo.first;
	aside->ended.end = &aside->ended.first;
	pthread_mutex_init(&aside->lock, NULL);
	pthread_cond_init(&aside->added, NULL);
	*made = aside;
	return 0;
}

void
kd_aside_free(struct kd_aside *aside)
{
	if (aside == NULL)
		return;
	atomic_store(&aside->stop, 1);
	pthread_mutex_lock(&aside->lock);
	aside->leaving = 1;
	pthread_cond_signal(&aside->added);
	pthread_mutex_unlock(&aside->lock);
	if (aside->has_thread)
		pthread_join(aside->thread, NULL);
	pthread_cond_destroy(&aside->added);
	pthread_mutex_destroy(&aside->lock);
	close(aside->event);
	free(aside);
}

void
kd_aside_add(struct kd_aside *aside, struct kd_aside_job *job)
{
	if (!aside->has_thread)
		aside->has_thread =
			pthread_create(&aside->thread, NULL, work, aside) == 0;
	if (!aside->has_thread)
		job->run(job, &aside->stop);
	pthread_mutex_lock(&aside->lock);
	if (aside->has_thread)
		append(&aside->todo, job);
	else
		tell_ended(aside, job);
	pthread_cond_signal(&aside->added);
	pthread_mutex_unlock(&aside->lock);
}

struct kd_aside_job *
kd_aside_take(struct kd_aside *aside)
{
	uint64_t count;
	if (read(aside->event, &count, sizeof count) < 0)
		return NULL;
	pthread_mutex_lock(&aside->lock);
	struct kd_aside_job *job = take_first(&aside->ended);
	pthread_mutex_unlock(&aside->lock);
	return job;
}

int
kd_aside_fd(const struct kd_aside *aside)
{
	return aside->event;
}
