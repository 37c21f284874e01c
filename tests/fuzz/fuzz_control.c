/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kilnd's ear on the control socket: whatever a client says, it is answered or dropped,
 * and the next one is served.
 */
#include "daemon/base/log.h"
#include "daemon/serve/control.h"
#include "tests/fuzz/frames.h"
#include "tests/fuzz/fuzz.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct ev_loop *loop;
static struct kd_control *control;
static struct kd_control_request *held;
static char folder[64], path[80];

static void
on_request(void *context, struct kd_control_request *request, const char *command,
	const json_t *arguments)
{
	(void)context;
	if (strcmp(command, "hold") == 0) {
		held = request;
		return;
	}
	if (command[0] == 'x')
		kd_control_refuse(request, "no '%s'", command);
	else
		kd_control_end(request, json_deep_copy(arguments));
}

static void
on_gone(void *context, struct kd_control_request *request)
{
	(void)context;
	if (request != held)
		abort();
	held = NULL;
}

static void
tidy(void)
{
	char lock[90];
	kd_control_free(control);
	snprintf(lock, sizeof lock, "%s.lock", path);
	unlink(lock);
	rmdir(folder);
}

static void
begin(void)
{
	struct kd_control_handler handler = {.request = on_request, .gone = on_gone};
	struct kd_err err;
	snprintf(folder, sizeof folder, "/tmp/fuzz-control.XXXXXX");
	loop = ev_loop_new(0);
	if (loop == NULL || mkdtemp(folder) == NULL)
		abort();
	snprintf(path, sizeof path, "%s/control", folder);
	if (kd_control_new(loop, path, -1, &handler, &control, &err) < 0)
		abort();
	atexit(tidy);
}

/* Says it all, ends, and waits until nobody is left to serve. */
static void
visit(const uint8_t *data, size_t size)
{
	static const struct frame_type types[] = {
		{'R', KD_CTL_REQUEST, 0}, {'E', KD_CTL_END, 0}, {0}};
	char byte[4096];
	int fd = kd_control_connect(path, NULL);
	if (fd < 0)
		abort();
	frames_send(fd, types, data, size);
	shutdown(fd, SHUT_WR);
	ssize_t got;
	do {
		ev_run(loop, EVRUN_NOWAIT);
		got = recv(fd, byte, sizeof byte, MSG_DONTWAIT);
	} while (got != 0 && !(got < 0 && errno == ECONNRESET));
	close(fd);
	if (held != NULL)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (control == NULL)
		begin();
	visit(data, size);
	return 0;
}
