/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * copy.h - copies of files and folders that are to survive a power cut.
 */
#ifndef KD_COPY_H
#define KD_COPY_H

/* Copies the regular file or the folder `name` in folder `from` to `target`, which must
 * not be there, in folder `to`: contents, permissions, modification times and, where that
 * is allowed, the group; every file and folder of the copy is fsynced.  `to` itself is
 * not.  After a failure a part of it may be left. */
int kd_copy_entry(int from, const char *name, int to, const char *target);

#endif
