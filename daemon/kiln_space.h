/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kiln_space.h - how much the file systems of outputs have left; what comes of it is noted
 * where rules are held (kiln_hold.h).
 */
#ifndef KD_KILN_SPACE_H
#define KD_KILN_SPACE_H

struct kd_kiln;

/* Has the outputs of rules with a low_water looked at, soon and off the loop, which a file
 * system that does not answer would hold; and again from time to time. */
void kd_kiln_look_for_space(struct kd_kiln *kiln);
void kd_kiln_free_space(struct kd_kiln *kiln);

#endif
