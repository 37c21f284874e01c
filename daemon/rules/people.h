/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * people.h - a list of user and @group names as the numbers that the kernel tells of a
 * peer.  They are looked up when the configuration is loaded, which is off the loop: a
 * directory service may take its time.
 */
#ifndef KD_PEOPLE_H
#define KD_PEOPLE_H

#include <stddef.h>
#include <sys/types.h>

struct kd_people {
	size_t user_count, group_count;
	uid_t *users;
	gid_t *groups;
};

/* names: NULL-ended, or NULL.  A name that this machine does not know is nobody.  0 or
 * -ENOMEM; clear it in any case. */
int kd_people_find(char *const *names, struct kd_people *people);
void kd_people_clear(struct kd_people *people);

int kd_people_has_user(const struct kd_people *people, uid_t user);
int kd_people_has_group(const struct kd_people *people, gid_t group);

#endif
