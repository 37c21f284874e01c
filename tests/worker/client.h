/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * client.h - a small blocking client of kiln-worker, and a scratch folder to work in, for
 * tests.  Everything that goes wrong here fails the test at hand.
 */
#ifndef TESTS_WORKER_CLIENT_H
#define TESTS_WORKER_CLIENT_H

#include "daemon/base/wire.h"
#include "daemon/worker/manifest.h"

#include <sys/types.h>

/* base/ in, out, done, failed, plugins/; the plugins are copies that pass the gate. */
struct scratch {
	char base[64];
};
void client_scratch_make(struct scratch *scratch);
void client_scratch_remove(struct scratch *scratch);
/* One for the test at hand, for groups of CLIENT_TEST(). */
extern struct scratch client_scratch;
int client_set_up(void **state);
int client_tear_down(void **state);
#define CLIENT_TEST(name)                                                                \
	cmocka_unit_test_setup_teardown(name, client_set_up, client_tear_down)

/* base/name, in one of eight static buffers. */
const char *client_path(const struct scratch *scratch, const char *name);
void client_write(const struct scratch *scratch, const char *name, const char *text);
/* A file's text, allocated; fails the test when it is absent. */
char *client_read(const struct scratch *scratch, const char *name);
void client_expect_text(
	const struct scratch *scratch, const char *name, const char *expected);
void client_mkdir(const struct scratch *scratch, const char *name);
int client_exists(const struct scratch *scratch, const char *name);

/* A manifest for a kernel of plugins/PLUGIN.so on units below base/in.  A name that ends
 * in '/' is a directory.  names is NULL-ended. */
void client_manifest(struct kd_manifest *manifest, const struct scratch *scratch,
	const char *plugin, const char *kernel, const char *const *names);

/* One unit of that kind for the kernel copy; a bundle's main files are *.obj and *.fbx. */
void client_manifest_unit(struct kd_manifest *manifest, const struct scratch *scratch,
	uint32_t kind, const char *path);
/* Files by number, each holding its own name as given. */
void client_write_frames(
	const struct scratch *scratch, const char *pattern, int from, int to);

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

/* Starts a keeper, runs one batch, ends it; clears the manifest. */
void client_once(struct kd_manifest *manifest, struct kd_result *result);

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
