/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * err.h - an error on its way to the one who can name its object and log it.
 * code is a negative errno; text is a sentence for people without a final full stop.
 */
#ifndef KD_ERR_H
#define KD_ERR_H

struct kd_err {
	int code;
	char text[1024];
};

/* Fills *err (NULL is fine; a text already there is replaced) and returns code. */
int kd_err_set(struct kd_err *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The same with ": " and strerror(-code) behind the text. */
int kd_err_errno(struct kd_err *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
