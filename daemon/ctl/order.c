/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What administrators command a running kilnd: pause, resume, retry, cancel, prune.
 */
#include "daemon/base/name.h"
#include "daemon/ctl/ask.h"
#include "daemon/ctl/unit.h"
#include "daemon/rules/keys.h"

#include <stdio.h>

static long long
number_of(const json_t *object, const char *key)
{
	return (long long)json_integer_value(json_object_get(object, key));
}

/* Asks, prints the answer when JSON is wanted.  *data is the caller's with KD_CTL_DONE. */
static int
ask(struct kd_ctl *ctl, json_t *arguments, json_t **data)
{
	int status = kd_ctl_ask(ctl,
		&(struct kd_ctl_question){
			.command = ctl->command->name, .arguments = arguments},
		data);
	if (status == KD_CTL_DONE && ctl->json)
		kd_ctl_ask_print(json_incref(*data));
	return status;
}

/* A rule, or nothing, which means everything. */
static int
pause_or_resume(struct kd_ctl *ctl, int argc, char **argv, const char *done)
{
	int status;
	json_t *data = NULL;
	while (kd_ctl_option(ctl, argc, argv, "", NULL, &status) == KD_CTL_STOP)
		return status;
	if (optind + 1 < argc)
		return kd_ctl_usage(
			ctl, "'%s' is one argument too many", argv[optind + 1]);
	const char *rule = optind < argc ? argv[optind] : NULL;
	status = ask(ctl, json_pack("{s:s?}", "rule", rule), &data);
	if (status == KD_CTL_DONE && !ctl->json)
		printf("%s%s%s %s\n", rule == NULL ? "everything" : "rule '",
			rule == NULL ? "" : rule, rule == NULL ? "" : "'", done);
	json_decref(data);
	return status;
}

int
kd_ctl_pause_command(struct kd_ctl *ctl, int argc, char **argv)
{
	return pause_or_resume(ctl, argc, argv, "is paused");
}

int
kd_ctl_resume_command(struct kd_ctl *ctl, int argc, char **argv)
{
	return pause_or_resume(ctl, argc, argv, "goes on");
}

/* Each unit, or the units of a rule; says what became of them. */
static int
for_units(struct kd_ctl *ctl, int argc, char **argv,
	void (*say)(const json_t *answer, const char *what))
{
	static const struct option own[] = {{"rule", required_argument, NULL, 'r'}, {0}};
	int status = KD_CTL_DONE, option;
	const char *rule = NULL;
	while ((option = kd_ctl_option(ctl, argc, argv, "r:", own, &status)) != -1) {
		if (option == KD_CTL_STOP)
			return status;
		rule = optarg;
	}
	if ((rule != NULL) == (optind < argc))
		return kd_ctl_usage(ctl, rule != NULL
						 ? "a rule or units, not both"
						 : "expected units, or a rule with -r");
	status = KD_CTL_DONE;
	for (int i = optind; i < argc || (rule != NULL && i == argc); i++) {
		json_t *data = NULL;
		int one = ask(ctl,
			rule != NULL ? json_pack("{s:s}", "rule", rule)
				     : kd_ctl_unit_arguments(argv[i]),
			&data);
		if (one == KD_CTL_DONE && !ctl->json)
			say(data, rule != NULL ? rule : argv[i]);
		json_decref(data);
		if (one > status)
			status = one;
		if (one == KD_CTL_NO_DAEMON)
			break;
	}
	return status;
}

static void
say_cancelled(const json_t *answer, const char *what)
{
	printf("%s: %lld cancelled, %lld asked to stop\n", KD_NAME(what),
		number_of(answer, "cancelled"), number_of(answer, "stopping"));
}

static void
say_retried(const json_t *answer, const char *what)
{
	printf("%s: %lld tried again\n", KD_NAME(what), number_of(answer, "retried"));
}

int
kd_ctl_cancel_command(struct kd_ctl *ctl, int argc, char **argv)
{
	return for_units(ctl, argc, argv, say_cancelled);
}

int
kd_ctl_retry_command(struct kd_ctl *ctl, int argc, char **argv)
{
	return for_units(ctl, argc, argv, say_retried);
}

int
kd_ctl_prune_command(struct kd_ctl *ctl, int argc, char **argv)
{
	static const struct option own[] = {{"older", required_argument, NULL, 'o'}, {0}};
	int status, option;
	double older = -1;
	json_t *data = NULL;
	while ((option = kd_ctl_option(ctl, argc, argv, "", own, &status)) != -1) {
		if (option == KD_CTL_STOP)
			return status;
		if (kd_keys_duration(optarg, &older) != 0)
			return kd_ctl_usage(ctl,
				"--older: expected a duration such as \"30d\", found "
				"'%s'",
				optarg);
	}
	if (optind < argc)
		return kd_ctl_usage(ctl, "'%s' is one argument too many", argv[optind]);
	status = ask(ctl, older < 0 ? json_object() : json_pack("{s:f}", "older", older),
		&data);
	if (status == KD_CTL_DONE && !ctl->json)
		printf("%lld units are forgotten\n", number_of(data, "forgotten"));
	json_decref(data);
	return status;
}
