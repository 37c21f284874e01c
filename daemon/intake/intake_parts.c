/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an intake says of itself.
 */
#include "daemon/intake/intake_parts.h"

#include "daemon/base/log.h"
#include "daemon/base/name.h"

void
kd_intake_tell_memory(const struct kd_intake *intake, const char *path, int rc)
{
	if (rc < 0)
		kd_log(KD_ERROR, "rule '%s': out of memory, '%s' waits for the next scan",
			intake->rule->name, KD_NAME(path));
}

uint64_t
kd_intake_lost(const struct kd_intake *intake)
{
	return intake->lost;
}

const struct kd_rule *
kd_intake_rule(const struct kd_intake *intake)
{
	return intake->rule;
}

uint64_t
kd_intake_settling(const struct kd_intake *intake)
{
	return kd_drops_count(intake->drops);
}

int
kd_intake_is_settling(const struct kd_intake *intake, const char *path)
{
	return kd_drops_has(intake->drops, path);
}

int
kd_intake_is_waited_for(const struct kd_intake *intake, const char *path)
{
	return kd_drops_waits(intake->drops, path);
}

uint64_t
kd_intake_waiting(const struct kd_intake *intake)
{
	return kd_drops_waiting(intake->drops);
}

int
kd_intake_is_current(const struct kd_intake *intake)
{
	return kd_scan_is_over(intake->scan) && !kd_drops_has_missed(intake->drops);
}

int
kd_intake_is_full(const struct kd_intake *intake)
{
	return kd_drops_is_full(intake->drops);
}

enum kd_intake_state
kd_intake_state(const struct kd_intake *intake, const char **why)
{
	*why = intake->why[0] == '\0' ? NULL : intake->why;
	return intake->state;
}
