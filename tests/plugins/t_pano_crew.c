/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who of a unit's threads does what: a lone frame's views keep all threads busy at once,
 * each view is made once, and a lot that fails ends its frame.  Lots are counted here in
 * place of being made, and wait for each other, so that a crew of one would never end.
 */
#include "plugins/pano-views/crew.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { THREADS = 4, VIEWS = 10 };

/* What the lots are counted in. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t met;
	unsigned at_once, wanted; /* lots are held until so many are under way */
	unsigned made[VIEWS];	  /* how often */
	unsigned lots, largest;
	uint32_t fails; /* the lot of this view does; VIEWS: none */
} seen = {.lock = PTHREAD_MUTEX_INITIALIZER, .met = PTHREAD_COND_INITIALIZER};

int
pv_lot_write(struct pv_desk *desk, const struct pv_lot *lot, struct fmt_err *err)
{
	int rc = 0;
	(void)desk;
	pthread_mutex_lock(&seen.lock);
	seen.lots++;
	seen.largest = lot->count > seen.largest ? lot->count : seen.largest;
	for (uint32_t i = 0; i < lot->count; i++) {
		const uint32_t view = lot->views[i];
		assert_int_equal(lot->source->maps->views[view].map, lot->map);
		seen.made[view]++;
		if (view == seen.fails)
			rc = fmt_err_set(err, -ENOSPC, "view %u is full", view);
	}
	seen.at_once++;
	pthread_cond_broadcast(&seen.met);
	while (seen.at_once < seen.wanted)
		pthread_cond_wait(&seen.met, &seen.lock);
	pthread_mutex_unlock(&seen.lock);
	return rc;
}

static struct pv_state state = {.views = {.count = VIEWS}};
static struct {
	uint32_t map;
	int32_t shift;
} view_maps[VIEWS];
static struct pv_maps maps = {.views = (void *)view_maps};

struct job {
	struct pv_crew crew;
	unsigned frames;
	int codes[3];
	struct fmt_err err;
};

static void *
work(void *context)
{
	struct job *job = context;
	struct pv_desk desk = {.state = &state};
	struct pv_source source = {.maps = &maps};
	struct pv_work next;
	while (pv_crew_next(&job->crew, &next)) {
		if (next.share != NULL) {
			pv_crew_do_lot(&job->crew, &desk, &next);
			continue;
		}
		struct fmt_err err = {0};
		int rc = pv_crew_split(&job->crew, &desk, &source, &err);
		pthread_mutex_lock(&job->crew.lock);
		job->frames++;
		job->codes[next.frame] = rc;
		job->err = err;
		pthread_mutex_unlock(&job->crew.lock);
		pv_crew_end_frame(&job->crew, rc < 0);
	}
	return NULL;
}

/* So many frames by so many threads, of which so many may have one. */
static void
split(struct job *job, uint32_t threads, uint32_t frames_most, uint32_t frames)
{
	pthread_t others[THREADS];
	memset(job, 0, sizeof *job);
	memset(seen.made, 0, sizeof seen.made);
	seen.at_once = seen.lots = seen.largest = 0;
	pv_crew_init(&job->crew, threads, frames_most, frames);
	for (uint32_t i = 1; i < threads; i++)
		assert_int_equal(pthread_create(&others[i], NULL, work, job), 0);
	work(job);
	for (uint32_t i = 1; i < threads; i++)
		pthread_join(others[i], NULL);
	pv_crew_free(&job->crew);
}

/* The first of two maps has all views but three. */
static int
setup(void **unused)
{
	(void)unused;
	maps.map_count = 2;
	for (uint32_t i = 0; i < VIEWS; i++)
		view_maps[i].map = i % 3 == 2;
	seen.fails = VIEWS;
	seen.wanted = 0;
	/* A crew that does not share would wait for ever. */
	alarm(60);
	return 0;
}

static void
each_made(unsigned times)
{
	for (uint32_t i = 0; i < VIEWS; i++)
		assert_int_equal(seen.made[i], times);
}

static void
a_failing_lot_ends_its_frame(void **unused)
{
	struct job job;
	(void)unused;
	for (uint32_t threads = 1; threads <= THREADS; threads++) {
		seen.fails = 0;
		split(&job, threads, 1, 3);
		assert_int_equal(job.frames, 1);
		assert_int_equal(job.codes[0], -ENOSPC);
		assert_string_equal(job.err.text, "view 0 is full");
	}
}

static void
a_lone_frame_has_all_threads(void **unused)
{
	struct job job;
	(void)unused;
	for (uint32_t threads = 1; threads <= THREADS; threads++) {
		seen.wanted = threads;
		split(&job, threads, threads, 1);
		each_made(1);
		assert_int_equal(job.frames, 1);
	}
	assert_true(seen.largest <= (VIEWS + THREADS - 1) / THREADS);
}

static void
who_may_have_no_frame_helps(void **unused)
{
	struct job job;
	(void)unused;
	/* Two maps are two lots, whatever else there is to do. */
	seen.wanted = 2;
	split(&job, 2, 1, 3);
	each_made(3);
	assert_int_equal(job.frames, 3);
}

static void
lots_are_large_while_there_are_frames(void **unused)
{
	struct job job;
	(void)unused;
	split(&job, 1, 1, 3);
	each_made(3);
	assert_int_equal(seen.lots, 6);
	assert_int_equal(seen.largest, 7);
	assert_int_equal(job.crew.under_way, 0);
}

/* Frames of 100 bytes, and every fifth of 1000. */
static struct {
	struct pv_crew crew;
	unsigned frames, broken; /* broken: more was held than is there */
} held;

static void *
hold(void *unused)
{
	struct pv_crew *crew = &held.crew;
	struct pv_desk desk = {.state = &state};
	struct pv_claim mine = {0};
	struct pv_work next;
	(void)unused;
	while (pv_crew_next(crew, &next)) {
		const uint64_t all = next.frame % 5 == 4 ? 1000 : 100;
		pv_crew_claim(
			crew, &desk, &mine, &(const struct pv_claim){30, PV_CLAIM_BEGUN});
		pv_crew_claim(crew, &desk, &mine,
			&(const struct pv_claim){all, PV_CLAIM_WHOLE});
		pthread_mutex_lock(&crew->lock);
		held.frames++;
		held.broken += crew->held > crew->memory && crew->whole > 1;
		pthread_mutex_unlock(&crew->lock);
		sched_yield();
		pv_crew_keep(crew, &mine, 10);
		pv_crew_end_frame(crew, 0);
	}
	pv_crew_keep(crew, &mine, 0);
	return NULL;
}

static void
frames_wait_for_memory(void **unused)
{
	static const uint64_t memories[] = {0, 50, 250, 420, UINT64_MAX};
	pthread_t others[THREADS];
	(void)unused;
	for (size_t i = 0; i < sizeof memories / sizeof memories[0]; i++) {
		memset(&held, 0, sizeof held);
		pv_crew_init(&held.crew, THREADS, THREADS, 500);
		held.crew.memory = memories[i];
		for (uint32_t k = 0; k < THREADS; k++)
			assert_int_equal(pthread_create(&others[k], NULL, hold, NULL), 0);
		for (uint32_t k = 0; k < THREADS; k++)
			pthread_join(others[k], NULL);
		assert_int_equal(held.frames, 500);
		assert_int_equal(held.broken, 0);
		assert_int_equal(held.crew.held, 0);
		assert_int_equal(held.crew.begun, 0);
		assert_int_equal(held.crew.whole, 0);
		pv_crew_free(&held.crew);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_failing_lot_ends_its_frame, setup),
		cmocka_unit_test_setup(a_lone_frame_has_all_threads, setup),
		cmocka_unit_test_setup(who_may_have_no_frame_helps, setup),
		cmocka_unit_test_setup(lots_are_large_while_there_are_frames, setup),
		cmocka_unit_test_setup(frames_wait_for_memory, setup),
	};
	return cmocka_run_group_tests_name("plugins/pano crew", tests, NULL, NULL);
}
