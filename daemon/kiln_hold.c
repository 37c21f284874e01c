/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/kiln_hold.h"

#include "daemon/base/log.h"
#include "daemon/base/name.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct kd_kiln_hold {
	struct kd_kiln_hold *next;
	struct kd_kiln *kiln;
	char *rule;    /* NULL: everything */
	double paused; /* since; 0: it is not */
	char who[64];
	int unseen;	/* its file system has not been looked at since it took force */
	int64_t space;	/* free, while there is too little; else < 0 */
	char *refused;	/* why; NULL: it is not */
	ev_timer again; /* tries a refused rule once more */
};

static struct kd_kiln_hold *
find_hold(const struct kd_kiln *kiln, const char *rule)
{
	struct kd_kiln_hold *hold = kiln->holds;
	while (hold != NULL &&
		(rule == NULL || hold->rule == NULL ? rule != hold->rule
						    : strcmp(rule, hold->rule) != 0))
		hold = hold->next;
	return hold;
}

static void
forget_refusal(struct kd_kiln_hold *hold)
{
	ev_timer_stop(hold->kiln->loop, &hold->again);
	free(hold->refused);
	hold->refused = NULL;
	kd_queue_hold(hold->kiln->queue, hold->rule, KD_HOLD_REFUSED, 0);
}

static void
on_again(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)events;
	struct kd_kiln_hold *hold = timer->data;
	forget_refusal(hold);
	kd_kiln_stir(hold->kiln);
}

/* NULL when memory is out, which has been logged. */
static struct kd_kiln_hold *
need_hold(struct kd_kiln *kiln, const char *rule)
{
	struct kd_kiln_hold *hold = find_hold(kiln, rule);
	if (hold != NULL)
		return hold;
	hold = calloc(1, sizeof *hold);
	if (hold == NULL || (rule != NULL && (hold->rule = strdup(rule)) == NULL)) {
		kd_log(KD_ERROR, "out of memory: rule '%s' cannot be held",
			rule == NULL ? "(all)" : rule);
		free(hold);
		return NULL;
	}
	hold->kiln = kiln;
	hold->space = -1;
	ev_timer_init(&hold->again, on_again, 0., 0.);
	hold->again.data = hold;
	hold->next = kiln->holds;
	kiln->holds = hold;
	return hold;
}

void
kd_kiln_note_pause(struct kd_kiln *kiln, const char *rule, double since, const char *who)
{
	struct kd_kiln_hold *hold = need_hold(kiln, rule);
	if (hold == NULL || hold->paused != 0)
		return;
	hold->paused = since;
	snprintf(hold->who, sizeof hold->who, "%s", who);
	kd_queue_hold(kiln->queue, rule, KD_HOLD_PAUSED, 1);
}

void
kd_kiln_note_resume(struct kd_kiln *kiln, const char *rule)
{
	struct kd_kiln_hold *hold = find_hold(kiln, rule);
	if (hold == NULL)
		return;
	hold->paused = 0;
	kd_queue_hold(kiln->queue, rule, KD_HOLD_PAUSED, 0);
	if (hold->refused != NULL)
		forget_refusal(hold);
}

static int
take_pause(void *context, const char *rule, double since, const char *who)
{
	kd_kiln_note_pause(context, rule, since, who);
	return 0;
}

int
kd_kiln_load_pauses(struct kd_kiln *kiln, struct kd_err *err)
{
	return kd_ledger_pauses(kiln->ledger, take_pause, kiln, err);
}

void
kd_kiln_begin_holds(struct kd_kiln *kiln)
{
	for (struct kd_kiln_hold *h = kiln->holds; h != NULL; h = h->next) {
		if (h->refused != NULL)
			forget_refusal(h);
		h->unseen = 0;
		h->space = -1;
		if (h->rule != NULL)
			kd_queue_hold(kiln->queue, h->rule, KD_HOLD_LOW_WATER, 0);
		/* A rule that has come back was unknown to the queue when it was paused. */
		if (h->paused != 0)
			kd_queue_hold(kiln->queue, h->rule, KD_HOLD_PAUSED, 1);
	}
	for (uint32_t i = 0; i < kiln->conf->rule_count; i++) {
		const struct kd_rule *rule = kiln->conf->rules[i];
		struct kd_kiln_hold *hold =
			rule->low_water == 0 ? NULL : need_hold(kiln, rule->name);
		if (hold == NULL)
			continue;
		hold->unseen = 1;
		kd_queue_hold(kiln->queue, rule->name, KD_HOLD_LOW_WATER, 1);
	}
}

void
kd_kiln_free_holds(struct kd_kiln *kiln)
{
	while (kiln->holds != NULL) {
		struct kd_kiln_hold *hold = kiln->holds;
		kiln->holds = hold->next;
		ev_timer_stop(kiln->loop, &hold->again);
		free(hold->refused);
		free(hold->rule);
		free(hold);
	}
}

void
kd_kiln_refuse(struct kd_kiln *kiln, const struct kd_rule *rule, const char *reason)
{
	const struct kd_rule *now = kd_conf_rule(kiln->conf, rule->name);
	if (now == NULL || strcmp(now->revision, rule->revision) != 0)
		return;
	struct kd_kiln_hold *hold = need_hold(kiln, rule->name);
	if (hold == NULL || hold->refused != NULL)
		return;
	hold->refused = strdup(reason == NULL ? "no reason was given" : reason);
	kd_queue_hold(kiln->queue, rule->name, KD_HOLD_REFUSED, 1);
	double wait = now->retries.backoff_most;
	ev_timer_set(&hold->again, wait > 1 ? wait : 1, 0.);
	ev_timer_start(kiln->loop, &hold->again);
	struct kd_log_about about = {.rule = rule->name};
	kd_log_about(KD_ERROR, &about,
		"rule '%s': kernel '%s' does not take its parameters (%s); its drops "
		"wait "
		"until the configuration is put right and reloaded",
		rule->name, rule->kernel->name, KD_NAME(reason == NULL ? "" : reason));
}

int
kd_kiln_is_looking(const struct kd_kiln *kiln)
{
	for (const struct kd_kiln_hold *h = kiln->holds; h != NULL; h = h->next)
		if (h->unseen)
			return 1;
	return 0;
}

void
kd_kiln_note_space(struct kd_kiln *kiln, const char *name, int64_t bytes)
{
	struct kd_kiln_hold *hold = find_hold(kiln, name);
	const struct kd_rule *rule = kd_conf_rule(kiln->conf, name);
	if (hold == NULL || rule == NULL || rule->low_water == 0)
		return;
	struct kd_log_about about = {.rule = name};
	int low = bytes >= 0 && (uint64_t)bytes < rule->low_water;
	if (low && hold->space < 0)
		kd_log_about(KD_WARNING, &about,
			"rule '%s': '%s' has %lld bytes free, less than low_water; it is "
			"paused until there is more",
			name, KD_NAME(rule->output), (long long)bytes);
	else if (!low && hold->space >= 0)
		kd_log_about(KD_INFO, &about,
			"rule '%s': '%s' has %lld bytes free, going on", name,
			KD_NAME(rule->output), (long long)bytes);
	hold->unseen = 0;
	hold->space = low ? bytes : -1;
	/* Where nothing can be found out, publishing says what is wrong. */
	kd_queue_hold(kiln->queue, name, KD_HOLD_LOW_WATER, low);
}

static const char *
why_paused(const struct kd_kiln_hold *hold, char *buffer, size_t size)
{
	char when[32];
	time_t since = (time_t)hold->paused;
	struct tm utc;
	strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&since, &utc));
	snprintf(buffer, size, "%s by %s since %s; 'kilnctl resume%s%s' lets it go on",
		hold->rule == NULL ? "everything is paused" : "paused", hold->who, when,
		hold->rule == NULL ? "" : " ", hold->rule == NULL ? "" : hold->rule);
	return buffer;
}

const char *
kd_kiln_why_held(const struct kd_kiln *kiln, const char *rule, char *buffer, size_t size)
{
	const struct kd_kiln_hold *all = find_hold(kiln, NULL),
				  *hold = find_hold(kiln, rule);
	if (all != NULL && all->paused != 0)
		return why_paused(all, buffer, size);
	if (hold == NULL)
		return NULL;
	if (hold->paused != 0)
		return why_paused(hold, buffer, size);
	if (hold->refused != NULL)
		snprintf(buffer, size,
			"its kernel does not take its parameters: %s; put the rule right "
			"and reload",
			KD_NAME(hold->refused));
	else if (hold->space >= 0)
		snprintf(buffer, size,
			"its output's file system has %lld MiB free, less than low_water",
			(long long)(hold->space >> 20));
	else if (hold->unseen)
		snprintf(buffer, size,
			"its output's file system has not been looked at yet");
	else
		return NULL;
	return buffer;
}
