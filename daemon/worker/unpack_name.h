/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unpack_name.h - names of an archive's entries, as the engine that unpacks and its keeper,
 * which does not believe it, both judge them.
 */
#ifndef KD_UNPACK_NAME_H
#define KD_UNPACK_NAME_H

#include "daemon/worker/manifest.h"

/* Why no file of that name is made beneath a unit's folder, as a predicate; NULL: it may
 * be.  No limit is 0. */
const char *kd_unpack_name_refused(
	const char *name, const struct kd_archive_limits *limits);

#endif
