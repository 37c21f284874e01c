/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two commands that wait for kilnd: until its configuration is in force, until it has
 * seen what was dropped.
 */
#include "daemon/ctl/ask.h"

#include <stdio.h>

/* One flag, no arguments; prints what a script may want to read. */
static int
ask_flag(struct kd_ctl *ctl, int argc, char **argv, const char *flag, const char *done)
{
	const struct option own[] = {{flag, no_argument, NULL, 'f'}, {0}};
	int status, option, given = 0;
	while ((option = kd_ctl_option(ctl, argc, argv, "", own, &status)) != -1) {
		if (option == KD_CTL_STOP)
			return status;
		given = 1;
	}
	if (optind < argc)
		return kd_ctl_usage(ctl, "'%s' is one argument too many", argv[optind]);
	json_t *data = NULL;
	status = kd_ctl_ask(ctl,
		&(struct kd_ctl_question){
			.command = ctl->command->name,
			.arguments = json_pack("{s:b}", flag, given),
		},
		&data);
	if (status == KD_CTL_DONE && ctl->json)
		kd_ctl_ask_print(json_incref(data));
	else if (status == KD_CTL_DONE && given)
		puts(done);
	json_decref(data);
	return status;
}

int
kd_ctl_reload_command(struct kd_ctl *ctl, int argc, char **argv)
{
	return ask_flag(ctl, argc, argv, "wait", "the new configuration is in force");
}

int
kd_ctl_sync_command(struct kd_ctl *ctl, int argc, char **argv)
{
	return ask_flag(ctl, argc, argv, "idle", "nothing is left to do");
}
