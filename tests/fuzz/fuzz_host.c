/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The engine's ear for its keeper: a line is said whenever the engine waits for one, so a
 * seed reads as the keeper's part of a conversation.  The plugin is ours, and asks its host
 * for all there is to ask for.
 *
 * Whatever the keeper says: what a plugin is given is well formed, and the engine ends,
 * one way or the other, when its keeper is gone.
 */
#include "daemon/base/wire.h"
#include "daemon/worker/engine.h"
#include "daemon/worker/gate.h"
#include "daemon/worker/protocol.h"
#include "daemon/worker/sandbox.h"
#include "tests/fuzz/frames.h"
#include "tests/fuzz/fuzz.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* More of a batch's units are not worth asking about. */
enum { ASKED_MOST = 4, OPENED_MOST = 128 };

static const struct frame_type types[] = {{'O', KD_ENG_OPEN, 0}, {'I', KD_ENG_INSPECT, 0},
	{'P', KD_ENG_PROCESS, 0}, {'C', KD_ENG_CANCEL, 0}, {'Q', KD_ENG_QUIT, 0},
	{'R', KD_ENG_REPLY, 1}, {'r', KD_ENG_REPLY, 0}, {0}};

static int keeper = -1; /* our end; -1: gone */
static const uint8_t *script;
static size_t script_size;
static jmp_buf gone;

/*
 * An engine ends in the midst of a plugin's call when its keeper is gone.  Here it jumps,
 * and what it had allocated is freed, where a sanitizer tells of it.
 */
enum { BLOCKS_MOST = 1 << 16 };
static const void *blocks[BLOCKS_MOST];
static size_t block_count;
static int counting;

int __sanitizer_install_malloc_and_free_hooks(
	void (*allocated)(const volatile void *, size_t),
	void (*freed)(const volatile void *)) __attribute__((weak));
const char *__asan_default_options(void);

const char *
__asan_default_options(void)
{
	/* The libraries of a fuzzer's own may hold what they like. */
	return "detect_leaks=0";
}

static void
on_malloc(const volatile void *block, size_t size)
{
	(void)size;
	if (!counting)
		return;
	if (block_count == BLOCKS_MOST)
		abort();
	blocks[block_count++] = (const void *)block;
}

static void
on_free(const volatile void *block)
{
	/* What came last mostly goes first. */
	for (size_t i = block_count; counting && i-- > 0;)
		if (blocks[i] == (const void *)block) {
			blocks[i] = blocks[--block_count];
			return;
		}
}

static void
free_the_rest(void)
{
	counting = 0;
	while (block_count > 0)
		free((void *)(uintptr_t)blocks[--block_count]);
}

/* The engine's, in place of glibc's. */
void
_exit(int status)
{
	if (counting)
		longjmp(gone, status);
	syscall(SYS_exit_group, status);
	__builtin_unreachable();
}

static void
hear(void)
{
	char heard[4096];
	while (keeper >= 0 && recv(keeper, heard, sizeof heard, MSG_DONTWAIT) > 0)
		continue;
}

/* The engine waits: then its keeper speaks, or is gone. */
static void
say(void)
{
	const uint8_t *line;
	size_t length;
	if (frames_cut(&script, &script_size, &line, &length)) {
		frames_line(keeper, types, line, length);
	} else {
		close(keeper);
		keeper = -1;
	}
}

int
poll(struct pollfd *polled, nfds_t count, int timeout)
{
	static const struct timespec at_once;
	for (;;) {
		hear();
		int rc = (int)syscall(SYS_ppoll, polled, count, &at_once, NULL, 0);
		if (rc != 0 || timeout == 0)
			return rc;
		say();
	}
}

ssize_t
recvmsg(int fd, struct msghdr *message, int flags)
{
	for (;;) {
		hear();
		ssize_t got = syscall(SYS_recvmsg, fd, message, flags | MSG_DONTWAIT);
		if (got >= 0 || errno != EAGAIN || (flags & MSG_DONTWAIT))
			return got;
		say();
	}
}

int
kd_sandbox_narrow(uint32_t needs, int denied, struct kd_err *err)
{
	(void)needs;
	(void)denied;
	(void)err;
	return 0;
}

int
kd_sandbox_close(uint32_t needs, struct kd_err *err)
{
	(void)needs;
	(void)err;
	return 0;
}

/* A descriptor, or an error: nothing else. */
static void
take(int fd)
{
	if (fd >= 0 ? fcntl(fd, F_GETFD) < 0 : fd < -4095)
		abort();
	if (fd >= 0)
		close(fd);
}

static void
check_params(const struct kiln_params *params)
{
	for (uint32_t i = 0; i < params->count; i++) {
		const struct kiln_value *value = params->values[i];
		if (value->name == NULL)
			abort();
		if (value->set && value->type == KILN_STRING && value->text == NULL)
			abort();
		for (uint32_t k = 0; k < value->list_count; k++)
			if (value->list[k] == NULL)
				abort();
	}
}

static int
open_kernel(const struct kiln_host *host, const struct kiln_params *params, void **state)
{
	check_params(params);
	if (host->device == NULL || host->threads == 0)
		abort();
	*state = (void *)(uintptr_t)host;
	take(host->open_param(host, "model", NULL));
	host->meta(host, KILN_WHOLE, "bones", "[1, 2]");
	host->meta(host, KILN_WHOLE, "none", "no JSON");
	host->variant(host, "c");
	return 0;
}

static int
inspect(const struct kiln_host *host, const struct kiln_params *params)
{
	void *state;
	return open_kernel(host, params, &state);
}

static void
ask(const struct kiln_host *host, const struct kiln_unit *unit, uint32_t i)
{
	for (uint32_t k = 0; k < unit->input_count && k < ASKED_MOST; k++)
		take(host->open_input(host, i, unit->inputs[k]->name));
	take(host->create(host, i, unit->stem, KILN_PRIMARY));
	host->warn(host, i, "careful\xff\n");
	host->progress(host, i, 1, 2);
	take(host->scratch(host));
	take(host->checkpoint(host, i, "half"));
	(void)host->cancelled(host);
	host->log(host, KILN_INFO, NULL);
	(void)host->done(host, i, KILN_OK, NULL);
}

static int
process(const struct kiln_host *host, void *state, const struct kiln_batch *batch)
{
	if (state != (const void *)host)
		abort();
	for (uint32_t i = 0; i < batch->unit_count && i < ASKED_MOST; i++) {
		if (batch->units[i]->name == NULL || batch->units[i]->stem == NULL)
			abort();
		ask(host, batch->units[i], i);
	}
	host->kernel_time(host, 0.5, 3);
	host->fail(host, "cold");
	return batch->unit_count == 2 ? -EIO : 0;
}

static void
close_kernel(const struct kiln_host *host, void *state)
{
	if (state != (const void *)host)
		abort();
}

static const struct kiln_param params[] = {
	{.size = sizeof params[0], .type = KILN_STRING, .name = "bones", .help = "h"},
	{.size = sizeof params[0], .type = KILN_LIST, .name = "list", .help = "h"},
	{.size = sizeof params[0], .type = KILN_PATH, .name = "model", .help = "h"}};
static const struct kiln_param *const param_list[] = {
	&params[0], &params[1], &params[2], NULL};
static const struct kiln_kernel kernel = {.size = sizeof kernel,
	.accepts = KILN_FILE,
	.makes = KILN_MAKES_FILE,
	.name = "copy",
	.summary = "Asks.",
	.params = param_list,
	.open = open_kernel,
	.process = process,
	.close = close_kernel,
	.inspect = inspect};
static const struct kiln_kernel *const kernel_list[] = {&kernel, NULL};
static const struct kiln_plugin plugin_of_ours = {.magic = KILN_MAGIC,
	.abi_major = KILN_ABI_MAJOR,
	.abi_minor = KILN_ABI_MINOR,
	.size = sizeof plugin_of_ours,
	.name = "fuzz",
	.version = "1",
	.kernels = kernel_list};

int
kd_gate_load(int fd, const struct kiln_plugin **plugin, struct kd_err *err)
{
	(void)fd;
	(void)err;
	*plugin = &plugin_of_ours;
	return 0;
}

const struct kiln_kernel *
kd_gate_kernel(const struct kiln_plugin *plugin, const char *name)
{
	(void)plugin;
	return strcmp(name, kernel.name) == 0 ? &kernel : NULL;
}

static void
begin(void)
{
	/* What stands there now was there before any of this. */
	if (fcntl(KD_PROTOCOL_FD, F_GETFD) >= 0 ||
		fcntl(KD_PROTOCOL_PLUGIN_FD, F_GETFD) >= 0)
		abort();
	frames_keep(KD_PROTOCOL_FD);
	frames_keep(KD_PROTOCOL_PLUGIN_FD);
	if (__sanitizer_install_malloc_and_free_hooks != NULL)
		__sanitizer_install_malloc_and_free_hooks(on_malloc, on_free);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int begun;
	int pair[2];
	char before[OPENED_MOST];
	if (!begun)
		begin();
	begun = 1;
	for (int fd = 0; fd < OPENED_MOST; fd++)
		before[fd] = fcntl(fd, F_GETFD) >= 0;
	if (frames_pair(KD_PROTOCOL_FD, pair) < 0)
		abort();
	keeper = pair[1];
	script = data;
	script_size = size;
	frames_begin();
	counting = 1;
	if (setjmp(gone) == 0) {
		(void)kd_engine_main(0, 0);
		/* It quit of itself: nothing is left. */
		if (block_count > 0)
			abort();
	}
	free_the_rest();
	for (int fd = 0; fd < OPENED_MOST; fd++)
		if (!before[fd] && fcntl(fd, F_GETFD) >= 0)
			close(fd);
	keeper = -1;
	frames_keep(KD_PROTOCOL_FD);
	frames_keep(KD_PROTOCOL_PLUGIN_FD);
	return 0;
}
