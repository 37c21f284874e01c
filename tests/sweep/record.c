/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/sweep/record.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct record {
	FILE *log, *data;
	const char *const *folders;
	int failed;
};

struct record *
record_open(const char *log, const char *const *folders)
{
	struct record *record = calloc(1, sizeof *record);
	char *data;
	if (record == NULL || asprintf(&data, "%s.data", log) < 0) {
		free(record);
		return NULL;
	}
	record->folders = folders;
	record->log = fopen(log, "we");
	record->data = fopen(data, "we");
	free(data);
	if (record->log != NULL && record->data != NULL)
		return record;
	record_close(record);
	return NULL;
}

int
record_close(struct record *record)
{
	int rc = record->failed ? -1 : 0;
	if (record->log != NULL && fclose(record->log) != 0)
		rc = -1;
	if (record->data != NULL && fclose(record->data) != 0)
		rc = -1;
	free(record);
	return rc;
}

static int
is_below(const struct record *record, const char *path)
{
	for (const char *const *folder = record->folders; *folder != NULL; folder++) {
		size_t length = strlen(*folder);
		if (strncmp(path, *folder, length) == 0 &&
			(path[length] == '/' || path[length] == '\0'))
			return 1;
	}
	return 0;
}

int
record_makes(const struct record *record, const struct call *call)
{
	struct stat st;
	return is_below(record, call->path) &&
	       strncmp(call_name(call->number), "open", 4) == 0 &&
	       (call_flags(call) & O_CREAT) != 0 && lstat(call->path, &st) < 0;
}

/* Where the descriptor stands, after a write without an offset of its own. */
static off_t
position(pid_t thread, int fd)
{
	char path[64];
	long long at = -1;
	snprintf(path, sizeof path, "/proc/%d/fdinfo/%d", (int)thread, fd);
	FILE *info = fopen(path, "re");
	if (info == NULL || fscanf(info, "pos: %lld", &at) != 1)
		at = -1;
	if (info != NULL)
		fclose(info);
	return at;
}

/* The bytes are fetched from the file: whatever call brought them, there they are. */
static void
record_write(struct record *record, const struct call *call, int fd, off_t at)
{
	char path[64];
	size_t length = (size_t)call->result, used = 0;
	if (at < 0)
		at = position(call->thread, fd) - call->result;
	snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)call->thread, fd);
	int file = open(path, O_RDONLY | O_CLOEXEC);
	char *bytes = malloc(length);
	while (file >= 0 && bytes != NULL && used < length) {
		ssize_t got = pread(file, bytes + used, length - used, at + (off_t)used);
		if (got <= 0)
			break;
		used += (size_t)got;
	}
	fprintf(record->log, "write\t%s\t%lld\t%zu\t%ld\n", call->path, (long long)at,
		used, ftell(record->data));
	if (used != length || at < 0 || fwrite(bytes, 1, used, record->data) != used)
		record->failed = 1;
	free(bytes);
	if (file >= 0)
		close(file);
}

static int
record_bytes(struct record *record, const struct call *call, const char *name)
{
	if (strcmp(name, "pwrite64") == 0)
		record_write(record, call, (int)call->args[0], (off_t)call->args[3]);
	else if (strcmp(name, "write") == 0 || strcmp(name, "writev") == 0 ||
		 strcmp(name, "sendfile") == 0)
		record_write(record, call, (int)call->args[0], -1);
	else if (strcmp(name, "copy_file_range") == 0)
		record_write(record, call, (int)call->args[2], -1);
	else if (strcmp(name, "ftruncate") == 0)
		fprintf(record->log, "truncate\t%s\t%llu\n", call->path,
			(unsigned long long)call->args[1]);
	else if (strcmp(name, "fallocate") == 0 || strcmp(name, "pwritev") == 0)
		record->failed = 1; /* nobody does so far; crash.py would be blind */
	else
		return 0;
	return 1;
}

void
record_call(struct record *record, const struct call *call, int made)
{
	char name[64];
	snprintf(name, sizeof name, "%s", call_name(call->number));
	if (!is_below(record, call->path) && !is_below(record, call->other))
		return;
	if (strncmp(name, "open", 4) == 0) {
		if (made)
			fprintf(record->log, "create\t%s\n", call->path);
		else if ((call_flags(call) & O_TRUNC) != 0)
			fprintf(record->log, "truncate\t%s\t0\n", call->path);
	} else if (strncmp(name, "mkdir", 5) == 0) {
		fprintf(record->log, "mkdir\t%s\n", call->path);
	} else if (strncmp(name, "unlink", 6) == 0 || strcmp(name, "rmdir") == 0) {
		fprintf(record->log, "unlink\t%s\n", call->path);
	} else if (strncmp(name, "rename", 6) == 0) {
		fprintf(record->log, "rename\t%s\t%s\t%llu\n", call->path, call->other,
			(unsigned long long)call_flags(call));
	} else if (strncmp(name, "link", 4) == 0) {
		fprintf(record->log, "link\t%s\t%s\n", call->path, call->other);
	} else if (strcmp(name, "fsync") == 0 || strcmp(name, "fdatasync") == 0) {
		fprintf(record->log, "fsync\t%s\n", call->path);
	} else if (call->result > 0 || strcmp(name, "ftruncate") == 0) {
		record_bytes(record, call, name);
	}
}
