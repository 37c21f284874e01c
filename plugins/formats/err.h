/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * err.h - how a reader or writer of files says what is wrong.  The code is a negative
 * errno (-EBADMSG for content that is not what it should be); the text says what was
 * expected, what was found and at which byte, for people.
 */
#ifndef FMT_ERR_H
#define FMT_ERR_H

struct fmt_err {
	int code;
	char text[1024];
};

/* Fills *err (NULL is fine) and returns code, so that `return fmt_err_set(...)` reads
 * well.  The first error stands: a text already there is kept. */
int fmt_err_set(struct fmt_err *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
