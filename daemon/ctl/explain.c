/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Why is this not processed?
 */
#include "daemon/ctl/ask.h"
#include "daemon/ctl/origin.h"
#include "daemon/ctl/unit.h"

#include "daemon/base/name.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *
text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text == NULL ? "" : text;
}

/* kilnd looks at no file to answer; what there is, is told to it. */
static json_t *
arguments_for(const char *given)
{
	struct stat st;
	json_t *arguments = kd_ctl_unit_path(given);
	char *path = kd_name_unescape(text_of(arguments, "path"));
	if (path == NULL || lstat(path, &st) < 0) {
		free(path);
		return arguments;
	}
	json_object_set_new(
		arguments, "type", json_string(S_ISDIR(st.st_mode) ? "folder" : "file"));
	json_object_set_new(arguments, "changed",
		json_real((double)st.st_ctim.tv_sec + (double)st.st_ctim.tv_nsec * 1e-9));
	json_t *sidecar = kd_ctl_origin(path);
	free(path);
	if (sidecar == NULL)
		return arguments;
	json_object_set(arguments, "rule", json_object_get(sidecar, "rule"));
	json_object_set(arguments, "unit", json_object_get(sidecar, "unit"));
	json_decref(sidecar);
	return arguments;
}

static void
print_rules(const char *path, const json_t *rules)
{
	size_t i;
	const json_t *rule;
	if (json_array_size(rules) == 0)
		printf("'%s' lies below no rule's drop folder ('kilnctl status' lists "
		       "them), and no sidecar names it\n",
			KD_NAME(path));
	json_array_foreach(rules, i, rule)
	{
		const json_t *unit = json_object_get(rule, "unit");
		printf("rule '%s': %s: %s\n", text_of(rule, "rule"),
			text_of(rule, "state"), text_of(rule, "reason"));
		if (json_is_object(unit))
			printf("  unit %lld, see 'kilnctl show %lld'\n",
				(long long)json_integer_value(
					json_object_get(unit, "id")),
				(long long)json_integer_value(
					json_object_get(unit, "id")));
	}
}

int
kd_ctl_explain_command(struct kd_ctl *ctl, int argc, char **argv)
{
	int status;
	json_t *data = NULL;
	while (kd_ctl_option(ctl, argc, argv, "", NULL, &status) == KD_CTL_STOP)
		return status;
	if (optind + 1 != argc)
		return kd_ctl_usage(ctl, "expected one path");
	status = kd_ctl_ask(ctl,
		&(struct kd_ctl_question){
			.command = "explain", .arguments = arguments_for(argv[optind])},
		&data);
	if (status != KD_CTL_DONE)
		return status;
	if (ctl->json) {
		kd_ctl_ask_print(data);
		return status;
	}
	print_rules(argv[optind], json_object_get(data, "rules"));
	json_decref(data);
	return status;
}
