/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/sweep/call.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

enum { NONE = -1 };

/* Which arguments name files: a descriptor, or a folder's descriptor and a string; and
 * the same again for where a rename goes.  NONE in place of the folder: the working one. */
struct shape {
	const char *name;
	int fd;		 /* or NONE */
	int dir, path;	 /* or NONE */
	int dir2, path2; /* or NONE */
	int flags;	 /* or NONE */
};

static const struct shape shapes[] = {
	{"open", NONE, NONE, 0, NONE, NONE, 1},
	{"openat", NONE, 0, 1, NONE, NONE, 2},
	{"openat2", NONE, 0, 1, NONE, NONE, NONE},
	{"mkdir", NONE, NONE, 0, NONE, NONE, NONE},
	{"mkdirat", NONE, 0, 1, NONE, NONE, NONE},
	{"unlink", NONE, NONE, 0, NONE, NONE, NONE},
	{"unlinkat", NONE, 0, 1, NONE, NONE, NONE},
	{"rmdir", NONE, NONE, 0, NONE, NONE, NONE},
	{"rename", NONE, NONE, 0, NONE, 1, NONE},
	{"renameat", NONE, 0, 1, 2, 3, NONE},
	{"renameat2", NONE, 0, 1, 2, 3, 4},
	{"link", NONE, NONE, 0, NONE, 1, NONE},
	{"linkat", NONE, 0, 1, 2, 3, NONE},
	{"newfstatat", NONE, 0, 1, NONE, NONE, NONE},
	{"statx", NONE, 0, 1, NONE, NONE, NONE},
	{"utimensat", NONE, 0, 1, NONE, NONE, NONE},
	{"read", 0, NONE, NONE, NONE, NONE, NONE},
	{"pread64", 0, NONE, NONE, NONE, NONE, NONE},
	{"write", 0, NONE, NONE, NONE, NONE, NONE},
	{"pwrite64", 0, NONE, NONE, NONE, NONE, NONE},
	{"writev", 0, NONE, NONE, NONE, NONE, NONE},
	{"pwritev", 0, NONE, NONE, NONE, NONE, NONE},
	{"sendfile", 0, NONE, NONE, NONE, NONE, NONE},
	{"copy_file_range", 2, NONE, NONE, NONE, NONE, NONE},
	{"fsync", 0, NONE, NONE, NONE, NONE, NONE},
	{"fdatasync", 0, NONE, NONE, NONE, NONE, NONE},
	{"ftruncate", 0, NONE, NONE, NONE, NONE, NONE},
	{"fallocate", 0, NONE, NONE, NONE, NONE, NONE},
	{"fchmod", 0, NONE, NONE, NONE, NONE, NONE},
	{"fchown", 0, NONE, NONE, NONE, NONE, NONE},
	{"flock", 0, NONE, NONE, NONE, NONE, NONE},
	{"fcntl", 0, NONE, NONE, NONE, NONE, NONE},
	{"getdents64", 0, NONE, NONE, NONE, NONE, NONE},
	{"fstat", 0, NONE, NONE, NONE, NONE, NONE},
	{"lseek", 0, NONE, NONE, NONE, NONE, NONE},
	{"close", 0, NONE, NONE, NONE, NONE, NONE},
};

const char *
call_name(int number)
{
	static char name[64];
	char *found = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number);
	snprintf(name, sizeof name, "%s", found == NULL ? "?" : found);
	free(found);
	return name;
}

int
call_number(const char *name)
{
	int number = seccomp_syscall_resolve_name(name);
	return number < 0 ? -1 : number;
}

static const struct shape *
shape_of(int number)
{
	static int numbers[sizeof shapes / sizeof *shapes];
	if (numbers[0] == 0)
		for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
			numbers[i] = call_number(shapes[i].name);
	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
		if (numbers[i] == number)
			return &shapes[i];
	return NULL;
}

static int
read_memory(pid_t thread, uint64_t address, void *bytes, size_t size)
{
	struct iovec to = {bytes, size}, from = {(void *)(uintptr_t)address, size};
	return process_vm_readv(thread, &to, 1, &from, 1, 0) == (ssize_t)size ? 0 : -1;
}

/* A string may end right before a page that is not there: page by page. */
static int
read_string(pid_t thread, uint64_t address, char text[PATH_MAX])
{
	for (size_t used = 0; used < PATH_MAX;) {
		size_t piece = 4096 - (address + used) % 4096;
		if (piece > PATH_MAX - used)
			piece = PATH_MAX - used;
		if (read_memory(thread, address + used, text + used, piece) < 0)
			return -1;
		if (memchr(text + used, '\0', piece) != NULL)
			return 0;
		used += piece;
	}
	return -1;
}

static int
read_link(const char *link, char path[PATH_MAX])
{
	ssize_t length = readlink(link, path, PATH_MAX - 1);
	if (length < 0 || path[0] != '/')
		return -1;
	path[length] = '\0';
	return 0;
}

static void
path_of_fd(pid_t thread, int fd, char path[PATH_MAX])
{
	char link[64];
	snprintf(link, sizeof link, "/proc/%d/fd/%d", (int)thread, fd);
	if (read_link(link, path) < 0)
		path[0] = '\0';
}

static void
path_of_name(const struct call *call, int dir, int argument, char path[PATH_MAX])
{
	char name[PATH_MAX], folder[PATH_MAX], link[64];
	path[0] = '\0';
	if (read_string(call->thread, call->args[argument], name) < 0 || name[0] == '\0')
		return;
	if (name[0] == '/') {
		strcpy(path, name);
		return;
	}
	int fd = dir == NONE ? AT_FDCWD : (int)call->args[dir];
	if (fd == AT_FDCWD)
		snprintf(link, sizeof link, "/proc/%d/cwd", (int)call->thread);
	else
		snprintf(link, sizeof link, "/proc/%d/fd/%d", (int)call->thread, fd);
	if (read_link(link, folder) < 0)
		return;
	if (strcmp(name, ".") == 0)
		strcpy(path, folder);
	else if (strlen(folder) + strlen(name) + 2 <= PATH_MAX)
		strcat(strcat(strcpy(path, folder), "/"), name);
}

void
call_paths(struct call *call)
{
	const struct shape *shape = shape_of(call->number);
	call->path[0] = call->other[0] = '\0';
	if (shape == NULL)
		return;
	if (shape->fd != NONE)
		path_of_fd(call->thread, (int)call->args[shape->fd], call->path);
	if (shape->path != NONE)
		path_of_name(call, shape->dir, shape->path, call->path);
	if (shape->path2 != NONE)
		path_of_name(call, shape->dir2, shape->path2, call->other);
}

uint64_t
call_flags(const struct call *call)
{
	struct open_how how;
	const struct shape *shape = shape_of(call->number);
	if (shape != NULL && shape->flags != NONE)
		return call->args[shape->flags];
	if (shape != NULL && strcmp(shape->name, "openat2") == 0 &&
		read_memory(call->thread, call->args[2], &how, sizeof how) == 0)
		return how.flags;
	return 0;
}
