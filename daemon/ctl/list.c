/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the ledger knows: `list` of many units, `show` of one.
 */
#include "daemon/ctl/ask.h"
#include "daemon/ctl/table.h"
#include "daemon/ctl/text.h"
#include "daemon/ctl/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* kilnd tells a thousand at a time. */
enum { MOST_UNITS = 1000000, DEFAULT_UNITS = 50, PAGE = 1000 };

static const char *
text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static double
number_of(const json_t *object, const char *key)
{
	return json_number_value(json_object_get(object, key));
}

static void
collect(void *context, const json_t *event)
{
	json_array_append(context, (json_t *)event);
}

static void
print_list(const json_t *units)
{
	static const char *const headings[] = {">ID", "RULE", "STATE", "UPDATED",
		">TRIES", "PATH", "OUTPUT OR REASON", NULL};
	struct kd_ctl_table *table = kd_ctl_table_new(headings);
	size_t i;
	const json_t *unit;
	json_array_foreach(units, i, unit)
	{
		char updated[KD_CTL_TEXT];
		const char *reason = text_of(unit, "reason");
		kd_ctl_table_number(table, (long long)number_of(unit, "id"));
		kd_ctl_table_cell(table, text_of(unit, "rule"));
		kd_ctl_table_cell(table, text_of(unit, "state"));
		kd_ctl_table_cell(
			table, kd_ctl_text_ago(updated, number_of(unit, "updated")));
		kd_ctl_table_number(table, (long long)number_of(unit, "attempts"));
		kd_ctl_table_cell(table, text_of(unit, "path"));
		kd_ctl_table_cell(
			table, reason != NULL ? reason : text_of(unit, "output"));
	}
	kd_ctl_table_print(table, stdout, 0);
	kd_ctl_table_free(table);
}

/* A number of units; 0 when it is none. */
static long
parse_limit(const char *text)
{
	char *end;
	errno = 0;
	long limit = strtol(text, &end, 10);
	return errno == 0 && *end == '\0' && limit >= 1 && limit <= MOST_UNITS ? limit
									       : 0;
}

/* The newest `limit` units, page after page. */
static int
collect_pages(struct kd_ctl *ctl, const char *rule, const char *state, size_t limit,
	json_t *units)
{
	json_int_t before = 0;
	for (;;) {
		size_t had = json_array_size(units), page = limit - had;
		int status = kd_ctl_ask(ctl,
			&(struct kd_ctl_question){
				.command = "list",
				.arguments = json_pack("{s:s?,s:s?,s:I,s:I}", "rule",
					rule, "state", state, "limit",
					(json_int_t)(page < PAGE ? page : PAGE), "before",
					before),
				.event = collect,
				.context = units,
			},
			NULL);
		size_t have = json_array_size(units);
		if (status != KD_CTL_DONE || have >= limit || have < had + PAGE)
			return status;
		before = json_integer_value(
			json_object_get(json_array_get(units, have - 1), "id"));
	}
}

int
kd_ctl_list_command(struct kd_ctl *ctl, int argc, char **argv)
{
	static const struct option own[] = {{"rule", required_argument, NULL, 'r'},
		{"status", required_argument, NULL, 's'},
		{"limit", required_argument, NULL, 'n'}, {0}};
	const char *rule = NULL, *state = NULL;
	long limit = DEFAULT_UNITS;
	int status, option;
	while ((option = kd_ctl_option(ctl, argc, argv, "r:s:n:", own, &status)) != -1) {
		if (option == KD_CTL_STOP)
			return status;
		if (option == 'r')
			rule = optarg;
		else if (option == 's')
			state = optarg;
		else if ((limit = parse_limit(optarg)) == 0)
			return kd_ctl_usage(ctl, "--limit: expected 1 to %d, found '%s'",
				MOST_UNITS, optarg);
	}
	if (optind < argc)
		return kd_ctl_usage(ctl, "'%s' is one argument too many", argv[optind]);
	json_t *units = json_array();
	status = collect_pages(ctl, rule, state, (size_t)limit, units);
	if (status == KD_CTL_DONE && ctl->json) {
		kd_ctl_ask_print(units);
		return status;
	}
	if (status == KD_CTL_DONE && json_array_size(units) == 0)
		puts("no such units");
	else if (status == KD_CTL_DONE)
		print_list(units);
	json_decref(units);
	return status;
}

static void
print_tries(const json_t *tries)
{
	static const char *const headings[] = {
		">TRY", ">BATCH", "STARTED", "TOOK", "STATUS", "REASON", NULL};
	struct kd_ctl_table *table = kd_ctl_table_new(headings);
	size_t i;
	const json_t *one;
	json_array_foreach(tries, i, one)
	{
		char started[KD_CTL_TEXT], took[KD_CTL_TEXT];
		double begun = number_of(one, "started"), ended = number_of(one, "ended");
		kd_ctl_table_number(table, (long long)number_of(one, "attempt"));
		kd_ctl_table_number(table, (long long)number_of(one, "batch"));
		kd_ctl_table_cell(table, kd_ctl_text_ago(started, begun));
		kd_ctl_table_cell(
			table, ended >= begun && ended > 0
				       ? kd_ctl_text_seconds(took, ended - begun)
				       : NULL);
		kd_ctl_table_cell(table, text_of(one, "status"));
		kd_ctl_table_cell(table, text_of(one, "reason"));
	}
	kd_ctl_table_print(table, stdout, 2);
	kd_ctl_table_free(table);
}

static void
print_outputs(const json_t *outputs)
{
	static const char *const headings[] = {"OUTPUT", ">SIZE", "SHA-256", NULL};
	struct kd_ctl_table *table = kd_ctl_table_new(headings);
	size_t i;
	const json_t *one;
	json_array_foreach(outputs, i, one)
	{
		char bytes[KD_CTL_TEXT];
		kd_ctl_table_cell(table, text_of(one, "path"));
		kd_ctl_table_cell(table,
			kd_ctl_text_bytes(bytes, (uint64_t)number_of(one, "bytes")));
		kd_ctl_table_cell(table, text_of(one, "sha256"));
	}
	kd_ctl_table_print(table, stdout, 2);
	kd_ctl_table_free(table);
}

static void
print_line(const char *name, const char *value)
{
	if (value != NULL && value[0] != '\0')
		printf("%-9s %s\n", name, value);
}

static void
print_unit(const json_t *unit)
{
	char text[KD_CTL_TEXT];
	printf("unit %lld of rule '%s': %s\n", (long long)number_of(unit, "id"),
		text_of(unit, "rule") != NULL ? text_of(unit, "rule") : "-",
		text_of(unit, "state") != NULL ? text_of(unit, "state") : "-");
	print_line("path", text_of(unit, "path"));
	print_line("reason", text_of(unit, "reason"));
	print_line("output", text_of(unit, "output"));
	print_line("size", kd_ctl_text_bytes(text, (uint64_t)number_of(unit, "bytes")));
	print_line("SHA-256", text_of(unit, "sha256"));
	print_line("seen", kd_ctl_text_ago(text, number_of(unit, "created")));
	print_line("updated", kd_ctl_text_ago(text, number_of(unit, "updated")));
	if (json_array_size(json_object_get(unit, "tries")) > 0) {
		putchar('\n');
		print_tries(json_object_get(unit, "tries"));
	}
	if (json_array_size(json_object_get(unit, "outputs")) > 0) {
		putchar('\n');
		print_outputs(json_object_get(unit, "outputs"));
	}
}

int
kd_ctl_show_command(struct kd_ctl *ctl, int argc, char **argv)
{
	int status;
	while (kd_ctl_option(ctl, argc, argv, "", NULL, &status) == KD_CTL_STOP)
		return status;
	if (optind + 1 != argc)
		return kd_ctl_usage(ctl, "expected one unit's number or path");
	json_t *unit = NULL;
	status = kd_ctl_ask(ctl,
		&(struct kd_ctl_question){.command = "show",
			.arguments = kd_ctl_unit_arguments(argv[optind])},
		&unit);
	if (status != KD_CTL_DONE)
		return status;
	if (ctl->json) {
		kd_ctl_ask_print(unit);
		return status;
	}
	print_unit(unit);
	json_decref(unit);
	return status;
}
