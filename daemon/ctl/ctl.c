/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/ctl/ctl.h"

#include "daemon/rules/near.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { OPTION_STATE = 900, OPTION_JSON, OPTION_HELP, MOST_OPTIONS = 24 };

static const struct option common[] = {
	{"state", required_argument, NULL, OPTION_STATE},
	{"config", required_argument, NULL, 'c'},
	{"json", no_argument, NULL, OPTION_JSON},
	{"help", no_argument, NULL, OPTION_HELP},
};

void
kd_ctl_say(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	fputs("kilnctl: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
}

int
kd_ctl_usage(const struct kd_ctl *ctl, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	fprintf(stderr, "kilnctl %s: ", ctl->command->name);
	vfprintf(stderr, format, args);
	fprintf(stderr, "\nusage: kilnctl %s %s\nSee 'kilnctl %s --help'.\n",
		ctl->command->name, ctl->command->arguments, ctl->command->name);
	va_end(args);
	return KD_CTL_USAGE;
}

void
kd_ctl_print_help(const struct kd_ctl_command *command)
{
	printf("usage: kilnctl %s %s\n\n%s.\n\n", command->name, command->arguments,
		command->summary);
	if (command->help != NULL)
		fputs(command->help, stdout);
	fputs("      --json             print JSON\n"
	      "      --state DIR        kilnd's state folder ($KILN_STATE; "
	      "/var/lib/kilnd)\n"
	      "  -c, --config FILE      the configuration (" KILN_CONF ")\n"
	      "  -h, --help             print this\n",
		stdout);
}

static int
wrong_option(const struct kd_ctl *ctl, const char *argument, const struct option *all)
{
	/* getopt has moved past a long option; a wrong letter of a cluster is in optopt.
	 */
	if (optopt != 0 && optopt < 256 && strncmp(argument, "--", 2) != 0)
		return kd_ctl_usage(ctl, "there is no option '-%c'", optopt);
	struct kd_near near = {.wanted = argument + 2};
	for (; all->name != NULL; all++)
		kd_near_offer(&near, all->name);
	if (near.best != NULL)
		return kd_ctl_usage(ctl, "there is no option '%s'; did you mean '--%s'?",
			argument, near.best);
	return kd_ctl_usage(ctl, "there is no option '%s'", argument);
}

int
kd_ctl_option(struct kd_ctl *ctl, int argc, char **argv, const char *shorts,
	const struct option *own, int *status)
{
	struct option all[MOST_OPTIONS] = {0};
	char letters[64];
	size_t count = 0;
	for (; own != NULL && own->name != NULL; own++)
		all[count++] = *own;
	memcpy(all + count, common, sizeof common);
	snprintf(letters, sizeof letters, ":c:h%s", shorts);
	opterr = 0;
	for (;;) {
		int before = optind == 0 ? 1 : optind;
		int option = getopt_long(argc, argv, letters, all, NULL);
		switch (option) {
		case OPTION_STATE:
			ctl->state = optarg;
			break;
		case 'c':
			ctl->conf = optarg;
			break;
		case OPTION_JSON:
			ctl->json = 1;
			break;
		case 'h':
		case OPTION_HELP:
			kd_ctl_print_help(ctl->command);
			*status = KD_CTL_DONE;
			return KD_CTL_STOP;
		case ':':
			*status = kd_ctl_usage(
				ctl, "option '%s' needs a value", argv[optind - 1]);
			return KD_CTL_STOP;
		case '?':
			*status = wrong_option(
				ctl, argv[optind > before ? optind - 1 : before], all);
			return KD_CTL_STOP;
		default:
			return option;
		}
	}
}
