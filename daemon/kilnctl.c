/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kilnctl: the table of its commands, and which of them was meant.
 */
#include "config.h"

#include "daemon/ctl/ctl.h"
#include "daemon/rules/near.h"

#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct kd_ctl_command commands[] = {
	{"run", "KERNEL [-p KEY=VALUE]... [OPTION]... -o OUT INPUT...",
		"Run a kernel on files now, without a daemon",
		"  -p, --param KEY=VALUE  a parameter, written as in a rule's TOML\n"
		"  -d, --device DEVICE    auto, cpu, cuda or cuda:N (auto)\n"
		"  -j, --threads N        threads to use (as many as there are "
		"processors)\n"
		"  -o, --output OUT       folder for the outputs, made when absent\n"
		"      --repeat N         process N times and tell the median time (1)\n"
		"      --collision WORD   with an older output of the same name: replace "
		"it,\n"
		"                         version (NAME.2) or keep it (replace)\n"
		"      --plugins DIR      where plugins are; may be repeated\n",
		kd_ctl_run_command},
	{"check", "[-c FILE]", "Check a configuration without a daemon", NULL,
		kd_ctl_check_command},
	{"status", "", "Tell how kilnd and its rules fare", NULL, kd_ctl_status_command},
	{"list", "[-r RULE] [-s STATE] [-n N]", "List units, the newest first",
		"  -r, --rule RULE        only this rule's\n"
		"  -s, --status STATE     only those ready, running, deferred, "
		"published,\n"
		"                         skipped, kept, failed, gone or cancelled\n"
		"  -n, --limit N          at most so many (50)\n",
		kd_ctl_list_command},
	{"show", "UNIT | PATH", "Show one unit: its tries, its outputs, why it failed",
		NULL, kd_ctl_show_command},
	{"explain", "PATH", "Tell why something dropped is not processed", NULL,
		kd_ctl_explain_command},
	{"watch", "[-r RULE]", "Show what happens as it happens",
		"  -r, --rule RULE        only this rule's\n", kd_ctl_watch_command},
	{"drop", "RULE PATH... [--wait]", "Drop files or folders into a rule",
		"      --wait             until all are published, or failed\n",
		kd_ctl_drop_command},
	{"retry", "UNIT | PATH... | -r RULE",
		"Try failed, cancelled or deferred units again",
		"  -r, --rule RULE        all that failed of this rule\n",
		kd_ctl_retry_command},
	{"cancel", "UNIT | PATH... | -r RULE", "Cancel units that wait or run",
		"  -r, --rule RULE        all of this rule\n", kd_ctl_cancel_command},
	{"pause", "[RULE]", "Have a rule, or everything, start nothing", NULL,
		kd_ctl_pause_command},
	{"resume", "[RULE]", "Have a rule, or everything, go on", NULL,
		kd_ctl_resume_command},
	{"backup", "FILE", "Save a copy of the ledger", NULL, kd_ctl_backup_command},
	{"prune", "[--older DURATION]", "Have the ledger forget what is old",
		"      --older DURATION   done with for so long (keep of kiln.toml)\n",
		kd_ctl_prune_command},
	{"reload", "[--wait]", "Read the configuration anew",
		"      --wait             until it is in force, or refused with the "
		"reason\n",
		kd_ctl_reload_command},
	{"sync", "[--idle]", "Wait until everything dropped before has been seen",
		"      --idle             and until nothing is settling, ready or "
		"running\n",
		kd_ctl_sync_command},
	{"kernels", "[--plugins DIR]", "List the kernels that plugins offer",
		"      --plugins DIR      where plugins are; may be repeated\n",
		kd_ctl_kernels_command},
	{"describe", "KERNEL [-p KEY=VALUE]...",
		"Describe a kernel's parameters, or what given ones name",
		"  -p, --param KEY=VALUE  a parameter (model=M.pmx lists a model's "
		"bones)\n"
		"      --plugins DIR      where plugins are; may be repeated\n",
		kd_ctl_describe_command},
};
enum { COMMANDS = sizeof commands / sizeof commands[0] };

static void
print_commands(FILE *file)
{
	fputs("usage: kilnctl [--state DIR] [-c FILE] [--json] COMMAND [ARGUMENT]...\n\n",
		file);
	for (unsigned i = 0; i < COMMANDS; i++)
		fprintf(file, "  %-9s  %s\n", commands[i].name, commands[i].summary);
	fputs("\nSee 'kilnctl COMMAND --help' and kilnctl(1).\n", file);
}

static const struct kd_ctl_command *
find_command(const char *name)
{
	struct kd_near near = {.wanted = name};
	for (unsigned i = 0; i < COMMANDS; i++) {
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
		kd_near_offer(&near, commands[i].name);
	}
	kd_ctl_say("there is no command '%s'%s", name, KD_NEAR_HINT(&near));
	fputs("See 'kilnctl --help'.\n", stderr);
	return NULL;
}

/* The options before the command's name: those that all commands take, and --version. */
static int
parse_global(struct kd_ctl *ctl, int argc, char **argv, int *status)
{
	static const struct option all[] = {{"state", required_argument, NULL, 's'},
		{"config", required_argument, NULL, 'c'},
		{"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'}, {0}};
	int option;
	while ((option = getopt_long(argc, argv, "+c:hV", all, NULL)) != -1) {
		switch (option) {
		case 's':
			ctl->state = optarg;
			break;
		case 'c':
			ctl->conf = optarg;
			break;
		case 'j':
			ctl->json = 1;
			break;
		case 'h':
			print_commands(stdout);
			*status = KD_CTL_DONE;
			return 0;
		case 'V':
			puts("kilnctl " PACKAGE_VERSION);
			*status = KD_CTL_DONE;
			return 0;
		default:
			fputs("See 'kilnctl --help'.\n", stderr);
			*status = KD_CTL_USAGE;
			return 0;
		}
	}
	if (optind < argc)
		return 1;
	print_commands(stderr);
	*status = KD_CTL_USAGE;
	return 0;
}

int
main(int argc, char **argv)
{
	struct kd_ctl ctl = {0};
	int status;
	/* Columns are counted in characters, whatever the environment calls them. */
	if (setlocale(LC_CTYPE, "") == NULL || MB_CUR_MAX == 1)
		setlocale(LC_CTYPE, "C.UTF-8");
	signal(SIGPIPE, SIG_IGN);
	if (!parse_global(&ctl, argc, argv, &status))
		return status;
	const char *name = argv[optind];
	if (strcmp(name, "help") == 0) {
		print_commands(stdout);
		return KD_CTL_DONE;
	}
	ctl.command = find_command(name);
	if (ctl.command == NULL)
		return KD_CTL_USAGE;
	argc -= optind;
	argv += optind;
	optind = 0; /* getopt begins anew, behind the command's name */
	status = ctl.command->run(&ctl, argc, argv);
	/* An answer that did not reach its reader, a full disk say, is no success. */
	if (fflush(stdout) != 0 && status == KD_CTL_DONE)
		status = KD_CTL_FAILED;
	return status;
}
