/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/worker/spent.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { LOOSE_MOST = 256 };

static uint64_t
free_bytes(const struct kd_batch *batch)
{
	struct statvfs fs;
	return fstatvfs(batch->stage.dir, &fs) < 0 ? 0 : fs.f_bfree * fs.f_frsize;
}

static uint64_t
stored(const struct stat *st)
{
	return (uint64_t)st->st_blocks * 512;
}

/* Forgets those that the engine has closed: ours are open for reading alone. */
static void
forget_closed(struct kd_batch *batch)
{
	uint32_t kept = 0;
	for (uint32_t i = 0; i < batch->loose_count; i++) {
		if (kd_content_has_writer(batch->loose[i]))
			batch->loose[kept++] = batch->loose[i];
		else
			close(batch->loose[i]);
	}
	batch->loose_count = kept;
}

int
kd_spent_note(struct kd_batch *batch, int fd)
{
	char self[40];
	if (batch->loose_count == LOOSE_MOST)
		forget_closed(batch);
	if (batch->loose_count == LOOSE_MOST)
		return -EMFILE;
	snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
	int copy = open(self, O_RDONLY | O_CLOEXEC);
	if (copy < 0)
		return -errno;
	int *more = realloc(batch->loose, (batch->loose_count + 1) * sizeof *more);
	if (more == NULL) {
		close(copy);
		return -ENOMEM;
	}
	more[batch->loose_count++] = copy;
	batch->loose = more;
	return 0;
}

void
kd_spent_begin(struct kd_batch *batch)
{
	batch->free_before = free_bytes(batch);
}

static uint64_t
outputs_stored(const struct kd_batch *batch, const struct kd_publish_unit *publish)
{
	uint64_t sum = 0;
	struct stat st;
	int dir = publish->output_count == 0
			  ? -1
			  : kd_stage_outputs(
				    &batch->stage, publish->number, publish->directory);
	for (uint32_t i = 0; dir >= 0 && i < publish->output_count; i++)
		if (fstatat(dir, publish->outputs[i].path, &st, AT_SYMLINK_NOFOLLOW) == 0)
			sum += stored(&st);
	kd_stage_outputs_close(&batch->stage, dir);
	return sum;
}

int
kd_spent_is_over(struct kd_batch *batch)
{
	const uint64_t limit = batch->manifest.output_limit;
	uint64_t sum = 0;
	struct stat st;
	if (limit == 0 || free_bytes(batch) + limit >= batch->free_before)
		return 0;
	for (uint32_t i = 0; i < batch->manifest.unit_count; i++)
		sum += outputs_stored(batch, &batch->units[i].publish);
	forget_closed(batch);
	for (uint32_t i = 0; i < batch->loose_count; i++)
		if (fstat(batch->loose[i], &st) == 0)
			sum += stored(&st);
	return sum > limit;
}

void
kd_spent_clear(struct kd_batch *batch)
{
	for (uint32_t i = 0; i < batch->loose_count; i++)
		close(batch->loose[i]);
	free(batch->loose);
	batch->loose = NULL;
	batch->loose_count = 0;
}
