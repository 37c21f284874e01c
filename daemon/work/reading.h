/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reading.h - a worker's result, read aside: one of many units, or of units of many files,
 * takes longer than kilnd's loop may be busy.
 */
#ifndef KD_READING_H
#define KD_READING_H

#include "daemon/worker/manifest.h"

#include <ev.h>

struct kd_reading;

/* On the loop, once: 0 and the result, which is borrowed; or a negative errno, -EPROTO for
 * what is no result.  The reading is over by then and must not be ended. */
typedef void kd_reading_fn(void *context, int rc, const struct kd_result *result);

/* Begins to read the result in fd, of which it has a copy of its own.  NULL with errno. */
struct kd_reading *kd_reading_begin(
	struct ev_loop *loop, int fd, kd_reading_fn *done, void *context);
/* Ends it without a call, and waits until the thread has gone.  NULL is fine. */
void kd_reading_end(struct kd_reading *reading);

#endif
