/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Drops that come by way of kilnctl.  kilnd decides who may and into what, makes a link
 * between kilnctl and a keeper of its own, and waits for the keeper's end: neither bytes
 * nor descriptors of what is dropped pass through it.
 */
#include "daemon/base/log.h"
#include "daemon/base/name.h"
#include "daemon/intake/explain.h"
#include "daemon/kiln_answer.h"
#include "daemon/work/spawn.h"
#include "plugins/kiln_plugin.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DROPS_MOST = 16 }; /* at once: each is a process */

struct kd_kiln_drop {
	struct kd_kiln_ask ask;
	struct kd_kiln_drop *next;
	struct kd_kiln *kiln;
	ev_child child;
};

static void
drop_free(struct kd_kiln_drop *drop)
{
	struct kd_kiln_drop **at = &drop->kiln->drops;
	while (*at != drop)
		at = &(*at)->next;
	*at = drop->next;
	ev_child_stop(drop->kiln->loop, &drop->child);
	free(drop);
}

static void
on_ended(struct ev_loop *loop, ev_child *child, int events)
{
	(void)loop;
	(void)events;
	struct kd_kiln_drop *drop = child->data;
	struct kd_control_request *request = kd_kiln_ask_end(&drop->ask);
	if (request != NULL && child->rstatus == 0)
		kd_control_end(request, json_object());
	else if (request != NULL)
		kd_control_refuse(request, "the drop broke off");
	drop_free(drop);
}

/* A name that the rule would leave where it is, is said so before it is copied. */
static int
check_names(const struct kd_rule *rule, const json_t *names,
	struct kd_control_request *request)
{
	size_t i;
	const json_t *one;
	json_array_foreach(names, i, one)
	{
		char reason[800];
		const char *escaped = json_string_value(json_object_get(one, "name"));
		char *name = escaped == NULL ? NULL : kd_name_unescape(escaped);
		int ok = name != NULL && kd_name_is_beneath(name);
		size_t unit = ok ? kd_explain_path(rule, name,
					   json_is_true(json_object_get(one, "folder")),
					   reason, sizeof reason)
				 : 0;
		free(name);
		if (unit > 0)
			continue;
		kd_control_refuse(request, "rule '%s' would not take '%s': %s",
			rule->name, escaped == NULL ? "" : escaped,
			ok ? reason : "it is no name");
		return -EINVAL;
	}
	return 0;
}

static unsigned
drop_count(const struct kd_kiln *kiln)
{
	unsigned count = 0;
	for (const struct kd_kiln_drop *d = kiln->drops; d != NULL; d = d->next)
		count++;
	return count;
}

static void
begin(struct kd_kiln *kiln, const struct kd_rule *rule,
	struct kd_control_request *request)
{
	int link = -1;
	pid_t pid;
	struct kd_kiln_drop *drop = calloc(1, sizeof *drop);
	int rc = drop == NULL
			 ? -ENOMEM
			 : kd_spawn_keeper(kd_catalog_worker(), rule->watch, &link, &pid);
	if (rc < 0) {
		free(drop);
		kd_control_refuse(request, "no keeper can be started: %s", strerror(-rc));
		return;
	}
	drop->kiln = kiln;
	drop->next = kiln->drops;
	kiln->drops = drop;
	ev_child_init(&drop->child, on_ended, pid, 0);
	drop->child.data = drop;
	ev_child_start(kiln->loop, &drop->child);
	kd_kiln_ask_begin(&drop->ask, request);
	kd_control_hand(request,
		json_pack("{s:s, s:b}", "event", "link", "names_units",
			rule->unit == KILN_FILE || rule->unit == KILN_DIRECTORY),
		link);
	close(link);
}

void
kd_kiln_answer_drop(
	struct kd_kiln *kiln, struct kd_control_request *request, const json_t *arguments)
{
	const char *name = json_string_value(json_object_get(arguments, "rule"));
	const struct kd_rule *rule = name == NULL ? NULL : kd_conf_rule(kiln->conf, name);
	if (rule == NULL)
		kd_control_refuse(
			request, "there is no rule '%s'", name == NULL ? "" : name);
	else if (!kd_kiln_may_drop(kiln, kd_control_peer(request), rule))
		kd_control_refuse(request,
			"you may not drop into rule '%s': only root, the daemon's own "
			"user, and the admins and droppers of kiln.toml and of the rule "
			"may",
			name);
	else if (kiln->stopping)
		kd_control_refuse(request, "kilnd stops");
	else if (drop_count(kiln) >= DROPS_MOST)
		kd_control_refuse(request,
			"%d drops are under way, as many as may be; "
			"try again",
			DROPS_MOST);
	else if (check_names(rule, json_object_get(arguments, "names"), request) == 0)
		begin(kiln, rule, request);
}

void
kd_kiln_end_drops(struct kd_kiln *kiln)
{
	for (struct kd_kiln_drop *d = kiln->drops; d != NULL; d = d->next)
		if (d->ask.request == NULL)
			kill(d->child.pid, SIGKILL);
}

void
kd_kiln_free_drops(struct kd_kiln *kiln)
{
	while (kiln->drops != NULL) {
		struct kd_kiln_drop *drop = kiln->drops;
		kill(drop->child.pid, SIGKILL);
		waitpid(drop->child.pid, NULL, 0);
		kd_kiln_ask_end(&drop->ask);
		drop_free(drop);
	}
}
