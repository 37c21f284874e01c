/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * catalog_place.c - where kiln-worker and the plugins are.  A build tree is recognised by
 * what lies beside the program, so that build/kilnd runs build/kiln-worker whatever is
 * installed.  The environment (KILN_WORKER, KILN_PLUGINS) wins, for tests and packagers.
 */
#include "daemon/rules/catalog.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Beside the running program, when that is an existing thing of the kind; else NULL. */
static const char *
beside(const char *name, mode_t kind, char path[PATH_MAX])
{
	char program[PATH_MAX];
	struct stat st;
	ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
	if (length <= 0)
		return NULL;
	program[length] = '\0';
	char *slash = strrchr(program, '/');
	if (slash == NULL)
		return NULL;
	*slash = '\0';
	if (snprintf(path, PATH_MAX, "%s/%s", program, name) >= PATH_MAX)
		return NULL;
	return stat(path, &st) == 0 && (st.st_mode & S_IFMT) == kind ? path : NULL;
}

/* secure_getenv: a program that runs with more rights than its caller asks nobody. */
static const char *
place(const char *variable, const char *found, const char *installed)
{
	const char *told = secure_getenv(variable);
	if (told != NULL && told[0] == '/')
		return told;
	return found != NULL ? found : installed;
}

const char *
kd_catalog_worker(void)
{
	static char path[PATH_MAX];
	return place("KILN_WORKER", beside("kiln-worker", S_IFREG, path), KD_WORKER_PATH);
}

const char *
kd_catalog_plugins(void)
{
	static char path[PATH_MAX], worker[PATH_MAX];
	/* Only a build tree has both; an unrelated folder "plugins" beside a program that
	 * somebody copied elsewhere is not ours. */
	int built = beside("kiln-worker", S_IFREG, worker) != NULL;
	return place("KILN_PLUGINS", built ? beside("plugins", S_IFDIR, path) : NULL,
		KD_PLUGINS_PATH);
}
