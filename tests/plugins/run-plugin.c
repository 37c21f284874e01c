/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * run-plugin LIBRARY KERNEL [-i] [-b BYTES] [-c QUESTIONS] [-d DEVICE] [-j THREADS]
 *            [-o FOLDER] [-p KEY=VALUE]... FILE... - runs a kernel on files as one batch, without kiln, and tells what
 * it told.  -i inspects instead; -b sets the memory budget; -c cancels after so many
 * questions; -d asks for a device by name, with a + before it as if kiln had chosen it.  Exit status: 0 when every unit got exactly one verdict.
 */
#include "tests/plugins/host.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int
run(struct t_host *host, const char *const *paths, uint32_t count)
{
	int status = t_host_open(host) < 0;
	if (status != 0)
		return 3;
	status = t_host_process(host, paths, count) < 0 ? 4 : 0;
	for (uint32_t i = 0; i < count; i++) {
		const struct t_unit_result *result = &host->results[i];
		printf("unit %u class %u primaries %u companions %u progress %llu/%llu\n",
			i, result->klass, result->primaries, result->companions,
			(unsigned long long)result->progress_done,
			(unsigned long long)result->progress_total);
		if (result->done != 1)
			status = 5;
	}
	printf("kernel %llu frames in %.6f s\n", (unsigned long long)host->frames,
		host->seconds);
	return status;
}

int
main(int argc, char **argv)
{
	struct t_host host;
	const char *settings[64];
	unsigned setting_count = 0;
	int inspect = 0, option;
	if (argc < 3 || t_host_load(&host, argv[1], argv[2]) < 0)
		return 2;
	host.report = stdout;
	optind = 3;
	while ((option = getopt(argc, argv, "ib:c:d:j:o:p:")) != -1) {
		if (option == 'i')
			inspect = 1;
		else if (option == 'b')
			host.host.memory_budget = strtoull(optarg, NULL, 10);
		else if (option == 'c')
			host.cancel_after = atoi(optarg);
		else if (option == 'd') {
			host.host.device_asked = optarg[0] != '+';
			host.host.device = optarg + (optarg[0] == '+');
		} else if (option == 'j')
			host.host.threads = (uint32_t)atoi(optarg);
		else if (option == 'o')
			host.folder = optarg;
		else if (option == 'p' && setting_count < 64)
			settings[setting_count++] = optarg;
		else
			return 2;
	}
	if (t_host_set(&host, settings, setting_count) < 0)
		return 2;
	int status = inspect ? (t_host_inspect(&host) < 0 ? 3 : 0)
			     : run(&host, (const char *const *)argv + optind,
				       (uint32_t)(argc - optind));
	fflush(stdout);
	t_host_close(&host);
	return status;
}
