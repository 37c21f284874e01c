/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/rules/rule_folders.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *
kd_rule_folders_real(const char *path)
{
	char *head = path == NULL ? NULL : strdup(path), *real = NULL, *whole;
	size_t length = head == NULL ? 0 : strlen(head);
	/* What does not exist yet is made below what does. */
	while (length > 0 && (real = realpath(head, NULL)) == NULL && errno != ENOMEM) {
		do
			length--;
		while (length > 0 && head[length] != '/');
		head[length] = '\0';
	}
	if (head == NULL || (real == NULL && errno == ENOMEM)) {
		free(head);
		return NULL;
	}
	const char *top = real == NULL || strcmp(real, "/") == 0 ? "" : real;
	if (asprintf(&whole, "%s%s", top, path + length) < 0)
		whole = NULL;
	free(real);
	free(head);
	return whole;
}

int
kd_rule_folders_find(const struct kd_rule *rule, struct kd_rule_folders *folders)
{
	*folders = (struct kd_rule_folders){
		.watch = kd_rule_folders_real(rule->watch),
		.output = kd_rule_folders_real(rule->output),
		.done = kd_rule_folders_real(rule->done),
		.quarantine = kd_rule_folders_real(rule->quarantine),
	};
	return (rule->watch != NULL && folders->watch == NULL) ||
			       (rule->output != NULL && folders->output == NULL) ||
			       (rule->done != NULL && folders->done == NULL) ||
			       (rule->quarantine != NULL && folders->quarantine == NULL)
		       ? -ENOMEM
		       : 0;
}

void
kd_rule_folders_clear(struct kd_rule_folders *folders)
{
	free(folders->watch);
	free(folders->output);
	free(folders->done);
	free(folders->quarantine);
	*folders = (struct kd_rule_folders){0};
}

int
kd_rule_folders_is_within(const char *path, const char *folder)
{
	size_t length = strlen(folder);
	return strncmp(path, folder, length) == 0 &&
	       (path[length] == '\0' || path[length] == '/');
}

int
kd_rule_folders_overlap(const char *a, const char *b)
{
	return a != NULL && b != NULL &&
	       (kd_rule_folders_is_within(a, b) || kd_rule_folders_is_within(b, a));
}
