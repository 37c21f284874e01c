/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * catalog.h - the kernels that plugins offer, as data.  kilnd never loads a plugin:
 * `kiln-worker --describe FILE.so` does, in a process of its own below the plugin gate,
 * and prints this JSON:
 *
 *   {"name":s,"version":s,"kernels":[{"name":s,"summary":s,"accepts":["file",...],
 *    "makes":"file"|"directory"|"same","needs":["cuda",...],"inspect":bool,
 *    "params":[{"name":s,"type":"bool"|"integer"|"number"|"string"|"path"|"list"|"json",
 *      "required":bool,"default":s|null,"minimum":n,"maximum":n (both absent: any),
 *      "unit":s|null,"choices":[s,...]|null,"help":s},...]},...]}
 */
#ifndef KD_CATALOG_H
#define KD_CATALOG_H

#include "daemon/base/err.h"

#include <jansson.h>
#include <stdint.h>

struct kd_param_schema {
	char *name;
	uint32_t type; /* enum kiln_type */
	int required;
	char *default_text; /* TOML; NULL: unset */
	int has_range;
	double minimum, maximum;
	char *unit;
	char **choices; /* NULL-ended; NULL: any */
	char *help;
};

struct kd_kernel {
	char *name, *summary;
	char *plugin; /* absolute path of the .so */
	char *plugin_name, *version;
	uint32_t accepts, makes, needs; /* sets and values of kiln_plugin.h */
	int inspects;
	uint32_t param_count;
	struct kd_param_schema *params;
};

struct kd_catalog {
	uint32_t kernel_count;
	struct kd_kernel **kernels; /* sorted by name */
	uint32_t refused_count;	    /* plugins that did not pass the gate, and why */
	struct kd_catalog_refusal {
		char *path, *reason;
	} * refused;
};

/* Describes every *.so of the folders, in order; of two kernels of one name the first
 * counts and the second's plugin is refused.  A folder that is not there is an error,
 * a plugin that is refused is not.  worker: path of kiln-worker. */
int kd_catalog_load(const char *worker, char *const *folders, struct kd_catalog **catalog,
	struct kd_err *err);
/* The catalog for one kernel: where the file KERNEL.so of a folder offers it, the first
 * such alone, which is several times as quick; else all, so that what is like it or was
 * refused can be told.  Whether another file offers it, too, is not asked. */
int kd_catalog_load_for(const char *kernel, const char *worker, char *const *folders,
	struct kd_catalog **catalog, struct kd_err *err);
void kd_catalog_free(struct kd_catalog *catalog);
const struct kd_kernel *kd_catalog_find(
	const struct kd_catalog *catalog, const char *kernel);

/* Where kiln-worker is: beside the running program (a build tree), else as installed.
 * Static storage. */
const char *kd_catalog_worker(void);
/* Where plugins are looked for by default: ditto. */
const char *kd_catalog_plugins(void);

#endif
