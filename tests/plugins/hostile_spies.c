/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/plugins/hostile_spies.h"

#include "tests/plugins/hostile_hands.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static void
report(char *text, size_t size, const char *what, int failed)
{
	size_t used = strlen(text);
	snprintf(text + used, size - used, "%s%s: %s", used == 0 ? "" : "; ", what,
		failed ? strerror(errno) : "SUCCEEDED");
}

static int
try_network(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (fd >= 0)
		close(fd);
	return fd;
}

static int
try_fork(void)
{
	pid_t pid = fork();
	if (pid == 0)
		_exit(0);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	return pid;
}

static int
try_exec(void)
{
	char *arguments[] = {(char[]){"true"}, NULL};
	return execv("/bin/true", arguments);
}

static int
try_connect(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	snprintf(address.sun_path, sizeof address.sun_path, "%.107s", path);
	/* Socket or not, the link's descriptor is one that could be told to connect. */
	return connect(HOSTILE_LINK, (const struct sockaddr *)&address, sizeof address);
}

static int
try_memory_of(pid_t pid)
{
	char byte;
	struct iovec here = {&byte, 1}, there = {&byte, 1};
	return (int)process_vm_readv(pid, &here, 1, &there, 1, 0);
}

static int
try_proc_of(pid_t pid, const char *what)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, what);
	return open(path, O_RDONLY);
}

int
hostile_spies_burglar(
	const struct kiln_host *host, void *state, const struct kiln_batch *batch)
{
	char text[900] = "", folder[300], path[400];
	(void)state;
	snprintf(folder, sizeof folder, "%s", batch->units[0]->inputs[0]->name);
	for (char *c = folder; *c != '\0'; c++)
		*c = *c == '+' ? '/' : *c;
	static const char *const places[] = {
		"state/ledger.db", "in/other.txt", "out", "done", "failed"};
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, places[i]);
		report(text, sizeof text, places[i], open(path, O_RDONLY) < 0);
	}
	snprintf(path, sizeof path, "%s/state/control", folder);
	report(text, sizeof text, "control socket", try_connect(path) < 0);
	snprintf(path, sizeof path, "%s/in/other.txt", folder);
	report(text, sizeof text, "rename", rename(path, "/tmp/stolen") < 0);
	report(text, sizeof text, "link", link(path, "/tmp/stolen") < 0);
	report(text, sizeof text, "symlink", symlink(path, "/tmp/stolen") < 0);
	report(text, sizeof text, "truncate", truncate(path, 0) < 0);
	report(text, sizeof text, "chmod", chmod(path, 0777) < 0);
	host->done(host, 0, KILN_BAD_INPUT, text);
	return 0;
}

int
hostile_spies_stalker(
	const struct kiln_host *host, void *state, const struct kiln_batch *batch)
{
	char text[900] = "";
	const pid_t keeper = getppid();
	(void)state;
	(void)batch;
	report(text, sizeof text, "kill all", kill(-1, 0) < 0);
	report(text, sizeof text, "kill kilnd", kill(1, 0) < 0);
	report(text, sizeof text, "queue", sigqueue(keeper, 0, (union sigval){0}) < 0);
	report(text, sizeof text, "tgkill", syscall(SYS_tgkill, keeper, keeper, 0) < 0);
	report(text, sizeof text, "pidfd", syscall(SYS_pidfd_open, keeper, 0) < 0);
	report(text, sizeof text, "attach", ptrace(PTRACE_ATTACH, keeper, 0, 0) < 0);
	report(text, sizeof text, "read its memory", try_memory_of(keeper) < 0);
	report(text, sizeof text, "environ", try_proc_of(keeper, "environ") < 0);
	report(text, sizeof text, "mem", try_proc_of(keeper, "mem") < 0);
	report(text, sizeof text, "init's maps", try_proc_of(1, "maps") < 0);
	report(text, sizeof text, "inet", socket(AF_INET, SOCK_STREAM, 0) < 0);
	report(text, sizeof text, "netlink", socket(AF_NETLINK, SOCK_RAW, 0) < 0);
	report(text, sizeof text, "unshare", unshare(CLONE_NEWUSER) < 0);
	report(text, sizeof text, "bpf", syscall(SYS_bpf, 0, NULL, 0) < 0);
	report(text, sizeof text, "io_uring", syscall(SYS_io_uring_setup, 1, NULL) < 0);
	report(text, sizeof text, "keyring", syscall(SYS_keyctl, 0, 0, 0, 0, 0) < 0);
	report(text, sizeof text, "setuid", setuid(0) < 0);
	report(text, sizeof text, "limits",
		setrlimit(RLIMIT_NOFILE, &(struct rlimit){1 << 20, 1 << 20}) < 0);
	host->done(host, 0, KILN_BAD_INPUT, text);
	return 0;
}

int
hostile_spies_trespass(
	const struct kiln_host *host, void *state, const struct kiln_batch *batch)
{
	(void)state;
	hostile_finish(host, batch, 0);
	ptrace(PTRACE_ATTACH, getppid(), 0, 0);
	unshare(CLONE_NEWUSER);
	ptrace(PTRACE_TRACEME, 0, 0, 0);
	return hostile_crash();
}

int
hostile_spies_stubborn(
	const struct kiln_host *host, void *state, const struct kiln_batch *batch)
{
	sigset_t set;
	(void)state;
	hostile_finish(host, batch, 0);
	if (signal(SIGSYS, SIG_IGN) != SIG_ERR)
		return 0;
	sigemptyset(&set);
	sigaddset(&set, SIGSYS);
	sigprocmask(SIG_BLOCK, &set, NULL);
	ptrace(PTRACE_TRACEME, 0, 0, 0);
	return 0;
}

int
hostile_spies_sharer(
	const struct kiln_host *host, void *state, const struct kiln_batch *batch)
{
	char text[900] = "";
	(void)state;
	(void)batch;
	report(text, sizeof text, "shared memory",
		mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			-1, 0) == MAP_FAILED);
	report(text, sizeof text, "memfd", memfd_create("hostile", 0) < 0);
	report(text, sizeof text, "System V",
		syscall(SYS_shmget, IPC_PRIVATE, 1 << 20, 0600) < 0);
	host->done(host, 0, KILN_BAD_INPUT, text);
	return 0;
}

int
hostile_spies_spy(
	const struct kiln_host *host, void *state, const struct kiln_batch *batch)
{
	char text[900] = "";
	(void)state;
	(void)batch;
	report(text, sizeof text, "open /etc/passwd", open("/etc/passwd", O_RDONLY) < 0);
	report(text, sizeof text, "reopen the link", open("/proc/self/fd/3", O_RDWR) < 0);
	report(text, sizeof text, "list /", open("/", O_RDONLY | O_DIRECTORY) < 0);
	report(text, sizeof text, "write /tmp",
		open("/tmp/kiln-hostile", O_WRONLY | O_CREAT, 0600) < 0);
	report(text, sizeof text, "socket", try_network() < 0);
	report(text, sizeof text, "fork", try_fork() < 0);
	report(text, sizeof text, "exec", try_exec() < 0);
	report(text, sizeof text, "kill the keeper", kill(getppid(), 0) < 0);
	report(text, sizeof text, "ptrace", ptrace(PTRACE_TRACEME, 0, 0, 0) < 0);
	report(text, sizeof text, "unlink", unlink("/tmp/kiln-hostile") < 0);
	report(text, sizeof text, "executable memory",
		mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
	host->done(host, 0, KILN_BAD_INPUT, text);
	return 0;
}
