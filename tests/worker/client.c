/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/worker/client.h"

#include "daemon/base/file.h"
#include "daemon/base/name.h"
#include "daemon/base/series.h"
#include "daemon/worker/protocol.h"
#include "plugins/kiln_plugin.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* A keeper that says nothing for so long will not say anything any more. */
enum { SILENCE = 120000 /* ms */ };

static const char *
build_folder(void)
{
	const char *folder = getenv("top_builddir");
	return folder == NULL ? "." : folder;
}

const char *
client_path(const struct scratch *scratch, const char *name)
{
	static char buffers[8][4200];
	static unsigned next;
	char *buffer = buffers[next++ % 8];
	snprintf(buffer, sizeof buffers[0], "%s/%s", scratch->base, name);
	return buffer;
}

static void
copy_plugin(const struct scratch *scratch, const char *from, const char *name)
{
	char source[4200];
	snprintf(source, sizeof source, "%s/%s", build_folder(), from);
	int in = open(source, O_RDONLY | O_CLOEXEC);
	if (in < 0)
		fail_msg("%s: %s", source, strerror(errno));
	int out = open(client_path(scratch, name), O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	assert_true(out >= 0);
	assert_int_equal(kd_file_copy(in, out), 0);
	assert_int_equal(fchmod(out, 0755), 0);
	close(in);
	close(out);
}

void
client_scratch_make(struct scratch *scratch)
{
	static const char *const folders[] = {"in", "out", "plugins"};
	/* Below /tmp whatever TMPDIR says: the gate asks who owns the folders above. */
	strcpy(scratch->base, "/tmp/kiln-test-XXXXXX");
	assert_non_null(mkdtemp(scratch->base));
	assert_int_equal(chmod(scratch->base, 0755), 0);
	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
		assert_int_equal(mkdir(client_path(scratch, folders[i]), 0755), 0);
		assert_int_equal(chmod(client_path(scratch, folders[i]), 0755), 0);
	}
	copy_plugin(scratch, "plugins/copy.so", "plugins/copy.so");
	copy_plugin(scratch, "tests/plugins/hostile.so", "plugins/hostile.so");
}

void
client_scratch_remove(struct scratch *scratch)
{
	int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(tmp >= 0);
	assert_int_equal(kd_file_remove_tree(tmp, kd_name_base(scratch->base)), 0);
	close(tmp);
}

struct scratch client_scratch;

int
client_set_up(void **state)
{
	(void)state;
	client_scratch_make(&client_scratch);
	return 0;
}

int
client_tear_down(void **state)
{
	(void)state;
	client_scratch_remove(&client_scratch);
	return 0;
}

void
client_write(const struct scratch *scratch, const char *name, const char *text)
{
	const char *path = client_path(scratch, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		fail_msg("%s: %s", path, strerror(errno));
	assert_int_equal(kd_file_write_all(fd, text, strlen(text)), 0);
	close(fd);
}

char *
client_read(const struct scratch *scratch, const char *name)
{
	char *text;
	size_t length;
	const char *path = client_path(scratch, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		fail_msg("%s: %s", path, strerror(errno));
	assert_int_equal(kd_file_read_all(fd, 1 << 20, &text, &length), 0);
	close(fd);
	return text;
}

void
client_expect_text(const struct scratch *scratch, const char *name, const char *expected)
{
	char *text = client_read(scratch, name);
	assert_string_equal(text, expected);
	free(text);
}

void
client_mkdir(const struct scratch *scratch, const char *name)
{
	assert_int_equal(mkdir(client_path(scratch, name), 0755), 0);
}

int
client_exists(const struct scratch *scratch, const char *name)
{
	struct stat st;
	return lstat(client_path(scratch, name), &st) == 0;
}

void
client_manifest(struct kd_manifest *manifest, const struct scratch *scratch,
	const char *plugin, const char *kernel, const char *const *names)
{
	char file[100];
	uint32_t count = 0;
	snprintf(file, sizeof file, "plugins/%s.so", plugin);
	while (names[count] != NULL)
		count++;
	*manifest = (struct kd_manifest){
		.batch = 7,
		.rule = strdup("rule"),
		.revision = strdup("0123abcd"),
		.plugin = strdup(client_path(scratch, file)),
		.kernel = strdup(kernel),
		.params = json_object(),
		.device = strdup("auto"),
		.threads = 1,
		.repeat = 1,
		.wall_limit = 60,
		.root = strdup(client_path(scratch, "in")),
		.out = strdup(client_path(scratch, "out")),
		.mode = 0640,
		.unit_count = count,
		.units = calloc(count + 1, sizeof *manifest->units),
	};
	for (uint32_t i = 0; i < count; i++) {
		size_t length = strlen(names[i]);
		int directory = names[i][length - 1] == '/';
		manifest->units[i] = (struct kd_manifest_unit){
			.id = 100 + i,
			.kind = directory ? KILN_DIRECTORY : KILN_FILE,
			.attempt = 1,
			.path = strndup(names[i], length - (size_t)directory),
			.output = strdup(""),
		};
	}
}

void
client_manifest_unit(struct kd_manifest *manifest, const struct scratch *scratch,
	uint32_t kind, const char *path)
{
	const char *const names[] = {path, NULL};
	static const char *const meshes[] = {"*.obj", "*.fbx"};
	client_manifest(manifest, scratch, "copy", "copy", names);
	manifest->units[0].kind = kind;
	manifest->sequence_first = manifest->sequence_last = -1;
	manifest->match = calloc(3, sizeof *manifest->match);
	for (int i = 0; i < 2; i++)
		manifest->match[i] = strdup(meshes[i]);
}

void
client_write_frames(const struct scratch *scratch, const char *pattern, int from, int to)
{
	struct kd_series series;
	char name[4200];
	assert_int_equal(kd_series_parse(pattern, &series), 0);
	for (int i = from; i <= to; i++) {
		snprintf(name, sizeof name, "%s%0*d%s", series.prefix, (int)series.width,
			i, series.suffix);
		client_write(scratch, name, name);
	}
	kd_series_clear(&series);
}

void
client_start(struct client *client)
{
	char worker[4200];
	int pair[2];
	snprintf(worker, sizeof worker, "%s/kiln-worker", build_folder());
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	client->keeper = fork();
	assert_true(client->keeper >= 0);
	if (client->keeper == 0) {
		int link = fcntl(pair[1], F_DUPFD, 10);
		dup2(link, KD_PROTOCOL_FD);
		syscall(SYS_close_range, KD_PROTOCOL_FD + 1, ~0U, 0);
		if (client->user != 0 &&
			(setgid(client->user) != 0 || setuid(client->user) != 0))
			_exit(126);
		execl(worker, "kiln-worker", (char *)NULL);
		_exit(127);
	}
	close(pair[1]);
	client->wire = kd_wire_new(pair[0]);
	assert_non_null(client->wire);
	client->log = json_array();
	client->seen = 0;
	client->progressed = 0;
	struct kd_wire_message message;
	assert_int_equal(kd_wire_receive(client->wire, SILENCE, &message), 0);
	assert_int_equal(message.type, KD_MSG_HELLO);
	kd_wire_done(&message);
}

static void
answer_hashed(struct client *client, const json_t *body)
{
	json_int_t unit = json_integer_value(json_object_get(body, "unit"));
	json_t *verdict = client->same == NULL
				  ? json_pack("{sIsbsb}", "unit", unit, "run", 1, "again",
					    client->again)
				  : json_pack("{sIsbss}", "unit", unit, "run", 0,
					    "output", client->same);
	assert_non_null(verdict);
	if (client->held == NULL)
		client->held = json_array();
	json_array_append_new(client->held, verdict);
}

static void
send_verdicts(struct client *client)
{
	size_t i;
	const json_t *verdict;
	if (client->held == NULL || (client->late && !client->progressed))
		return;
	json_array_foreach(client->held, i, verdict)
		kd_wire_send(client->wire, KD_MSG_VERDICT, 0, verdict, NULL, 0);
	json_array_clear(client->held);
}

/* 1: the result came. */
static int
take_message(struct client *client, const struct kd_wire_message *message,
	struct kd_result *result)
{
	struct kd_err err = {0};
	json_t *body = kd_wire_json(message);
	assert_non_null(body);
	int rc = 0;
	if (message->type == KD_MSG_HASHED) {
		answer_hashed(client, body);
	} else if (message->type == KD_MSG_KEEPER_LOG) {
		json_array_append(client->log, json_object_get(body, "text"));
	} else if (message->type == KD_MSG_RESULT) {
		assert_int_equal(message->fd_count, 1);
		if (kd_manifest_result_read(message->fds[0], result, &err) < 0)
			fail_msg("%s", err.text);
		rc = 1;
	} else {
		assert_int_equal(message->type, KD_MSG_UNIT_PROGRESS);
		client->progressed = 1;
	}
	send_verdicts(client);
	json_decref(body);
	return rc;
}

int
client_run(struct client *client, const struct kd_manifest *manifest,
	struct kd_result *result)
{
	int fd = kd_manifest_write(manifest);
	assert_true(fd >= 0);
	int rc = kd_wire_send(client->wire, KD_MSG_BATCH, 0, NULL, &fd, 1);
	close(fd);
	while (rc == 0) {
		struct kd_wire_message message;
		rc = kd_wire_receive(client->wire, SILENCE, &message);
		if (rc == -ETIMEDOUT)
			fail_msg("the keeper says nothing any more");
		if (rc < 0)
			break;
		client->seen++;
		if (client->hook != NULL)
			rc = client->hook(client, &message);
		if (rc == 0)
			rc = take_message(client, &message, result) ? 1000 : 0;
		kd_wire_done(&message);
	}
	return rc == 1000 ? 0 : rc;
}

json_t *
client_finish(struct client *client, uint32_t count)
{
	json_t *units = json_array();
	for (uint32_t i = 0; i < count; i++)
		json_array_append_new(units, json_integer(i));
	json_t *body = json_pack("{so}", "units", units);
	assert_int_equal(kd_wire_send(client->wire, KD_MSG_FINISH, 0, body, NULL, 0), 0);
	json_decref(body);
	struct kd_wire_message message;
	assert_int_equal(kd_wire_receive(client->wire, SILENCE, &message), 0);
	assert_int_equal(message.type, KD_MSG_FINISHED);
	body = kd_wire_json(&message);
	kd_wire_done(&message);
	json_t *failed = json_incref(json_object_get(body, "failed"));
	json_decref(body);
	return failed;
}

void
client_cancel(struct client *client)
{
	json_t *body = json_object();
	kd_wire_send(client->wire, KD_MSG_CANCEL, 0, body, NULL, 0);
	json_decref(body);
}

int
client_stop(struct client *client)
{
	int status = -1;
	kd_wire_free(client->wire);
	client->wire = NULL;
	json_decref(client->log);
	client->log = NULL;
	json_decref(client->held);
	client->held = NULL;
	assert_int_equal(waitpid(client->keeper, &status, 0), client->keeper);
	return status;
}

pid_t
client_engine(const struct client *client)
{
	DIR *proc = opendir("/proc");
	assert_non_null(proc);
	const struct dirent *entry;
	pid_t found = 0;
	while (found == 0 && (entry = readdir(proc)) != NULL) {
		char path[300];
		int pid, parent;
		char state;
		snprintf(path, sizeof path, "/proc/%s/stat", entry->d_name);
		FILE *stat = atoi(entry->d_name) > 0 ? fopen(path, "re") : NULL;
		if (stat == NULL)
			continue;
		if (fscanf(stat, "%d (%*[^)]) %c %d", &pid, &state, &parent) == 3 &&
			parent == client->keeper && state != 'Z')
			found = pid;
		fclose(stat);
	}
	closedir(proc);
	return found;
}

void
client_once(struct kd_manifest *manifest, struct kd_result *result)
{
	struct client client = {0};
	client_start(&client);
	assert_int_equal(client_run(&client, manifest, result), 0);
	assert_int_equal(client_stop(&client), 0);
	kd_manifest_clear(manifest);
}

void
client_expect_no_failures(json_t *failed)
{
	if (json_array_size(failed) != 0)
		fail_msg("%s", json_string_value(json_object_get(
				       json_array_get(failed, 0), "reason")));
	json_decref(failed);
}

void
client_run_and_finish(struct kd_manifest *manifest, struct kd_result *result)
{
	struct client client = {0};
	client_start(&client);
	assert_int_equal(client_run(&client, manifest, result), 0);
	client_expect_no_failures(client_finish(&client, 1));
	assert_int_equal(client_stop(&client), 0);
	kd_manifest_clear(manifest);
}

void
client_expect(const struct kd_result *result, uint32_t unit, enum kd_status status,
	const char *reason)
{
	assert_true(unit < result->unit_count);
	const struct kd_result_unit *told = &result->units[unit];
	const char *why = told->reason == NULL ? "" : told->reason;
	if (told->status != status || strstr(why, reason) == NULL)
		fail_msg("unit %u: expected %s, '%s'; found %s, '%s'", unit,
			kd_manifest_status_name(status), reason,
			kd_manifest_status_name(told->status), why);
}

static void
expect_file(const char *folder, const json_t *output)
{
	char path[8300], hex[KD_HASH_HEX];
	char *name = kd_name_unescape(json_string_value(json_object_get(output, "name")));
	snprintf(path, sizeof path, "%s/%s", folder, name);
	free(name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		fail_msg("%s: %s", path, strerror(errno));
	uint64_t bytes = 0;
	assert_int_equal(kd_hash_file(fd, hex, &bytes), 0);
	close(fd);
	assert_string_equal(hex, json_string_value(json_object_get(output, "sha256")));
	assert_int_equal(bytes, json_integer_value(json_object_get(output, "bytes")));
}

void
client_expect_published(const struct kd_result *result, uint32_t unit)
{
	const struct kd_result_unit *told = &result->units[unit];
	if (told->status != KD_UNIT_PUBLISHED && told->status != KD_UNIT_ALREADY)
		fail_msg("unit %u: expected published, found %s, '%s'", unit,
			kd_manifest_status_name(told->status),
			told->reason == NULL ? "" : told->reason);
	json_error_t error;
	json_t *sidecar = json_load_file(told->sidecar, 0, &error), *output;
	if (sidecar == NULL)
		fail_msg("%s: %s", told->sidecar, error.text);
	assert_string_equal(
		json_string_value(json_object_get(sidecar, "sha256")), told->sha256);
	char *folder = strdup(told->sidecar);
	*strrchr(folder, '/') = '\0';
	size_t i;
	json_t *outputs = json_object_get(sidecar, "outputs");
	assert_int_equal(json_array_size(outputs), told->output_count);
	json_array_foreach(outputs, i, output) expect_file(folder, output);
	free(folder);
	json_decref(sidecar);
}
