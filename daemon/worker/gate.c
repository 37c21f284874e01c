/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/worker/gate.h"

#include "daemon/base/name.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KERNELS_MOST = 256, PARAMS_MOST = 256, TEXT_MOST = 256 };

/* How long a struct of ABI 1.0 is, whatever later ones have grown behind that field. */
#define SIZE_UP_TO(type, field) (offsetof(type, field) + sizeof(((type *)0)->field))
#define PARAM_SIZE		SIZE_UP_TO(struct kiln_param, help)
#define KERNEL_SIZE		SIZE_UP_TO(struct kiln_kernel, inspect)
#define PLUGIN_SIZE		SIZE_UP_TO(struct kiln_plugin, kernels)

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

static int
is_text(const char *text)
{
	return text != NULL && text[0] != '\0' &&
	       strnlen(text, TEXT_MOST + 1) <= TEXT_MOST;
}

static int
is_word(const char *text)
{
	return is_text(text) &&
	       text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-_")] == '\0';
}

static int
check_params(const struct kiln_kernel *kernel, struct kd_err *err)
{
	for (size_t i = 0; kernel->params != NULL && kernel->params[i] != NULL; i++) {
		const struct kiln_param *param = kernel->params[i];
		if (i == PARAMS_MOST)
			return kd_err_set(err, -EINVAL,
				"kernel '%s' has more than %d parameters", kernel->name,
				PARAMS_MOST);
		if (param->size < PARAM_SIZE || !is_word(param->name) ||
			param->type < KILN_BOOL || param->type > KILN_JSON ||
			param->help == NULL)
			return kd_err_set(err, -EINVAL,
				"parameter %zu of kernel '%s' is malformed (size, name, "
				"type or help)",
				i, kernel->name);
	}
	return 0;
}

static int
check_kernel(const struct kiln_kernel *kernel, size_t index, struct kd_err *err)
{
	const uint32_t kinds = KILN_FILE | KILN_DIRECTORY | KILN_SEQUENCE | KILN_BUNDLE;
	if (kernel->size < KERNEL_SIZE)
		return kd_err_set(err, -EINVAL,
			"kernel %zu is %u bytes, expected at least %zu", index,
			kernel->size, KERNEL_SIZE);
	if (!is_word(kernel->name))
		return kd_err_set(err, -EINVAL,
			"kernel %zu has no name of [a-z0-9-] characters", index);
	if (!is_text(kernel->summary) || (kernel->accepts & kinds) == 0 ||
		kernel->makes < KILN_MAKES_FILE || kernel->makes > KILN_MAKES_SAME)
		return kd_err_set(err, -EINVAL,
			"kernel '%s' does not say what it accepts, makes or is for",
			kernel->name);
	if (kernel->open == NULL || kernel->process == NULL || kernel->close == NULL)
		return kd_err_set(err, -EINVAL,
			"kernel '%s' lacks open, process or close", kernel->name);
	return check_params(kernel, err);
}

static int
check_plugin(const struct kiln_plugin *plugin, struct kd_err *err)
{
	if (plugin->magic != KILN_MAGIC)
		return kd_err_set(err, -EINVAL, "its magic number is %08x, expected %08x",
			plugin->magic, KILN_MAGIC);
	if (plugin->abi_major != KILN_ABI_MAJOR || plugin->abi_minor > KILN_ABI_MINOR)
		return kd_err_set(err, -EINVAL,
			"it was made for ABI %u.%u; this kiln offers %d.%d",
			plugin->abi_major, plugin->abi_minor, KILN_ABI_MAJOR,
			KILN_ABI_MINOR);
	if (plugin->size < PLUGIN_SIZE)
		return kd_err_set(err, -EINVAL,
			"its descriptor is %u bytes, expected at least %zu", plugin->size,
			PLUGIN_SIZE);
	if (!is_text(plugin->name) || !is_text(plugin->version) ||
		plugin->kernels == NULL || plugin->kernels[0] == NULL)
		return kd_err_set(err, -EINVAL, "it has no name, version or kernel");
	for (size_t i = 0; plugin->kernels[i] != NULL; i++) {
		int rc = i == KERNELS_MOST
				 ? kd_err_set(err, -EINVAL, "it has too many kernels")
				 : check_kernel(plugin->kernels[i], i, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int
kd_gate_load(int fd, const struct kiln_plugin **plugin, struct kd_err *err)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (object == NULL)
		return kd_err_set(err, -ENOEXEC, "cannot load it: %s", dlerror());
	const struct kiln_plugin *found = dlsym(object, "kiln_plugin");
	if (found == NULL)
		return kd_err_set(err, -ENOEXEC, "it exports no symbol 'kiln_plugin'");
	int rc = check_plugin(found, err);
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
