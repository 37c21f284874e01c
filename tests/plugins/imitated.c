/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vmd-fk with an imitation in place of a GPU, for run-plugin.  The environment says how it
 * behaves: IMITATION="memory=BYTES open=1 launch=N wait=N wrong=1", see imitation.h; what
 * it met is told on stderr at the end.
 */
#include "plugins/vmd-fk/variant.h"
#include "tests/kernels/imitation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned long
setting(const char *name)
{
	const char *settings = getenv("IMITATION");
	const char *found = settings == NULL ? NULL : strstr(settings, name);
	return found == NULL ? 0 : strtoul(found + strlen(name), NULL, 10);
}

__attribute__((constructor)) static void
begin(void)
{
	imitation.memory = setting("memory=");
	imitation.fail_open = (uint32_t)setting("open=");
	imitation.fail_launch = (uint32_t)setting("launch=");
	imitation.fail_wait = (uint32_t)setting("wait=");
	imitation.wrong = (int)setting("wrong=");
	fk_variant_device = &imitation_device;
}

__attribute__((destructor)) static void
end(void)
{
	fprintf(stderr,
		"imitation: launches %u waits %u refusals %zu peak %zu left %zu rooms %u "
		"streams %u pinned %u\n",
		imitation.launches, imitation.waits, imitation.refusals,
		imitation.most_reserved, imitation.reserved, imitation.rooms,
		imitation.streams, imitation.pinned);
}
