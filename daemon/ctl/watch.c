/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What happens, as it happens: a line for each change of a unit's state and, on a
 * terminal, a bar for each unit that runs.
 */
#include "daemon/ctl/ask.h"
#include "daemon/ctl/bar.h"
#include "daemon/ctl/text.h"

#include <stdio.h>
#include <string.h>

/* A screen has no room for more bars; the rest run unseen until a line is free. */
enum { MOST_BARS = 16 };

struct running {
	long long id; /* 0: free */
	double done, total;
	char label[200];
};

struct watch {
	int json;
	struct kd_ctl_bar bar;
	struct running running[MOST_BARS];
};

static const char *
text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text == NULL ? "" : text;
}

static struct running *
find(struct watch *watch, long long id)
{
	for (unsigned i = 0; i < MOST_BARS; i++)
		if (watch->running[i].id == id)
			return &watch->running[i];
	return NULL;
}

static void
draw(struct watch *watch)
{
	kd_ctl_bar_clear(&watch->bar);
	for (unsigned i = 0; i < MOST_BARS; i++) {
		const struct running *one = &watch->running[i];
		if (one->id != 0)
			kd_ctl_bar_line(&watch->bar,
				one->total > 0 ? one->done / one->total : 0, one->label);
	}
}

static void
on_unit(struct watch *watch, const json_t *event, long long id)
{
	const char *state = text_of(event, "state"), *reason = text_of(event, "reason");
	struct running *one = find(watch, id);
	if (strcmp(state, "running") == 0 && one == NULL &&
		(one = find(watch, 0)) != NULL) {
		*one = (struct running){.id = id};
		snprintf(one->label, sizeof one->label, "%s: %s", text_of(event, "rule"),
			text_of(event, "path"));
	} else if (strcmp(state, "running") != 0 && one != NULL) {
		one->id = 0;
	}
	kd_ctl_bar_clear(&watch->bar);
	printf("%-9s  %s: %s%s%s%s%s\n", state, text_of(event, "rule"),
		text_of(event, "path"), text_of(event, "output")[0] != '\0' ? " -> " : "",
		text_of(event, "output"), reason[0] != '\0' ? ": " : "", reason);
	draw(watch);
}

static void
on_event(void *context, const json_t *event)
{
	struct watch *watch = context;
	long long id = (long long)json_integer_value(json_object_get(event, "id"));
	if (strcmp(text_of(event, "event"), "watching") == 0)
		return;
	if (watch->json) {
		json_dumpf(event, stdout, JSON_COMPACT);
		putchar('\n');
	} else if (strcmp(text_of(event, "event"), "unit") == 0 && id != 0) {
		on_unit(watch, event, id);
	} else if (strcmp(text_of(event, "event"), "progress") == 0 && id != 0) {
		struct running *one = find(watch, id);
		if (one == NULL && (one = find(watch, 0)) != NULL) {
			*one = (struct running){.id = id};
			snprintf(one->label, sizeof one->label, "%s: %s",
				text_of(event, "rule"), text_of(event, "path"));
		}
		if (one != NULL) {
			one->done = json_number_value(json_object_get(event, "done"));
			one->total = json_number_value(json_object_get(event, "total"));
		}
		if (kd_ctl_bar_due(&watch->bar))
			draw(watch);
	}
	fflush(stdout);
}

int
kd_ctl_watch_command(struct kd_ctl *ctl, int argc, char **argv)
{
	static const struct option own[] = {{"rule", required_argument, NULL, 'r'}, {0}};
	const char *rule = NULL;
	int status, option;
	while ((option = kd_ctl_option(ctl, argc, argv, "r:", own, &status)) != -1) {
		if (option == KD_CTL_STOP)
			return status;
		rule = optarg;
	}
	if (optind < argc)
		return kd_ctl_usage(ctl, "'%s' is one argument too many", argv[optind]);
	struct watch watch = {.json = ctl->json};
	kd_ctl_bar_begin(&watch.bar, stdout);
	status = kd_ctl_ask(ctl,
		&(struct kd_ctl_question){
			.command = "watch",
			.arguments = json_pack("{s:s?}", "rule", rule),
			.event = on_event,
			.context = &watch,
		},
		NULL);
	kd_ctl_bar_clear(&watch.bar);
	return status;
}
