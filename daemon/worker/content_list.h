/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * content_list.h - which files a dropped unit consists of.
 */
#ifndef KD_CONTENT_LIST_H
#define KD_CONTENT_LIST_H

#include "daemon/worker/content.h"

/* Finds all files of the unit and what identifies them, without opening one.  0, or a
 * negative errno with a sentence. */
int kd_content_list_files(const struct kd_content_source *source,
	struct kd_content *content, struct kd_err *err);

#endif
