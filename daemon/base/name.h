/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * name.h - names that people dropped, as text.  A file name is bytes; what we log, print
 * or write into JSON is UTF-8 without control characters.  The escaped form is
 * reversible: bytes that are not valid UTF-8, control characters and the backslash
 * itself become \xNN.
 */
#ifndef KD_NAME_H
#define KD_NAME_H

#include <stddef.h>

/* The escaped form, allocated; NULL when memory is out.  The caller frees. */
char *kd_name_escape(const char *name);

/* Into a buffer, cut with "..." where it does not fit; for log lines.  Returns buffer. */
char *kd_name_print(char *buffer, size_t size, const char *name);
#define KD_NAME(name) kd_name_print((char[400]){0}, 400, (name))

/* The bytes back, allocated; NULL with errno EINVAL when an escape is malformed or holds
 * a NUL, ENOMEM when memory is out. */
char *kd_name_unescape(const char *escaped);

/* 1 when a relative path is safe to resolve beneath a folder: not empty, not absolute,
 * no empty, "." or ".." component, no component above 255 bytes, below PATH_MAX. */
int kd_name_is_beneath(const char *path);

/* Whether one of the NULL-ended fnmatch(3) patterns fits the name. */
int kd_name_matches(const char *name, char *const *patterns);

/* The last component; points into path. */
const char *kd_name_base(const char *path);

#endif
