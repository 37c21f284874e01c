/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * host.h - the host services a plugin is given, as messages to the keeper.  In the engine
 * only; there is one host a process.
 */
#ifndef KD_HOST_H
#define KD_HOST_H

#include "daemon/base/wire.h"
#include "plugins/kiln_plugin.h"

#include <jansson.h>

struct kd_host;

/* Borrows wire, which from now on only the host uses.  NULL: out of memory. */
struct kd_host *kd_host_new(struct kd_wire *wire);
void kd_host_free(struct kd_host *host);

/* What OPEN said: memory budget, threads, device. */
int kd_host_configure(struct kd_host *host, const json_t *open);
const struct kiln_host *kd_host_services(struct kd_host *host);

/* Before process(): so many units, not cancelled, nothing failed.  0 or -ENOMEM. */
int kd_host_begin(struct kd_host *host, uint32_t unit_count);

/* What the plugin gave to fail() last; "" for nothing. */
const char *kd_host_failure(const struct kd_host *host);

/* One message to the keeper, takes body; ends the process when the keeper is gone. */
void kd_host_tell(struct kd_host *host, uint16_t type, json_t *body);
/* The next message that is no CANCEL, blocking; ends the process when the keeper is gone
 * or breaks the protocol. */
void kd_host_receive(struct kd_host *host, struct kd_wire_message *message);

#endif
