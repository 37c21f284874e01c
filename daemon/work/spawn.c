/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/work/spawn.h"

#include "daemon/worker/protocol.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Between fork and exec of a process with threads: async-signal-safe calls only. */
static void
become_keeper(const char *worker, const char *drop, int link, pid_t parent)
{
	sigset_t none;
	sigemptyset(&none);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
	/* A parent that died before prctl() sends no signal any more. */
	if (getppid() == parent && dup2(nothing, 0) == 0 && dup2(nothing, 1) == 1 &&
		(link == KD_PROTOCOL_FD ? fcntl(link, F_SETFD, 0)
					: dup2(link, KD_PROTOCOL_FD)) >= 0) {
		close_range(KD_PROTOCOL_FD + 1, ~0u, 0);
		sigprocmask(SIG_SETMASK, &none, NULL);
		signal(SIGPIPE, SIG_DFL);
		execl(worker, "kiln-worker", drop == NULL ? (char *)NULL : "--drop", drop,
			(char *)NULL);
	}
	_exit(127);
}

int
kd_spawn_keeper(const char *worker, const char *drop, int *link, pid_t *pid)
{
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	pid_t parent = getpid();
	pid_t child = fork();
	if (child == 0)
		become_keeper(worker, drop, pair[1], parent);
	int error = errno;
	close(pair[1]);
	if (child < 0) {
		close(pair[0]);
		return -error;
	}
	fcntl(pair[0], F_SETFL, O_NONBLOCK);
	*link = pair[0];
	*pid = child;
	return 0;
}
