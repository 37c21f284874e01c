/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * client.h - a small blocking client of kiln-worker, for tests in a scratch folder.
 * Everything that goes wrong here fails the test at hand.
 */
#ifndef TESTS_WORKER_CLIENT_H
#define TESTS_WORKER_CLIENT_H

#include "daemon/base/wire.h"
#include "daemon/worker/manifest.h"

#include <sys/types.h>

/* A manifest for a kernel of plugins/PLUGIN.so on units below in/.  A name that ends
 * in '/' is a directory.  names is NULL-ended. */
void client_manifest(struct kd_manifest *manifest, const char *plugin, const char *kernel,
	const char *const *names);

/* One unit of that kind for the kernel copy; a bundle's main files are *.obj and *.fbx. */
void client_manifest_unit(struct kd_manifest *manifest, uint32_t kind, const char *path);

struct client {
	uid_t user; /* to run as; 0: stays who we are */
	pid_t keeper;
	struct kd_wire *wire;
	json_t *log; /* strings */
	/* Called for each message of the keeper's; nonzero ends client_run() at once with
	 * that value.  May be NULL. */
	int (*hook)(struct client *client, const struct kd_wire_message *message);
	void *context;
	int seen;	  /* messages so far */
	int again;	  /* verdicts say "again" */
	const char *same; /* verdicts say: same as this */
	int late;	  /* verdicts wait until the engine has told progress */
	json_t *held;	  /* they */
	int progressed;
};

void client_start(struct client *client);
/* 0 and a result; the hook's value; or a negative errno when the keeper is gone. */
int client_run(struct client *client, const struct kd_manifest *manifest,
	struct kd_result *result);
/* FINISH for the first `count` units; the list of failures (decref it). */
json_t *client_finish(struct client *client, uint32_t count);
void client_cancel(struct client *client);
/* Closes the link and waits: the wait status. */
int client_stop(struct client *client);
/* The engine's pid; 0 while there is none. */
pid_t client_engine(const struct client *client);

/* A keeper and the batch that it is given, from its beginning to its end. */
struct client_batch {
	struct client client; /* as it is to be started */
	struct kd_manifest manifest;
	struct kd_result result;
};
/* Starts the keeper and runs the batch: there is a result. */
void client_batch_run(struct client_batch *batch);
/* The batch once more, as its manifest is now, by the same keeper. */
void client_batch_run_again(struct client_batch *batch);
/* Ends the keeper, which must end well, and frees all that it was given and gave. */
void client_batch_end(struct client_batch *batch);

/* Starts a keeper, runs one batch, ends it; clears the manifest. */
void client_once(struct kd_manifest *manifest, struct kd_result *result);
/* As that, where all there is to see of the result is what client_expect() sees. */
void client_expect_once(struct kd_manifest *manifest, uint32_t unit,
	enum kd_status status, const char *reason);

/* As that, with a FINISH for the first unit, which must not fail. */
void client_run_and_finish(struct kd_manifest *manifest, struct kd_result *result);
/* Of client_finish(), whose list this takes. */
void client_expect_no_failures(json_t *failed);

/* Fails unless the unit has that status and a reason that contains `reason`. */
void client_expect(const struct kd_result *result, uint32_t unit, enum kd_status status,
	const char *reason);
/* Fails unless the unit is published, and what the sidecar says is true of the files. */
void client_expect_published(const struct kd_result *result, uint32_t unit);

#endif
