/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include "daemon/worker/keeper.h"

#include "daemon/base/file.h"
#include "daemon/base/log.h"
#include "daemon/base/name.h"
#include "daemon/worker/batch_run.h"
#include "daemon/worker/custody.h"
#include "daemon/worker/disposal.h"
#include "daemon/worker/protocol.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct keeper {
	struct kd_link link;
	struct kd_handle handle;
	struct kd_batch batch; /* the last one, for FINISH */
};

static void
ignore_signals(void)
{
	signal(SIGPIPE, SIG_IGN);
	/* The kernel announces the breaking of a lease so; we hold none for longer than a
	 * probe. */
	signal(SIGIO, SIG_IGN);
	/* ^C on a terminal reaches the whole group; the client decides what it means. */
	signal(SIGINT, SIG_IGN);
}

static int
serve_batch(struct keeper *keeper, const struct kd_wire_message *message)
{
	struct kd_result result;
	if (message->fd_count != 1)
		return -EPROTO;
	kd_batch_run_clear(&keeper->batch);
	int rc = kd_batch_run(
		message->fds[0], &keeper->link, &keeper->handle, &keeper->batch, &result);
	if (rc < 0)
		return rc;
	int fd = kd_manifest_result_write(&result);
	kd_manifest_result_clear(&result);
	if (fd < 0)
		return fd;
	rc = kd_link_tell(&keeper->link, KD_MSG_RESULT, json_object(), fd);
	close(fd);
	return rc < 0 ? rc : kd_link_flush(&keeper->link);
}

static int
serve_finish(struct keeper *keeper, const struct kd_wire_message *message)
{
	json_t *body = kd_wire_json(message);
	json_t *units = json_object_get(body, "units"), *item, *failed = json_array();
	size_t i;
	json_array_foreach(units, i, item)
	{
		json_int_t unit = json_integer_value(item);
		struct kd_err err = {0};
		if (kd_disposal_finish(&keeper->batch,
			    unit < 0 || unit >= UINT32_MAX ? UINT32_MAX : (uint32_t)unit,
			    &err) < 0)
			json_array_append_new(failed,
				json_pack("{sIss}", "unit", unit, "reason", err.text));
	}
	struct kd_err err = {0};
	if (kd_disposal_sync(&keeper->batch, &err) < 0) {
		json_array_clear(failed);
		json_array_foreach(units, i, item) json_array_append_new(
			failed, json_pack("{sOss}", "unit", item, "reason", err.text));
	}
	int rc = json_is_array(units) ? 0 : -EPROTO;
	json_decref(body);
	/* An idle keeper holds no folder open, so it can be unmounted. */
	kd_custody_rest(&keeper->batch);
	if (rc < 0) {
		json_decref(failed);
		return rc;
	}
	rc = kd_link_tell(
		&keeper->link, KD_MSG_FINISHED, json_pack("{so}", "failed", failed), -1);
	return rc < 0 ? rc : kd_link_flush(&keeper->link);
}

static int
serve(struct keeper *keeper, const struct kd_wire_message *message)
{
	switch (message->type) {
	case KD_MSG_BATCH:
		return serve_batch(keeper, message);
	case KD_MSG_FINISH:
		return serve_finish(keeper, message);
	case KD_MSG_CANCEL:
		return 0; /* came too late, its batch is over */
	case KD_MSG_VERDICT:
		/* So may be the answers that crossed a CANCEL. */
		return keeper->link.cancelled ? 0 : -EPROTO;
	default:
		return -EPROTO;
	}
}

int
kd_keeper_main(void)
{
	struct keeper keeper = {.batch.root = -1};
	struct kd_wire_message message;
	ignore_signals();
	if (fcntl(KD_PROTOCOL_FD, F_SETFD, FD_CLOEXEC) < 0) {
		kd_log(KD_ERROR,
			"kiln-worker is started by kilnd or kilnctl, which give it "
			"a link as descriptor 3; by hand use --manifest FILE "
			"--result FILE");
		return 2;
	}
	keeper.link.wire = kd_wire_new(KD_PROTOCOL_FD);
	if (keeper.link.wire == NULL)
		return 1;
	int rc = kd_link_tell(&keeper.link, KD_MSG_HELLO,
		json_pack("{siss}", "version", KD_PROTOCOL_VERSION, "kiln",
			PACKAGE_VERSION),
		-1);
	while (rc == 0) {
		rc = kd_wire_receive(keeper.link.wire, -1, &message);
		if (rc < 0)
			break;
		rc = serve(&keeper, &message);
		kd_wire_done(&message);
	}
	kd_handle_kill(&keeper.handle);
	kd_batch_run_clear(&keeper.batch);
	kd_wire_free(keeper.link.wire);
	if (rc == -EPROTO)
		kd_log(KD_ERROR, "the client broke the protocol, ending");
	return rc == -EPROTO;
}

static int
write_result(const struct kd_result *result, const char *path)
{
	char *hidden, *folder = NULL;
	json_t *json = kd_manifest_result_to_json(result);
	char *text = json == NULL ? NULL : json_dumps(json, JSON_INDENT(1));
	json_decref(json);
	if (text == NULL || asprintf(&hidden, "%s.part", path) < 0) {
		free(text);
		return -ENOMEM;
	}
	int fd =
		open(hidden, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	int rc = fd < 0 ? -errno : kd_file_write_all(fd, text, strlen(text));
	if (rc == 0 && fsync(fd) < 0)
		rc = -errno;
	if (fd >= 0 && close(fd) < 0 && rc == 0)
		rc = -errno;
	if (rc == 0 && rename(hidden, path) < 0)
		rc = -errno;
	const char *base = kd_name_base(path);
	if (rc == 0)
		folder =
			base == path ? strdup(".") : strndup(path, (size_t)(base - path));
	int dir = folder == NULL ? -1 : open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (rc == 0 && (dir < 0 || fsync(dir) < 0))
		rc = -errno;
	if (dir >= 0)
		close(dir);
	free(folder);
	free(hidden);
	free(text);
	return rc;
}

int
kd_keeper_standalone(const char *manifest, const char *path)
{
	struct keeper keeper = {.batch.root = -1};
	struct kd_result result;
	ignore_signals();
	int fd = open(manifest, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		kd_log(KD_ERROR, "cannot open manifest '%s': %s", KD_NAME(manifest),
			strerror(errno));
		return 1;
	}
	int rc = kd_batch_run(fd, &keeper.link, &keeper.handle, &keeper.batch, &result);
	close(fd);
	if (rc == 0) {
		kd_handle_quit(&keeper.handle);
		rc = write_result(&result, path);
		kd_manifest_result_clear(&result);
	}
	kd_batch_run_clear(&keeper.batch);
	if (rc < 0)
		kd_log(KD_ERROR, "cannot write result '%s': %s", KD_NAME(path),
			strerror(-rc));
	return rc < 0;
}
