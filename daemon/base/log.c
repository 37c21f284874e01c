/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/base/log.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <syslog.h>
#include <unistd.h>

#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

enum sink { SINK_STDERR, SINK_PREFIXED, SINK_SYSLOG, SINK_JOURNAL };

static enum sink sink = SINK_STDERR;
static enum kd_log_level threshold = KD_INFO;

/* libsystemd is loaded for the first line that wants it: an engine has none, and it costs
 * each process as much to begin as all else that is linked here. */
static pthread_once_t journal_once = PTHREAD_ONCE_INIT;
static __typeof__(sd_journal_sendv) *journal_send;

static void
find_journal(void)
{
	void *library = dlopen("libsystemd.so.0", RTLD_NOW | RTLD_LOCAL);
	if (library != NULL)
		journal_send =
			(__typeof__(journal_send))dlsym(library, "sd_journal_sendv");
}

static int
stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;
	return stream != NULL && sscanf(stream, "%llu:%llu", &dev, &ino) == 2 &&
	       fstat(STDERR_FILENO, &st) == 0 && st.st_dev == dev && st.st_ino == ino;
}

void
kd_log_open(const char *program, enum kd_log_target target, enum kd_log_level most)
{
	threshold = most;
	if (target == KD_LOG_SYSLOG) {
		openlog(program, LOG_PID, LOG_DAEMON);
		sink = SINK_SYSLOG;
	} else if (target == KD_LOG_AUTO && stderr_is_journal()) {
		sink = SINK_JOURNAL;
	} else {
		sink = isatty(STDERR_FILENO) ? SINK_STDERR : SINK_PREFIXED;
	}
}

/* -1 where the journal is not to be had so: from its stream it takes prefixed lines. */
static int
to_journal(enum kd_log_level level, const struct kd_log_about *about, const char *line)
{
	pthread_once(&journal_once, find_journal);
	if (journal_send == NULL)
		return -1;
	char text[1200], priority[16], rule[256], batch[48], unit[48];
	struct iovec fields[5];
	int count = 0;
#define FIELD(buffer, ...)                                                               \
	do {                                                                             \
		int length = snprintf(buffer, sizeof buffer, __VA_ARGS__);               \
		if (length >= (int)sizeof buffer)                                        \
			length = sizeof buffer - 1;                                      \
		fields[count++] = (struct iovec){buffer, (size_t)length};                \
	} while (0)
	FIELD(text, "MESSAGE=%s", line);
	FIELD(priority, "PRIORITY=%d", (int)level);
	if (about != NULL && about->rule != NULL)
		FIELD(rule, "KILN_RULE=%s", about->rule);
	if (about != NULL && about->batch != 0)
		FIELD(batch, "KILN_BATCH=%lld", about->batch);
	if (about != NULL && about->unit != 0)
		FIELD(unit, "KILN_UNIT=%lld", about->unit);
#undef FIELD
	return journal_send(fields, count) < 0 ? -1 : 0;
}

static void
emit(enum kd_log_level level, const struct kd_log_about *about, const char *line)
{
	switch (sink) {
	case SINK_SYSLOG:
		syslog((int)level, "%s", line);
		break;
	case SINK_JOURNAL:
		if (to_journal(level, about, line) == 0)
			break;
		/* fall through */
	case SINK_PREFIXED:
		fprintf(stderr, "<%d>%s\n", (int)level, line);
		break;
	case SINK_STDERR:
		fprintf(stderr, "%s\n", line);
		break;
	}
}

static void
format_and_emit(enum kd_log_level level, const struct kd_log_about *about,
	const char *format, va_list args)
{
	if (level > threshold)
		return;
	char line[1100];
	vsnprintf(line, sizeof line, format, args);
	emit(level, about, line);
}

void
kd_log(enum kd_log_level level, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	format_and_emit(level, NULL, format, args);
	va_end(args);
}

void
kd_log_about(enum kd_log_level level, const struct kd_log_about *about,
	const char *format, ...)
{
	va_list args;
	va_start(args, format);
	format_and_emit(level, about, format, args);
	va_end(args);
}

void
kd_log_level(int most)
{
	threshold = (enum kd_log_level)most;
}
