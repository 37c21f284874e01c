/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * facts.h - any JSON object as a page: single values as lines, an object as
 * indented lines, an array of objects as a table whose columns are their keys in the
 * order of their first appearance.
 */
#ifndef KD_CTL_FACTS_H
#define KD_CTL_FACTS_H

#include <jansson.h>

void kd_ctl_facts_print(const json_t *facts);

#endif
