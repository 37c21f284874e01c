/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * host.h - a stand-in for kiln's engine: loads a plugin in this very process, without any
 * confinement, hands it plain files and writes what it makes into a folder.  It notes
 * everything that it is told and can be made to fail or to cancel.
 */
#ifndef T_HOST_H
#define T_HOST_H

#include "plugins/kiln_plugin.h"

#include <stdio.h>

struct t_unit_result {
	int done; /* how often done() was called */
	uint32_t klass;
	char reason[2048];
	uint32_t warnings, primaries, companions;
	uint64_t progress_done, progress_total;
};

struct t_host {
	struct kiln_host host; /* must stay first */
	void *library;
	const struct kiln_kernel *kernel;
	void *state;
	const char *folder;	  /* where outputs go */
	const char *const *paths; /* of the units */
	uint32_t path_count;
	struct t_unit_result *results; /* one a unit, of the last batch */
	int cancel_after; /* cancelled() says yes after so many questions; -1: never */
	uint64_t frames;
	double seconds;
	char failure[2048];
	FILE *report; /* one line for everything told: "warn 0 ...", "meta 0 key json" */
	struct kiln_params params;
};

/* Loads a plugin and takes its kernel of that name.  settings are "key=value" texts in
 * the form that the schema's defaults have (lists: "[a, b]" without quotes, or one word).
 * 0 or -1 with a sentence on stderr. */
int t_host_load(struct t_host *host, const char *library, const char *kernel);
int t_host_set(struct t_host *host, const char *const *settings, unsigned count);
int t_host_open(struct t_host *host);
int t_host_inspect(struct t_host *host);
/* paths: one file or folder a unit; the unit's stem is its name up to the last dot.  What
 * it makes lies in host->folder, and in folders beneath. */
int t_host_process(struct t_host *host, const char *const *paths, uint32_t count);
void t_host_close(struct t_host *host);

#endif
