/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A copy of the ledger: kilnd makes it, and hands over its descriptor; the file is written
 * here, where whoever asks may write.
 */
#include "daemon/base/file.h"
#include "daemon/base/name.h"
#include "daemon/ctl/ask.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int
take_copy(void *context, const json_t *event, int fd)
{
	(void)event;
	int *copy = context;
	if (fd < 0 || *copy >= 0)
		return 0;
	*copy = fd;
	return 1;
}

static int
sync_folder(const char *path)
{
	const char *base = kd_name_base(path);
	char *folder = base == path ? strdup(".") : strndup(path, (size_t)(base - path));
	int dir = folder == NULL ? -1 : open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = dir < 0 || fsync(dir) < 0 ? -errno : 0;
	if (dir >= 0)
		close(dir);
	free(folder);
	return rc;
}

/* Whole or not at all, and never over what is there. */
static int
save(int copy, const char *path, off_t *bytes)
{
	char *part = NULL;
	struct stat st;
	if (asprintf(&part, "%s.part", path) < 0)
		return -ENOMEM;
	int fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	int rc = fd < 0 ? -errno : kd_file_copy(copy, fd);
	if (rc == 0 && (fsync(fd) < 0 || fstat(fd, &st) < 0))
		rc = -errno;
	if (fd >= 0 && close(fd) < 0 && rc == 0)
		rc = -errno;
	if (rc == 0)
		rc = kd_file_rename_new(AT_FDCWD, part, AT_FDCWD, path);
	if (rc < 0 && fd >= 0)
		unlink(part);
	if (rc == 0)
		rc = sync_folder(path);
	if (rc == 0)
		*bytes = st.st_size;
	free(part);
	return rc;
}

int
kd_ctl_backup_command(struct kd_ctl *ctl, int argc, char **argv)
{
	int status, copy = -1;
	off_t bytes = 0;
	while (kd_ctl_option(ctl, argc, argv, "", NULL, &status) == KD_CTL_STOP)
		return status;
	if (optind + 1 != argc)
		return kd_ctl_usage(ctl, "expected one file to be written");
	const char *path = argv[optind];
	if (access(path, F_OK) == 0) {
		kd_ctl_say("'%s' is there already", KD_NAME(path));
		return KD_CTL_FAILED;
	}
	status = kd_ctl_ask(ctl,
		&(struct kd_ctl_question){.command = "backup",
			.arguments = json_object(),
			.handed = take_copy,
			.context = &copy},
		NULL);
	if (status == KD_CTL_DONE) {
		int rc = copy < 0 ? -EPROTO : save(copy, path, &bytes);
		if (rc < 0) {
			kd_ctl_say("cannot write '%s': %s", KD_NAME(path), strerror(-rc));
			status = KD_CTL_FAILED;
		}
	}
	if (copy >= 0)
		close(copy);
	if (status == KD_CTL_DONE && ctl->json) {
		char *escaped = kd_name_escape(path);
		kd_ctl_ask_print(json_pack(
			"{s:s?, s:I}", "file", escaped, "bytes", (json_int_t)bytes));
		free(escaped);
	} else if (status == KD_CTL_DONE)
		printf("the ledger is saved in '%s', %lld bytes\n", KD_NAME(path),
			(long long)bytes);
	return status;
}
