/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/ctl/ask.h"
#include "daemon/ctl/table.h"
#include "daemon/ctl/text.h"

#include <stdio.h>

static const char *
text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text == NULL ? "-" : text;
}

static long long
number_of(const json_t *object, const char *key)
{
	return (long long)json_number_value(json_object_get(object, key));
}

/* "3 running, 12 published": every state that has units. */
static void
units_in_words(const json_t *units, char *words, size_t size)
{
	static const char *const states[] = {"settling", "ready", "running", "deferred",
		"failed", "published", "skipped", "kept", "gone", "cancelled"};
	size_t used = 0;
	words[0] = '\0';
	for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
		long long count = number_of(units, states[i]);
		if (count == 0 || used >= size)
			continue;
		used += (size_t)snprintf(words + used, size - used, "%s%lld %s",
			used == 0 ? "" : ", ", count, states[i]);
	}
	if (used == 0)
		snprintf(words, size, "none");
}

static void
print_rules(const json_t *rules)
{
	static const char *const headings[] = {
		"RULE", "STATE", "KERNEL", "UNITS", "WATCH", "OUTPUT", NULL};
	struct kd_ctl_table *table = kd_ctl_table_new(headings);
	size_t i;
	const json_t *rule;
	json_array_foreach(rules, i, rule)
	{
		char words[256];
		units_in_words(json_object_get(rule, "units"), words, sizeof words);
		kd_ctl_table_cell(table, text_of(rule, "name"));
		kd_ctl_table_cell(table, text_of(rule, "state"));
		kd_ctl_table_cell(table, text_of(rule, "kernel"));
		kd_ctl_table_cell(table, words);
		kd_ctl_table_cell(table, text_of(rule, "watch"));
		kd_ctl_table_cell(table, text_of(rule, "output"));
	}
	kd_ctl_table_print(table, stdout, 0);
	kd_ctl_table_free(table);
	json_array_foreach(
		rules, i, rule) if (json_is_string(json_object_get(rule, "why")))
		printf("rule '%s' is %s: %s\n", text_of(rule, "name"),
			text_of(rule, "state"), text_of(rule, "why"));
	json_array_foreach(rules, i, rule) if (number_of(rule, "undisposed") > 0)
		printf("rule '%s': the inputs of %lld units that are done could not be "
		       "disposed of yet; they are tried again\n",
			text_of(rule, "name"), number_of(rule, "undisposed"));
}

static void
print_status(const json_t *data)
{
	char started[KD_CTL_TEXT], loaded[KD_CTL_TEXT], words[256];
	const json_t *workers = json_object_get(data, "workers");
	units_in_words(json_object_get(data, "units"), words, sizeof words);
	printf("kilnd %s, process %lld, started %s\n", text_of(data, "version"),
		number_of(data, "pid"),
		kd_ctl_text_ago(
			started, json_number_value(json_object_get(data, "started"))));
	printf("configuration  %s, loaded %s\n", text_of(data, "configuration"),
		kd_ctl_text_ago(
			loaded, json_number_value(json_object_get(data, "loaded"))));
	printf("state          %s\n", text_of(data, "state"));
	printf("workers        %lld busy, %lld idle, at most %lld\n",
		number_of(workers, "busy"), number_of(workers, "idle"),
		number_of(workers, "limit"));
	if (number_of(json_object_get(data, "gpus"), "busy") > 0)
		printf("GPU slots      %lld busy, at most %lld\n",
			number_of(json_object_get(data, "gpus"), "busy"),
			number_of(json_object_get(data, "gpus"), "slots"));
	printf("units          %s\n", words);
	if (number_of(data, "overflows") > 0)
		printf("overflows      %lld (each was followed by a scan)\n",
			number_of(data, "overflows"));
	if (number_of(data, "lost_watches") > 0)
		printf("lost watches   %lld (each was renewed, and followed by a "
		       "scan)\n",
			number_of(data, "lost_watches"));
	if (number_of(data, "polling") > 0)
		printf("polling        %lld folders without events\n",
			number_of(data, "polling"));
	if (json_is_string(json_object_get(data, "reload_error")))
		printf("the last reload was refused, the older configuration is in "
		       "force: "
		       "%s\n",
			text_of(data, "reload_error"));
	putchar('\n');
	print_rules(json_object_get(data, "rules"));
}

int
kd_ctl_status_command(struct kd_ctl *ctl, int argc, char **argv)
{
	int status;
	while (kd_ctl_option(ctl, argc, argv, "", NULL, &status) == KD_CTL_STOP)
		return status;
	if (optind < argc)
		return kd_ctl_usage(ctl, "'%s' is one argument too many", argv[optind]);
	json_t *data = NULL;
	status = kd_ctl_ask(ctl,
		&(struct kd_ctl_question){
			.command = "status", .arguments = json_object()},
		&data);
	if (status != KD_CTL_DONE)
		return status;
	if (ctl->json) {
		kd_ctl_ask_print(data);
		return status;
	}
	print_status(data);
	json_decref(data);
	return status;
}
