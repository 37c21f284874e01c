/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The plugin can write into the pipe itself: what comes out of it is no more than a name
 * out of libseccomp's list.
 */
#include "daemon/worker/denied.h"

#include <seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DIFFERENT = 32, AT_ONCE = 256, TURNS = 64 };

static unsigned
note(int32_t *seen, unsigned count, int32_t number)
{
	for (unsigned i = 0; i < count; i++)
		if (seen[i] == number)
			return count;
	if (count < DIFFERENT)
		seen[count++] = number;
	return count;
}

unsigned
kd_denied_read(int fd, char *text, size_t size)
{
	int32_t numbers[AT_ONCE], seen[DIFFERENT];
	unsigned count = 0, named = 0;
	ssize_t got;
	/* A plugin that writes faster than this is read does not hold us. */
	for (int i = 0; i < TURNS && (got = read(fd, numbers, sizeof numbers)) > 0; i++)
		for (size_t k = 0; k < (size_t)got / sizeof *numbers; k++)
			count = note(seen, count, numbers[k]);
	text[0] = '\0';
	for (unsigned i = 0; i < count; i++) {
		char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, seen[i]);
		size_t used = strlen(text);
		if (name != NULL)
			snprintf(text + used, size - used, "%s%s", used == 0 ? "" : ", ",
				name);
		named += name != NULL;
		free(name);
	}
	return named;
}
