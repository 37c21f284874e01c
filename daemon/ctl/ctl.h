/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ctl.h - what kilnctl's commands share: the table's rows, the options every command
 * takes, the exit status.  kilnctl has one thread; its strings are argv's.
 */
#ifndef KD_CTL_H
#define KD_CTL_H

#include <getopt.h>
#include <stddef.h>

/* What scripts rely on. */
enum kd_ctl_status {
	KD_CTL_DONE = 0,      /* all done */
	KD_CTL_FAILED = 1,    /* some unit failed; a configuration is refused */
	KD_CTL_USAGE = 2,     /* wrong use */
	KD_CTL_NO_DAEMON = 3, /* nobody answers at the control socket */
};

struct kd_ctl_command;

struct kd_ctl {
	const struct kd_ctl_command *command; /* that runs */
	const char *state;		      /* --state; NULL: not given */
	const char *conf;		      /* -c */
	int json;			      /* --json */
};

struct kd_ctl_command {
	const char *name;
	const char *arguments; /* of the usage line */
	const char *summary;   /* one line */
	const char *help;      /* its own options, indented; NULL: none */
	/* argv[0] is the command's name.  Returns enum kd_ctl_status. */
	int (*run)(struct kd_ctl *ctl, int argc, char **argv);
};

/* "kilnctl: TEXT" on stderr. */
void kd_ctl_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same, with the way to the command's help; returns KD_CTL_USAGE. */
int kd_ctl_usage(const struct kd_ctl *ctl, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The next option of a command: the value of one of its own (shorts as in getopt(3), own
 * ended by zeros), -1 at the end, KD_CTL_STOP when the command must return *status: help
 * was asked for, or an option is wrong.  The common ones (--state, -c, --json, --help)
 * are seen to in here. */
enum { KD_CTL_STOP = 1000 };
int kd_ctl_option(struct kd_ctl *ctl, int argc, char **argv, const char *shorts,
	const struct option *own, int *status);

void kd_ctl_print_help(const struct kd_ctl_command *command);

/* The commands, one file each (status.c, list.c, ...). */
int kd_ctl_run_command(struct kd_ctl *ctl, int argc, char **argv);
int kd_ctl_check_command(struct kd_ctl *ctl, int argc, char **argv);
int kd_ctl_status_command(struct kd_ctl *ctl, int argc, char **argv);
int kd_ctl_list_command(struct kd_ctl *ctl, int argc, char **argv);
int kd_ctl_show_command(struct kd_ctl *ctl, int argc, char **argv);
int kd_ctl_drop_command(struct kd_ctl *ctl, int argc, char **argv);
int kd_ctl_explain_command(struct kd_ctl *ctl, int argc, char **argv);
int kd_ctl_watch_command(struct kd_ctl *ctl, int argc, char **argv);
int kd_ctl_retry_command(struct kd_ctl *ctl, int argc, char **argv);
int kd_ctl_cancel_command(struct kd_ctl *ctl, int argc, char **argv);
int kd_ctl_pause_command(struct kd_ctl *ctl, int argc, char **argv);
int kd_ctl_resume_command(struct kd_ctl *ctl, int argc, char **argv);
int kd_ctl_backup_command(struct kd_ctl *ctl, int argc, char **argv);
int kd_ctl_prune_command(struct kd_ctl *ctl, int argc, char **argv);
int kd_ctl_reload_command(struct kd_ctl *ctl, int argc, char **argv);
int kd_ctl_sync_command(struct kd_ctl *ctl, int argc, char **argv);
int kd_ctl_kernels_command(struct kd_ctl *ctl, int argc, char **argv);
int kd_ctl_describe_command(struct kd_ctl *ctl, int argc, char **argv);

#endif
