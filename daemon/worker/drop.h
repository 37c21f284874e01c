/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drop.h - a keeper that takes what kilnctl hands over into a drop folder: it copies from
 * descriptors that kilnctl opened, so that nobody can give what he cannot read.  The copies
 * grow up in FOLDER/.kiln-drop.XXXXXX, 0700, and appear by a rename, whole; nothing that
 * lies in the drop folder is ever replaced.
 */
#ifndef KD_DROP_H
#define KD_DROP_H

/* Serves descriptor 3 (worker/protocol.h) until it ends; the exit status. */
int kd_drop_main(const char *folder);

#endif
