/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Drops by way of kilnd: what is dropped is opened here, by whoever asks, and handed over
 * as descriptors to a keeper; so one can only give what one can read.
 */
#include "daemon/base/file.h"
#include "daemon/base/name.h"
#include "daemon/ctl/ask.h"
#include "daemon/ctl/settled.h"
#include "daemon/worker/protocol.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct giving {
	struct kd_wire *link; /* NULL: not there yet */
	uint32_t serial;
	int names_units; /* each name is a unit, which can be waited for */
};

static int
take_link(void *context, const json_t *event, int fd)
{
	struct giving *giving = context;
	giving->names_units = json_is_true(json_object_get(event, "names_units"));
	if (giving->link != NULL)
		return 0;
	giving->link = kd_wire_new(fd);
	return giving->link != NULL;
}

/* Says it, and hears what the keeper makes of it.  Takes body. */
static int
tell(struct giving *giving, uint16_t type, json_t *body, int fd, const char *about)
{
	struct kd_wire_message reply;
	int rc = body == NULL ? -ENOMEM
			      : kd_wire_send(giving->link, type, ++giving->serial, body,
					&fd, fd >= 0);
	json_decref(body);
	/* One that gave up at once has said why. */
	if (rc == 0 || rc == -EPIPE)
		rc = kd_wire_receive(giving->link, -1, &reply);
	if (rc < 0) {
		kd_ctl_say("'%s': the keeper left before it was done (%s)",
			KD_NAME(about), strerror(-rc));
		return rc;
	}
	json_t *answer = kd_wire_json(&reply);
	const char *error = json_string_value(json_object_get(answer, "error"));
	if (error != NULL)
		kd_ctl_say("'%s': %s", KD_NAME(about), error);
	rc = error != NULL || answer == NULL ? -EINVAL : 0;
	json_decref(answer);
	kd_wire_done(&reply);
	return rc;
}

static json_t *
name_body(const char *key, const char *name)
{
	char *escaped = kd_name_escape(name);
	json_t *body = escaped == NULL ? NULL : json_pack("{s:s}", key, escaped);
	free(escaped);
	return body;
}

static int give_entry(struct giving *giving, int dir, const char *name, const char *path);

static int
give_folder(struct giving *giving, int fd, const char *path)
{
	DIR *dir = fdopendir(fd);
	struct dirent *entry;
	int rc = dir == NULL ? -errno : 0;
	if (dir == NULL)
		close(fd);
	while (rc == 0 && (errno = 0, entry = readdir(dir)) != NULL) {
		char below[PATH_MAX];
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (snprintf(below, sizeof below, "%s/%s", path, entry->d_name) >=
			(int)sizeof below)
			rc = -ENAMETOOLONG;
		else
			rc = give_entry(giving, dirfd(dir), entry->d_name, below);
	}
	if (rc == 0 && errno != 0)
		rc = -errno;
	if (dir != NULL)
		closedir(dir);
	return rc;
}

/* path: of the unit's entry, as it will be called.  Links are not followed below what was
 * named: they could lead anywhere. */
static int
give_entry(struct giving *giving, int dir, const char *name, const char *path)
{
	struct stat st;
	int follow = dir == AT_FDCWD ? 0 : O_NOFOLLOW;
	int fd = openat(dir, name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | follow);
	if (fd < 0 || fstat(fd, &st) < 0) {
		int error = errno;
		kd_ctl_say("'%s' cannot be read: %s", KD_NAME(path), strerror(error));
		if (fd >= 0)
			close(fd);
		return -error;
	}
	if (S_ISDIR(st.st_mode))
		return give_folder(giving, fd, path);
	int rc = tell(giving, KD_DROP_PUT, name_body("path", path), fd, path);
	close(fd);
	return rc;
}

/* The names under which they will lie in the drop folder; NULL, said why, when one is not
 * there or two are the same. */
static json_t *
names_of(char **paths, int count)
{
	json_t *names = json_array();
	for (int i = 0; i < count; i++) {
		struct stat st;
		size_t length = strlen(paths[i]);
		while (length > 1 && paths[i][length - 1] == '/')
			paths[i][--length] = '\0';
		const char *base = kd_name_base(paths[i]);
		int rc = stat(paths[i], &st) < 0 ? errno : 0;
		if (rc == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
			rc = EINVAL;
		for (int k = 0; rc == 0 && k < i; k++)
			if (strcmp(kd_name_base(paths[k]), base) == 0)
				rc = EEXIST;
		if (rc == 0 && !kd_name_is_beneath(base))
			rc = EINVAL;
		if (rc != 0) {
			kd_ctl_say("'%s' cannot be dropped: %s", KD_NAME(paths[i]),
				rc == EEXIST   ? "another one has the same name"
				: rc == EINVAL ? "expected a file or a folder"
					       : strerror(rc));
			json_decref(names);
			return NULL;
		}
		char *escaped = kd_name_escape(base);
		json_array_append_new(names, json_pack("{s:s?, s:b}", "name", escaped,
						     "folder", S_ISDIR(st.st_mode)));
		free(escaped);
	}
	return names;
}

/* Gives all, each to its end; dropped[] are those that lie in the drop folder now. */
static int
give(struct giving *giving, char **paths, int count, json_t *dropped)
{
	int status = KD_CTL_DONE;
	for (int i = 0; i < count; i++) {
		const char *base = kd_name_base(paths[i]);
		int rc = give_entry(giving, AT_FDCWD, paths[i], base);
		if (rc == 0)
			rc = tell(
				giving, KD_DROP_PLACE, name_body("name", base), -1, base);
		char *escaped = rc == 0 ? kd_name_escape(base) : NULL;
		if (escaped != NULL)
			json_array_append_new(dropped, json_string(escaped));
		else
			status = KD_CTL_FAILED;
		free(escaped);
		if (rc == -EPIPE)
			break;
	}
	return status;
}

/* What is wished, and what came of it. */
struct errand {
	const char *rule;
	char **paths;
	int count, wait;
	json_t *dropped;
};

static int
drop(struct kd_ctl *ctl, const struct errand *errand)
{
	struct giving giving = {0};
	int status = KD_CTL_USAGE, given = KD_CTL_DONE;
	json_t *names = names_of(errand->paths, errand->count);
	if (names == NULL)
		return KD_CTL_FAILED;
	struct kd_ctl_question question = {
		.command = "drop",
		.arguments =
			json_pack("{s:s, s:o}", "rule", errand->rule, "names", names),
		.handed = take_link,
		.context = &giving,
	};
	struct kd_wire *wire = kd_ctl_ask_begin(ctl, &question, &status);
	if (wire == NULL)
		return status;
	int ended = 0;
	while (!ended && giving.link == NULL)
		ended = kd_ctl_ask_next(wire, &question, NULL, &status);
	if (giving.link != NULL && errand->wait && !giving.names_units) {
		kd_ctl_say("rule '%s' makes units of several files: use 'kilnctl sync "
			   "--idle' to wait",
			errand->rule);
		given = KD_CTL_USAGE;
	} else if (giving.link != NULL) {
		given = give(&giving, errand->paths, errand->count, errand->dropped);
	}
	kd_wire_free(giving.link);
	while (!ended)
		ended = kd_ctl_ask_next(wire, &question, NULL, &status);
	kd_wire_free(wire);
	return given > status ? given : status;
}

int
kd_ctl_drop_command(struct kd_ctl *ctl, int argc, char **argv)
{
	static const struct option own[] = {{"wait", no_argument, NULL, 'w'}, {0}};
	int status, option, wait = 0;
	while ((option = kd_ctl_option(ctl, argc, argv, "", own, &status)) != -1) {
		if (option == KD_CTL_STOP)
			return status;
		wait = 1;
	}
	if (optind + 1 >= argc)
		return kd_ctl_usage(ctl, "expected a rule and what is to be dropped");
	const char *rule = argv[optind];
	json_t *dropped = json_array(), *units = json_array();
	double begun = kd_ctl_settled_now();
	struct errand errand = {
		rule, argv + optind + 1, argc - optind - 1, wait, dropped};
	status = drop(ctl, &errand);
	if (wait && json_array_size(dropped) > 0) {
		int all = kd_ctl_settled(
			ctl, &(struct kd_ctl_settled){rule, dropped, begun}, units);
		status = all > status ? all : status;
	}
	if (ctl->json) {
		kd_ctl_ask_print(json_pack("{s:s, s:O, s:O}", "rule", rule, "dropped",
			dropped, "units", units));
	} else if (!wait && json_array_size(dropped) > 0) {
		printf("%zu dropped into rule '%s'\n", json_array_size(dropped), rule);
	}
	json_decref(dropped);
	json_decref(units);
	return status;
}
