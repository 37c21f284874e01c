/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rule.h - the configuration: kiln.toml and the rules of its rules.d/, checked whole.
 * Immutable once loaded; counted, because batches outlive a reload.
 *
 * Every error reads FILE:LINE:COLUMN: what was expected and what was found.
 */
#ifndef KD_RULE_H
#define KD_RULE_H

#include "daemon/base/err.h"
#include "daemon/base/hash.h"
#include "daemon/rules/catalog.h"
#include "daemon/rules/people.h"
#include "daemon/worker/manifest.h"

#include <jansson.h>
#include <stdint.h>

enum kd_ready { KD_READY_QUIET, KD_READY_MARKER, KD_READY_COUNT, KD_READY_RENAME };
enum kd_gaps { KD_GAPS_REFUSE, KD_GAPS_ALLOW, KD_GAPS_WAIT };
enum kd_batch_by { KD_BATCH_PARENT, KD_BATCH_REGEX, KD_BATCH_ALL };
enum kd_layout { KD_LAYOUT_MIRROR, KD_LAYOUT_FLAT };
enum kd_same { KD_SAME_SKIP, KD_SAME_RUN };

/* Durations are seconds; sizes bytes.  0 means none where a limit can be absent. */
struct kd_rule {
	char *name;
	char *file; /* where it stands, for messages */
	int line, column;
	char revision[KD_HASH_HEX]; /* of kernel, plugin version, params, device class and
				       all that changes what is published; not of settle
				       or batch sizes */
	char *watch;		    /* absolute, no trailing '/' */
	char *mount; /* absolute: must be a mount point for watch to count; or NULL */
	char **match, **ignore; /* NULL-ended fnmatch(3) patterns of the base name */
	int recursive;
	uint32_t unit; /* enum kiln_unit_kind; KD_UNIT_ARCHIVE */
	double settle;
	enum kd_ready ready;
	char *marker;	/* with KD_READY_MARKER */
	uint32_t count; /* with KD_READY_COUNT */
	struct {
		int64_t first, last; /* -1: not said */
		enum kd_gaps gaps;
		double wait;
	} sequence;
	struct {
		enum kd_batch_by by;
		char *regex;
		uint32_t max_units;
		uint64_t max_bytes;
		double max_wait;
	} batch;
	uint32_t backlog; /* drops in hand at once, from the first look to the end */
	const struct kd_kernel *kernel; /* in the configuration's catalog */
	char *device;
	uint32_t workers;
	int32_t priority;
	double idle;
	struct {
		uint64_t memory, output;
		double wall;
	} limits;
	struct kd_archive_limits archive; /* of unit = "archive"; 0: the default */
	uint32_t needs;
	char *executor; /* "local"; "slurm" is refused until it is built */
	char *output;	/* absolute */
	enum kd_layout layout;
	enum kd_collision collision;
	enum kd_same same;
	uint32_t mode;
	char *group; /* NULL: the daemon's */
	enum kd_inputs inputs;
	char *done; /* with KD_INPUTS_MOVE */
	struct {
		uint32_t max;
		double backoff_least, backoff_most;
	} retries;
	char *quarantine; /* NULL: stays in place */
	uint64_t low_water;
	char **droppers; /* NULL-ended, as conf's: who may drop into this rule */
	struct kd_people may_drop; /* they */
	json_t *params;		   /* full: see params.h */
};

struct kd_conf {
	int references;
	char *file;	    /* absolute path of kiln.toml */
	char *state;	    /* absolute: ledger, control socket */
	char **plugins;	    /* NULL-ended folders */
	uint32_t workers;   /* keepers at once over all rules */
	uint32_t threads;   /* threads of one engine */
	int log_level;	    /* enum kd_log_level */
	uint32_t gpu_slots; /* batches that may use a GPU at once */
	double keep; /* seconds the ledger remembers what is done with; 0: for ever */
	/* NULL-ended user or @group names: who may command, besides root and the daemon's
	 * own user, and who may drop into every rule. */
	char **admins, **droppers;
	struct kd_people may_command, may_drop; /* they */
	struct kd_catalog *catalog;
	uint32_t rule_count;
	struct kd_rule **rules; /* sorted by name */
};

struct kd_conf_options {
	const char *file;
	const char *state; /* overrides the file's; NULL: not */
	int check_paths;   /* path parameters must exist (kilnctl check, reload, start) */
};

/* Loads and checks everything, or nothing: *conf is untouched on failure. */
int kd_conf_load(
	const struct kd_conf_options *options, struct kd_conf **conf, struct kd_err *err);
struct kd_conf *kd_conf_ref(struct kd_conf *conf);
void kd_conf_unref(struct kd_conf *conf); /* NULL is fine */
const struct kd_rule *kd_conf_rule(const struct kd_conf *conf, const char *name);

#endif
