/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * session.h - one keeper for one batch, waited for: how `kilnctl run` works without any
 * daemon.  The same protocol as pool.h speaks, blocking.
 */
#ifndef KD_SESSION_H
#define KD_SESSION_H

#include "daemon/base/err.h"
#include "daemon/worker/manifest.h"

#include <jansson.h>
#include <stdint.h>

struct kd_session_options {
	const char *worker; /* path of kiln-worker */
	/* Becomes readable when the batch is to be cancelled (a signalfd of SIGINT: each
	 * reading is one request).  The first one asks the keeper to stop, and the result
	 * says what was finished; the second one kills it.  -1: none. */
	int cancel_fd;
	/* Both may be NULL. unit: its index in the manifest. text: escaped. */
	void (*progress)(void *context, uint32_t unit, uint64_t done, uint64_t total);
	void (*log)(void *context, int level, const char *text);
	void *context;
};

/* Runs every unit of the manifest and lets their inputs go as it says.  0 and *result
 * (the caller clears it), whatever became of the units; negative when there is no result:
 * the worker could not be started, broke the protocol, died or was killed (-EINTR). */
int kd_session_run(const struct kd_session_options *options,
	const struct kd_manifest *manifest, struct kd_result *result, struct kd_err *err);

/* `kiln-worker --inspect` (worker/protocol.h): what the kernel tells about its
 * parameters. manifest needs no units.  *facts is an object; the caller decrefs it. */
int kd_session_inspect(const char *worker, const struct kd_manifest *manifest,
	json_t **facts, struct kd_err *err);

#endif
