/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "daemon/worker/sandbox.h"

#include "plugins/kiln_plugin.h"

#include <asm/prctl.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <linux/sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

/* All processes of the user count, so this bounds what a flood of threads takes from the
 * machine rather than what an engine needs. */
enum { THREADS_MOST = 8192 };

#ifdef KILN_SANITIZED
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

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
	if (SANITIZED)
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
	if (rc == 0 && sandbox->memory_limit != 0 && !SANITIZED)
		rc = limit(RLIMIT_DATA, sandbox->memory_limit);
	if (rc == 0 && sandbox->output_limit != 0)
		rc = limit(RLIMIT_FSIZE, sandbox->output_limit);
	if (rc < 0)
		return rc;
	rc = landlock_libraries(sandbox);
	return rc == -ENOSYS || rc == -EOPNOTSUPP ? 1 : rc;
}

/* All that arithmetic on passed descriptors takes.  Opening and what has conditions is
 * added by the functions below; everything else answers EPERM. */
static const int calls[] = {
	SCMP_SYS(read),
	SCMP_SYS(write),
	SCMP_SYS(readv),
	SCMP_SYS(writev),
	SCMP_SYS(pread64),
	SCMP_SYS(pwrite64),
	SCMP_SYS(preadv),
	SCMP_SYS(pwritev),
	SCMP_SYS(preadv2),
	SCMP_SYS(pwritev2),
	SCMP_SYS(lseek),
	SCMP_SYS(close),
	SCMP_SYS(close_range),
	SCMP_SYS(fstat),
	SCMP_SYS(newfstatat),
	SCMP_SYS(fstatfs),
	SCMP_SYS(ftruncate),
	SCMP_SYS(fallocate),
	SCMP_SYS(fsync),
	SCMP_SYS(fdatasync),
	SCMP_SYS(fadvise64),
	SCMP_SYS(copy_file_range),
	SCMP_SYS(sendfile),
	SCMP_SYS(sync_file_range),
	SCMP_SYS(readahead),
	SCMP_SYS(dup),
	SCMP_SYS(dup2),
	SCMP_SYS(dup3),
	SCMP_SYS(pipe),
	SCMP_SYS(pipe2),
	SCMP_SYS(eventfd2),
	SCMP_SYS(epoll_create1),
	SCMP_SYS(epoll_ctl),
	SCMP_SYS(epoll_wait),
	SCMP_SYS(epoll_pwait),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(select),
	SCMP_SYS(pselect6),
	SCMP_SYS(memfd_create),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(madvise),
	SCMP_SYS(brk),
	SCMP_SYS(mlock),
	SCMP_SYS(munlock),
	SCMP_SYS(msync),
	SCMP_SYS(mincore),
	SCMP_SYS(membarrier),
	SCMP_SYS(mbind),
	SCMP_SYS(get_mempolicy),
	SCMP_SYS(set_mempolicy),
	SCMP_SYS(futex),
	SCMP_SYS(futex_waitv),
	SCMP_SYS(set_robust_list),
	SCMP_SYS(get_robust_list),
	SCMP_SYS(rseq),
	SCMP_SYS(set_tid_address),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
	SCMP_SYS(gettid),
	SCMP_SYS(getpid),
	SCMP_SYS(getppid),
	SCMP_SYS(getuid),
	SCMP_SYS(geteuid),
	SCMP_SYS(getgid),
	SCMP_SYS(getegid),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(rt_sigpending),
	SCMP_SYS(rt_sigtimedwait),
	SCMP_SYS(sigaltstack),
	SCMP_SYS(sched_yield),
	SCMP_SYS(sched_getaffinity),
	SCMP_SYS(sched_getparam),
	SCMP_SYS(sched_getscheduler),
	SCMP_SYS(sched_get_priority_max),
	SCMP_SYS(sched_get_priority_min),
	SCMP_SYS(getcpu),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_getres),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(nanosleep),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(time),
	SCMP_SYS(times),
	SCMP_SYS(getrusage),
	SCMP_SYS(timerfd_create),
	SCMP_SYS(timerfd_settime),
	SCMP_SYS(timerfd_gettime),
	SCMP_SYS(uname),
	SCMP_SYS(sysinfo),
	SCMP_SYS(getrandom),
	SCMP_SYS(getrlimit),
	SCMP_SYS(sendmsg),
	SCMP_SYS(recvmsg),
};

static const int opening_calls[] = {
	SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(openat2), SCMP_SYS(creat)};
static const int loading_calls[] = {SCMP_SYS(access), SCMP_SYS(faccessat),
	SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(getdents64), SCMP_SYS(stat),
	SCMP_SYS(lstat), SCMP_SYS(statx), SCMP_SYS(getcwd), SCMP_SYS(statfs)};
static const int sanitizer_calls[] = {
	SCMP_SYS(personality), SCMP_SYS(prctl), SCMP_SYS(prlimit64), SCMP_SYS(ioctl)};

#define COUNT(list) (sizeof(list) / sizeof *(list))

static int
add_calls(scmp_filter_ctx filter, uint32_t action, const int *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int rc = seccomp_rule_add(filter, action, list[i], 0);
		/* -EDOM: this architecture has no such call (open on arm64). */
		if (rc < 0 && rc != -EDOM)
			return rc;
	}
	return 0;
}

static int
add_conditional(scmp_filter_ctx filter)
{
	static const int fcntl_commands[] = {F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL,
		F_DUPFD_CLOEXEC, F_ADD_SEALS, F_GET_SEALS};
	static const int prctl_options[] = {
		PR_SET_NAME, PR_GET_NAME, PR_GET_DUMPABLE, 0x53564d41 /* PR_SET_VMA */};
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < COUNT(fcntl_commands); i++)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1,
			SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX,
				(scmp_datum_t)fcntl_commands[i]));
	for (size_t i = 0; rc == 0 && !SANITIZED && i < COUNT(prctl_options); i++)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1,
			SCMP_A0(SCMP_CMP_MASKED_EQ, UINT32_MAX,
				(scmp_datum_t)prctl_options[i]));
	if (rc == 0)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
			SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
	/* glibc falls back to clone(2), whose flags a filter can see. */
	if (rc == 0)
		rc = seccomp_rule_add(
			filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	/* abort(3) and pthread_kill(3) of our own threads. */
	if (rc == 0)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
			SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0));
	if (rc == 0)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(sched_setaffinity),
			1, SCMP_A0(SCMP_CMP_EQ, 0, 0));
	if (rc == 0 && !SANITIZED)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 2,
			SCMP_A0(SCMP_CMP_EQ, 0, 0), SCMP_A2(SCMP_CMP_EQ, 0, 0));
#ifdef __x86_64__
	/* AMX asks for its tiles so; the address calls of arch_prctl are the loader's. */
	if (rc == 0)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(arch_prctl), 0);
#endif
	return rc;
}

/* Whoever makes one of these is after something.  glibc makes none of them with signals
 * blocked, which would turn the answer into death; so clone(2) is not here. */
static const int telling_calls[] = {SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev), SCMP_SYS(execve), SCMP_SYS(execveat),
	SCMP_SYS(socket), SCMP_SYS(connect), SCMP_SYS(bind), SCMP_SYS(kill),
	SCMP_SYS(tkill), SCMP_SYS(rt_sigqueueinfo), SCMP_SYS(pidfd_open),
	SCMP_SYS(pidfd_getfd), SCMP_SYS(pidfd_send_signal), SCMP_SYS(mount),
	SCMP_SYS(umount2), SCMP_SYS(pivot_root), SCMP_SYS(chroot), SCMP_SYS(setns),
	SCMP_SYS(unshare), SCMP_SYS(bpf), SCMP_SYS(perf_event_open),
	SCMP_SYS(userfaultfd), SCMP_SYS(io_uring_setup), SCMP_SYS(keyctl),
	SCMP_SYS(add_key), SCMP_SYS(request_key), SCMP_SYS(init_module),
	SCMP_SYS(finit_module), SCMP_SYS(kexec_load), SCMP_SYS(open_by_handle_at),
	SCMP_SYS(unlink), SCMP_SYS(unlinkat), SCMP_SYS(rename), SCMP_SYS(renameat),
	SCMP_SYS(renameat2), SCMP_SYS(link), SCMP_SYS(linkat), SCMP_SYS(symlink),
	SCMP_SYS(symlinkat), SCMP_SYS(mknod), SCMP_SYS(mknodat), SCMP_SYS(truncate),
	SCMP_SYS(chmod), SCMP_SYS(fchmodat), SCMP_SYS(chown), SCMP_SYS(fchownat),
	SCMP_SYS(setuid), SCMP_SYS(setgid), SCMP_SYS(setresuid), SCMP_SYS(setresgid),
	SCMP_SYS(capset), SCMP_SYS(shmget), SCMP_SYS(msgget), SCMP_SYS(semget)};

static int denied_fd = -1;
enum { BY_SECCOMP = 1 /* SYS_SECCOMP, which Debian 12's glibc does not name */ };

/* In place of one of these calls: notes its number and answers EPERM. */
static void
on_denied(int signal, siginfo_t *info, void *context)
{
	ucontext_t *at = context;
	const int error = errno;
	int32_t number = info->si_syscall;
	(void)signal;
	if (info->si_code != BY_SECCOMP)
		return;
	(void)!write(denied_fd, &number, sizeof number);
#if defined(__x86_64__)
	at->uc_mcontext.gregs[REG_RAX] = -EPERM;
#elif defined(__aarch64__)
	at->uc_mcontext.regs[0] = (unsigned long long)-EPERM;
#endif
	errno = error;
}

/* Whether calls are told of: not of what the driver of a GPU tries, nor where a sanitizer
 * handles signals, nor where we do not know how to answer. */
static int
tell_denied(uint32_t needs, int denied)
{
#if defined(__x86_64__) || defined(__aarch64__)
	struct sigaction action = {
		.sa_sigaction = on_denied, .sa_flags = SA_SIGINFO | SA_RESTART};
	if (denied < 0 || SANITIZED || (needs & KILN_NEEDS_CUDA) != 0)
		return 0;
	denied_fd = denied;
	sigemptyset(&action.sa_mask);
	return sigaction(SIGSYS, &action, NULL) == 0;
#else
	(void)needs, (void)denied;
	return 0;
#endif
}

int
kd_sandbox_narrow(uint32_t needs, int denied, struct kd_err *err)
{
	const int telling = tell_denied(needs, denied);
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	if (filter == NULL)
		return kd_err_set(err, -ENOMEM, "cannot prepare seccomp");
	int rc = add_calls(filter, SCMP_ACT_ALLOW, calls, COUNT(calls));
	if (rc == 0)
		rc = add_calls(
			filter, SCMP_ACT_ALLOW, opening_calls, COUNT(opening_calls));
	if (rc == 0)
		rc = add_calls(
			filter, SCMP_ACT_ALLOW, loading_calls, COUNT(loading_calls));
	if (rc == 0 && SANITIZED)
		rc = add_calls(
			filter, SCMP_ACT_ALLOW, sanitizer_calls, COUNT(sanitizer_calls));
	/* The second filter narrows these. */
	const int later[] = {SCMP_SYS(mmap), SCMP_SYS(mprotect), SCMP_SYS(seccomp),
		SCMP_SYS(landlock_create_ruleset), SCMP_SYS(landlock_restrict_self),
		SCMP_SYS(landlock_add_rule)};
	if (rc == 0)
		rc = add_calls(filter, SCMP_ACT_ALLOW, later, COUNT(later));
	if (rc == 0 && !SANITIZED && (needs & KILN_NEEDS_CUDA) != 0)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 0);
	if (rc == 0 && telling)
		rc = add_calls(
			filter, SCMP_ACT_TRAP, telling_calls, COUNT(telling_calls));
	/* The answer to those is no plugin's to give. */
	if (rc == 0)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(rt_sigaction), 1,
			SCMP_A0(SCMP_CMP_NE, SIGSYS, 0));
	if (rc == 0)
		rc = add_conditional(filter);
	if (rc == 0)
		rc = seccomp_attr_set(filter, SCMP_FLTATR_API_SYSRAWRC, 1);
	if (rc == 0)
		rc = seccomp_load(filter);
	seccomp_release(filter);
	return rc < 0 ? kd_err_errno(err, rc, "cannot install the seccomp filter") : 0;
}

static int
narrow_opening(uint32_t needs)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	if (filter == NULL)
		return -ENOMEM;
	int rc = 0;
	if ((needs & KILN_NEEDS_CUDA) == 0)
		rc = add_calls(filter, SCMP_ACT_ERRNO(EACCES), opening_calls,
			COUNT(opening_calls));
	if (rc == 0 && (needs & KILN_NEEDS_CUDA) == 0 && !SANITIZED)
		rc = add_calls(filter, SCMP_ACT_ERRNO(EACCES), loading_calls,
			COUNT(loading_calls));
	/* The run time of CUDA looks for its driver when it is first asked, and the driver
	 * compiles for cards newer than the plugin: both map code after open(). */
	const int protections[] = {SCMP_SYS(mmap), SCMP_SYS(mprotect)};
	const uint32_t mapping = KILN_NEEDS_JIT | KILN_NEEDS_CUDA;
	for (size_t i = 0; rc == 0 && (needs & mapping) == 0 && i < 2; i++)
		rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), protections[i], 1,
			SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, PROT_EXEC));
	/* RLIMIT_DATA does not see memory that could be shared. */
	if (rc == 0 && (needs & (KILN_NEEDS_CUDA | KILN_NEEDS_JIT)) == 0 && !SANITIZED) {
		rc = seccomp_rule_add(
			filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(memfd_create), 0);
		if (rc == 0)
			rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM),
				SCMP_SYS(mmap), 1,
				SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_SHARED | MAP_ANONYMOUS,
					MAP_SHARED | MAP_ANONYMOUS));
	}
	const int last[] = {SCMP_SYS(landlock_create_ruleset), SCMP_SYS(seccomp),
		SCMP_SYS(landlock_restrict_self), SCMP_SYS(landlock_add_rule)};
	if (rc == 0)
		rc = add_calls(filter, SCMP_ACT_ERRNO(EPERM), last, COUNT(last));
	/* A constructor may have started threads already: they are bound as well. */
	if (rc == 0)
		rc = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
	/* "No new privileges" is set already, and prctl(2) for it no longer allowed. */
	if (rc == 0)
		rc = seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 0);
	if (rc == 0)
		rc = seccomp_attr_set(filter, SCMP_FLTATR_API_SYSRAWRC, 1);
	/* That bit is set already, and the first filter refuses the call that sets it. */
	if (rc == 0)
		rc = seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 0);
	if (rc == 0)
		rc = seccomp_load(filter);
	seccomp_release(filter);
	return rc;
}

int
kd_sandbox_close(uint32_t needs, struct kd_err *err)
{
	uint64_t handled;
	int ruleset = ruleset_new(&handled);
	if (ruleset >= 0) {
		if ((needs & KILN_NEEDS_CUDA) != 0)
			allow_devices(ruleset, handled);
		if (SANITIZED)
			allow_path(ruleset, "/proc/self", access_read & handled);
		ruleset = restrict_self(ruleset);
	}
	if (ruleset < 0 && ruleset != -ENOSYS && ruleset != -EOPNOTSUPP)
		return kd_err_errno(err, ruleset, "cannot close Landlock");
	int rc = narrow_opening(needs);
	return rc < 0 ? kd_err_errno(err, rc, "cannot narrow the seccomp filter") : 0;
}
