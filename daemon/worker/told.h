/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * told.h - what an engine tells its keeper: made safe to print, and counted.  The code that
 * tells it may have been taken over by what people dropped.
 */
#ifndef KD_TOLD_H
#define KD_TOLD_H

#include "daemon/base/err.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/* A sentence that came escaped (base/name.h), cut to a kilobyte and escaped; NULL when
 * there is none.  The caller frees. */
char *kd_told_sentence(const json_t *body, const char *key);

/* A sentence that came as it is, cut alike, with '?' for what would steer a terminal.  The
 * caller frees; NULL: out of memory. */
char *kd_told_plain(const char *text);

/* Whether it is a word or a few: 1 to 256 bytes, nothing that would have to be escaped. */
int kd_told_is_name(const char *text);

/* Adds so many bytes to what is remembered of one engine's work; -EPROTO with a sentence
 * when that is more than any honest one has to tell. */
int kd_told_remember(uint64_t *told, size_t bytes, struct kd_err *err);

/* The same for facts[key] = value, which takes the place of what was there. */
int kd_told_fact(uint64_t *told, json_t *facts, const char *key, json_t *value,
	struct kd_err *err);

#endif
