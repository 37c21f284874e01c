/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The client of one keeper.  Invariant: whatever happens, the link is closed and the
 * keeper waited for, so that nothing of a run outlives it.
 */
#include "daemon/work/session.h"

#include "daemon/base/wire.h"
#include "daemon/work/spawn.h"
#include "daemon/worker/protocol.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* What `kiln-worker --inspect` may print: a model of 65,535 bones, generously. */
enum { MOST_FACTS = 64 << 20 };

struct session {
	const struct kd_session_options *options;
	const struct kd_manifest *manifest;
	struct kd_result *result;
	struct kd_wire *wire;
	pid_t pid;
	int cancelled, has_result, finished;
};

static int
wait_for(pid_t pid)
{
	int status;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return status;
}

static int
broken(struct kd_err *err, const char *what)
{
	return kd_err_set(err, -EPROTO, "kiln-worker broke the protocol: %s", what);
}

/* The unit that a message is about; -1 when it names none of ours. */
static int64_t
unit_of(const struct session *s, const json_t *body)
{
	const json_t *unit = json_object_get(body, "unit");
	json_int_t index = json_integer_value(unit);
	return json_is_integer(unit) && index >= 0 &&
			       index < (json_int_t)s->manifest->unit_count
		       ? (int64_t)index
		       : -1;
}

/* Without a ledger there is no earlier unit whose content could be the same. */
static int
on_hashed(struct session *s, const json_t *body, struct kd_err *err)
{
	int64_t unit = unit_of(s, body);
	if (unit < 0)
		return broken(err, "a hash of no unit");
	json_t *verdict = json_pack(
		"{s:I,s:b,s:b}", "unit", (json_int_t)unit, "run", 1, "again", 1);
	int rc = verdict == NULL
			 ? -ENOMEM
			 : kd_wire_send(s->wire, KD_MSG_VERDICT, 0, verdict, NULL, 0);
	json_decref(verdict);
	return rc < 0 ? kd_err_errno(err, rc, "cannot answer kiln-worker") : 0;
}

static int
send_finish(struct session *s, struct kd_err *err)
{
	json_t *units = json_array();
	for (uint32_t i = 0; i < s->result->unit_count; i++)
		if (s->result->units[i].status == KD_UNIT_PUBLISHED ||
			s->result->units[i].status == KD_UNIT_ALREADY)
			json_array_append_new(units, json_integer(i));
	json_t *body = json_pack("{s:o}", "units", units);
	int rc = body == NULL ? -ENOMEM
			      : kd_wire_send(s->wire, KD_MSG_FINISH, 0, body, NULL, 0);
	json_decref(body);
	return rc < 0 ? kd_err_errno(err, rc, "cannot finish the batch") : 0;
}

static int
on_result(struct session *s, const struct kd_wire_message *message, struct kd_err *err)
{
	if (message->fd_count != 1 || s->has_result)
		return broken(err, "a result without its file, or two of them");
	int rc = kd_manifest_result_read(message->fds[0], s->result, err);
	if (rc < 0)
		return rc;
	s->has_result = 1;
	if (s->result->unit_count != s->manifest->unit_count)
		return broken(err, "a result for another number of units");
	return send_finish(s, err);
}

static void
on_progress(const struct session *s, const json_t *body)
{
	json_int_t done = json_integer_value(json_object_get(body, "done"));
	json_int_t total = json_integer_value(json_object_get(body, "total"));
	int64_t unit = unit_of(s, body);
	if (unit >= 0 && done >= 0 && total >= 0 && s->options->progress != NULL)
		s->options->progress(s->options->context, (uint32_t)unit, (uint64_t)done,
			(uint64_t)total);
}

static void
on_log(const struct session *s, const json_t *body)
{
	const char *text = json_string_value(json_object_get(body, "text"));
	if (text != NULL && s->options->log != NULL)
		s->options->log(s->options->context,
			(int)json_integer_value(json_object_get(body, "level")), text);
}

static void
report_failed(const struct session *s, const json_t *body)
{
	size_t i;
	const json_t *one;
	json_array_foreach(json_object_get(body, "failed"), i, one)
	{
		const char *reason = json_string_value(json_object_get(one, "reason"));
		if (reason != NULL && s->options->log != NULL)
			s->options->log(s->options->context, 4, reason);
	}
}

static int
handle(struct session *s, const struct kd_wire_message *message, struct kd_err *err)
{
	if (message->type == KD_MSG_RESULT)
		return on_result(s, message, err);
	json_t *body = kd_wire_json(message);
	int rc = 0;
	switch (message->type) {
	case KD_MSG_HASHED:
		rc = on_hashed(s, body, err);
		break;
	case KD_MSG_UNIT_PROGRESS:
		on_progress(s, body);
		break;
	case KD_MSG_KEEPER_LOG:
		on_log(s, body);
		break;
	case KD_MSG_FINISHED:
		if (!s->has_result)
			rc = broken(err, "an end without a result");
		report_failed(s, body);
		s->finished = 1;
		break;
	default:
		rc = broken(err, "a message that is not a keeper's");
		break;
	}
	json_decref(body);
	return rc;
}

static int
on_cancel(struct session *s, struct kd_err *err)
{
	struct signalfd_siginfo info;
	if (read(s->options->cancel_fd, &info, sizeof info) < 0 && errno == EAGAIN)
		return 0;
	if (s->cancelled++ > 0) {
		kill(s->pid, SIGKILL);
		return kd_err_set(err, -EINTR, "cancelled twice: killed");
	}
	/* A keeper that has its result has nothing left to cancel. */
	if (!s->has_result)
		kd_wire_send(s->wire, KD_MSG_CANCEL, 0, NULL, NULL, 0);
	return 0;
}

/* The next message of the keeper; cancelling is seen to meanwhile. */
static int
receive(struct session *s, struct kd_wire_message *message, struct kd_err *err)
{
	for (;;) {
		int rc = kd_wire_receive(s->wire, 0, message);
		if (rc == 0)
			return 0;
		if (rc == -EPIPE || rc == -ECONNRESET)
			return kd_err_set(err, -EPIPE, "kiln-worker ended too early");
		if (rc != -ETIMEDOUT)
			return kd_err_errno(err, rc, "cannot read from kiln-worker");
		struct pollfd ready[2] = {
			{.fd = kd_wire_fd(s->wire), .events = POLLIN},
			{.fd = s->options->cancel_fd, .events = POLLIN},
		};
		if (poll(ready, 2, -1) < 0 && errno != EINTR)
			return kd_err_errno(err, -errno, "cannot wait for kiln-worker");
		if ((ready[1].revents & POLLIN) != 0) {
			rc = on_cancel(s, err);
			if (rc < 0)
				return rc;
		}
	}
}

static int
greet(struct session *s, struct kd_err *err)
{
	struct kd_wire_message message;
	int rc = receive(s, &message, err);
	if (rc < 0)
		return rc;
	json_t *body = kd_wire_json(&message);
	json_int_t version = json_integer_value(json_object_get(body, "version"));
	if (message.type != KD_MSG_HELLO || version != KD_PROTOCOL_VERSION)
		rc = kd_err_set(err, -EPROTO,
			"'%s' does not speak version %d of the worker protocol",
			s->options->worker, KD_PROTOCOL_VERSION);
	json_decref(body);
	kd_wire_done(&message);
	return rc;
}

static int
talk(struct session *s, struct kd_err *err)
{
	int rc = greet(s, err);
	if (rc < 0)
		return rc;
	int fd = kd_manifest_write(s->manifest);
	if (fd < 0)
		return kd_err_errno(err, fd, "cannot write the manifest");
	rc = kd_wire_send(s->wire, KD_MSG_BATCH, 0, NULL, &fd, 1);
	close(fd);
	if (rc < 0)
		return kd_err_errno(err, rc, "cannot reach kiln-worker");
	while (rc == 0 && !s->finished) {
		struct kd_wire_message message;
		rc = receive(s, &message, err);
		if (rc < 0)
			break;
		rc = handle(s, &message, err);
		kd_wire_done(&message);
	}
	return rc;
}

/* A Ctrl-C goes to the whole foreground group, but it is ours to pass on: the keeper
 * inherits that it ignores it. */
static int
spawn(const char *worker, int *link, pid_t *pid)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN}, old;
	sigaction(SIGINT, &ignore, &old);
	int rc = kd_spawn_keeper(worker, NULL, link, pid);
	sigaction(SIGINT, &old, NULL);
	return rc;
}

int
kd_session_run(const struct kd_session_options *options,
	const struct kd_manifest *manifest, struct kd_result *result, struct kd_err *err)
{
	struct kd_result made = {0};
	struct session s = {.options = options, .manifest = manifest, .result = &made};
	int link;
	int rc = spawn(options->worker, &link, &s.pid);
	if (rc < 0)
		return kd_err_errno(err, rc, "cannot start '%s'", options->worker);
	s.wire = kd_wire_new(link);
	if (s.wire == NULL) {
		close(link);
		rc = kd_err_set(err, -ENOMEM, "out of memory");
	} else {
		rc = talk(&s, err);
	}
	kd_wire_free(s.wire);
	int status = wait_for(s.pid);
	if (rc == -EPIPE && WIFEXITED(status) && WEXITSTATUS(status) == 127)
		kd_err_set(err, rc, "cannot run '%s'", options->worker);
	else if (rc == -EPIPE && WIFSIGNALED(status))
		kd_err_set(err, rc, "kiln-worker died of signal %d (%s)",
			WTERMSIG(status), strsignal(WTERMSIG(status)));
	/* What is published is published; a keeper that dies after its result loses only
	 * what FINISH would have done to inputs. */
	if (rc < 0 && !(made.unit_count == manifest->unit_count && s.has_result)) {
		kd_manifest_result_clear(&made);
		return rc;
	}
	*result = made;
	return 0;
}

/* Everything a pipe brings, up to a limit; NULL with a message else. */
static char *
read_pipe(int fd, size_t *length, struct kd_err *err)
{
	char *bytes = NULL;
	size_t room = 0, used = 0;
	for (;;) {
		if (room - used < 2) {
			room = room == 0 ? 65536 : room * 2;
			char *more = room > MOST_FACTS ? NULL : realloc(bytes, room);
			if (more == NULL) {
				kd_err_set(err, -EFBIG,
					"the kernel tells more than there is room for");
				break;
			}
			bytes = more;
		}
		ssize_t got = read(fd, bytes + used, room - used - 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			kd_err_errno(err, -errno, "cannot read from kiln-worker");
			break;
		}
		used += (size_t)got;
		if (got == 0) {
			bytes[used] = '\0';
			*length = used;
			return bytes;
		}
	}
	free(bytes);
	return NULL;
}

/* The child of inspect: the manifest at 3, the pipe at 1. */
static void
become_inspector(const char *worker, int manifest, int out)
{
	/* The manifest first steps aside, should the pipe's end stand at 3 itself. */
	int aside = fcntl(manifest, F_DUPFD_CLOEXEC, 10);
	if (aside >= 0 && dup2(out, STDOUT_FILENO) == STDOUT_FILENO &&
		dup2(aside, KD_PROTOCOL_FD) == KD_PROTOCOL_FD) {
		close_range(KD_PROTOCOL_FD + 1, ~0u, 0);
		execl(worker, "kiln-worker", "--inspect", (char *)NULL);
	}
	_exit(127);
}

static int
parse_facts(const char *text, size_t length, json_t **facts, struct kd_err *err)
{
	json_t *body = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
	json_t *found = json_object_get(body, "facts");
	const char *said = json_string_value(json_object_get(body, "error"));
	int rc = 0;
	if (json_is_object(found))
		*facts = json_incref(found);
	else if (said != NULL)
		rc = kd_err_set(err, -EINVAL, "%s", said);
	else
		rc = broken(err, "--inspect printed no facts");
	json_decref(body);
	return rc;
}

int
kd_session_inspect(const char *worker, const struct kd_manifest *manifest, json_t **facts,
	struct kd_err *err)
{
	int out[2];
	int fd = kd_manifest_write(manifest);
	if (fd < 0)
		return kd_err_errno(err, fd, "cannot write the manifest");
	if (pipe2(out, O_CLOEXEC) < 0) {
		close(fd);
		return kd_err_errno(err, -errno, "cannot make a pipe");
	}
	pid_t pid = fork();
	if (pid == 0)
		become_inspector(worker, fd, out[1]);
	int rc = pid < 0 ? -errno : 0;
	close(out[1]);
	close(fd);
	if (rc < 0) {
		close(out[0]);
		return kd_err_errno(err, rc, "cannot start '%s'", worker);
	}
	size_t length = 0;
	char *text = read_pipe(out[0], &length, err);
	close(out[0]);
	int status = wait_for(pid);
	if (text == NULL)
		rc = err != NULL && err->code < 0 ? err->code : -EIO;
	else if (WIFEXITED(status) && WEXITSTATUS(status) == 127 && length == 0)
		rc = kd_err_set(err, -ENOENT, "cannot run '%s'", worker);
	else if (WIFSIGNALED(status))
		rc = kd_err_set(err, -EPIPE, "kiln-worker died of signal %d (%s)",
			WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		rc = parse_facts(text, length, facts, err);
	free(text);
	return rc;
}
