/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/worker/syscalls.h"

#include "daemon/worker/sanitized.h"
#include "plugins/kiln_plugin.h"

#include <asm/prctl.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

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
	for (size_t i = 0; rc == 0 && !KD_SANITIZED && i < COUNT(prctl_options); i++)
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
	if (rc == 0 && !KD_SANITIZED)
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
	if (denied < 0 || KD_SANITIZED || (needs & KILN_NEEDS_CUDA) != 0)
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
kd_syscalls_narrow(uint32_t needs, int denied, struct kd_err *err)
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
	if (rc == 0 && KD_SANITIZED)
		rc = add_calls(
			filter, SCMP_ACT_ALLOW, sanitizer_calls, COUNT(sanitizer_calls));
	/* The second filter narrows these. */
	const int later[] = {SCMP_SYS(mmap), SCMP_SYS(mprotect), SCMP_SYS(seccomp),
		SCMP_SYS(landlock_create_ruleset), SCMP_SYS(landlock_restrict_self),
		SCMP_SYS(landlock_add_rule)};
	if (rc == 0)
		rc = add_calls(filter, SCMP_ACT_ALLOW, later, COUNT(later));
	if (rc == 0 && !KD_SANITIZED && (needs & KILN_NEEDS_CUDA) != 0)
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

int
kd_syscalls_close(uint32_t needs, struct kd_err *err)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	if (filter == NULL)
		return kd_err_errno(err, -ENOMEM, "cannot narrow the seccomp filter");
	int rc = 0;
	if ((needs & KILN_NEEDS_CUDA) == 0)
		rc = add_calls(filter, SCMP_ACT_ERRNO(EACCES), opening_calls,
			COUNT(opening_calls));
	if (rc == 0 && (needs & KILN_NEEDS_CUDA) == 0 && !KD_SANITIZED)
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
	if (rc == 0 && (needs & (KILN_NEEDS_CUDA | KILN_NEEDS_JIT)) == 0 &&
		!KD_SANITIZED) {
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
	/* "No new privileges" is set already, and the first filter refuses the prctl(2) that
	 * sets it. */
	if (rc == 0)
		rc = seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 0);
	if (rc == 0)
		rc = seccomp_attr_set(filter, SCMP_FLTATR_API_SYSRAWRC, 1);
	if (rc == 0)
		rc = seccomp_load(filter);
	seccomp_release(filter);
	return rc < 0 ? kd_err_errno(err, rc, "cannot narrow the seccomp filter") : 0;
}
