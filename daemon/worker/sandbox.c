/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/worker/sandbox.h"

#include "daemon/worker/sanitized.h"
#include "daemon/worker/syscalls.h"
#include "plugins/kiln_plugin.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* All processes of the user count, so this bounds what a flood of threads takes from the
 * machine rather than what an engine needs. */
enum { THREADS_MOST = 8192 };

/* Newer than Debian 12's headers. */
#ifndef LANDLOCK_ACCESS_FS_REFER
#define LANDLOCK_ACCESS_FS_REFER (1ULL << 13)
#endif
#define ACCESS_TRUNCATE	 (1ULL << 14)
#define ACCESS_IOCTL_DEV (1ULL << 15)
#define SCOPE_ABSTRACT	 (1ULL << 0)
#define SCOPE_SIGNAL	 (1ULL << 1)
#define NET_BIND_TCP	 (1ULL << 0)
#define NET_CONNECT_TCP	 (1ULL << 1)

/* struct landlock_ruleset_attr of ABI 6. */
struct ruleset {
	uint64_t fs, net, scoped;
};

/* More than any board has. */
enum { GPUS = 32 };

static const uint64_t access_read =
	LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
static const uint64_t access_libraries = LANDLOCK_ACCESS_FS_READ_FILE |
					 LANDLOCK_ACCESS_FS_READ_DIR |
					 LANDLOCK_ACCESS_FS_EXECUTE;
static const uint64_t access_file =
	LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_EXECUTE;
static const uint64_t access_device =
	LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | ACCESS_IOCTL_DEV;

static int
landlock_abi(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0,
		LANDLOCK_CREATE_RULESET_VERSION);
	return abi < 0 ? 0 : (int)abi;
}

/* A ruleset that handles all this kernel knows; *handled is its file system part. */
static int
ruleset_new(uint64_t *handled)
{
	int abi = landlock_abi();
	if (abi == 0)
		return -ENOSYS;
	struct ruleset rules = {.fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1};
	size_t size = sizeof rules.fs;
	if (abi >= 2)
		rules.fs |= LANDLOCK_ACCESS_FS_REFER;
	if (abi >= 3)
		rules.fs |= ACCESS_TRUNCATE;
	if (abi >= 5)
		rules.fs |= ACCESS_IOCTL_DEV;
	if (abi >= 4) {
		rules.net = NET_BIND_TCP | NET_CONNECT_TCP;
		size = offsetof(struct ruleset, scoped);
	}
	if (abi >= 6) {
		rules.scoped = SCOPE_ABSTRACT | SCOPE_SIGNAL;
		size = sizeof rules;
	}
	*handled = rules.fs;
	long fd = syscall(SYS_landlock_create_ruleset, &rules, size, 0);
	return fd < 0 ? -errno : (int)fd;
}

/* What is not there needs no rule. */
static void
allow_path(int ruleset, const char *path, uint64_t access)
{
	struct landlock_path_beneath_attr rule = {.allowed_access = access};
	rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd < 0)
		return;
	syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	close(rule.parent_fd);
}

/* What is loaded from, of the system's. */
static void
allow_libraries(int ruleset, uint64_t handled)
{
	static const char *const libraries[] = {
		"/usr/lib", "/lib", "/lib32", "/lib64", "/usr/lib32", "/usr/lib64", NULL};
	for (size_t i = 0; libraries[i] != NULL; i++)
		allow_path(ruleset, libraries[i], access_libraries & handled);
	allow_path(ruleset, "/etc/ld.so.cache", LANDLOCK_ACCESS_FS_READ_FILE);
}

/* NVIDIA's driver: the nodes it talks through, what it reads about itself and the machine,
 * and its libraries, of which it loads the last ones when a kernel is first launched. */
static void
allow_devices(int ruleset, uint64_t handled)
{
	static const char *const devices[] = {"/dev/nvidiactl", "/dev/nvidia-uvm",
		"/dev/nvidia-uvm-tools", "/dev/nvidia-caps", NULL};
	char node[32];
	for (size_t i = 0; devices[i] != NULL; i++)
		allow_path(ruleset, devices[i], access_device & handled);
	for (int i = 0; i < GPUS; i++) {
		snprintf(node, sizeof node, "/dev/nvidia%d", i);
		allow_path(ruleset, node, access_device & handled);
	}
	allow_path(ruleset, "/proc", access_read & handled);
	allow_path(ruleset, "/sys", access_read & handled);
	allow_path(ruleset, "/usr/local", access_libraries & handled);
	allow_libraries(ruleset, handled);
}

static int
restrict_self(int ruleset)
{
	long rc = syscall(SYS_landlock_restrict_self, ruleset, 0);
	int error = errno;
	close(ruleset);
	return rc < 0 ? -error : 0;
}

static int
landlock_libraries(const struct kd_sandbox *sandbox)
{
	uint64_t handled;
	int ruleset = ruleset_new(&handled);
	if (ruleset < 0)
		return ruleset;
	allow_libraries(ruleset, handled);
	allow_path(ruleset, "/proc/self/exe", access_file & handled);
	if (sandbox->plugin >= 0 && !sandbox->unpack) {
		struct landlock_path_beneath_attr rule = {
			.allowed_access = access_file & handled,
			.parent_fd = sandbox->plugin,
		};
		syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule,
			0);
	}
	if (KD_SANITIZED)
		allow_path(ruleset, "/proc", access_read & handled);
	if ((sandbox->needs & KILN_NEEDS_CUDA) != 0)
		allow_devices(ruleset, handled);
	return restrict_self(ruleset);
}

static int
limit(int resource, rlim_t value)
{
	struct rlimit old;
	if (getrlimit((__rlimit_resource_t)resource, &old) == 0 &&
		old.rlim_max != RLIM_INFINITY && old.rlim_max < value)
		value = old.rlim_max;
	struct rlimit both = {value, value};
	return setrlimit((__rlimit_resource_t)resource, &both) < 0 ? -errno : 0;
}

/* Also those of root, and CAP_LEASE, which the keeper asks for writers with. */
static int
drop_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 ||
		syscall(SYS_capset, &header, none) < 0)
		return -errno;
	return 0;
}

int
kd_sandbox_enter(const struct kd_sandbox *sandbox)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	if (sandbox->keeper != 0) {
		if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
			return -errno;
		/* The keeper may have died before the line above. */
		if (getppid() != sandbox->keeper)
			return -ECHILD;
	}
	int rc = drop_capabilities();
	if (rc == 0)
		rc = limit(RLIMIT_CORE, 0);
	if (rc == 0)
		rc = limit(RLIMIT_NPROC, THREADS_MOST);
	if (rc == 0)
		rc = limit(RLIMIT_NOFILE, 1024);
	if (rc == 0 && sandbox->memory_limit != 0 && !KD_SANITIZED)
		rc = limit(RLIMIT_DATA, sandbox->memory_limit);
	if (rc == 0 && sandbox->output_limit != 0)
		rc = limit(RLIMIT_FSIZE, sandbox->output_limit);
	if (rc < 0)
		return rc;
	rc = landlock_libraries(sandbox);
	return rc == -ENOSYS || rc == -EOPNOTSUPP ? 1 : rc;
}

int
kd_sandbox_narrow(uint32_t needs, int denied, struct kd_err *err)
{
	return kd_syscalls_narrow(needs, denied, err);
}

int
kd_sandbox_close(uint32_t needs, struct kd_err *err)
{
	uint64_t handled;
	int ruleset = ruleset_new(&handled);
	if (ruleset >= 0) {
		if ((needs & KILN_NEEDS_CUDA) != 0)
			allow_devices(ruleset, handled);
		if (KD_SANITIZED)
			allow_path(ruleset, "/proc/self", access_read & handled);
		ruleset = restrict_self(ruleset);
	}
	if (ruleset < 0 && ruleset != -ENOSYS && ruleset != -EOPNOTSUPP)
		return kd_err_errno(err, ruleset, "cannot close Landlock");
	return kd_syscalls_close(needs, err);
}
