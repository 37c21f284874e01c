/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A kernel on files, now: the same keeper, engine and publisher as kilnd's, without it.
 */
#include "daemon/ctl/ask.h"
#include "daemon/ctl/bar.h"
#include "daemon/ctl/kernels.h"
#include "daemon/ctl/report.h"

#include "daemon/base/name.h"
#include "daemon/rules/params.h"
#include "daemon/work/session.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { MOST_THREADS = 1024, MOST_REPEATS = 100000 };

struct run {
	struct kd_ctl *ctl;
	struct kd_ctl_folders folders;
	struct kd_ctl_wish wish;
	json_t *given; /* -p */
	const struct kd_ctl_plan *plan;
	double *fractions; /* of each unit */
	struct kd_ctl_bar bar;
};

static uint32_t
parse_number(const char *text, uint32_t most)
{
	char *end;
	errno = 0;
	unsigned long number = strtoul(text, &end, 10);
	return errno == 0 && end != text && *end == '\0' && text[0] != '-' &&
			       number <= most
		       ? (uint32_t)number
		       : 0;
}

static int
is_device(const char *text)
{
	return strcmp(text, "auto") == 0 || strcmp(text, "cpu") == 0 ||
	       strcmp(text, "cuda") == 0 ||
	       (strncmp(text, "cuda:", 5) == 0 && text[5] != '\0' &&
		       strspn(text + 5, "0123456789") == strlen(text + 5));
}

static uint32_t
processors(void)
{
	cpu_set_t set;
	int count = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
	return count < 1 ? 1 : (uint32_t)count;
}

/* One option of run's own: 0, or KD_CTL_USAGE. */
static int
take_collision(struct run *run, const char *word)
{
	static const char *const words[] = {[KD_COLLISION_VERSION] = "version",
		[KD_COLLISION_KEEP] = "keep",
		[KD_COLLISION_REPLACE] = "replace"};
	for (int i = 0; i < 3; i++) {
		if (strcmp(words[i], word) == 0) {
			run->wish.collision = (enum kd_collision)i;
			return 0;
		}
	}
	return kd_ctl_usage(run->ctl,
		"--collision: expected replace, version or keep, found '%s'", word);
}

static int
take_option(struct run *run, int option)
{
	struct kd_err err = {0};
	switch (option) {
	case 'p':
		if (kd_params_parse_argument(optarg, run->given, &err) < 0)
			return kd_ctl_usage(run->ctl, "-p %s: %s", optarg, err.text);
		break;
	case 'd':
		if (!is_device(optarg))
			return kd_ctl_usage(run->ctl,
				"-d: expected auto, cpu, cuda or cuda:N, found '%s'",
				optarg);
		run->wish.device = optarg;
		break;
	case 'j':
		run->wish.threads = parse_number(optarg, MOST_THREADS);
		if (run->wish.threads == 0)
			return kd_ctl_usage(run->ctl, "-j: expected 1 to %d, found '%s'",
				MOST_THREADS, optarg);
		break;
	case 'R':
		run->wish.repeat = parse_number(optarg, MOST_REPEATS);
		if (run->wish.repeat == 0)
			return kd_ctl_usage(run->ctl,
				"--repeat: expected 1 to %d, found '%s'", MOST_REPEATS,
				optarg);
		break;
	case 'o':
		run->wish.out = optarg;
		break;
	case 'x':
		return take_collision(run, optarg);
	case 'P':
		return kd_ctl_kernels_folder(run->ctl, &run->folders, optarg);
	}
	return 0;
}

static int
parse(struct run *run, int argc, char **argv, int *status)
{
	static const struct option own[] = {{"param", required_argument, NULL, 'p'},
		{"device", required_argument, NULL, 'd'},
		{"threads", required_argument, NULL, 'j'},
		{"repeat", required_argument, NULL, 'R'},
		{"output", required_argument, NULL, 'o'},
		{"collision", required_argument, NULL, 'x'},
		{"plugins", required_argument, NULL, 'P'}, {0}};
	int option;
	while ((option = kd_ctl_option(run->ctl, argc, argv, "p:d:j:o:", own, status)) !=
		-1) {
		if (option == KD_CTL_STOP)
			return -1;
		*status = take_option(run, option);
		if (*status != 0)
			return -1;
	}
	*status = KD_CTL_USAGE;
	if (optind >= argc)
		kd_ctl_usage(run->ctl, "expected a kernel and inputs");
	else if (optind + 1 >= argc)
		kd_ctl_usage(run->ctl, "expected at least one input");
	else if (run->wish.out == NULL)
		kd_ctl_usage(run->ctl, "expected -o OUT, where the outputs go");
	else
		return 0;
	return -1;
}

static void
on_progress(void *context, uint32_t unit, uint64_t done, uint64_t total)
{
	struct run *run = context;
	const struct kd_manifest *manifest = &run->plan->manifest;
	double sum = 0;
	uint32_t finished = 0;
	if (run->fractions == NULL)
		return;
	run->fractions[unit] = total > 0 ? (double)done / (double)total : 0;
	if (!kd_ctl_bar_due(&run->bar))
		return;
	for (uint32_t i = 0; i < manifest->unit_count; i++) {
		sum += run->fractions[i];
		finished += run->fractions[i] >= 1;
	}
	char text[300];
	snprintf(text, sizeof text, "%u of %u  %s", finished, manifest->unit_count,
		KD_NAME(kd_name_base(manifest->units[unit].path)));
	kd_ctl_bar_clear(&run->bar);
	kd_ctl_bar_line(&run->bar, sum / manifest->unit_count, text);
}

static void
on_log(void *context, int level, const char *text)
{
	struct run *run = context;
	if (level > 4) /* what a plugin says for the record is not for the terminal */
		return;
	kd_ctl_bar_clear(&run->bar);
	kd_ctl_say("%s", text);
}

/* SIGINT and SIGTERM become readable, so that the batch ends tidily. */
static int
open_cancel(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* A run that had no result counts every unit as failed, for one reason. */
static void
run_units(struct run *run, struct kd_result *result)
{
	const struct kd_manifest *manifest = &run->plan->manifest;
	struct kd_err err = {0};
	struct kd_session_options options = {
		.worker = kd_catalog_worker(),
		.cancel_fd = open_cancel(),
		.progress = on_progress,
		.log = on_log,
		.context = run,
	};
	run->fractions = calloc(manifest->unit_count, sizeof *run->fractions);
	kd_ctl_bar_begin(&run->bar, stderr);
	if (kd_session_run(&options, manifest, result, &err) < 0) {
		*result = (struct kd_result){.failure = strdup(err.text)};
		kd_ctl_bar_clear(&run->bar);
		kd_ctl_say("%s", err.text);
	}
	kd_ctl_bar_clear(&run->bar);
	free(run->fractions);
	if (options.cancel_fd >= 0)
		close(options.cancel_fd);
}

static int
execute(struct run *run)
{
	struct kd_ctl_plan plan;
	struct kd_result result = {0};
	struct kd_err err = {0};
	int rc = kd_ctl_plan_make(&run->wish, &plan, &err);
	if (rc < 0) {
		kd_ctl_say("%s", err.text);
		return rc == -EINVAL ? KD_CTL_USAGE : KD_CTL_FAILED;
	}
	run->plan = &plan;
	if (plan.manifest.unit_count > 0)
		run_units(run, &result);
	if (run->ctl->json)
		kd_ctl_ask_print(kd_ctl_report_json(&plan, &result));
	else
		kd_ctl_report_print(&plan, &result);
	int status =
		kd_ctl_report_failures(&plan, &result) > 0 ? KD_CTL_FAILED : KD_CTL_DONE;
	kd_manifest_result_clear(&result);
	kd_ctl_plan_clear(&plan);
	return status;
}

/* With the catalog at hand: the kernel and its parameters. */
static int
prepare(struct run *run, const struct kd_catalog *catalog, const char *kernel)
{
	struct kd_err err = {0};
	json_t *params = NULL;
	run->wish.kernel = kd_ctl_kernels_find(run->ctl, catalog, kernel);
	if (run->wish.kernel == NULL)
		return KD_CTL_USAGE;
	struct kd_params_input input = {
		.kernel = run->wish.kernel,
		.given = run->given,
		.base = ".",
		.exists = 1,
	};
	char *folder = getcwd(NULL, 0);
	if (folder != NULL)
		input.base = folder;
	int rc = kd_params_check(&input, &params, &err);
	free(folder);
	if (rc < 0) {
		kd_ctl_say("%s (see 'kilnctl describe %s')", err.text, kernel);
		return KD_CTL_USAGE;
	}
	run->wish.params = params;
	int status = execute(run);
	json_decref(params);
	return status;
}

int
kd_ctl_run_command(struct kd_ctl *ctl, int argc, char **argv)
{
	struct run run = {
		.ctl = ctl,
		.wish = {.device = "auto",
			.threads = processors(),
			.repeat = 1,
			.collision = KD_COLLISION_REPLACE},
		.given = json_object(),
	};
	int status;
	if (parse(&run, argc, argv, &status) == 0) {
		run.wish.inputs = argv + optind + 1;
		run.wish.input_count = (uint32_t)(argc - optind - 1);
		struct kd_catalog *catalog =
			kd_ctl_kernels_load(&run.folders, argv[optind]);
		status = catalog == NULL ? KD_CTL_FAILED
					 : prepare(&run, catalog, argv[optind]);
		kd_catalog_free(catalog);
	}
	json_decref(run.given);
	return status;
}
