/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gate_check.h - whether what a plugin says of itself can be believed: versions, sizes,
 * texts, schema.  Nothing is read further than it says it reaches.
 */
#ifndef KD_GATE_CHECK_H
#define KD_GATE_CHECK_H

#include "daemon/base/err.h"
#include "plugins/kiln_plugin.h"

/* 0, or -EINVAL with a sentence: what was found, what was expected, what mends it. */
int kd_gate_check(const struct kiln_plugin *plugin, struct kd_err *err);

#endif
