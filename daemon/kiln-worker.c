/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kiln-worker - keeper and engine in one program, so that a keeper can start its engine
 * as /proc/self/exe and needs no path to it.
 */
#include "daemon/base/log.h"
#include "daemon/worker/describe.h"
#include "daemon/worker/drop.h"
#include "daemon/worker/engine.h"
#include "daemon/worker/inspect.h"
#include "daemon/worker/keeper.h"
#include "daemon/worker/unpack_engine.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int
usage(void)
{
	fputs("usage: kiln-worker                                 serve descriptor 3\n"
	      "       kiln-worker --describe FILE.so              print what a plugin "
	      "offers\n"
	      "       kiln-worker --inspect                       tell about the "
	      "parameters of\n"
	      "                                                   the manifest at "
	      "descriptor 3\n"
	      "       kiln-worker --drop FOLDER                   put what descriptor 3 "
	      "brings\n"
	      "                                                   into a drop folder\n"
	      "       kiln-worker --manifest FILE --result FILE   run one batch\n",
		stderr);
	return 2;
}

int
main(int argc, char **argv)
{
	/* Later there is no /dev/urandom to take the seed from. */
	json_object_seed(0);
	kd_log_open("kiln-worker", KD_LOG_AUTO, KD_INFO);
	if (argc == 1)
		return kd_keeper_main();
	if (strcmp(argv[1], "--engine") == 0 && argc >= 3)
		return kd_engine_main((uint32_t)strtoul(argv[2], NULL, 10), argc > 3);
	if (strcmp(argv[1], "--unpack") == 0 && argc == 2)
		return kd_unpack_engine_main();
	if (strcmp(argv[1], "--describe") == 0 && argc == 3)
		return kd_describe_main(argv[2]);
	if (strcmp(argv[1], "--inspect") == 0 && argc == 2)
		return kd_inspect_main();
	if (strcmp(argv[1], "--drop") == 0 && argc == 3)
		return kd_drop_main(argv[2]);
	if (argc == 5 && strcmp(argv[1], "--manifest") == 0 &&
		strcmp(argv[3], "--result") == 0)
		return kd_keeper_standalone(argv[2], argv[4]);
	return usage();
}
