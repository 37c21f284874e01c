/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A sync waits for what was there when it was asked.  Events that happened before are in
 * the kernel's queue: delivering those, and letting the scans that follow end, is the
 * barrier.  Where no events come, a scan is.
 */
#include "daemon/kiln_wait.h"

#include "daemon/kiln_hold.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void
kd_kiln_wait(struct kd_kiln *kiln, struct kd_control_request *request,
	enum kd_kiln_wait what, const char *rule)
{
	struct kd_kiln_waiter *waiter = calloc(1, sizeof *waiter);
	char *copy = rule == NULL ? NULL : strdup(rule);
	if (waiter == NULL || (rule != NULL && copy == NULL)) {
		free(waiter);
		kd_control_refuse(request, "%s", strerror(ENOMEM));
		return;
	}
	waiter->request = request;
	waiter->what = what;
	waiter->rule = copy;
	waiter->next = kiln->waiters;
	kiln->waiters = waiter;
}

static void
waiter_free(struct kd_kiln_waiter **at)
{
	struct kd_kiln_waiter *waiter = *at;
	*at = waiter->next;
	free(waiter->rule);
	free(waiter);
}

static int
all_seen(const struct kd_kiln *kiln)
{
	if (ev_is_active(&kiln->drain))
		return 0;
	for (uint32_t i = 0; i < kiln->intake_count; i++) {
		const struct kd_intake *intake = kiln->intakes[i];
		/* What a held rule has no room for is not seen before it is let go. */
		if (!kd_intake_is_current(intake) &&
			!(kd_intake_is_full(intake) &&
				kd_queue_held(kiln->queue, kd_intake_rule(intake)->name)))
			return 0;
	}
	return 1;
}

void
kd_kiln_answer_waiters(struct kd_kiln *kiln)
{
	if (kiln->waiters == NULL || !all_seen(kiln))
		return;
	int idle = kiln->offers == 0 && kiln->runs == NULL && !kd_kiln_is_looking(kiln) &&
		   kd_queue_is_idle(kiln->queue);
	for (struct kd_kiln_waiter **at = &kiln->waiters; *at != NULL;) {
		struct kd_kiln_waiter *waiter = *at;
		if (waiter->what != KD_WAITS_SEEN &&
			!(waiter->what == KD_WAITS_IDLE && idle)) {
			at = &waiter->next;
			continue;
		}
		struct kd_control_request *request = waiter->request;
		waiter_free(at);
		kd_control_end(request, json_object());
	}
}

void
kd_kiln_answer_reload(struct kd_kiln *kiln, const char *error)
{
	for (struct kd_kiln_waiter **at = &kiln->waiters; *at != NULL;) {
		struct kd_kiln_waiter *waiter = *at;
		if (waiter->what != KD_WAITS_RELOAD) {
			at = &waiter->next;
			continue;
		}
		struct kd_control_request *request = waiter->request;
		waiter_free(at);
		if (error == NULL)
			kd_control_end(request, json_object());
		else
			kd_control_refuse(request, "%s", error);
	}
}

void
kd_kiln_free_waiters(struct kd_kiln *kiln)
{
	ev_timer_stop(kiln->loop, &kiln->drain);
	while (kiln->waiters != NULL)
		waiter_free(&kiln->waiters);
}

/* A part of the events in each turn of the loop, however busy that is; then what they do
 * not tell of. */
static void
drain(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)events;
	enum { READS = 4 };
	struct kd_kiln *kiln = timer->data;
	int more = 1;
	for (int i = 0; i < READS && more; i++)
		more = kd_inotify_delivered(kiln->inotify) < kiln->drain_until &&
		       kd_inotify_deliver(kiln->inotify);
	if (more) {
		ev_timer_set(timer, 0., 0.);
		ev_timer_start(loop, timer);
		return;
	}
	for (uint32_t i = 0; i < kiln->intake_count; i++)
		kd_intake_catch_up(kiln->intakes[i]);
	kd_kiln_stir(kiln);
}

void
kd_kiln_begin_waiters(struct kd_kiln *kiln)
{
	ev_timer_init(&kiln->drain, drain, 0., 0.);
	kiln->drain.data = kiln;
}

void
kd_kiln_wait_seen(struct kd_kiln *kiln, struct kd_control_request *request, int idle)
{
	kiln->drain_until = kd_inotify_horizon(kiln->inotify);
	ev_timer_start(kiln->loop, &kiln->drain);
	kd_kiln_wait(kiln, request, idle ? KD_WAITS_IDLE : KD_WAITS_SEEN, NULL);
}

void
kd_kiln_end_wait(struct kd_kiln *kiln, const struct kd_control_request *request)
{
	for (struct kd_kiln_waiter **at = &kiln->waiters; *at != NULL;) {
		if ((*at)->request == request)
			waiter_free(at);
		else
			at = &(*at)->next;
	}
}
