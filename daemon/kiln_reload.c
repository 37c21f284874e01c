/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reload: the new configuration is loaded and checked in a thread, because that starts
 * processes and touches many files; it takes force on the loop, whole, or not at all.
 */
#include "daemon/kiln_reload.h"

#include "daemon/base/log.h"
#include "daemon/base/name.h"
#include "daemon/kiln_hold.h"
#include "daemon/kiln_intake.h"
#include "daemon/kiln_space.h"
#include "daemon/kiln_wait.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct kd_kiln_reload_job {
	struct kd_kiln *kiln;
	pthread_t thread;
	ev_async loaded;
	struct kd_conf_options options;
	struct kd_conf *conf;
	struct kd_err err;
	int rc;
};

static void *
load(void *argument)
{
	struct kd_kiln_reload_job *job = argument;
	job->rc = kd_conf_load(&job->options, &job->conf, &job->err);
	ev_async_send(job->kiln->loop, &job->loaded);
	return NULL;
}

/* Units that wait come into the groups that the rule forms now, some in each turn. */
static void
on_regroup(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)events;
	struct kd_kiln *kiln = timer->data;
	int rc = kd_queue_regroup(kiln->queue);
	if (rc < 0)
		kd_log(KD_ERROR, "out of memory: some units are not in their groups yet; "
				 "trying again");
	if (rc != 0) {
		ev_timer_set(timer, rc < 0 ? 1. : 0., 0.);
		ev_timer_start(loop, timer);
		return;
	}
	kd_kiln_stir(kiln);
}

void
kd_kiln_begin_reloads(struct kd_kiln *kiln)
{
	ev_timer_init(&kiln->regroup, on_regroup, 0., 0.);
	kiln->regroup.data = kiln;
}

static int
take_force(struct kd_kiln *kiln, struct kd_conf *conf, struct kd_err *err)
{
	if (strcmp(conf->state, kiln->conf->state) != 0)
		return kd_err_set(err, -EINVAL,
			"%s: the state folder cannot change while kilnd runs (it is "
			"'%s'): restart kilnd",
			conf->file, kiln->conf->state);
	int rc = kd_queue_configure(kiln->queue, conf);
	ev_timer_stop(kiln->loop, &kiln->regroup);
	ev_timer_set(&kiln->regroup, 0., 0.);
	ev_timer_start(kiln->loop, &kiln->regroup);
	if (rc == 0)
		rc = kd_kiln_build_intakes(kiln, conf);
	if (rc < 0) {
		kd_queue_configure(kiln->queue, kiln->conf);
		return kd_err_errno(err, rc, "the new configuration cannot take force");
	}
	kd_pool_cool(kiln->pool);
	kd_log_level(conf->log_level);
	kd_conf_unref(kiln->conf);
	kiln->conf = kd_conf_ref(conf);
	kd_kiln_begin_holds(kiln);
	kd_kiln_look_for_space(kiln);
	kiln->loaded = ev_now(kiln->loop);
	return 0;
}

/* Its thread has been waited for. */
static void
end_job(struct kd_kiln *kiln)
{
	struct kd_kiln_reload_job *job = kiln->reload;
	ev_async_stop(kiln->loop, &job->loaded);
	kd_conf_unref(job->conf);
	free(job);
	kiln->reload = NULL;
}

static void
on_loaded(struct ev_loop *loop, ev_async *async, int events)
{
	(void)loop;
	(void)events;
	struct kd_kiln_reload_job *job = async->data;
	struct kd_kiln *kiln = job->kiln;
	pthread_join(job->thread, NULL);
	struct kd_err err = job->err;
	int rc = job->rc == 0 ? take_force(kiln, job->conf, &err) : job->rc;
	end_job(kiln);
	snprintf(kiln->reload_error, sizeof kiln->reload_error, "%s",
		rc < 0 ? err.text : "");
	if (rc < 0)
		kd_log(KD_ERROR, "reload refused, the old configuration stays: %s",
			err.text);
	else
		kd_log(KD_INFO, "reloaded '%s': %u rules", KD_NAME(kiln->conf->file),
			kiln->conf->rule_count);
	kd_kiln_answer_reload(kiln, rc < 0 ? err.text : NULL);
	kd_notify_ready(kiln->notify);
	if (kiln->reload_again) {
		kiln->reload_again = 0;
		kd_kiln_reload(kiln);
	}
	kd_kiln_stir(kiln);
}

void
kd_kiln_reload(struct kd_kiln *kiln)
{
	if (kiln->stopping)
		return;
	if (kiln->reload != NULL) {
		kiln->reload_again = 1;
		return;
	}
	struct kd_kiln_reload_job *job = calloc(1, sizeof *job);
	if (job == NULL) {
		kd_kiln_answer_reload(kiln, "out of memory");
		return;
	}
	job->kiln = kiln;
	job->options = (struct kd_conf_options){
		.file = kiln->options.file,
		.state = kiln->options.state,
		.check_paths = 1,
	};
	ev_async_init(&job->loaded, on_loaded);
	job->loaded.data = job;
	ev_async_start(kiln->loop, &job->loaded);
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int rc = pthread_create(&job->thread, NULL, load, job);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc != 0) {
		ev_async_stop(kiln->loop, &job->loaded);
		free(job);
		kd_kiln_answer_reload(kiln, strerror(rc));
		return;
	}
	kiln->reload = job;
	kd_notify_reloading(kiln->notify);
}

void
kd_kiln_free_reload(struct kd_kiln *kiln)
{
	ev_timer_stop(kiln->loop, &kiln->regroup);
	if (kiln->reload != NULL) {
		pthread_join(kiln->reload->thread, NULL);
		end_job(kiln);
	}
}
