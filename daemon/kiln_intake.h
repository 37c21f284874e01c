/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kiln_intake.h - the rules' drop folders, and how what settles there comes into the queue.
 */
#ifndef KD_KILN_INTAKE_H
#define KD_KILN_INTAKE_H

#include "daemon/kiln_parts.h"

/* One intake for each rule of conf, in their order, in place of those before.  0 or
 * -ENOMEM, when those before stay. */
int kd_kiln_build_intakes(struct kd_kiln *kiln, struct kd_conf *conf);
void kd_kiln_free_intakes(struct kd_kiln *kiln);

/* The rule's, or NULL. */
struct kd_intake *kd_kiln_intake(struct kd_kiln *kiln, const char *rule);
/* Drops wait in memory only as far as the rule's backlog goes: lets in as many more. */
void kd_kiln_make_room(struct kd_kiln *kiln, struct kd_intake *intake);
/* Looks at a drop again, below the rule's folder, when its writer has had some time; until
 * then it is one of the rule's backlog. */
void kd_kiln_revisit(struct kd_kiln *kiln, const char *rule, const char *path);

#endif
