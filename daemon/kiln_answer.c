/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What kilnd answers on its control socket (serve/control.h says what is asked).
 */
#include "config.h"

#include "daemon/base/log.h"
#include "daemon/base/name.h"
#include "daemon/kiln_parts.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LIST_MOST = 10000 }; /* rows: what a client may have waiting must hold them */

static json_t *
name_json(const char *name)
{
	char *escaped = kd_name_escape(name);
	json_t *json = escaped == NULL ? json_null() : json_string(escaped);
	free(escaped);
	return json;
}

/* status */

static json_t *
units_json(struct kd_kiln *kiln, const char *rule)
{
	json_t *json = json_pack(
		"{s:I}", "settling", (json_int_t)kd_queue_settling(kiln->queue, rule));
	for (int s = 0; s < KD_STATES; s++)
		json_object_set_new(json, kd_unit_state_name((enum kd_state)s),
			json_integer((json_int_t)kd_queue_total(
				kiln->queue, rule, (enum kd_state)s)));
	return json;
}

static json_t *
rule_json(struct kd_kiln *kiln, const struct kd_rule *rule)
{
	static const char *const names[] = {
		[KD_INTAKE_WATCHING] = "watching",
		[KD_INTAKE_POLLING] = "polling",
		[KD_INTAKE_WAITING] = "waiting",
	};
	const char *why = NULL;
	struct kd_intake *intake = kd_kiln_intake(kiln, rule->name);
	enum kd_intake_state state =
		intake == NULL ? KD_INTAKE_WAITING : kd_intake_state(intake, &why);
	return json_pack("{s:s, s:s, s:o, s:o, s:s, s:s?, s:o}", "name", rule->name,
		"kernel", rule->kernel->name, "watch", name_json(rule->watch), "output",
		name_json(rule->output), "state", names[state], "why", why, "units",
		units_json(kiln, rule->name));
}

static json_t *
status_json(struct kd_kiln *kiln)
{
	json_t *rules = json_array();
	json_int_t polling = 0;
	for (uint32_t i = 0; i < kiln->conf->rule_count; i++)
		json_array_append_new(rules, rule_json(kiln, kiln->conf->rules[i]));
	for (uint32_t i = 0; i < kiln->intake_count; i++) {
		const char *why;
		polling += kd_intake_state(kiln->intakes[i], &why) == KD_INTAKE_POLLING;
	}
	return json_pack("{s:s, s:i, s:f, s:o, s:o, s:f, s:s?, s:I, s:I, s:{s:i, s:i, "
			 "s:i}, s:o, s:o}",
		"version", PACKAGE_VERSION, "pid", (int)getpid(), "started",
		kiln->started, "state", name_json(kiln->conf->state), "configuration",
		name_json(kiln->conf->file), "loaded", kiln->loaded, "reload_error",
		kiln->reload_error[0] == '\0' ? NULL : kiln->reload_error, "overflows",
		(json_int_t)kd_inotify_overflows(kiln->inotify), "polling", polling,
		"workers", "limit", (int)kiln->conf->workers, "busy",
		(int)kd_pool_busy(kiln->pool), "idle", (int)kd_pool_idle(kiln->pool),
		"units", units_json(kiln, NULL), "rules", rules);
}

/* list and show: the ledger answers; a client that has left by then has freed its ask */

struct ask {
	struct kd_control_request *request; /* NULL: the client left */
	int is_list;
};

static void
on_rows(void *context, int rc, json_t *json)
{
	struct ask *ask = context;
	struct kd_control_request *request = ask->request;
	if (request != NULL)
		kd_control_set_data(request, NULL);
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
		*ask = (struct ask){request, is_list};
		kd_control_set_data(request, ask);
		rc = is_list ? kd_ledger_list(kiln->ledger, wanted, on_rows, ask)
			     : kd_ledger_show(kiln->ledger, wanted, on_rows, ask);
	}
	if (rc < 0) {
		kd_control_set_data(request, NULL);
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
	if (state != NULL)
		wanted.state = kd_unit_state_parse(state);
	if (json_is_integer(limit))
		wanted.limit = json_integer_value(limit);
	if (wanted.limit < 0 || wanted.limit > LIST_MOST)
		wanted.limit = LIST_MOST;
	if (state != NULL && wanted.state < 0)
		kd_control_refuse(request,
			"'%s' is no state: expected ready, running, deferred, published, "
			"skipped, "
			"kept, failed or gone",
			state);
	else if (wanted.rule != NULL && kd_conf_rule(kiln->conf, wanted.rule) == NULL)
		kd_control_refuse(request, "there is no rule '%s'", wanted.rule);
	else
		query(kiln, request, &wanted, 1);
}

/* The ledger knows a unit by its path below the drop folder; people know it by where they
 * put it.  A path below no folder is left as it is. */
static void
find_watch(const struct kd_conf *conf, struct kd_ledger_query *wanted)
{
	for (uint32_t i = 0; i < conf->rule_count; i++) {
		const struct kd_rule *rule = conf->rules[i];
		size_t length = strlen(rule->watch);
		if (strncmp(wanted->path, rule->watch, length) != 0 ||
			wanted->path[length] != '/')
			continue;
		wanted->rule = rule->name;
		wanted->path += length + 1;
		return;
	}
}

static void
answer_show(
	struct kd_kiln *kiln, struct kd_control_request *request, const json_t *arguments)
{
	const char *escaped = json_string_value(json_object_get(arguments, "path"));
	char *path = escaped == NULL ? NULL : kd_name_unescape(escaped);
	struct kd_ledger_query wanted = {
		.unit = json_integer_value(json_object_get(arguments, "unit")),
		.path = path,
	};
	if (path != NULL)
		find_watch(kiln->conf, &wanted);
	if (wanted.unit <= 0 && path == NULL)
		kd_control_refuse(request, "expected the number of a unit, or its path");
	else
		query(kiln, request, &wanted, 0);
	free(path);
}

/* waiting: watch, sync, reload */

static void
wait_for(struct kd_kiln *kiln, struct kd_control_request *request, int what,
	const char *rule)
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
	for (uint32_t i = 0; i < kiln->intake_count; i++)
		if (!kd_intake_is_current(kiln->intakes[i]))
			return 0;
	return 1;
}

void
kd_kiln_answer_waiters(struct kd_kiln *kiln)
{
	if (kiln->waiters == NULL || !all_seen(kiln))
		return;
	int idle =
		kiln->offers == 0 && kiln->runs == NULL && kd_queue_is_idle(kiln->queue);
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
	while (kiln->waiters != NULL)
		waiter_free(&kiln->waiters);
}

/* Events that happened before the question are in the kernel's queue: delivering them
 * all, and letting the scans that follow end, is the barrier.  Where no events come, a
 * scan is. */
static void
answer_sync(
	struct kd_kiln *kiln, struct kd_control_request *request, const json_t *arguments)
{
	kd_inotify_drain(kiln->inotify);
	for (uint32_t i = 0; i < kiln->intake_count; i++)
		kd_intake_catch_up(kiln->intakes[i]);
	int idle = json_is_true(json_object_get(arguments, "idle"));
	wait_for(kiln, request, idle ? KD_WAITS_IDLE : KD_WAITS_SEEN, NULL);
	kd_kiln_turn(kiln);
}

static int
is_in_group(
	const struct kd_control_peer *peer, const struct passwd *user, const char *name)
{
	const struct group *group = getgrnam(name);
	if (group == NULL || user == NULL)
		return 0;
	gid_t wanted = group->gr_gid, groups[256];
	int count = sizeof groups / sizeof *groups;
	if (getgrouplist(user->pw_name, peer->gid, groups, &count) < 0)
		return 0;
	for (int i = 0; i < count; i++)
		if (groups[i] == wanted)
			return 1;
	return 0;
}

static int
is_admin(const struct kd_kiln *kiln, const struct kd_control_peer *peer)
{
	if (peer->uid == 0 || peer->uid == geteuid())
		return 1;
	const struct passwd *user = getpwuid(peer->uid);
	for (char **admin = kiln->conf->admins; admin != NULL && *admin != NULL;
		admin++) {
		if ((*admin)[0] == '@'
				? is_in_group(peer, user, *admin + 1)
				: user != NULL && strcmp(user->pw_name, *admin) == 0)
			return 1;
	}
	return 0;
}

static void
answer_reload(struct kd_kiln *kiln, struct kd_control_request *request)
{
	if (!is_admin(kiln, kd_control_peer(request))) {
		kd_control_refuse(request, "only root, the daemon's own user and the "
					   "configuration's admins may reload");
		return;
	}
	wait_for(kiln, request, KD_WAITS_RELOAD, NULL);
	kd_kiln_reload(kiln);
}

static void
on_request(void *context, struct kd_control_request *request, const char *command,
	const json_t *arguments)
{
	struct kd_kiln *kiln = context;
	const char *rule = json_string_value(json_object_get(arguments, "rule"));
	if (strcmp(command, "status") == 0)
		kd_control_end(request, status_json(kiln));
	else if (strcmp(command, "list") == 0)
		answer_list(kiln, request, arguments);
	else if (strcmp(command, "show") == 0)
		answer_show(kiln, request, arguments);
	else if (strcmp(command, "watch") == 0)
		wait_for(kiln, request, KD_WAITS_EVENTS, rule);
	else if (strcmp(command, "sync") == 0)
		answer_sync(kiln, request, arguments);
	else if (strcmp(command, "reload") == 0)
		answer_reload(kiln, request);
	else
		kd_control_refuse(request, "this kilnd knows no command '%s'", command);
}

static void
on_gone(void *context, struct kd_control_request *request)
{
	struct kd_kiln *kiln = context;
	struct ask *ask = kd_control_data(request);
	if (ask != NULL)
		ask->request = NULL;
	for (struct kd_kiln_waiter **at = &kiln->waiters; *at != NULL;) {
		if ((*at)->request == request)
			waiter_free(at);
		else
			at = &(*at)->next;
	}
}

const struct kd_control_handler kd_kiln_control_handler = {
	.request = on_request,
	.gone = on_gone,
};

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
			"path", name_json(unit->path), "state",
			kd_unit_state_name(unit->state), "attempts",
			(json_int_t)unit->attempts, "reason", reason, "output",
			output == NULL ? json_null() : name_json(output), "created", now,
			"updated", now, "batch",
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
			name_json(unit->path), "done", (json_int_t)unit->done, "total",
			(json_int_t)unit->total));
}
