/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/worker/drop.h"

#include "daemon/base/err.h"
#include "daemon/base/file.h"
#include "daemon/base/log.h"
#include "daemon/base/name.h"
#include "daemon/base/wire.h"
#include "daemon/worker/protocol.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define SPOOL ".kiln-drop."
/* How long kilnctl may be silent before its place is somebody else's, in ms. */
enum { PATIENCE = 60000 };

struct drop {
	int root, spool;
	char name[32]; /* of the spool */
	struct kd_wire *wire;
};

/* A spool belongs to whoever locks it; one that nobody does was left by a keeper that
 * died. */
static int
open_spool(int root, const char *name)
{
	int fd = kd_file_open_beneath(root, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	if (fd < 0)
		return fd;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	int error = errno;
	close(fd);
	return -error;
}

static void
sweep(int root)
{
	int fd = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (dir == NULL && fd >= 0)
		close(fd);
	struct dirent *entry;
	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		if (strncmp(entry->d_name, SPOOL, strlen(SPOOL)) != 0)
			continue;
		int spool = open_spool(root, entry->d_name);
		if (spool < 0)
			continue;
		kd_file_remove_tree(root, entry->d_name);
		close(spool);
	}
	if (dir != NULL)
		closedir(dir);
}

static int
begin(struct drop *drop, const char *folder, struct kd_err *err)
{
	drop->root = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (drop->root < 0)
		return kd_err_errno(err, -errno, "the drop folder '%s' cannot be opened",
			KD_NAME(folder));
	sweep(drop->root);
	snprintf(drop->name, sizeof drop->name, SPOOL "%d", (int)getpid());
	int rc = mkdirat(drop->root, drop->name, 0700) < 0 ? -errno : 0;
	if (rc == 0)
		rc = drop->spool = open_spool(drop->root, drop->name);
	if (rc < 0)
		return kd_err_errno(err, rc,
			"nothing can be made in the drop folder '%s'", KD_NAME(folder));
	return 0;
}

static void
end(struct drop *drop)
{
	if (drop->spool >= 0)
		kd_file_remove_tree(drop->root, drop->name);
	if (drop->spool >= 0)
		close(drop->spool);
	if (drop->root >= 0)
		close(drop->root);
	kd_wire_free(drop->wire);
}

/* What may be copied: a regular file, open for reading, that there is room for.  One of
 * holes could be of any size. */
static int
check_file(const struct drop *drop, int fd, struct kd_err *err)
{
	struct stat st;
	struct statvfs room;
	int flags = fcntl(fd, F_GETFL);
	if (fstat(fd, &st) < 0 || flags < 0 || fstatvfs(drop->spool, &room) < 0)
		return kd_err_errno(err, -errno, "it cannot be looked at");
	if (!S_ISREG(st.st_mode) || (flags & O_ACCMODE) == O_WRONLY)
		return kd_err_set(
			err, -EINVAL, "expected a regular file open for reading");
	if ((uint64_t)st.st_size / room.f_frsize >= room.f_bavail)
		return kd_err_set(err, -ENOSPC,
			"its %lld bytes have no room in the drop folder's file system",
			(long long)st.st_size);
	return 0;
}

static int
put(const struct drop *drop, const char *path, int fd, struct kd_err *err)
{
	int rc = check_file(drop, fd, err);
	if (rc < 0)
		return rc;
	rc = kd_file_make_parents(drop->spool, path, 0);
	int copy = rc < 0 ? rc
			  : kd_file_open_beneath(drop->spool, path,
				    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0644);
	rc = copy < 0 ? copy : kd_file_copy(fd, copy);
	if (rc == 0 && fsync(copy) < 0)
		rc = -errno;
	if (copy >= 0 && close(copy) < 0 && rc == 0)
		rc = -errno;
	return rc == 0 ? 0 : kd_err_errno(err, rc, "it cannot be copied");
}

static int
place(const struct drop *drop, const char *name, struct kd_err *err)
{
	/* Its files are synced, its folders are not. */
	int rc = syncfs(drop->spool) < 0 ? -errno : 0;
	if (rc == 0)
		rc = kd_file_rename_new(drop->spool, name, drop->root, name);
	if (rc == 0 && fsync(drop->root) < 0)
		rc = -errno;
	if (rc == -EEXIST)
		return kd_err_set(
			err, rc, "the drop folder has something of that name already");
	return rc == 0 ? 0 : kd_err_errno(err, rc, "it cannot be put in its place");
}

/* A name that is safe, and not one of kiln's own. */
static int
is_a_drop(const char *path, int is_name)
{
	size_t length = path == NULL ? 0 : strlen(path);
	return path != NULL && kd_name_is_beneath(path) &&
	       strncmp(path, ".kiln-", 6) != 0 &&
	       (!is_name || strchr(path, '/') == NULL) &&
	       (length < 10 || strcmp(path + length - 10, ".kiln.json") != 0);
}

static int
serve(struct drop *drop, struct kd_wire_message *message)
{
	int is_put = message->type == KD_DROP_PUT;
	if ((!is_put && message->type != KD_DROP_PLACE) || message->fd_count != is_put)
		return -EPROTO;
	json_t *body = kd_wire_json(message);
	const char *escaped =
		json_string_value(json_object_get(body, is_put ? "path" : "name"));
	char *path = escaped == NULL ? NULL : kd_name_unescape(escaped);
	struct kd_err err = {0};
	int rc = 0;
	if (!is_a_drop(path, !is_put))
		rc = kd_err_set(&err, -EINVAL, "'%s' is no name of a drop",
			escaped == NULL ? "" : escaped);
	else
		rc = is_put ? put(drop, path, message->fds[0], &err)
			    : place(drop, path, &err);
	json_t *reply = rc < 0 ? json_pack("{s:s}", "error", err.text) : json_object();
	rc = kd_wire_send(drop->wire, KD_DROP_REPLY, message->serial, reply, NULL, 0);
	json_decref(reply);
	json_decref(body);
	free(path);
	return rc;
}

int
kd_drop_main(const char *folder)
{
	struct drop drop = {.root = -1, .spool = -1};
	struct kd_wire_message message;
	struct kd_err err = {0};
	signal(SIGPIPE, SIG_IGN);
	drop.wire = fcntl(KD_PROTOCOL_FD, F_SETFD, FD_CLOEXEC) < 0
			    ? NULL
			    : kd_wire_new(KD_PROTOCOL_FD);
	if (drop.wire == NULL) {
		kd_log(KD_ERROR, "kiln-worker --drop is started by kilnd, which gives it "
				 "a link as descriptor 3");
		return 2;
	}
	int rc = begin(&drop, folder, &err);
	if (rc < 0) {
		/* Whoever asks first hears why there will be nothing. */
		if (kd_wire_receive(drop.wire, PATIENCE, &message) == 0) {
			json_t *reply = json_pack("{s:s}", "error", err.text);
			kd_wire_send(
				drop.wire, KD_DROP_REPLY, message.serial, reply, NULL, 0);
			json_decref(reply);
			kd_wire_done(&message);
		}
		kd_log(KD_WARNING, "a drop is refused: %s", err.text);
	}
	while (rc == 0) {
		rc = kd_wire_receive(drop.wire, PATIENCE, &message);
		if (rc < 0)
			break;
		rc = serve(&drop, &message);
		kd_wire_done(&message);
	}
	end(&drop);
	return rc != -EPIPE;
}
