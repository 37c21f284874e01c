/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What happens, to those kilnctls that watch.
 */
#include "daemon/kiln_tell.h"

#include "daemon/kiln_ask.h"

#include <string.h>

/* Telling a client may end it, and with it its waiter: the next one is taken first. */
static void
tell(struct kd_kiln *kiln, const char *rule, json_t *event)
{
	for (struct kd_kiln_waiter *w = kiln->waiters, *next; w != NULL; w = next) {
		next = w->next;
		if (w->what == KD_WAITS_EVENTS &&
			(w->rule == NULL || strcmp(w->rule, rule) == 0))
			kd_control_event(w->request, json_incref(event));
	}
	json_decref(event);
}

void
kd_kiln_tell_unit(struct kd_kiln *kiln, const struct kd_unit *unit, const char *reason,
	const char *output)
{
	if (kiln->waiters == NULL)
		return;
	double now = ev_now(kiln->loop);
	tell(kiln, unit->rule,
		json_pack("{s:s, s:I, s:s, s:o, s:s, s:I, s:s?, s:o, s:f, s:f, s:o}",
			"event", "unit", "id", (json_int_t)unit->id, "rule", unit->rule,
			"path", kd_kiln_name_json(unit->path), "state",
			kd_unit_state_name(unit->state), "attempts",
			(json_int_t)unit->attempts, "reason", reason, "output",
			output == NULL ? json_null() : kd_kiln_name_json(output),
			"created", now, "updated", now, "batch",
			unit->batch == 0 ? json_null() : json_integer(unit->batch)));
}

void
kd_kiln_tell_progress(struct kd_kiln *kiln, const struct kd_unit *unit)
{
	if (kiln->waiters == NULL)
		return;
	tell(kiln, unit->rule,
		json_pack("{s:s, s:I, s:s, s:o, s:I, s:I}", "event", "progress", "id",
			(json_int_t)unit->id, "rule", unit->rule, "path",
			kd_kiln_name_json(unit->path), "done", (json_int_t)unit->done,
			"total", (json_int_t)unit->total));
}
