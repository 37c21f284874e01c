/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/kiln_ask.h"

#include "daemon/base/name.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void
kd_kiln_ask_begin(struct kd_kiln_ask *ask, struct kd_control_request *request)
{
	ask->request = request;
	kd_control_set_data(request, ask);
}

struct kd_control_request *
kd_kiln_ask_end(struct kd_kiln_ask *ask)
{
	if (ask->request != NULL)
		kd_control_set_data(ask->request, NULL);
	return ask->request;
}

void
kd_kiln_ask_gone(struct kd_control_request *request)
{
	struct kd_kiln_ask *ask = kd_control_data(request);
	if (ask != NULL)
		ask->request = NULL;
}

static int
is_among(const struct kd_people *people, const struct kd_control_peer *peer)
{
	if (kd_people_has_user(people, peer->uid) ||
		kd_people_has_group(people, peer->gid))
		return 1;
	for (size_t i = 0; i < peer->group_count; i++)
		if (kd_people_has_group(people, peer->groups[i]))
			return 1;
	return 0;
}

int
kd_kiln_may_command(const struct kd_kiln *kiln, const struct kd_control_peer *peer)
{
	return peer->uid == 0 || peer->uid == geteuid() ||
	       is_among(&kiln->conf->may_command, peer);
}

int
kd_kiln_may_drop(const struct kd_kiln *kiln, const struct kd_control_peer *peer,
	const struct kd_rule *rule)
{
	return kd_kiln_may_command(kiln, peer) || is_among(&kiln->conf->may_drop, peer) ||
	       is_among(&rule->may_drop, peer);
}

const char *
kd_kiln_who(const struct kd_control_peer *peer, char buffer[32])
{
	if (peer->uid == 0)
		snprintf(buffer, 32, "root");
	else
		snprintf(buffer, 32, "user %u", (unsigned)peer->uid);
	return buffer;
}

const char *
kd_kiln_below(const struct kd_rule *rule, const char *path)
{
	size_t length = strlen(rule->watch);
	return strncmp(path, rule->watch, length) == 0 && path[length] == '/'
		       ? path + length + 1
		       : NULL;
}

int
kd_kiln_wanted_unit(const struct kd_kiln *kiln, const json_t *arguments,
	struct kd_ledger_query *wanted, char **path)
{
	const char *escaped = json_string_value(json_object_get(arguments, "path"));
	*path = escaped == NULL ? NULL : kd_name_unescape(escaped);
	*wanted = (struct kd_ledger_query){
		.unit = json_integer_value(json_object_get(arguments, "unit")),
		.path = *path,
	};
	for (uint32_t i = 0; *path != NULL && i < kiln->conf->rule_count; i++) {
		const char *below = kd_kiln_below(kiln->conf->rules[i], *path);
		if (below == NULL)
			continue;
		wanted->rule = kiln->conf->rules[i]->name;
		wanted->path = below;
		break;
	}
	return wanted->unit <= 0 && *path == NULL ? -EINVAL : 0;
}

json_t *
kd_kiln_name_json(const char *name)
{
	char *escaped = kd_name_escape(name);
	json_t *json = escaped == NULL ? json_null() : json_string(escaped);
	free(escaped);
	return json;
}
