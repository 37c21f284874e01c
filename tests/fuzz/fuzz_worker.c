/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The keeper's ears: for its client, and for the engine that runs the plugin.  Lines that
 * begin with a capital are the client's, those with a small letter the engine's, each said
 * when the keeper waits for somebody to speak: so a seed reads as a conversation.
 *
 * Whatever they say: the keeper ends with its link, every unit of every result has a
 * status and a reason that kilnd can read, no descriptor is left, and nothing is written
 * but below the folders of the manifest.
 */
#include "daemon/base/log.h"
#include "daemon/worker/keeper.h"
#include "daemon/worker/launch.h"
#include "daemon/worker/manifest.h"
#include "daemon/worker/protocol.h"
#include "plugins/kiln_plugin.h"
#include "tests/fuzz/frames.h"
#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* As many as a test can hold back without being told to. */
enum { HELD_MOST = 64 };

/* One of the keeper's peers: us. */
struct peer {
	struct kd_wire *wire; /* our end; NULL: there is none */
	const struct frame_type *types;
};

static const struct frame_type client_types[] = {
	{'V', KD_MSG_VERDICT, 0}, {'F', KD_MSG_FINISH, 0}, {'C', KD_MSG_CANCEL, 0}, {0}};
static const struct frame_type engine_types[] = {{'l', KD_ENG_LOADED, 0},
	{'o', KD_ENG_OPENED, 0}, {'i', KD_ENG_INPUT, 0}, {'a', KD_ENG_PARAM, 0},
	{'c', KD_ENG_CREATE, 0}, {'s', KD_ENG_SCRATCH, 0}, {'k', KD_ENG_CHECKPOINT, 0},
	{'d', KD_ENG_DONE, 0}, {'w', KD_ENG_WARN, 0}, {'m', KD_ENG_META, 0},
	{'g', KD_ENG_PROGRESS, 0}, {'t', KD_ENG_LOG, 0}, {'v', KD_ENG_VARIANT, 0},
	{'e', KD_ENG_TIME, 0}, {'p', KD_ENG_PROCESSED, 0}, {'u', KD_ENG_UNPACKED, 0},
	{'r', KD_ENG_REPLY, 0}, {0}};

static struct peer client = {.types = client_types}, engine = {.types = engine_types};
static const uint8_t *script;
static size_t script_size;
static char folder[64];
static int deaf; /* our engine does not read its answers */
static int held[HELD_MOST], held_count;

static void
hang_up(struct peer *peer)
{
	kd_wire_free(peer->wire);
	peer->wire = NULL;
}

/* A result must be one that kilnd takes. */
static void
check_result(int fd)
{
	struct kd_result result;
	struct kd_err err = {0};
	if (kd_manifest_result_read(fd, &result, &err) < 0)
		abort();
	for (uint32_t i = 0; i < result.unit_count; i++) {
		const struct kd_result_unit *unit = &result.units[i];
		if (unit->status == KD_UNIT_PUBLISHED
				? unit->primary == NULL || unit->sidecar == NULL
				: unit->reason == NULL || unit->reason[0] == '\0')
			abort();
	}
	kd_manifest_result_clear(&result);
}

/* Reads what the keeper told; writes to outputs, so that there is something in them. */
static void
hear(struct peer *peer)
{
	struct kd_wire_message message;
	int filled = 0, rc;
	if (peer->wire == NULL || (peer == &engine && deaf))
		return;
	do {
		filled = kd_wire_fill(peer->wire);
		while ((rc = kd_wire_next(peer->wire, &message)) == 1) {
			if (peer == &client && message.type == KD_MSG_RESULT)
				check_result(message.fds[0]);
			for (unsigned i = 0; i < message.fd_count; i++) {
				(void)!write(message.fds[i], "out", 3);
				if (held_count >= 0 && held_count < HELD_MOST) {
					held[held_count++] = message.fds[i];
					message.fds[i] = -1;
				}
			}
			kd_wire_done(&message);
			filled = kd_wire_fill(peer->wire);
		}
	} while (rc == 1);
	/* The keeper never breaks the protocol. */
	if (rc == -EPROTO || filled == -EPROTO)
		abort();
}

static char *
beneath(const char *name)
{
	char *path;
	if (asprintf(&path, "%s/%s", folder, name) < 0)
		abort();
	return path;
}

/* Three units: a file, a directory and an archive. */
static void
send_batch(uint32_t repeat)
{
	struct kd_manifest_unit units[] = {{.id = 1,
						   .kind = KILN_FILE,
						   .attempt = 1,
						   .path = (char *)"a.txt",
						   .output = (char *)""},
		{.id = 2,
			.kind = KILN_DIRECTORY,
			.attempt = 1,
			.path = (char *)"shot",
			.output = (char *)"sub"},
		{.id = 3,
			.kind = KD_UNIT_ARCHIVE,
			.attempt = 1,
			.path = (char *)"b.zip",
			.output = (char *)""}};
	struct kd_manifest manifest = {.batch = 7,
		.rule = (char *)"rule",
		.revision = (char *)"rev",
		.plugin = (char *)"/bin/sh",
		.kernel = (char *)"copy",
		.params = json_pack("{s:o}", "model", json_string(folder)),
		.device = (char *)"cpu",
		.threads = 1,
		.repeat = repeat,
		.output_limit = 1000,
		.inputs = KD_INPUTS_MOVE,
		.mode = 0644,
		.sequence_first = -1,
		.sequence_last = -1,
		.root = beneath("in"),
		.out = beneath("out"),
		.done = beneath("done"),
		.quarantine = beneath("failed"),
		.unit_count = 3,
		.units = units};
	char *model = beneath("model");
	json_object_set_new(manifest.params, "model", json_string(model));
	free(model);
	int fd = kd_manifest_write(&manifest);
	if (fd < 0)
		abort();
	const struct frame frame = {.type = KD_MSG_BATCH, .passed = fd};
	frames_put(kd_wire_fd(client.wire), &frame);
	close(fd);
	json_decref(manifest.params);
	free(manifest.root);
	free(manifest.out);
	free(manifest.done);
	free(manifest.quarantine);
}

/* The next line, or both hang up when there is none. */
static void
say(void)
{
	const uint8_t *line;
	size_t length;
	if (!frames_cut(&script, &script_size, &line, &length)) {
		hang_up(&client);
		hang_up(&engine);
		return;
	}
	if (length == 0 || client.wire == NULL)
		return;
	switch (line[0]) {
	case 'B':
		send_batch(length > 1 && line[1] == '2' ? 2 : 1);
		return;
	case 'X':
		hang_up(&engine);
		return;
	case 'D':
		deaf = 1;
		return;
	case 'H':
		held_count = held_count < 0 ? 0 : held_count;
		return;
	case '?':
		if (engine.wire != NULL) {
			uint8_t *raw = malloc(length);
			memcpy(raw, line, length);
			raw[0] = '!';
			frames_line(kd_wire_fd(engine.wire), engine.types, raw, length);
			free(raw);
		}
		return;
	}
	/* Of the client only BATCH brings a descriptor, and that is ours: no line can name
	 * folders to a keeper. */
	if (line[0] == '!' || (line[0] >= 'A' && line[0] <= 'Z'))
		frames_line(kd_wire_fd(client.wire), client.types, line, length);
	else if (engine.wire != NULL)
		frames_line(kd_wire_fd(engine.wire), engine.types, line, length);
}

/* The keeper waits for somebody: then somebody speaks. */
int
poll(struct pollfd *polled, nfds_t count, int timeout)
{
	static const struct timespec at_once;
	for (;;) {
		hear(&client);
		hear(&engine);
		int rc = (int)syscall(SYS_ppoll, polled, count, &at_once, NULL, 0);
		if (rc != 0 || timeout == 0)
			return rc;
		say();
	}
}

/* Or it waits in here, for one of them. */
ssize_t
recvmsg(int fd, struct msghdr *message, int flags)
{
	for (;;) {
		ssize_t got = syscall(SYS_recvmsg, fd, message, flags | MSG_DONTWAIT);
		if (got >= 0 || errno != EAGAIN || (flags & MSG_DONTWAIT))
			return got;
		hear(&client);
		hear(&engine);
		say();
	}
}

int
kd_launch_engine(
	struct kd_sandbox *sandbox, struct kd_engine_process *process, struct kd_err *err)
{
	int pair[2];
	(void)sandbox;
	(void)err;
	hang_up(&engine);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		abort();
	*process = (struct kd_engine_process){
		.pid = 1, .wire = kd_wire_new(pair[0]), .denied = -1};
	engine.wire = kd_wire_new(pair[1]);
	if (process->wire == NULL || engine.wire == NULL)
		abort();
	kd_wire_refuse_fds(process->wire);
	return 0;
}

int
kd_launch_kill(struct kd_engine_process *process)
{
	int status = process->pid != 0 ? 9 : 0;
	kd_wire_free(process->wire);
	*process = (struct kd_engine_process){0};
	return status;
}

int
kd_launch_wait(struct kd_engine_process *process, int patience)
{
	(void)patience;
	return kd_launch_kill(process);
}

const char *
kd_launch_describe(int status, char *buffer, size_t size)
{
	snprintf(buffer, size, "ended with %d", status);
	return buffer;
}

static void
write_file(const char *name, const char *text)
{
	char *path = beneath(name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		abort();
	close(fd);
	free(path);
}

static void
make_folder(const char *name)
{
	char *path = beneath(name);
	if (mkdir(path, 0755) < 0)
		abort();
	free(path);
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

static void
tidy(void)
{
	nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* What a rule's folders are before a batch.  In memory where that can be had: nothing here
 * is to survive. */
static void
make_world(void)
{
	snprintf(folder, sizeof folder, "%s/fuzz-worker.XXXXXX",
		access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (mkdtemp(folder) == NULL)
		abort();
	make_folder("in");
	make_folder("in/shot");
	make_folder("out");
	write_file("in/a.txt", "a");
	write_file("in/shot/1.txt", "1");
	write_file("in/b.zip", "PK");
	write_file("model", "m");
}

static unsigned
count_entries(const char *path)
{
	unsigned count = 0;
	DIR *dir = opendir(path);
	while (dir != NULL && readdir(dir) != NULL)
		count++;
	if (dir != NULL)
		closedir(dir);
	return count;
}

/* in, out, model, and done and failed where they were needed. */
static void
check_world(void)
{
	static const char *const known[] = {
		".", "..", "in", "out", "model", "done", "failed"};
	DIR *dir = opendir(folder);
	const struct dirent *entry;
	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		size_t i = 0, count = sizeof known / sizeof *known;
		while (i < count && strcmp(known[i], entry->d_name) != 0)
			i++;
		if (i == count)
			abort();
	}
	closedir(dir);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int begun;
	int pair[2];
	if (!begun) {
		/* What stands there now was there before any of this. */
		if (fcntl(KD_PROTOCOL_FD, F_GETFD) >= 0)
			abort();
		frames_keep(KD_PROTOCOL_FD);
		kd_log_open("fuzz", KD_LOG_STDERR, (enum kd_log_level)0);
		begun = 1;
	}
	make_world();
	unsigned before = count_entries("/proc/self/fd");
	if (frames_pair(KD_PROTOCOL_FD, pair) < 0 ||
		(client.wire = kd_wire_new(pair[1])) == NULL)
		abort();
	script = data;
	script_size = size;
	deaf = 0;
	held_count = -1;
	/* It ends when its client has gone or has broken the protocol, and never else. */
	if (kd_keeper_main() == 0 && client.wire != NULL)
		abort();
	hear(&client);
	hang_up(&client);
	hang_up(&engine);
	for (; held_count > 0; held_count--)
		close(held[held_count - 1]);
	frames_keep(KD_PROTOCOL_FD);
	if (count_entries("/proc/self/fd") != before)
		abort();
	check_world();
	tidy();
	return 0;
}
