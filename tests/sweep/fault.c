/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fault - runs kilnd with all its keepers and engines below ptrace(2), and does one thing
 * to it at one system call.
 *
 *	fault [OPTION...] -- KILND ARGUMENT...
 *	  --role ROLE      whose calls are meant: start, kilnd, keeper, engine
 *	  --below PREFIX   only calls that name a file whose path begins so
 *	  --at CALL:N      the N-th CALL of that role: there
 *	  --kill           SIGKILL its process; the call does not happen
 *	  --error NUMBER   the call fails with that errno, and does not happen (but close)
 *	  --on             and so do all such calls from then on
 *	  --rival          somebody else makes the file that the call renames something to
 *	  --orphans        after the kill leave the others alone, do not wait for them
 *	  --count FILE     write how often each role makes each call: ROLE CALL COUNT
 *	  --record FILE    see record.h; with
 *	  --folder FOLDER  of whose files; up to four of them
 *	  --report FILE    what was done: hit, rival PATH, repeated PATH
 *
 * kilnd's calls count as `start` until the first batch has been entered into the ledger,
 * which is known by its keeper being started.  A file whose fsync was made to fail and
 * that a keeper fsyncs again is reported as repeated; so is a folder, unless it got or lost a
 * name in between.  SIGTERM is passed on to kilnd.  Ends when all processes have ended.
 */
#include "tests/sweep/call.h"
#include "tests/sweep/record.h"
#include "tests/sweep/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/ptrace.h>

static const char *const roles[ROLES] = {"other", "start", "kilnd", "keeper", "engine"};
enum { CALLS = 600, FOLDERS = 4 };
enum action { WATCH, KILL, FAIL, RIVAL };

static struct options {
	enum role role;
	const char *below, *count, *report, *log, *folders[FOLDERS + 1];
	int folder_count;
	int number;
	unsigned long nth;
	enum action action;
	int error, on, orphans;
} options;

static unsigned long counts[ROLES][CALLS];
static struct record *record;
static FILE *report;
static int done, letting_go;
static volatile sig_atomic_t root;
/* The file whose fsync failed. */
static struct stat failed;
static char failed_path[PATH_MAX];

static void
die(const char *what)
{
	fprintf(stderr, "fault: %s: %s\n", what, strerror(errno));
	exit(2);
}

static struct thread *
need(pid_t id)
{
	struct thread *thread = thread_find(id);
	if (thread == NULL)
		die("too many threads");
	return thread;
}

/* --- what is done to them --------------------------------------------------- */

static void
skip_call(struct thread *thread)
{
#ifdef __x86_64__
	struct user_regs_struct registers;
	if (ptrace(PTRACE_GETREGS, thread->id, NULL, &registers) < 0)
		return;
	registers.orig_rax = (unsigned long long)-1;
	ptrace(PTRACE_SETREGS, thread->id, NULL, &registers);
#else
	(void)thread;
	errno = ENOSYS;
	die("other processors than x86-64");
#endif
}

static void
set_result(const struct thread *thread, int64_t result)
{
#ifdef __x86_64__
	struct user_regs_struct registers;
	if (ptrace(PTRACE_GETREGS, thread->id, NULL, &registers) < 0)
		return;
	registers.rax = (unsigned long long)result;
	ptrace(PTRACE_SETREGS, thread->id, NULL, &registers);
#else
	(void)thread;
	(void)result;
#endif
}

/* What the renaming process looked for and did not find is there now. */
static void
make_rival(const struct call *call)
{
	struct stat from;
	const char *to = call->other;
	/* Hidden names that begin like this are kiln's own. */
	if (strstr(to, "/.kiln-") != NULL || lstat(call->path, &from) < 0)
		return;
	int rc = -1;
	if (S_ISDIR(from.st_mode)) {
		rc = mkdir(to, 0755);
	} else {
		int fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
		rc = fd < 0 || write(fd, "a rival\n", 8) != 8 || close(fd) < 0 ? -1 : 0;
	}
	if (rc == 0)
		fprintf(report, "rival\t%s\n", to);
}

static void
fail_call(struct thread *thread)
{
	thread->fails = options.error;
	/* A descriptor is gone even where close(2) says that something went wrong. */
	if (strcmp(call_name(thread->call.number), "close") != 0)
		skip_call(thread);
}

static void
strike(struct thread *thread)
{
	done = 1;
	fprintf(report, "hit\t%s\t%s\n", call_name(thread->call.number),
		thread->call.path);
	switch (options.action) {
	case KILL:
		skip_call(thread);
		kill(thread->process, SIGKILL);
		break;
	case FAIL:
		fail_call(thread);
		if (strstr(call_name(thread->call.number), "sync") != NULL) {
			strcpy(failed_path, thread->call.path);
			if (stat(failed_path, &failed) < 0)
				failed_path[0] = '\0';
		}
		break;
	case RIVAL:
		make_rival(&thread->call);
		break;
	case WATCH:
		break;
	}
	fflush(report);
}

/* Whether that call gives the folder, or takes from it, a name. */
static int
changes_folder(const char *folder, const char *path)
{
	size_t length = strlen(folder);
	return strncmp(path, folder, length) == 0 && path[length] == '/' &&
	       strchr(path + length + 1, '/') == NULL;
}

static void
watch_failed(const struct thread *thread)
{
	const struct call *call = &thread->call;
	const char *name = call_name(call->number);
	struct stat st;
	if (strcmp(name, "fsync") == 0 || strcmp(name, "fdatasync") == 0) {
		if (stat(call->path, &st) == 0 && st.st_ino == failed.st_ino &&
			st.st_dev == failed.st_dev && thread->role == KEEPER)
			fprintf(report, "repeated\t%s\n", call->path);
	} else if (S_ISDIR(failed.st_mode) &&
		   (strncmp(name, "rename", 6) == 0 || strncmp(name, "mkdir", 5) == 0 ||
			   strncmp(name, "link", 4) == 0 ||
			   strncmp(name, "unlink", 6) == 0) &&
		   (changes_folder(failed_path, call->path) ||
			   changes_folder(failed_path, call->other))) {
		failed_path[0] = '\0';
	}
}

/* --- stops ------------------------------------------------------------------ */

static void
on_entry(struct thread *thread, const struct ptrace_syscall_info *info)
{
	struct call *call = &thread->call;
	thread->inside = 1;
	thread->fails = 0;
	call->thread = thread->id;
	call->number = (int)info->entry.nr;
	for (int i = 0; i < 6; i++)
		call->args[i] = info->entry.args[i];
	call->path[0] = call->other[0] = '\0';
	if (call->number < 0 || call->number >= CALLS)
		return;
	if (options.below != NULL || record != NULL || failed_path[0] != '\0' ||
		(thread->role == options.role && call->number == options.number))
		call_paths(call);
	if (failed_path[0] != '\0')
		watch_failed(thread);
	if (record != NULL)
		thread->makes = record_makes(record, call);
	if (options.below != NULL &&
		strncmp(call->path, options.below, strlen(options.below)) != 0 &&
		strncmp(call->other, options.below, strlen(options.below)) != 0)
		return;
	unsigned long nth = ++counts[thread->role][call->number];
	if (thread->role != options.role || call->number != options.number)
		return;
	if (!done && options.nth == nth)
		strike(thread);
	else if (done && options.on)
		fail_call(thread);
}

static void
on_exit_stop(struct thread *thread, const struct ptrace_syscall_info *info)
{
	thread->inside = 0;
	if (thread->fails != 0) {
		set_result(thread, -thread->fails);
		thread->fails = 0;
		return;
	}
	thread->call.result = info->exit.rval;
	if (record != NULL && !info->exit.is_error && thread->call.number >= 0)
		record_call(record, &thread->call, thread->makes);
}

static void
on_syscall(struct thread *thread)
{
	struct ptrace_syscall_info info;
	if (ptrace(PTRACE_GET_SYSCALL_INFO, thread->id, sizeof info, &info) <= 0)
		return;
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
		on_entry(thread, &info);
	else if (info.op == PTRACE_SYSCALL_INFO_EXIT && thread->inside)
		on_exit_stop(thread, &info);
}

/* The signal to go on with. */
static int
on_stop(struct thread *thread, int status)
{
	int event = status >> 16, signal = WSTOPSIG(status);
	if (signal == (SIGTRAP | 0x80)) {
		on_syscall(thread);
		return 0;
	}
	if (event == PTRACE_EVENT_EXEC) {
		/* execve(2) comes back as another program, whatever it was before. */
		thread->inside = 0;
		thread_recognise(thread);
	}
	return event == 0 ? signal : 0;
}

static void
go_on(const struct thread *thread, int signal)
{
	if (letting_go)
		ptrace(PTRACE_DETACH, thread->id, NULL, (void *)(long)signal);
	else
		ptrace(PTRACE_SYSCALL, thread->id, NULL, (void *)(long)signal);
	if (letting_go)
		thread_forget(thread->id);
}

static int
follow(void)
{
	int status = 0, end = 1, let = 0;
	while (thread_any_left()) {
		pid_t id = waitpid(-1, &status, __WALL);
		if (id < 0 && errno == EINTR)
			continue;
		if (id < 0)
			break;
		if (WIFSTOPPED(status)) {
			struct thread *thread = need(id);
			int signal = on_stop(thread, status);
			go_on(thread, signal);
		} else {
			thread_forget(id);
			if (id == root)
				letting_go = done && options.orphans;
			if (id == root)
				end = WIFEXITED(status) ? WEXITSTATUS(status)
							: 128 + WTERMSIG(status);
		}
		if (letting_go && !let)
			thread_interrupt_all();
		let = letting_go;
	}
	return end;
}

static void
pass_on(int signal)
{
	if (root > 0)
		kill((pid_t)root, signal);
}

static void
begin(char **command)
{
	int gate[2];
	char byte;
	if (pipe2(gate, O_CLOEXEC) < 0)
		die("pipe");
	pid_t child = fork();
	if (child < 0)
		die("fork");
	if (child == 0) {
		close(gate[1]);
		if (read(gate[0], &byte, 1) == 1)
			execv(command[0], command);
		_exit(127);
	}
	root = child;
	close(gate[0]);
	long wanted = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
		      PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
	if (ptrace(PTRACE_SEIZE, child, NULL, (void *)wanted) < 0)
		die("ptrace");
	need(child);
	/* From now on every call stops. */
	if (ptrace(PTRACE_INTERRUPT, child, NULL, NULL) < 0 ||
		write(gate[1], "g", 1) != 1)
		die("start");
	close(gate[1]);
	struct sigaction action = {.sa_handler = pass_on};
	sigaction(SIGTERM, &action, NULL);
	signal(SIGINT, SIG_IGN);
}

static void
write_counts(const char *path)
{
	FILE *file = fopen(path, "we");
	if (file == NULL)
		die(path);
	for (int role = START; role < ROLES; role++)
		for (int call = 0; call < CALLS; call++)
			if (counts[role][call] > 0)
				fprintf(file, "%s\t%s\t%lu\n", roles[role],
					call_name(call), counts[role][call]);
	if (fclose(file) != 0)
		die(path);
}

/* --- options ---------------------------------------------------------------- */

static void
parse_place(char *text)
{
	char *colon = strchr(text, ':');
	if (colon == NULL)
		exit(2);
	*colon = '\0';
	options.number = call_number(text);
	options.nth = strtoul(colon + 1, NULL, 10);
}

static void
parse(int argc, char **argv)
{
	static const struct option known[] = {{"role", 1, NULL, 'r'},
		{"below", 1, NULL, 'b'}, {"at", 1, NULL, 'a'}, {"kill", 0, NULL, 'k'},
		{"error", 1, NULL, 'e'}, {"rival", 0, NULL, 'v'},
		{"orphans", 0, NULL, 'o'}, {"on", 0, NULL, 'n'}, {"count", 1, NULL, 'c'},
		{"record", 1, NULL, 'l'}, {"folder", 1, NULL, 'f'},
		{"report", 1, NULL, 'p'}, {0}};
	int option;
	options.number = -1;
	while ((option = getopt_long(argc, argv, "+", known, NULL)) != -1) {
		switch (option) {
		case 'r':
			for (int i = 0; i < ROLES; i++)
				if (strcmp(optarg, roles[i]) == 0)
					options.role = (enum role)i;
			break;
		case 'b':
			options.below = optarg;
			break;
		case 'a':
			parse_place(optarg);
			break;
		case 'k':
			options.action = KILL;
			break;
		case 'e':
			options.action = FAIL;
			options.error = atoi(optarg);
			break;
		case 'v':
			options.action = RIVAL;
			break;
		case 'o':
			options.orphans = 1;
			break;
		case 'n':
			options.on = 1;
			break;
		case 'c':
			options.count = optarg;
			break;
		case 'l':
			options.log = optarg;
			break;
		case 'f':
			if (options.folder_count < FOLDERS)
				options.folders[options.folder_count++] = optarg;
			break;
		case 'p':
			options.report = optarg;
			break;
		default:
			exit(2);
		}
	}
	if (optind == argc || (options.log != NULL) != (options.folder_count > 0)) {
		fputs("fault: see the head of fault.c for its use\n", stderr);
		exit(2);
	}
}

int
main(int argc, char **argv)
{
	parse(argc, argv);
	report = fopen(options.report == NULL ? "/dev/null" : options.report, "we");
	if (report == NULL)
		die(options.report);
	if (options.log != NULL) {
		record = record_open(options.log, options.folders);
		if (record == NULL)
			die(options.log);
	}
	begin(argv + optind);
	int end = follow();
	if (options.count != NULL)
		write_counts(options.count);
	fprintf(report, "end\t%d\n", end);
	if (fclose(report) != 0)
		die("report");
	if (record != NULL && record_close(record) < 0) {
		fputs("fault: not all of it could be recorded\n", stderr);
		return 2;
	}
	return end;
}
