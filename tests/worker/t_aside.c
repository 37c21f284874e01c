/* SPDX-License-Identifier: BSD-2-Clause */
/* Jobs done aside: their order, how one waits for them, and how they end early. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include "daemon/worker/aside.h"

#include <cmocka.h>

#include <poll.h>
#include <stdint.h>

enum { JOBS = 100 };

struct count {
	struct kd_aside_job job;
	int number, *next, found;
};

static void
count(struct kd_aside_job *job, atomic_int *stop)
{
	struct count *count = (struct count *)job;
	(void)stop;
	count->found = (*count->next)++;
}

static int
is_readable(const struct kd_aside *aside)
{
	struct pollfd polled = {.fd = kd_aside_fd(aside), .events = POLLIN};
	return poll(&polled, 1, 0) == 1;
}

static struct kd_aside_job *
wait_for_one(struct kd_aside *aside)
{
	struct pollfd polled = {.fd = kd_aside_fd(aside), .events = POLLIN};
	assert_int_equal(poll(&polled, 1, 60000), 1);
	return kd_aside_take(aside);
}

static void
jobs_are_done_in_turn(void **state)
{
	(void)state;
	struct kd_aside *aside;
	struct count counts[JOBS] = {0};
	int next = 0;
	assert_int_equal(kd_aside_new(&aside), 0);
	assert_false(is_readable(aside));
	assert_null(kd_aside_take(aside));
	for (int i = 0; i < JOBS; i++) {
		counts[i] = (struct count){{count, NULL}, i, &next, -1};
		kd_aside_add(aside, &counts[i].job);
	}
	for (int i = 0; i < JOBS; i++) {
		assert_ptr_equal(wait_for_one(aside), &counts[i].job);
		assert_int_equal(counts[i].found, i);
	}
	assert_false(is_readable(aside));
	assert_null(kd_aside_take(aside));
	/* After a rest, too. */
	kd_aside_add(aside, &counts[0].job);
	assert_ptr_equal(wait_for_one(aside), &counts[0].job);
	kd_aside_free(aside);
}

static void
until_stopped(struct kd_aside_job *job, atomic_int *stop)
{
	(void)job;
	while (atomic_load(stop) == 0)
		poll(NULL, 0, 1);
}

static void
jobs_end_early_when_told(void **state)
{
	(void)state;
	struct kd_aside *aside;
	struct kd_aside_job endless = {until_stopped, NULL};
	int next = 0;
	struct count behind = {{count, NULL}, 0, &next, -1};
	assert_int_equal(kd_aside_new(&aside), 0);
	kd_aside_add(aside, &endless);
	kd_aside_add(aside, &behind.job);
	assert_null(kd_aside_take(aside));
	kd_aside_free(aside);
	assert_int_equal(behind.found, -1);
}

static void
without_a_job_nothing_waits(void **state)
{
	(void)state;
	struct kd_aside *aside;
	assert_int_equal(kd_aside_new(&aside), 0);
	kd_aside_free(aside);
	kd_aside_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(jobs_are_done_in_turn),
		cmocka_unit_test(jobs_end_early_when_told),
		cmocka_unit_test(without_a_job_nothing_waits),
	};
	return cmocka_run_group_tests_name("worker/aside", tests, NULL, NULL);
}
