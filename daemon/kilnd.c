/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kilnd - the daemon's main: options, signals, the loop.
 */
#include "config.h"

#include "daemon/base/log.h"
#include "daemon/kiln.h"

#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
	"usage: kilnd [-c FILE] [--state DIR] [--foreground] [--log auto|stderr|syslog]\n"
	"\n"
	"Watches drop folders and runs kernels on what arrives in them.  kilnd never "
	"goes into\n"
	"the background by itself: systemd, or your shell, does that.\n"
	"\n"
	"  -c, --config FILE   configuration (default " KILN_CONF ")\n"
	"      --state DIR     ledger and control socket, instead of the "
	"configuration's\n"
	"      --foreground    log to stderr\n"
	"      --log TARGET    auto: the journal when started by systemd, else stderr on "
	"a\n"
	"                      terminal, else syslog\n"
	"      --version       print the version\n"
	"\n"
	"Signals: SIGHUP reloads, SIGTERM and SIGINT stop.  Exit status: 0 stopped, 1 "
	"could\n"
	"not start, 2 wrong use.  See kilnd(8) and kilnctl(1).\n";

enum { OPTION_STATE = 256, OPTION_FOREGROUND, OPTION_LOG, OPTION_HELP, OPTION_VERSION };

struct arguments {
	struct kd_kiln_options kiln;
	enum kd_log_target log;
};

static int
parse_log(const char *word, enum kd_log_target *target)
{
	static const char *const words[] = {[KD_LOG_AUTO] = "auto",
		[KD_LOG_STDERR] = "stderr",
		[KD_LOG_SYSLOG] = "syslog"};
	for (int i = 0; i < 3; i++) {
		if (strcmp(words[i], word) == 0) {
			*target = (enum kd_log_target)i;
			return 0;
		}
	}
	fprintf(stderr, "kilnd: --log: expected auto, stderr or syslog, found '%s'\n",
		word);
	return -1;
}

/* 0 go on, 1 done, 2 wrong use. */
static int
parse(int argc, char **argv, struct arguments *arguments)
{
	static const struct option options[] = {
		{"config", required_argument, NULL, 'c'},
		{"state", required_argument, NULL, OPTION_STATE},
		{"foreground", no_argument, NULL, OPTION_FOREGROUND},
		{"log", required_argument, NULL, OPTION_LOG},
		{"help", no_argument, NULL, OPTION_HELP},
		{"version", no_argument, NULL, OPTION_VERSION},
		{0},
	};
	int c;
	while ((c = getopt_long(argc, argv, "c:", options, NULL)) != -1) {
		switch (c) {
		case 'c':
			arguments->kiln.file = optarg;
			break;
		case OPTION_STATE:
			arguments->kiln.state = optarg;
			break;
		case OPTION_FOREGROUND:
			arguments->log = KD_LOG_STDERR;
			break;
		case OPTION_LOG:
			if (parse_log(optarg, &arguments->log) < 0)
				return 2;
			break;
		case OPTION_HELP:
			fputs(usage, stdout);
			return 1;
		case OPTION_VERSION:
			puts("kilnd " PACKAGE_VERSION);
			return 1;
		default:
			fputs("See kilnd --help.\n", stderr);
			return 2;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "kilnd: expected no further argument, found '%s'\n",
			argv[optind]);
		return 2;
	}
	return 0;
}

static void
on_reload(struct ev_loop *loop, ev_signal *signal, int events)
{
	(void)loop;
	(void)events;
	kd_kiln_reload(signal->data);
}

static void
on_stop(struct ev_loop *loop, ev_signal *signal, int events)
{
	(void)loop;
	(void)events;
	kd_kiln_stop(signal->data);
}

/* Descriptors 0 to 2 are always open, so that nothing of ours ever becomes one. */
static void
fill_standard_descriptors(void)
{
	int fd;
	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= 2);
	if (fd > 2)
		close(fd);
}

static void
run(struct ev_loop *loop, struct kd_kiln *kiln)
{
	ev_signal hup, term, interrupt;
	ev_signal_init(&hup, on_reload, SIGHUP);
	ev_signal_init(&term, on_stop, SIGTERM);
	ev_signal_init(&interrupt, on_stop, SIGINT);
	hup.data = term.data = interrupt.data = kiln;
	ev_signal_start(loop, &hup);
	ev_signal_start(loop, &term);
	ev_signal_start(loop, &interrupt);
	ev_run(loop, 0);
	ev_signal_stop(loop, &hup);
	ev_signal_stop(loop, &term);
	ev_signal_stop(loop, &interrupt);
}

int
main(int argc, char **argv)
{
	struct arguments arguments = {.kiln = {.file = KILN_CONF}, .log = KD_LOG_AUTO};
	int done = parse(argc, argv, &arguments);
	if (done != 0)
		return done == 1 ? 0 : 2;
	fill_standard_descriptors();
	signal(SIGPIPE, SIG_IGN);
	kd_log_open("kilnd", arguments.log, KD_INFO);
	struct ev_loop *loop = ev_default_loop(0);
	struct kd_kiln *kiln;
	struct kd_err err = {0};
	if (loop == NULL || kd_kiln_new(loop, &arguments.kiln, &kiln, &err) < 0) {
		kd_log(KD_ERROR, "cannot start: %s",
			loop == NULL ? "no event loop is to be had" : err.text);
		return 1;
	}
	run(loop, kiln);
	kd_kiln_free(kiln);
	ev_loop_destroy(loop);
	kd_log(KD_INFO, "kilnd stopped");
	return 0;
}
