/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/publish/finish.h"

#include "daemon/base/file.h"
#include "daemon/base/name.h"
#include "daemon/publish/restage.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Those that fsync wait, they hardly compute: more of them than processors is the point.  A
 * few small files are not worth their start. */
enum { HELPERS_MOST = 15, FSYNCS_EACH = 8, HASHED_EACH = 1 << 20 /* bytes */ };

/* What is to be done with each of the files at hand, by whoever is free. */
struct work {
	struct kd_finish *finish;
	void (*each)(struct kd_finish_file *file);
	atomic_size_t next; /* that nobody has taken yet */
};

static void
hash_one(struct kd_finish_file *file)
{
	if (!file->unhashed)
		return;
	file->hash_error =
		kd_hash_file(file->fd, file->output->sha256, &file->output->bytes);
	file->unhashed = 0;
}

static void
sync_one(struct kd_finish_file *file)
{
	file->error = fsync(file->fd) < 0 ? errno : 0;
}

static void *
work_on_some(void *argument)
{
	struct work *work = argument;
	size_t i;
	while ((i = atomic_fetch_add(&work->next, 1)) < work->finish->count)
		work->each(&work->finish->files[i]);
	return NULL;
}

/* With so many helpers, as far as they are to be had. */
static void
work_on_all(struct kd_finish *finish, void (*each)(struct kd_finish_file *file),
	size_t wanted)
{
	struct work work = {.finish = finish, .each = each};
	pthread_t helpers[HELPERS_MOST];
	size_t started = 0;
	while (started < HELPERS_MOST && started < wanted &&
		pthread_create(&helpers[started], NULL, work_on_some, &work) == 0)
		started++;
	work_on_some(&work);
	for (size_t i = 0; i < started; i++)
		pthread_join(helpers[i], NULL);
}

/* Begins to write all of them before any is waited for: a file system with a journal then
 * puts them into one transaction, instead of one for each few.  Whatever fails here fails
 * in the fsync, too. */
static void
begin_writing(const struct kd_finish *finish)
{
	for (size_t i = 0; finish->count > 1 && i < finish->count; i++)
		sync_file_range(finish->files[i].fd, 0, 0, SYNC_FILE_RANGE_WRITE);
}

void
kd_finish_hash(struct kd_finish *finish)
{
	size_t unhashed = 0;
	uint64_t bytes = 0;
	for (size_t i = 0; i < finish->count; i++) {
		if (!finish->files[i].unhashed)
			continue;
		unhashed++;
		bytes += finish->files[i].output->bytes;
	}
	begin_writing(finish);
	if (unhashed == 0)
		return;
	const uint64_t wanted = bytes / HASHED_EACH;
	work_on_all(finish, hash_one, wanted < unhashed ? (size_t)wanted : unhashed - 1);
}

/* Writes a file whose fsync failed anew, where it lies. */
static int
renew(const struct kd_finish *finish, const struct kd_finish_file *file)
{
	const struct kd_publish_unit *unit = file->unit;
	char sidecar[sizeof KD_SIDECAR_INSIDE + 16] = KD_SIDECAR_INSIDE;
	if (file->output == NULL && !unit->directory) {
		kd_slot_staged_sidecar(unit, sidecar, sizeof sidecar);
		return kd_restage_file(
			finish->stage, finish->stage->dir, sidecar, file->sha256);
	}
	int dir = kd_stage_outputs(finish->stage, unit->number, unit->directory);
	if (dir < 0)
		return dir;
	int rc = kd_restage_file(finish->stage, dir,
		file->output == NULL ? sidecar : file->output->path,
		file->output == NULL ? file->sha256 : file->output->sha256);
	kd_stage_outputs_close(finish->stage, dir);
	return rc;
}

void
kd_finish_sync(struct kd_finish *finish)
{
	kd_finish_hash(finish);
	work_on_all(finish, sync_one, finish->count / FSYNCS_EACH);
	for (size_t i = 0; i < finish->count; i++) {
		const struct kd_finish_file *file = &finish->files[i];
		int closed = close(file->fd) < 0 ? -errno : 0;
		int rc = file->hash_error;
		if (rc == 0)
			rc = file->error != 0 ? renew(finish, file) : closed;
		if (rc < 0 && file->unit->status == KD_UNIT_PUBLISHED)
			kd_publish_unit_settle(file->unit, KD_UNIT_HELD,
				"output '%s' could not be made durable: %s",
				file->output == NULL ? "its sidecar"
						     : KD_NAME(kd_publish_unit_name(
							       file->unit, file->output)),
				strerror(-rc));
	}
	finish->count = 0;
}

/* Takes file->fd. */
static void
add(struct kd_finish *finish, const struct kd_finish_file *file)
{
	if (finish->count == KD_FINISH_MOST)
		kd_finish_sync(finish);
	finish->files[finish->count++] = *file;
}

static int
set_access(const struct kd_finish *finish, int fd, mode_t mode)
{
	if (finish->group != (gid_t)-1 && fchown(fd, (uid_t)-1, finish->group) < 0)
		return -errno;
	return fchmod(fd, mode) < 0 ? -errno : 0;
}

static int
finish_file(struct kd_finish *finish, struct kd_publish_unit *unit, int dir,
	struct kd_output *output)
{
	struct stat st;
	int fd = kd_file_open_regular(dir, output->path, &st);
	if (fd < 0)
		return fd;
	int rc = set_access(finish, fd, finish->mode);
	if (rc < 0) {
		close(fd);
		return rc;
	}
	const int unhashed = output->sha256[0] == '\0';
	if (unhashed)
		output->bytes = (uint64_t)st.st_size;
	add(finish,
		&(struct kd_finish_file){
			.fd = fd, .unit = unit, .output = output, .unhashed = unhashed});
	return 0;
}

void
kd_finish_outputs(struct kd_finish *finish, struct kd_publish_unit *unit)
{
	int dir = kd_stage_outputs(finish->stage, unit->number, unit->directory);
	int rc = dir < 0 ? dir : 0;
	for (uint32_t i = 0; rc == 0 && i < unit->output_count; i++) {
		rc = finish_file(finish, unit, dir, &unit->outputs[i]);
		if (rc < 0)
			kd_publish_unit_settle(unit, KD_UNIT_HELD,
				"output '%s' could not be made durable: %s",
				KD_NAME(kd_publish_unit_name(unit, &unit->outputs[i])),
				strerror(-rc));
	}
	if (dir < 0)
		kd_publish_unit_settle(
			unit, KD_UNIT_HELD, "its stage is gone: %s", strerror(-rc));
	kd_stage_outputs_close(finish->stage, dir);
}

/* All of a staged tree's directories, bottom up.  Takes fd. */
static int
finish_tree(const struct kd_finish *finish, int fd)
{
	DIR *dir = fdopendir(fd);
	if (dir == NULL) {
		int error = errno;
		close(fd);
		return -error;
	}
	int rc = 0;
	struct dirent *entry;
	while (rc == 0 && (errno = 0, entry = readdir(dir)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		int below = kd_file_open_beneath(
			fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
		if (below >= 0)
			rc = finish_tree(finish, below);
		else if (below != -ENOTDIR)
			rc = below;
	}
	if (rc == 0 && errno != 0)
		rc = -errno;
	if (rc == 0)
		rc = set_access(finish, fd, finish->mode | (finish->mode & 0444) >> 2);
	if (rc == 0 && fsync(fd) < 0)
		rc = -errno;
	closedir(dir);
	return rc;
}

/* The sidecar's text with a line's end; the caller frees it. */
static char *
sidecar_text(const struct kd_publish_unit *unit, const struct kd_slot *slot)
{
	json_t *json = kd_sidecar_json(&unit->sidecar, slot->outputs, unit->output_count);
	char *text = json == NULL
			     ? NULL
			     : json_dumps(json, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
	size_t length = text == NULL ? 0 : strlen(text);
	char *line = text == NULL ? NULL : malloc(length + 2);
	if (line != NULL) {
		memcpy(line, text, length);
		memcpy(line + length, "\n", 2);
	}
	free(text);
	json_decref(json);
	return line;
}

static int
write_new(const struct kd_finish *finish, int dir, const struct kd_slot *slot,
	const char *text)
{
	/* In the first version that a unit tries there is none. */
	int fd = -EEXIST;
	for (int i = 0; i < 2 && fd == -EEXIST; i++) {
		if (i > 0)
			unlinkat(dir, slot->staged_sidecar, 0);
		fd = kd_file_open_beneath(dir, slot->staged_sidecar,
			O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
	}
	int rc = fd < 0 ? fd : kd_file_write_all(fd, text, strlen(text));
	if (rc == 0)
		rc = set_access(finish, fd, finish->mode);
	if (rc < 0 && fd >= 0)
		close(fd);
	return rc < 0 ? rc : fd;
}

int
kd_finish_sidecar(struct kd_finish *finish, struct kd_publish_unit *unit,
	const struct kd_slot *slot)
{
	struct kd_finish_file file = {.unit = unit};
	char *text = sidecar_text(unit, slot);
	if (text == NULL)
		return -ENOMEM;
	kd_hash_bytes(text, strlen(text), file.sha256);
	int folder = kd_stage_outputs(finish->stage, unit->number, unit->directory);
	file.fd = folder < 0 ? folder : write_new(finish, folder, slot, text);
	kd_stage_outputs_close(finish->stage, folder);
	free(text);
	if (file.fd < 0)
		return file.fd;
	add(finish, &file);
	if (!unit->directory)
		return 0;
	/* What takes a file's place must be there before its folder is fsynced. */
	kd_finish_sync(finish);
	int dir = kd_stage_unit_open(finish->stage, unit->number);
	return dir < 0 ? dir : finish_tree(finish, dir);
}
