/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rule_folders.h - where the folders of a rule really are: symbolic links followed, as
 * far as the folders exist.  Two names of one folder must not let a rule feed itself.
 */
#ifndef KD_RULE_FOLDERS_H
#define KD_RULE_FOLDERS_H

#include "daemon/rules/rule.h"

struct kd_rule_folders {
	char *watch, *output, *done, *quarantine; /* NULL where the rule has none */
};

/* 0 or -ENOMEM; clear them in any case. */
int kd_rule_folders_find(const struct kd_rule *rule, struct kd_rule_folders *folders);
void kd_rule_folders_clear(struct kd_rule_folders *folders);

/* One path likewise, allocated; NULL for NULL, or when memory is out. */
char *kd_rule_folders_real(const char *path);

/* 1 when path is folder or lies below it; both plain (keys.h), neither NULL. */
int kd_rule_folders_is_within(const char *path, const char *folder);
/* 1 when what is made in a may show up in b: mirrored sub-folders make that true also
 * when b lies below a.  Either may be NULL. */
int kd_rule_folders_overlap(const char *a, const char *b);

#endif
