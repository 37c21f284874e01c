/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What kilnd answers on its control socket (serve/control.h says what is asked).
 */
#include "daemon/kiln_answer.h"

#include "daemon/kiln_reload.h"
#include "daemon/kiln_wait.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { LIST_MOST = 1000 }; /* rows of one answer: many may be on their way at once */

/* list and show */

struct ask {
	struct kd_kiln_ask ask;
	int is_list;
};

static void
on_rows(void *context, int rc, json_t *json)
{
	struct ask *ask = context;
	struct kd_control_request *request = kd_kiln_ask_end(&ask->ask);
	if (request == NULL) {
		/* Nobody is left to hear it. */
	} else if (rc < 0) {
		kd_control_refuse(
			request, "the ledger cannot be read: %s", strerror(-rc));
	} else if (ask->is_list) {
		size_t i;
		json_t *row;
		json_array_foreach(json, i, row)
			kd_control_event(request, json_incref(row));
		kd_control_end(request, json_object());
	} else if (json == NULL) {
		kd_control_refuse(request, "no such unit");
	} else {
		kd_control_end(request, json_incref(json));
	}
	json_decref(json);
	free(ask);
}

static void
query(struct kd_kiln *kiln, struct kd_control_request *request,
	const struct kd_ledger_query *wanted, int is_list)
{
	struct ask *ask = malloc(sizeof *ask);
	int rc = -ENOMEM;
	if (ask != NULL) {
		ask->is_list = is_list;
		kd_kiln_ask_begin(&ask->ask, request);
		rc = is_list ? kd_ledger_list(kiln->ledger, wanted, on_rows, ask)
			     : kd_ledger_show(kiln->ledger, wanted, on_rows, ask);
	}
	if (rc < 0) {
		if (ask != NULL)
			kd_kiln_ask_end(&ask->ask);
		free(ask);
		kd_control_refuse(request, "%s", strerror(-rc));
	}
}

static void
answer_list(
	struct kd_kiln *kiln, struct kd_control_request *request, const json_t *arguments)
{
	struct kd_ledger_query wanted = {.state = -1, .limit = 100};
	const char *state = json_string_value(json_object_get(arguments, "state"));
	const json_t *limit = json_object_get(arguments, "limit");
	wanted.rule = json_string_value(json_object_get(arguments, "rule"));
	wanted.before = json_integer_value(json_object_get(arguments, "before"));
	if (state != NULL)
		wanted.state = kd_unit_state_parse(state);
	if (json_is_integer(limit))
		wanted.limit = json_integer_value(limit);
	if (wanted.limit < 0 || wanted.limit > LIST_MOST)
		wanted.limit = LIST_MOST;
	if (state != NULL && wanted.state < 0)
		kd_control_refuse(request,
			"'%s' is no state: expected ready, running, deferred, published, "
			"skipped, kept, failed, gone or cancelled",
			state);
	else if (wanted.rule != NULL && kd_conf_rule(kiln->conf, wanted.rule) == NULL)
		kd_control_refuse(request, "there is no rule '%s'", wanted.rule);
	else
		query(kiln, request, &wanted, 1);
}

static void
answer_show(
	struct kd_kiln *kiln, struct kd_control_request *request, const json_t *arguments)
{
	struct kd_ledger_query wanted;
	char *path;
	if (kd_kiln_wanted_unit(kiln, arguments, &wanted, &path) < 0)
		kd_control_refuse(request, "expected the number of a unit, or its path");
	else
		query(kiln, request, &wanted, 0);
	free(path);
}

/* What waits: watch, sync, reload. */

static void
answer_sync(
	struct kd_kiln *kiln, struct kd_control_request *request, const json_t *arguments)
{
	kd_kiln_wait_seen(
		kiln, request, json_is_true(json_object_get(arguments, "idle")));
}

static void
answer_watch(
	struct kd_kiln *kiln, struct kd_control_request *request, const json_t *arguments)
{
	/* What is asked from now on is asked by somebody who misses nothing. */
	kd_control_event(request, json_pack("{s:s}", "event", "watching"));
	kd_kiln_wait(kiln, request, KD_WAITS_EVENTS,
		json_string_value(json_object_get(arguments, "rule")));
}

static void
answer_reload(
	struct kd_kiln *kiln, struct kd_control_request *request, const json_t *arguments)
{
	(void)arguments;
	kd_kiln_wait(kiln, request, KD_WAITS_RELOAD, NULL);
	kd_kiln_reload(kiln);
}

/* What may be asked, and by whom; who may drop depends on the rule. */
static const struct {
	const char *command;
	int for_admins;
	kd_kiln_answer_fn *answer;
} answers[] = {
	{"status", 0, kd_kiln_answer_status},
	{"list", 0, answer_list},
	{"show", 0, answer_show},
	{"explain", 0, kd_kiln_answer_explain},
	{"watch", 0, answer_watch},
	{"sync", 0, answer_sync},
	{"drop", 0, kd_kiln_answer_drop},
	{"reload", 1, answer_reload},
	{"pause", 1, kd_kiln_answer_pause},
	{"resume", 1, kd_kiln_answer_resume},
	{"cancel", 1, kd_kiln_answer_cancel},
	{"retry", 1, kd_kiln_answer_retry},
	{"prune", 1, kd_kiln_answer_prune},
	{"backup", 1, kd_kiln_answer_backup},
};

static void
on_request(void *context, struct kd_control_request *request, const char *command,
	const json_t *arguments)
{
	struct kd_kiln *kiln = context;
	for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
		if (strcmp(command, answers[i].command) != 0)
			continue;
		if (answers[i].for_admins &&
			!kd_kiln_may_command(kiln, kd_control_peer(request)))
			kd_control_refuse(request,
				"you may not %s: only root, the daemon's own user and "
				"the "
				"admins of kiln.toml may",
				command);
		else
			answers[i].answer(kiln, request, arguments);
		return;
	}
	kd_control_refuse(request, "this kilnd knows no command '%s'", command);
}

static void
on_gone(void *context, struct kd_control_request *request)
{
	struct kd_kiln *kiln = context;
	kd_kiln_ask_gone(request);
	kd_kiln_end_drops(kiln);
	kd_kiln_end_wait(kiln, request);
}

const struct kd_control_handler kd_kiln_control_handler = {
	.request = on_request,
	.gone = on_gone,
};
