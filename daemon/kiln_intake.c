/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The way in: what settles in a drop folder is entered into the ledger, then queued; what
 * somebody still wrote to is looked at again.
 */
#include "daemon/kiln_intake.h"

#include "daemon/base/log.h"
#include "daemon/base/name.h"
#include "daemon/kiln_tell.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const double REVISIT = 30; /* seconds before a file in use is looked at again */

struct kd_intake *
kd_kiln_intake(struct kd_kiln *kiln, const char *rule)
{
	for (uint32_t i = 0; i < kiln->intake_count; i++)
		if (strcmp(kd_intake_rule(kiln->intakes[i])->name, rule) == 0)
			return kiln->intakes[i];
	return NULL;
}

static void
end_revisit(struct kd_kiln_revisit *revisit)
{
	*revisit->at = revisit->next;
	if (revisit->next != NULL)
		revisit->next->at = revisit->at;
	kd_queue_expect(revisit->kiln->queue, revisit->rule, -1);
	ev_timer_stop(revisit->kiln->loop, &revisit->timer);
	free(revisit->rule);
	free(revisit->path);
	free(revisit);
}

static void
on_revisit(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)events;
	struct kd_kiln_revisit *revisit = timer->data;
	struct kd_intake *intake = kd_kiln_intake(revisit->kiln, revisit->rule);
	if (intake != NULL)
		kd_intake_touch(intake, revisit->path);
	end_revisit(revisit);
}

void
kd_kiln_revisit(struct kd_kiln *kiln, const char *rule, const char *path)
{
	struct kd_kiln_revisit *revisit = calloc(1, sizeof *revisit);
	if (revisit != NULL) {
		revisit->rule = strdup(rule);
		revisit->path = strdup(path);
	}
	if (revisit == NULL || revisit->rule == NULL || revisit->path == NULL) {
		kd_log(KD_ERROR, "rule '%s': out of memory, '%s' waits for the next scan",
			rule, KD_NAME(path));
		if (revisit != NULL) {
			free(revisit->rule);
			free(revisit->path);
		}
		free(revisit);
		return;
	}
	revisit->kiln = kiln;
	revisit->at = &kiln->revisits;
	revisit->next = kiln->revisits;
	if (revisit->next != NULL)
		revisit->next->at = &revisit->next;
	kiln->revisits = revisit;
	kd_queue_expect(kiln->queue, rule, 1);
	ev_timer_init(&revisit->timer, on_revisit, REVISIT, 0.);
	revisit->timer.data = revisit;
	ev_timer_start(kiln->loop, &revisit->timer);
}

/* A drop that the ledger has not seen is queued. */
struct offered {
	struct kd_kiln *kiln;
	struct kd_unit *unit;
};

static void
on_offered(void *context, int rc, int64_t id, enum kd_ledger_news news)
{
	struct offered *offered = context;
	struct kd_kiln *kiln = offered->kiln;
	struct kd_unit *unit = offered->unit;
	free(offered);
	kiln->offers--;
	kd_queue_expect(kiln->queue, unit->rule, -1);
	if (rc < 0) {
		kd_log(KD_ERROR,
			"rule '%s': '%s' cannot be entered into the ledger (%s), looking "
			"again",
			unit->rule, KD_NAME(unit->path), strerror(-rc));
		struct kd_intake *intake = kd_kiln_intake(kiln, unit->rule);
		if (intake != NULL)
			kd_intake_touch(intake, unit->path);
		kd_unit_free(unit);
	} else if (news == KD_LEDGER_KNOWN) {
		kd_unit_free(unit);
	} else {
		unit->id = id;
		unit->returned = news == KD_LEDGER_RETURNED;
		kd_kiln_tell_unit(kiln, unit, NULL, NULL);
		if (kd_queue_add(kiln->queue, unit, ev_now(kiln->loop)) < 0) {
			kd_log(KD_ERROR,
				"rule '%s': out of memory, '%s' waits for the next start",
				unit->rule, KD_NAME(unit->path));
			kd_unit_free(unit);
		}
	}
	kd_kiln_stir(kiln);
}

static void
on_settled(void *context, const struct kd_unit *seen)
{
	struct kd_kiln *kiln = context;
	struct offered *offered = calloc(1, sizeof *offered);
	struct kd_unit *unit = kd_unit_new(seen->rule, seen->path, seen->kind);
	if (offered != NULL && unit != NULL) {
		unit->identity = seen->identity;
		*offered = (struct offered){kiln, unit};
		kiln->offers++;
		kd_queue_expect(kiln->queue, unit->rule, 1);
		if (kd_ledger_offer(kiln->ledger, unit, on_offered, offered) == 0)
			return;
		kiln->offers--;
		kd_queue_expect(kiln->queue, unit->rule, -1);
	}
	kd_log(KD_ERROR, "rule '%s': out of memory, '%s' waits for the next scan",
		seen->rule, KD_NAME(seen->path));
	kd_unit_free(unit);
	free(offered);
}

void
kd_kiln_make_room(struct kd_kiln *kiln, struct kd_intake *intake)
{
	const struct kd_rule *rule = kd_intake_rule(intake);
	uint64_t taken = kd_intake_settling(intake) + kd_intake_waiting(intake) +
			 kd_queue_open(kiln->queue, rule->name);
	kd_intake_set_room(intake, taken < rule->backlog ? rule->backlog - taken : 0);
}

static void
on_intake_changed(void *context, struct kd_intake *intake)
{
	struct kd_kiln *kiln = context;
	kd_queue_set_settling(
		kiln->queue, kd_intake_rule(intake)->name, kd_intake_settling(intake));
	kd_kiln_make_room(kiln, intake);
	kd_kiln_stir(kiln);
}

static void
free_intakes(struct kd_intake **intakes, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		kd_intake_free(intakes[i]);
	free(intakes);
}

int
kd_kiln_build_intakes(struct kd_kiln *kiln, struct kd_conf *conf)
{
	const struct kd_intake_handler handler = {
		.settled = on_settled,
		.changed = on_intake_changed,
		.context = kiln,
	};
	struct kd_intake **intakes = calloc(conf->rule_count + 1, sizeof *intakes);
	uint32_t count = 0;
	if (intakes == NULL)
		return -ENOMEM;
	for (; count < conf->rule_count; count++) {
		intakes[count] = kd_intake_new(
			kiln->loop, kiln->inotify, conf->rules[count], &handler);
		if (intakes[count] == NULL) {
			free_intakes(intakes, count);
			return -ENOMEM;
		}
	}
	free_intakes(kiln->intakes, kiln->intake_count);
	kiln->intakes = intakes;
	kiln->intake_count = count;
	for (uint32_t i = 0; i < count; i++) {
		kd_queue_set_settling(kiln->queue, conf->rules[i]->name,
			kd_intake_settling(intakes[i]));
		kd_kiln_make_room(kiln, intakes[i]);
	}
	return 0;
}

void
kd_kiln_free_intakes(struct kd_kiln *kiln)
{
	while (kiln->revisits != NULL)
		end_revisit(kiln->revisits);
	free_intakes(kiln->intakes, kiln->intake_count);
	kiln->intakes = NULL;
	kiln->intake_count = 0;
}
