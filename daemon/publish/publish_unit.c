/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/publish/publish_unit.h"

#include "daemon/publish/stage.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void
kd_publish_unit_clear(struct kd_publish_unit *unit)
{
	for (uint32_t i = 0; i < unit->output_count; i++)
		free(unit->outputs[i].path);
	free(unit->outputs);
	free(unit->reason);
	free(unit->primary);
	free(unit->sidecar_path);
	json_decref(unit->superseded);
	*unit = (struct kd_publish_unit){0};
}

const char *
kd_publish_unit_name(const struct kd_publish_unit *unit, const struct kd_output *output)
{
	return unit->directory ? output->path : kd_stage_plain(output->path);
}

void
kd_publish_unit_settle(
	struct kd_publish_unit *unit, enum kd_status status, const char *format, ...)
{
	va_list args;
	unit->status = status;
	free(unit->reason);
	va_start(args, format);
	if (vasprintf(&unit->reason, format, args) < 0)
		unit->reason = NULL;
	va_end(args);
}
