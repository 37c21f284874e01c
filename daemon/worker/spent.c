/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/worker/spent.h"

#include <errno.h>
#include <fcntl.h>
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

int
kd_spent_note(struct kd_batch *batch, int fd)
{
	int copy = batch->loose_count == LOOSE_MOST ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (copy < 0)
		return -EMFILE;
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
			  : kd_stage_unit_open(&batch->stage, publish->number);
	for (uint32_t i = 0; dir >= 0 && i < publish->output_count; i++)
		if (fstatat(dir, publish->outputs[i].path, &st, AT_SYMLINK_NOFOLLOW) == 0)
			sum += stored(&st);
	if (dir >= 0)
		close(dir);
	return sum;
}

int
kd_spent_is_over(const struct kd_batch *batch)
{
	const uint64_t limit = batch->manifest.output_limit;
	uint64_t sum = 0;
	struct stat st;
	if (limit == 0 || free_bytes(batch) + limit >= batch->free_before)
		return 0;
	for (uint32_t i = 0; i < batch->manifest.unit_count; i++)
		sum += outputs_stored(batch, &batch->units[i].publish);
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
