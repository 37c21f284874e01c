/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/rules/describe.h"

#include "daemon/base/name.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

/* One of the child's streams. */
struct stream {
	int fd;
	char *text;
	size_t length, most;
};

static double
now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* In a process group of its own, so that what it may have started ends with it. */
static int
spawn(const struct kd_describe *describe, int out, int error, pid_t *pid)
{
	char *argv[] = {(char *)describe->worker, (char *)"--describe",
		(char *)describe->plugin, NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, all;
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	posix_spawn_file_actions_addopen(
		&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, error, STDERR_FILENO);
	posix_spawnattr_setpgroup(&attributes, 0);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &all);
	posix_spawnattr_setflags(&attributes,
		POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	int code =
		-posix_spawn(pid, describe->worker, &actions, &attributes, argv, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return code;
}

/* Takes what is there: 0, 1 at the end of the stream, -EFBIG above its limit. */
static int
take(struct stream *stream)
{
	char bytes[4096];
	ssize_t got = read(stream->fd, bytes, sizeof bytes);
	if (got < 0)
		return errno == EINTR ? 0 : -errno;
	if (got == 0)
		return 1;
	if (stream->length + (size_t)got > stream->most)
		return -EFBIG;
	char *more = realloc(stream->text, stream->length + (size_t)got + 1);
	if (more == NULL)
		return -ENOMEM;
	memcpy(more + stream->length, bytes, (size_t)got);
	stream->text = more;
	stream->length += (size_t)got;
	more[stream->length] = '\0';
	return 0;
}

/* Until both streams end, or a limit is met.  Chatter beyond stderr's limit ends it too:
 * a worker has one sentence to say. */
static int
drain(struct stream streams[2], double until)
{
	struct pollfd polled[2] = {
		{streams[0].fd, POLLIN, 0}, {streams[1].fd, POLLIN, 0}};
	while (polled[0].fd >= 0 || polled[1].fd >= 0) {
		double left = until - now();
		if (left <= 0)
			return -ETIMEDOUT;
		int ready = poll(polled, 2, (int)(left * 1000) + 1);
		if (ready < 0 && errno != EINTR)
			return -errno;
		for (int i = 0; ready > 0 && i < 2; i++) {
			if (polled[i].fd < 0 || polled[i].revents == 0)
				continue;
			int code = take(&streams[i]);
			if (code < 0)
				return code;
			if (code == 1)
				polled[i].fd = -1;
		}
	}
	return 0;
}

/* The status stays 0 when somebody else's handler has reaped it (a libev loop does, for
 * all children): then the JSON alone decides. */
static int
reap(pid_t pid, int code)
{
	int status = 0;
	if (code != 0)
		kill(-pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return 0;
	return status;
}

/* The reason in the last line the worker said: without its priority "<3>", and without
 * "plugin 'PATH' is refused: ", since whoever keeps the reason keeps the path beside it.
 */
static const char *
reason_of(struct stream *stream)
{
	static const char refused[] = "' is refused: ";
	char *text = stream->text;
	if (text == NULL)
		return "";
	size_t length = stream->length;
	while (length > 0 && text[length - 1] == '\n')
		text[--length] = '\0';
	char *line = strrchr(text, '\n');
	line = line != NULL ? line + 1 : text;
	if (line[0] == '<' && line[1] != '\0' && line[2] == '>')
		line += 3;
	char *reason = strstr(line, refused);
	return reason != NULL ? reason + sizeof refused - 1 : line;
}

static int
judge(const struct kd_describe *describe, struct stream streams[2], int status,
	json_t **json, struct kd_err *err)
{
	json_error_t error;
	const char *reason = reason_of(&streams[1]);
	if (WIFSIGNALED(status))
		return kd_err_set(err, -EINVAL, "describing it ended with signal %d (%s)",
			WTERMSIG(status), strsignal(WTERMSIG(status)));
	if (WEXITSTATUS(status) != 0)
		return kd_err_set(err, -EINVAL, "%s",
			reason[0] != '\0' ? KD_NAME(reason) : "refused without a reason");
	json_t *made = json_loadb(streams[0].text != NULL ? streams[0].text : "",
		streams[0].length, JSON_REJECT_DUPLICATES, &error);
	if (made == NULL)
		return kd_err_set(err, -EINVAL,
			"expected JSON from %s --describe, found at line %d: %s",
			describe->worker, error.line, error.text);
	*json = made;
	return 0;
}

int
kd_describe_run(const struct kd_describe *describe, json_t **json, struct kd_err *err)
{
	int out[2], error[2], status = 0;
	pid_t pid;
	if (pipe2(out, O_CLOEXEC) != 0)
		return kd_err_errno(err, -errno, "cannot make a pipe");
	if (pipe2(error, O_CLOEXEC) != 0) {
		int code = kd_err_errno(err, -errno, "cannot make a pipe");
		close(out[0]);
		close(out[1]);
		return code;
	}
	struct stream streams[2] = {{.fd = out[0], .most = KD_DESCRIBE_BYTES},
		{.fd = error[0], .most = 65536}};
	int code = spawn(describe, out[1], error[1], &pid);
	close(out[1]);
	close(error[1]);
	if (code != 0) {
		kd_err_errno(err, code, "cannot start %s", describe->worker);
	} else {
		code = drain(streams, now() + describe->seconds);
		status = reap(pid, code);
		if (code == -ETIMEDOUT)
			kd_err_set(err, code, "did not describe itself within %g seconds",
				describe->seconds);
		else if (code == -EFBIG)
			kd_err_set(err, code,
				"expected a description of at most %u bytes",
				KD_DESCRIBE_BYTES);
		else if (code != 0)
			kd_err_errno(err, code, "cannot read its description");
		else
			code = judge(describe, streams, status, json, err);
	}
	for (int i = 0; i < 2; i++) {
		close(streams[i].fd);
		free(streams[i].text);
	}
	return code;
}
