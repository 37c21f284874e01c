/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/sweep/thread.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <unistd.h>

enum { THREADS = 1024 };

static struct thread *threads[THREADS];
static int intent; /* the first batch was entered into the ledger */

static pid_t
process_of(pid_t thread)
{
	char path[64], line[128];
	int process = thread;
	snprintf(path, sizeof path, "/proc/%d/status", (int)thread);
	FILE *status = fopen(path, "re");
	while (status != NULL && fgets(line, sizeof line, status) != NULL)
		if (sscanf(line, "Tgid: %d", &process) == 1)
			break;
	if (status != NULL)
		fclose(status);
	return process;
}

struct thread *
thread_find(pid_t id)
{
	struct thread **slot = NULL;
	for (int i = 0; i < THREADS; i++) {
		if (threads[i] != NULL && threads[i]->id == id)
			return threads[i];
		if (threads[i] == NULL && slot == NULL)
			slot = &threads[i];
	}
	struct thread *thread = slot == NULL ? NULL : calloc(1, sizeof *thread);
	if (thread == NULL)
		return NULL;
	*slot = thread;
	thread->id = id;
	thread->process = process_of(id);
	/* A further thread of a process; a new process is nobody until it execs. */
	for (int i = 0; i < THREADS; i++)
		if (threads[i] != NULL && threads[i]->process == thread->process)
			if (threads[i] != thread)
				thread->role = threads[i]->role;
	return thread;
}

void
thread_forget(pid_t id)
{
	for (int i = 0; i < THREADS; i++) {
		if (threads[i] == NULL || threads[i]->id != id)
			continue;
		free(threads[i]);
		threads[i] = NULL;
	}
}

int
thread_any_left(void)
{
	for (int i = 0; i < THREADS; i++)
		if (threads[i] != NULL)
			return 1;
	return 0;
}

/* Who a process is, its command line tells. */
void
thread_recognise(struct thread *thread)
{
	char path[64], line[4096] = "";
	snprintf(path, sizeof path, "/proc/%d/cmdline", (int)thread->id);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? -1 : read(fd, line, sizeof line - 1);
	if (fd >= 0)
		close(fd);
	if (length <= 0)
		return;
	const char *slash = strrchr(line, '/');
	const char *name = slash == NULL ? line : slash + 1;
	const char *argument = line + strlen(line) + 1;
	thread->role = OTHER;
	if (strcmp(name, "kilnd") == 0)
		thread->role = intent ? KILND : START;
	if (strcmp(name, "kiln-worker") == 0 && argument >= line + length) {
		thread->role = KEEPER;
		intent = 1;
		for (int i = 0; i < THREADS; i++)
			if (threads[i] != NULL && threads[i]->role == START)
				threads[i]->role = KILND;
	}
	if (strcmp(name, "kiln-worker") == 0 && strcmp(argument, "--engine") == 0)
		thread->role = ENGINE;
}

void
thread_interrupt_all(void)
{
	for (int i = 0; i < THREADS; i++)
		if (threads[i] != NULL)
			ptrace(PTRACE_INTERRUPT, threads[i]->id, NULL, NULL);
}
