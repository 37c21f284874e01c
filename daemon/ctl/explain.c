/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Why is this not processed?
 */
#include "daemon/ctl/ask.h"
#include "daemon/ctl/unit.h"

#include "daemon/base/name.h"

#include <stdio.h>
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
arguments_for(const char *path)
{
	struct stat st;
	json_t *arguments = kd_ctl_unit_path(path);
	if (lstat(path, &st) == 0)
		json_object_set_new(arguments, "type",
			json_string(S_ISDIR(st.st_mode) ? "folder" : "file"));
	return arguments;
}

static void
print_rules(const char *path, const json_t *rules)
{
	size_t i;
	const json_t *rule;
	if (json_array_size(rules) == 0)
		printf("'%s' lies below no rule's drop folder; 'kilnctl status' lists "
		       "them\n",
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
