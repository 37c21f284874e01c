/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unpack_library.h - libarchive, loaded by those who unpack.  It brings twenty libraries
 * with it, which would cost every other keeper and engine more than half of its start.
 */
#ifndef KD_UNPACK_LIBRARY_H
#define KD_UNPACK_LIBRARY_H

#include "daemon/base/err.h"

#include <archive.h>
#include <archive_entry.h>

/* All that is called of it. */
#define KD_UNPACK_CALLS(CALL)                                                            \
	CALL(archive_entry_filetype)                                                     \
	CALL(archive_entry_hardlink)                                                     \
	CALL(archive_entry_is_encrypted)                                                 \
	CALL(archive_entry_pathname)                                                     \
	CALL(archive_entry_size)                                                         \
	CALL(archive_entry_size_is_set)                                                  \
	CALL(archive_entry_symlink)                                                      \
	CALL(archive_errno)                                                              \
	CALL(archive_error_string)                                                       \
	CALL(archive_filter_count)                                                       \
	CALL(archive_format)                                                             \
	CALL(archive_read_data_block)                                                    \
	CALL(archive_read_free)                                                          \
	CALL(archive_read_has_encrypted_entries)                                         \
	CALL(archive_read_new)                                                           \
	CALL(archive_read_next_header)                                                   \
	CALL(archive_read_open_fd)                                                       \
	CALL(archive_read_support_filter_gzip)                                           \
	CALL(archive_read_support_filter_xz)                                             \
	CALL(archive_read_support_filter_zstd)                                           \
	CALL(archive_read_support_format_7zip)                                           \
	CALL(archive_read_support_format_raw)                                            \
	CALL(archive_read_support_format_tar)                                            \
	CALL(archive_read_support_format_zip)

struct kd_unpack_library {
#define CALL(name) __typeof__(name) *name;
	KD_UNPACK_CALLS(CALL)
#undef CALL
};

/* Loads it once; it stays.  NULL: it is not to be had, or too old.  [one thread] */
const struct kd_unpack_library *kd_unpack_library(struct kd_err *err);

#endif
