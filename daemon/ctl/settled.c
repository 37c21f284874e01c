/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/ctl/settled.h"

#include "daemon/ctl/ask.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

struct waiting {
	struct kd_ctl *ctl;
	const struct kd_ctl_settled *settled;
	json_t *open; /* an object: the names that are not at their end */
	json_t *units;
	int status;
	int watching; /* kilnd tells all that happens from now on */
	json_int_t
		oldest; /* of the units listed so far; 0: they are older than the drop */
	size_t listed;
};

double
kd_ctl_settled_now(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static const char *
text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text == NULL ? "" : text;
}

/* A unit's state, if it is one of those waited for and at its end. */
static void
take(struct waiting *waiting, const json_t *unit)
{
	static const char *const good[] = {"published", "skipped", "kept"};
	static const char *const bad[] = {"failed", "gone", "cancelled"};
	const char *state = text_of(unit, "state"), *path = text_of(unit, "path");
	int done = 0, failed = 0;
	for (size_t i = 0; i < 3; i++) {
		done |= strcmp(state, good[i]) == 0;
		failed |= strcmp(state, bad[i]) == 0;
	}
	if ((!done && !failed) || json_object_get(waiting->open, path) == NULL ||
		json_number_value(json_object_get(unit, "created")) <
			waiting->settled->since)
		return;
	json_object_del(waiting->open, path);
	/* It is the same whether the list or an event told of it. */
	json_t *ended = json_copy((json_t *)unit);
	json_object_del(ended, "event");
	json_array_append_new(waiting->units, ended);
	if (failed)
		waiting->status = KD_CTL_FAILED;
	if (!waiting->ctl->json)
		printf("%-9s  %s%s%s%s%s\n", state, path,
			text_of(unit, "output")[0] != '\0' ? " -> " : "",
			text_of(unit, "output"),
			text_of(unit, "reason")[0] != '\0' ? ": " : "",
			text_of(unit, "reason"));
	fflush(stdout);
}

static void
on_event(void *context, const json_t *event)
{
	struct waiting *waiting = context;
	if (strcmp(text_of(event, "event"), "watching") == 0)
		waiting->watching = 1;
	else if (strcmp(text_of(event, "event"), "unit") == 0)
		take(waiting, event);
}

static void
on_listed(void *context, const json_t *unit)
{
	struct waiting *waiting = context;
	double created = json_number_value(json_object_get(unit, "created"));
	waiting->listed++;
	waiting->oldest = created < waiting->settled->since
				  ? 0
				  : json_integer_value(json_object_get(unit, "id"));
	take(waiting, unit);
}

/* What ended before anybody watched: back to the units of before the drop. */
static int
look(struct waiting *waiting)
{
	enum { PAGE = 1000 };
	int status;
	do {
		struct kd_ctl_question list = {
			.command = "list",
			.arguments = json_pack("{s:s, s:i, s:I}", "rule",
				waiting->settled->rule, "limit", PAGE, "before",
				waiting->oldest),
			.event = on_listed,
			.context = waiting,
		};
		waiting->listed = 0;
		status = kd_ctl_ask(waiting->ctl, &list, NULL);
	} while (status == KD_CTL_DONE && waiting->listed == PAGE && waiting->oldest > 0);
	return status;
}

int
kd_ctl_settled(struct kd_ctl *ctl, const struct kd_ctl_settled *settled, json_t *units)
{
	struct waiting waiting = {.ctl = ctl,
		.settled = settled,
		.open = json_object(),
		.units = units,
		.status = KD_CTL_DONE};
	struct kd_ctl_question watch = {
		.command = "watch",
		.arguments = json_pack("{s:s}", "rule", settled->rule),
		.event = on_event,
		.context = &waiting,
	};
	size_t i;
	const json_t *name;
	json_array_foreach(settled->names, i, name)
		json_object_set_new(waiting.open, json_string_value(name), json_true());
	int status;
	struct kd_wire *wire = kd_ctl_ask_begin(ctl, &watch, &status);
	int ended = wire == NULL;
	while (!ended && !waiting.watching)
		ended = kd_ctl_ask_next(wire, &watch, NULL, &status);
	if (!ended)
		ended = (status = look(&waiting)) != KD_CTL_DONE;
	while (!ended && json_object_size(waiting.open) > 0)
		ended = kd_ctl_ask_next(wire, &watch, NULL, &status);
	kd_wire_free(wire);
	json_decref(waiting.open);
	return status > waiting.status ? status : waiting.status;
}
