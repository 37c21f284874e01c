/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log.h - where lines for the administrator go: the journal with fields when stderr is
 * the journal, syslog(3) when told so, else stderr with "<3>" prefixes (none on a
 * terminal).  No time stamps, no colours: whoever reads the log adds them.
 *
 * Names that people dropped are escaped by kd_name_escape() before they get here.
 */
#ifndef KD_LOG_H
#define KD_LOG_H

enum kd_log_level {
	KD_ERROR = 3,
	KD_WARNING = 4,
	KD_NOTICE = 5,
	KD_INFO = 6,
	KD_DEBUG = 7
};
enum kd_log_target { KD_LOG_AUTO, KD_LOG_STDERR, KD_LOG_SYSLOG };

/* Once, before threads start.  Lines above `most` are dropped. */
void kd_log_open(const char *program, enum kd_log_target target, enum kd_log_level most);
/* Another threshold, while running. */
void kd_log_level(int most);
void kd_log(enum kd_log_level level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The same with the objects of the line as journal fields KILN_RULE, KILN_BATCH,
 * KILN_UNIT; NULL and 0 mean none. */
struct kd_log_about {
	const char *rule;
	long long batch, unit;
};
void kd_log_about(enum kd_log_level level, const struct kd_log_about *about,
	const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
