/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/publish/restage.h"

#include "daemon/base/file.h"
#include "daemon/base/hash.h"
#include "daemon/base/name.h"
#include "daemon/publish/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char fresh[] = "restaged"; /* in the stage, beside its units' folders */

static int
check(int dir, const char *path, const char *sha256)
{
	struct stat st;
	char found[KD_HASH_HEX];
	int fd = kd_file_open_regular(dir, path, &st);
	if (fd < 0)
		return fd;
	int rc = kd_hash_file(fd, found, NULL);
	close(fd);
	return rc < 0 ? rc : strcmp(found, sha256) == 0 ? 0 : -EBADMSG;
}

/* A copy that stands in the stage as `fresh`; sha256 NULL: nobody knows it. */
static int
copy(const struct kd_stage *stage, int dir, const char *path, const char *sha256)
{
	int rc = -EIO;
	for (int i = 0; rc < 0 && rc != -EBADMSG && i < KD_RESTAGE_TRIES; i++) {
		rc = kd_file_remove_tree(stage->dir, fresh);
		if (rc == 0)
			rc = kd_copy_entry(dir, path, stage->dir, fresh);
		if (rc == 0 && sha256 != NULL)
			rc = check(stage->dir, fresh, sha256);
	}
	return rc;
}

int
kd_restage_file(
	const struct kd_stage *stage, int dir, const char *path, const char *sha256)
{
	int rc = copy(stage, dir, path, sha256);
	if (rc == 0 && renameat(stage->dir, fresh, dir, path) < 0)
		rc = -errno;
	return rc;
}

/* The old one ends in the stage, as does the new one when that fails. */
static int
exchange(const struct kd_stage *stage, int folder, const char *name)
{
	int rc = kd_file_exchange(stage->dir, fresh, folder, name);
	if (rc == -EINVAL || rc == -ENOSYS)
		rc = renameat(stage->dir, fresh, folder, name) < 0 ? -errno : 0;
	return rc;
}

static int
check_directory(const struct kd_stage *stage, const struct kd_publish_unit *unit)
{
	const char *name = kd_name_base(unit->primary);
	const size_t folder = strlen(unit->sidecar.unit->output);
	/* An output's path is FOLDER/NAME/PATH, FOLDER/ lacking at the root. */
	const size_t skip = folder + (folder > 0) + strlen(name) + 1;
	int dir = kd_file_open_beneath(stage->dir, fresh, O_RDONLY | O_DIRECTORY, 0);
	int rc = dir < 0 ? dir : 0;
	for (uint32_t i = 0; rc == 0 && i < unit->output_count; i++)
		rc = check(dir, unit->outputs[i].path + skip, unit->outputs[i].sha256);
	if (dir >= 0)
		close(dir);
	return rc;
}

static int
restage_name(
	const struct kd_stage *stage, int folder, const char *name, const char *sha256)
{
	int rc = copy(stage, folder, name, sha256);
	return rc < 0 ? rc : exchange(stage, folder, name);
}

int
kd_restage_unit(
	const struct kd_stage *stage, int folder, const struct kd_publish_unit *unit)
{
	if (unit->directory) {
		const char *name = kd_name_base(unit->primary);
		int rc = copy(stage, folder, name, NULL);
		if (rc == 0)
			rc = check_directory(stage, unit);
		return rc < 0 ? rc : exchange(stage, folder, name);
	}
	int rc = restage_name(stage, folder, kd_name_base(unit->sidecar_path), NULL);
	for (uint32_t i = 0; rc == 0 && i < unit->output_count; i++)
		rc = restage_name(stage, folder, kd_name_base(unit->outputs[i].path),
			unit->outputs[i].sha256);
	return rc;
}
