/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * core_bones.h - the bones that `bones = "core"` stands for: the 51 that make up a body's
 * motion, under the names that nearly every MMD model shares, root first, then left
 * before right.  The list and its order are part of the output's format.
 */
#ifndef FK_CORE_BONES_H
#define FK_CORE_BONES_H

#define FK_CORE_BONES 51

extern const char *const fk_core_bones[FK_CORE_BONES]; /* UTF-8 */

/* Whether a bone of this name is among them. */
int fk_core_bones_has(const char *name);

#endif
