/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/publish/inputs.h"

#include "daemon/base/file.h"
#include "daemon/base/name.h"

#include <errno.h>
#include <limits.h>
#include <unistd.h>

int
kd_inputs_rename(int from, const char *name, int to, const char *target)
{
	char version_name[NAME_MAX + 1];
	int rc = -EEXIST;
	for (unsigned version = 1; rc == -EEXIST && version <= KD_TRANSFER_VERSIONS;
		version++) {
		rc = kd_transfer_version(version_name, target, version);
		if (rc == 0)
			rc = kd_file_rename_new(from, name, to, version_name);
	}
	return rc;
}

int
kd_inputs_move(const struct kd_input *input, const char *folder, struct kd_err *err)
{
	struct kd_transfer transfer;
	char target[NAME_MAX + 1];
	int rc = kd_transfer_open(&transfer, input, folder);
	unsigned version = 1;
	while (rc == 0 && version <= KD_TRANSFER_VERSIONS) {
		rc = kd_transfer_version(target, transfer.target, version);
		if (rc == 0)
			rc = kd_transfer_move(&transfer, target);
		if (rc != -EEXIST)
			break;
		version++;
		rc = 0;
	}
	kd_transfer_close(&transfer);
	if (rc < 0 && rc != -ENOENT)
		return kd_err_errno(err, rc, "cannot move '%s' to '%s'",
			KD_NAME(input->path), KD_NAME(folder));
	return 0;
}

int
kd_inputs_delete(const struct kd_input *input, struct kd_err *err)
{
	struct kd_transfer transfer;
	int rc = kd_transfer_open(&transfer, input, NULL);
	if (rc == 0)
		rc = kd_transfer_remove(&transfer);
	kd_transfer_close(&transfer);
	if (rc < 0 && rc != -ENOENT)
		return kd_err_errno(err, rc, "cannot delete '%s'", KD_NAME(input->path));
	return 0;
}

int
kd_inputs_tidy(const struct kd_input *input, struct kd_err *err)
{
	char hidden[NAME_MAX + 1];
	const char *name;
	int dir = kd_file_open_parent(input->root, input->place, &name);
	int rc = dir < 0 ? dir : 0;
	if (rc == 0) {
		kd_transfer_gone_name(hidden, name);
		rc = kd_file_remove_tree(dir, hidden);
		close(dir);
	}
	if (rc < 0 && rc != -ENOENT)
		return kd_err_errno(
			err, rc, "cannot remove the rest of '%s'", KD_NAME(input->path));
	return 0;
}
