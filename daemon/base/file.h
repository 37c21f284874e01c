/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * file.h - file calls that are safe below folders other people own.  Relative paths are
 * resolved by openat2 beneath their folder, without symbolic links.  Everything is
 * opened O_CLOEXEC; every function returns a descriptor or 0, else a negative errno.
 */
#ifndef KD_FILE_H
#define KD_FILE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

/* openat2 beneath dir with RESOLVE_BENEATH, NO_SYMLINKS, NO_MAGICLINKS; EAGAIN repeated.
 */
int kd_file_open_beneath(int dir, const char *path, int flags, mode_t mode);

/* A regular file beneath dir for reading: O_NONBLOCK so that a FIFO cannot hold us, and
 * refused (-EINVAL) when it is no regular file. */
int kd_file_open_regular(int dir, const char *path, struct stat *st);

/* Makes the folders of path's parents below dir, 0755 less umask; durable: each new one is
 * fsynced into its parent.  -ELOOP for a symbolic link on the way. */
int kd_file_make_parents(int dir, const char *path, int durable);

/* Opens the parent folder of path beneath dir and points *base at the last component
 * (into path). */
int kd_file_open_parent(int dir, const char *path, const char **base);

/* mkdir -p of an absolute or relative path; what it makes is there to stay. */
int kd_file_make_dirs(const char *path, mode_t mode);

/* All bytes, over short writes and EINTR. */
int kd_file_write_all(int fd, const void *bytes, size_t length);

/* A whole file of at most `most` bytes, allocated, with a NUL behind it; -EFBIG above. */
int kd_file_read_all(int fd, size_t most, char **bytes, size_t *length);

/* renameat2 with RENAME_NOREPLACE; where the file system lacks it (EINVAL), link+unlink
 * for files and, for directories, mkdir claim + rename.  -EEXIST when the target exists.
 */
int kd_file_rename_new(int from_dir, const char *from, int to_dir, const char *to);

/* renameat2 with RENAME_EXCHANGE. */
int kd_file_exchange(int from_dir, const char *from, int to_dir, const char *to);

/* Removes a file or a whole tree beneath dir without following links; 0 when absent. */
int kd_file_remove_tree(int dir, const char *path);

/* Copies everything from one descriptor to another from offset 0 (copy_file_range where
 * it works). */
int kd_file_copy(int from, int to);

#endif
