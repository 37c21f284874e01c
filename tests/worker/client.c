/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/worker/client.h"

#include "daemon/base/name.h"
#include "daemon/worker/protocol.h"
#include "plugins/kiln_plugin.h"
#include "tests/worker/scratch.h"

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
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* A keeper that says nothing for so long will not say anything any more. */
enum { SILENCE = 120000 /* ms */ };

void
client_manifest(struct kd_manifest *manifest, const char *plugin, const char *kernel,
	const char *const *names)
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
		.plugin = strdup(scratch_path(file)),
		.kernel = strdup(kernel),
		.params = json_object(),
		.device = strdup("auto"),
		.threads = 1,
		.repeat = 1,
		.wall_limit = 60,
		.root = strdup(scratch_path("in")),
		.out = strdup(scratch_path("out")),
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
client_manifest_unit(struct kd_manifest *manifest, uint32_t kind, const char *path)
{
	const char *const names[] = {path, NULL};
	static const char *const meshes[] = {"*.obj", "*.fbx"};
	client_manifest(manifest, "copy", "copy", names);
	manifest->units[0].kind = kind;
	manifest->sequence_first = manifest->sequence_last = -1;
	manifest->match = calloc(3, sizeof *manifest->match);
	for (int i = 0; i < 2; i++)
		manifest->match[i] = strdup(meshes[i]);
}

void
client_start(struct client *client)
{
	char worker[4200];
	int pair[2];
	snprintf(worker, sizeof worker, "%s/kiln-worker", scratch_build_folder());
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
client_batch_run(struct client_batch *batch)
{
	client_start(&batch->client);
	assert_int_equal(client_run(&batch->client, &batch->manifest, &batch->result), 0);
}

void
client_batch_run_again(struct client_batch *batch)
{
	kd_manifest_result_clear(&batch->result);
	assert_int_equal(client_run(&batch->client, &batch->manifest, &batch->result), 0);
}

void
client_batch_end(struct client_batch *batch)
{
	kd_manifest_result_clear(&batch->result);
	kd_manifest_clear(&batch->manifest);
	assert_int_equal(client_stop(&batch->client), 0);
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
client_expect_once(struct kd_manifest *manifest, uint32_t unit, enum kd_status status,
	const char *reason)
{
	struct kd_result result;
	client_once(manifest, &result);
	client_expect(&result, unit, status, reason);
	kd_manifest_result_clear(&result);
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
