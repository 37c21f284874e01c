/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "daemon/worker/launch.h"

#include "daemon/worker/denied.h"
#include "daemon/worker/protocol.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SPARE_FD = 16, UNCONFINED = 1 };

/* What an engine inherits of the environment: nothing that could steer its loader. */
static char **
engine_environment(char *room[8], char *text, size_t size)
{
	size_t count = 0;
#ifdef KILN_SANITIZED
	/* The leak check at exit wants to trace its own threads. */
	const char *options = getenv("ASAN_OPTIONS");
	snprintf(text, size, "ASAN_OPTIONS=%s%sdetect_leaks=0",
		options == NULL ? "" : options, options == NULL ? "" : ":");
	room[count++] = text;
#else
	const char *devices = getenv("CUDA_VISIBLE_DEVICES");
	if (devices != NULL) {
		snprintf(text, size, "CUDA_VISIBLE_DEVICES=%s", devices);
		room[count++] = text;
	}
#endif
	room[count] = NULL;
	return room;
}

/* Puts the link and the plugin where the engine expects them and closes the rest. */
static int
arrange_descriptors(int link, int plugin, int denied)
{
	int spare_link = fcntl(link, F_DUPFD, SPARE_FD);
	int spare_plugin = fcntl(plugin, F_DUPFD, SPARE_FD);
	int spare_denied = fcntl(denied, F_DUPFD, SPARE_FD);
	int null = open("/dev/null", O_RDWR);
	if (spare_link < 0 || spare_plugin < 0 || spare_denied < 0 || null < 0)
		return -errno;
	if (dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
		dup2(spare_link, KD_PROTOCOL_FD) < 0 ||
		dup2(spare_plugin, KD_PROTOCOL_PLUGIN_FD) < 0 ||
		dup2(spare_denied, KD_DENIED_FD) < 0)
		return -errno;
	if (syscall(SYS_close_range, KD_DENIED_FD + 1, ~0U, 0) < 0)
		return -errno;
	return 0;
}

/* In the child; what cannot be done is told on stderr, the keeper sees the link close. */
static _Noreturn void
become_engine(const struct kd_sandbox *sandbox, int link, int denied)
{
	char *environment[8], text[512];
	struct kd_sandbox confined = *sandbox;
	confined.plugin = KD_PROTOCOL_PLUGIN_FD;
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	signal(SIGTERM, SIG_DFL);
	signal(SIGINT, SIG_IGN); /* ^C is the client's to handle */
	int rc = arrange_descriptors(link, sandbox->plugin, denied);
	if (rc == 0)
		rc = kd_sandbox_enter(&confined);
	if (rc >= 0) {
		char needs[16];
		snprintf(needs, sizeof needs, "%u", sandbox->needs);
		const char *arguments[] = {"kiln-worker", "--engine", needs,
			rc == UNCONFINED ? "unconfined" : NULL, NULL};
		if (sandbox->unpack) {
			arguments[1] = "--unpack";
			arguments[2] = NULL;
		}
		/* execve(2) takes them non-const only for old programs' sake. */
		execve("/proc/self/exe", (char *const *)arguments,
			engine_environment(environment, text, sizeof text));
		rc = -errno;
	}
	dprintf(STDERR_FILENO, "kiln-worker: cannot start an engine: %s\n",
		strerror(-rc));
	_exit(127);
}

int
kd_launch_engine(
	struct kd_sandbox *sandbox, struct kd_engine_process *process, struct kd_err *err)
{
	int pair[2], denied[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return kd_err_errno(err, -errno, "cannot make a link to an engine");
	if (pipe2(denied, O_CLOEXEC | O_NONBLOCK) < 0) {
		int error = errno;
		close(pair[0]);
		close(pair[1]);
		return kd_err_errno(err, -error, "cannot make a pipe to an engine");
	}
	sandbox->keeper = getpid();
	pid_t pid = fork();
	if (pid < 0) {
		int error = errno;
		close(pair[0]);
		close(pair[1]);
		close(denied[0]);
		close(denied[1]);
		return kd_err_errno(err, -error, "cannot start an engine");
	}
	if (pid == 0)
		become_engine(sandbox, pair[1], denied[1]);
	close(pair[1]);
	close(denied[1]);
	process->denied = denied[0];
	process->wire = kd_wire_new(pair[0]);
	process->pid = pid;
	if (process->wire == NULL) {
		close(pair[0]);
		kd_launch_kill(process);
		return kd_err_set(err, -ENOMEM, "out of memory");
	}
	kd_wire_refuse_fds(process->wire);
	return 0;
}

static int
reap(struct kd_engine_process *process)
{
	int status = 0;
	if (process->pid != 0)
		while (waitpid(process->pid, &status, 0) < 0 && errno == EINTR)
			continue;
	kd_wire_free(process->wire);
	if (process->pid != 0)
		close(process->denied);
	*process = (struct kd_engine_process){0};
	return status;
}

int
kd_launch_kill(struct kd_engine_process *process)
{
	if (process->pid != 0)
		kill(process->pid, SIGKILL);
	return reap(process);
}

int
kd_launch_wait(struct kd_engine_process *process, int patience)
{
	if (process->pid == 0)
		return reap(process);
	int pidfd = (int)syscall(SYS_pidfd_open, process->pid, 0);
	struct pollfd ended = {.fd = pidfd, .events = POLLIN};
	if (pidfd < 0 || poll(&ended, 1, patience) != 1)
		kill(process->pid, SIGKILL);
	if (pidfd >= 0)
		close(pidfd);
	return reap(process);
}

const char *
kd_launch_describe(int status, char *buffer, size_t size)
{
	if (WIFSIGNALED(status)) {
		const char *name = sigabbrev_np(WTERMSIG(status));
		snprintf(buffer, size, "was killed by SIG%s%s", name == NULL ? "?" : name,
			WTERMSIG(status) == SIGSYS
				? ", for a system call that no engine may make"
				: "");
	} else {
		snprintf(buffer, size, "exited with status %d", WEXITSTATUS(status));
	}
	return buffer;
}
