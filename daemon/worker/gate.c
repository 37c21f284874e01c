/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/worker/gate.h"

#include "daemon/base/name.h"
#include "daemon/worker/gate_check.h"
#include "daemon/worker/gate_elf.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int
check_owner(const char *path, const struct stat *st, struct kd_err *err)
{
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return kd_err_set(err, -EPERM,
			"'%s' belongs to user %u; a plugin and the folders above it must "
			"belong to root or to user %u",
			KD_NAME(path), st->st_uid, geteuid());
	if ((st->st_mode & (S_IWGRP | S_IWOTH)) == 0)
		return 0;
	if (S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX) != 0 && st->st_uid == 0)
		return 0;
	return kd_err_set(err, -EPERM,
		"'%s' can be written by others (mode %04o); a plugin and the folders "
		"above "
		"it must be writable by their owner only",
		KD_NAME(path), st->st_mode & 07777);
}

static int
check_folders(const char *path, struct kd_err *err)
{
	char part[PATH_MAX];
	for (const char *slash = path; slash != NULL; slash = strchr(slash + 1, '/')) {
		size_t length = slash == path ? 1 : (size_t)(slash - path);
		snprintf(part, sizeof part, "%.*s", (int)length, path);
		struct stat st;
		if (lstat(part, &st) < 0)
			return kd_err_errno(
				err, -errno, "cannot look at '%s'", KD_NAME(part));
		int rc = check_owner(part, &st, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int
kd_gate_open(const char *path, struct kd_err *err)
{
	char real[PATH_MAX];
	if (realpath(path, real) == NULL)
		return kd_err_errno(
			err, -errno, "cannot find plugin '%s'", KD_NAME(path));
	int rc = check_folders(real, err);
	if (rc < 0)
		return rc;
	int fd = open(real, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return kd_err_errno(
			err, -errno, "cannot open plugin '%s'", KD_NAME(real));
	struct stat st;
	if (fstat(fd, &st) < 0)
		rc = kd_err_errno(err, -errno, "cannot look at '%s'", KD_NAME(real));
	else if (!S_ISREG(st.st_mode))
		rc = kd_err_set(
			err, -EINVAL, "plugin '%s' is no regular file", KD_NAME(real));
	else
		rc = check_owner(real, &st, err);
	if (rc < 0) {
		close(fd);
		return rc;
	}
	return fd;
}

/* The symbol must be data, and so long that it can be asked for its own size. */
static int
check_symbol(const struct kiln_plugin *found, struct kd_err *err)
{
	const size_t head = offsetof(struct kiln_plugin, size) + sizeof found->size;
	const ElfW(Sym) *symbol = NULL;
	Dl_info info;
	if (dladdr1(found, &info, (void **)&symbol, RTLD_DL_SYMENT) == 0 ||
		symbol == NULL)
		return kd_err_set(
			err, -ENOEXEC, "its symbol 'kiln_plugin' leads nowhere");
	/* The low four bits are the type, in ELF of either width. */
	if ((symbol->st_info & 0xf) != STT_OBJECT)
		return kd_err_set(err, -ENOEXEC,
			"its symbol 'kiln_plugin' is no data; expected a constant struct "
			"kiln_plugin");
	if (symbol->st_size < head ||
		(found->magic == KILN_MAGIC && symbol->st_size < found->size))
		return kd_err_set(err, -ENOEXEC,
			"its symbol 'kiln_plugin' is %zu bytes, less than the struct "
			"says",
			(size_t)symbol->st_size);
	return 0;
}

int
kd_gate_load(int fd, const struct kiln_plugin **plugin, struct kd_err *err)
{
	char path[64];
	int rc = kd_gate_elf(fd, err);
	if (rc < 0)
		return rc;
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (object == NULL)
		return kd_err_set(err, -ENOEXEC, "cannot load it: %s", dlerror());
	const struct kiln_plugin *found = dlsym(object, "kiln_plugin");
	if (found == NULL)
		return kd_err_set(err, -ENOEXEC,
			"it exports no symbol 'kiln_plugin'; a plugin is a shared object "
			"that defines it with KILN_EXPORT");
	rc = check_symbol(found, err);
	if (rc == 0)
		rc = kd_gate_check(found, err);
	if (rc == 0)
		*plugin = found;
	return rc;
}

const struct kiln_kernel *
kd_gate_kernel(const struct kiln_plugin *plugin, const char *name)
{
	for (size_t i = 0; plugin->kernels[i] != NULL; i++)
		if (strcmp(plugin->kernels[i]->name, name) == 0)
			return plugin->kernels[i];
	return NULL;
}
