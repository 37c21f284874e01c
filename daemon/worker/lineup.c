/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/worker/lineup.h"

#include "daemon/base/file.h"
#include "daemon/base/name.h"
#include "daemon/worker/manifest_fields.h"
#include "plugins/kiln_plugin.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const char *
plural_of(uint32_t kind)
{
	switch (kind) {
	case KILN_FILE:
		return "files";
	case KILN_SEQUENCE:
		return "sequences";
	case KILN_BUNDLE:
		return "bundles";
	default:
		return "directories";
	}
}

void
kd_lineup_make(const struct kd_broker *broker)
{
	struct kd_batch *batch = broker->batch;
	const struct kd_handle *handle = broker->handle;
	batch->running_count = 0;
	for (uint32_t i = 0; i < batch->manifest.unit_count; i++) {
		struct kd_batch_unit *unit = &batch->units[i];
		if (unit->stage != KD_BATCH_TO_RUN)
			continue;
		if ((handle->accepts & kd_batch_kind(unit)) == 0) {
			kd_batch_settle(unit, KD_UNIT_BAD, "kernel '%s' does not take %s",
				batch->manifest.kernel, plural_of(unit->unit->kind));
			continue;
		}
		unit->publish.directory = handle->makes == KILN_MAKES_DIRECTORY ||
					  (handle->makes == KILN_MAKES_SAME &&
						  kd_batch_kind(unit) != KILN_FILE);
		int rc = unit->publish.directory
				 ? kd_stage_unit(&batch->stage, unit->publish.number)
				 : 0;
		if (rc < 0) {
			kd_batch_settle(unit, KD_UNIT_HELD, "cannot make its stage: %s",
				strerror(-rc));
			continue;
		}
		batch->running[batch->running_count++] = i;
		unit->running = 1;
	}
	batch->undone = batch->running_count;
}

int
kd_lineup_describe(const struct kd_batch *batch)
{
	json_t *units = json_array();
	for (uint32_t i = 0; i < batch->running_count; i++) {
		const struct kd_batch_unit *unit = &batch->units[batch->running[i]];
		json_array_append_new(units,
			json_pack("{sIsososO}", "kind", (json_int_t)kd_batch_kind(unit),
				"name",
				kd_manifest_fields_put_name(
					kd_name_base(unit->unit->path)),
				"stem", kd_manifest_fields_put_name(unit->stem), "inputs",
				unit->is_unpacked ? unit->unpacked_inputs
						  : unit->inputs));
	}
	json_t *body = json_pack("{so}", "units", units);
	char *text = body == NULL ? NULL : json_dumps(body, JSON_COMPACT);
	json_decref(body);
	int fd = memfd_create("kiln-units", MFD_CLOEXEC);
	int rc = text == NULL ? -ENOMEM
		 : fd < 0     ? -errno
			      : kd_file_write_all(fd, text, strlen(text));
	free(text);
	if (rc == 0 && lseek(fd, 0, SEEK_SET) < 0)
		rc = -errno;
	if (rc < 0 && fd >= 0)
		close(fd);
	return rc < 0 ? rc : fd;
}
