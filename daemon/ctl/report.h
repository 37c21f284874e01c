/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report.h - what became of a `kilnctl run`.
 */
#ifndef KD_CTL_REPORT_H
#define KD_CTL_REPORT_H

#include "daemon/ctl/plan.h"

/* {"kernel","variant","device","seconds","units":[{"name","path","status","reason",
 * "outputs":[path,...],"sidecar","sha256","warnings"},...],"frames","frames_per_second",
 * "kernel_seconds","kernel_frames_per_second","failure"}; names escaped, paths absolute,
 * the primary output first. */
json_t *kd_ctl_report_json(
	const struct kd_ctl_plan *plan, const struct kd_result *result);

/* For people: on stdout what was made and how fast, on stderr what was not and why. */
void kd_ctl_report_print(const struct kd_ctl_plan *plan, const struct kd_result *result);

/* How many inputs did not become outputs. */
uint32_t kd_ctl_report_failures(
	const struct kd_ctl_plan *plan, const struct kd_result *result);

#endif
