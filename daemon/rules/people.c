/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/rules/people.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>

enum { BUFFER = 1 << 16 }; /* an entry of the user or group database */

static void
find_group(const char *name, char *buffer, struct kd_people *people)
{
	struct group group, *found = NULL;
	if (getgrnam_r(name, &group, buffer, BUFFER, &found) == 0 && found != NULL)
		people->groups[people->group_count++] = group.gr_gid;
}

static void
find_user(const char *name, char *buffer, struct kd_people *people)
{
	struct passwd user, *found = NULL;
	if (getpwnam_r(name, &user, buffer, BUFFER, &found) == 0 && found != NULL)
		people->users[people->user_count++] = user.pw_uid;
}

int
kd_people_find(char *const *names, struct kd_people *people)
{
	size_t count = 0;
	*people = (struct kd_people){0};
	while (names != NULL && names[count] != NULL)
		count++;
	if (count == 0)
		return 0;
	char *buffer = malloc(BUFFER);
	people->users = calloc(count, sizeof *people->users);
	people->groups = calloc(count, sizeof *people->groups);
	int rc = buffer == NULL || people->users == NULL || people->groups == NULL
			 ? -ENOMEM
			 : 0;
	for (size_t i = 0; rc == 0 && i < count; i++) {
		if (names[i][0] == '@')
			find_group(names[i] + 1, buffer, people);
		else
			find_user(names[i], buffer, people);
	}
	free(buffer);
	return rc;
}

void
kd_people_clear(struct kd_people *people)
{
	free(people->users);
	free(people->groups);
	*people = (struct kd_people){0};
}

int
kd_people_has_user(const struct kd_people *people, uid_t user)
{
	for (size_t i = 0; i < people->user_count; i++)
		if (people->users[i] == user)
			return 1;
	return 0;
}

int
kd_people_has_group(const struct kd_people *people, gid_t group)
{
	for (size_t i = 0; i < people->group_count; i++)
		if (people->groups[i] == group)
			return 1;
	return 0;
}
