/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * publish_unit.h - one unit on its way out: what all the steps of publishing (publish.h)
 * hand on to each other.
 */
#ifndef KD_PUBLISH_UNIT_H
#define KD_PUBLISH_UNIT_H

#include "daemon/publish/sidecar.h"
#include "daemon/worker/manifest.h"

#include <jansson.h>
#include <stdint.h>

struct kd_publish_unit {
	uint32_t number;  /* its folder in the stage */
	int directory;	  /* its output is that folder as a whole */
	int again;	  /* see kd_sidecar_matches() */
	const char *stem; /* a directory's name; what a file's name begins with */
	struct kd_sidecar sidecar;
	struct kd_output *outputs; /* path: as staged; afterwards below the output root.
				      Owned by the unit, so are those below */
	uint32_t output_count;
	json_t *superseded;    /* see superseded.h */
	int doubted;	       /* it has its name, but its folder's fsync failed since */
	enum kd_status status; /* PUBLISHED, ALREADY, KEPT, HELD, TRANSIENT, BAD */
	char *reason, *primary, *sidecar_path; /* absolute paths */
};

/* What the kernel called an output that is staged. */
const char *kd_publish_unit_name(
	const struct kd_publish_unit *unit, const struct kd_output *output);

/* Says what became of a unit. */
void kd_publish_unit_settle(struct kd_publish_unit *unit, enum kd_status status,
	const char *format, ...) __attribute__((format(printf, 3, 4)));

void kd_publish_unit_clear(struct kd_publish_unit *unit);

#endif
